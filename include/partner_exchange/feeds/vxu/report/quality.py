"""How right the values are: 40 of the 100 points by default (T59).

Quality starts at 100 and loses, for every finding code at every place, ``FACTOR`` x its cost x the share of
messages (or of doses) that have it. A rejected message or dose costs once more than the error that led to it:
nothing of it was taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from partner_exchange.feeds.vxu.places import is_of_a_dose
from partner_exchange.feeds.vxu.report.document import FindingLine
from partner_exchange.feeds.vxu.report.tallies import Tally
from partner_exchange.feeds.vxu.report.wording import first_messages, part_of
from partner_exchange.feeds.vxu.report.words import in_words
from partner_exchange.validation.catalogue import CATALOGUE
from partner_exchange.validation.findings import FindingGroup, Findings, Severity

FACTOR = 40.0
"""Points of 100 that an error in every message costs."""

COSTS = {Severity.ERROR: 1.0, Severity.WARNING: 0.3, Severity.INFO: 0.0}
REJECTION_COST = 1.5
_MESSAGE_REJECTED = "message-rejected"
CONSEQUENCES = frozenset(entry.code for entry in CATALOGUE.values() if entry.is_consequence)
"""Codes that say what other findings led to."""
CONSEQUENCE = "consequence"
"""What stands for the severity of these."""


def finding_lines(findings: Findings, tally: Tally) -> tuple[FindingLine, ...]:
    """Return a line per code, place and severity, errors first; ``points`` are still 0.

    Counts are those of the findings, which hold what the store said as well; the tally knows how many
    messages have them.
    """
    return tuple(_line(group, tally) for group in findings.groups)


def _line(group: FindingGroup, tally: Tally) -> FindingLine:
    entry = CATALOGUE[group.code]
    messages = tally.one("count", "messages")
    affected = tally.one("finding_messages", group.code, group.column) or None
    if affected is not None:
        # The tally does not know severities: one code at one place may be an error here and a warning there.
        affected = min(affected, group.count)
    # A message that falls with all its doses is told at one of them, and is a message all the same.
    of_doses = is_of_a_dose(group.column) and group.code != _MESSAGE_REJECTED
    share = (
        part_of(group.count, tally.one("count", "doses"))
        if of_doses
        else part_of(group.count if affected is None else affected, messages)
    )
    is_whole_file = not group.row_ranges
    return FindingLine(
        code=group.code,
        title=entry.title,
        text=group.message if is_whole_file else entry.message,
        next_step="" if is_whole_file else entry.next_step,
        place=group.column,
        label=in_words(group.column),
        severity=CONSEQUENCE if group.code in CONSEQUENCES else str(group.severity),
        count=group.count,
        messages=affected,
        share=0.0 if is_whole_file else share,
        is_of_doses=of_doses,
        points=0.0,
        first_messages=first_messages(group.row_ranges, affected),
    )


def percent(lines: Iterable[FindingLine]) -> float:
    """Return the score of quality, 0 to 100."""
    return max(0.0, 100 - sum(map(_deduction, lines)))


def priced(lines: Sequence[FindingLine], worth: float) -> tuple[FindingLine, ...]:
    """Return the lines with what each costs of the ``worth`` points of quality; together never more."""
    total = sum(map(_deduction, lines))
    per_point = worth / 100 * min(1.0, 100 / total) if total else 0.0
    return tuple(replace(line, points=_deduction(line) * per_point) for line in lines)


def _deduction(line: FindingLine) -> float:
    cost = REJECTION_COST if line.code in CONSEQUENCES else COSTS[Severity(line.severity)]
    return FACTOR * cost * line.share
