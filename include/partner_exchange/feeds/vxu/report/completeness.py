"""How well the fields are filled: 50 of the 100 points by default (T59).

A field is good where it is there and neither invalid, unknown nor deprecated. Its score is its weight times
the share of good ones among those that should have it; a field that nobody should have leaves the sum.
Sections count by what they could reach.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from partner_exchange.feeds.vxu.places import is_of_a_dose
from partner_exchange.feeds.vxu.profile import FIELDS, ScoredField
from partner_exchange.feeds.vxu.report.document import FieldLine, Section
from partner_exchange.feeds.vxu.report.tallies import Tally
from partner_exchange.feeds.vxu.report.words import in_words


def sections(tally: Tally) -> tuple[Section, ...]:
    """Return the sections with the fields that something was expected of; ``points`` are still 0."""
    by_name: dict[str, list[FieldLine]] = {}
    for field in FIELDS:
        line = _line(field, tally)
        if line.expected:
            by_name.setdefault(str(field.section), []).append(line)
    return tuple(_section(name, lines) for name, lines in by_name.items())


def percent(found: Sequence[Section]) -> float | None:
    """Return the score of completeness, 0 to 100; None when no message could be read."""
    potential = _potential(found)
    return 100 * sum(section.scored for section in found) / potential if potential else None


def priced(found: Sequence[Section], worth: float) -> tuple[Section, ...]:
    """Return the sections with what each field costs of the ``worth`` points of completeness."""
    per_weight = worth / (_potential(found) or 1)
    return tuple(
        replace(
            section,
            fields=tuple(
                replace(line, points=line.weight * (1 - line.good) * per_weight) for line in section.fields
            ),
        )
        for section in found
    )


def _potential(found: Iterable[Section]) -> float:
    return sum(section.potential for section in found)


def _line(field: ScoredField, tally: Tally) -> FieldLine:
    expected, present, missing, invalid, unrecognized, deprecated = (
        tally.one("field", field.place, state)
        for state in ("expected", "present", "missing", "invalid", "unrecognized", "deprecated")
    )
    good = max(0, present - invalid - unrecognized - deprecated)
    return FieldLine(
        label=in_words(field.place),
        place=field.place,
        level=str(field.level),
        weight=field.weight,
        expected=expected,
        present=present,
        missing=missing,
        invalid=invalid,
        unrecognized=unrecognized,
        deprecated=deprecated,
        good=min(1.0, good / expected) if expected else 0.0,
        points=0.0,
    )


def _section(name: str, lines: Sequence[FieldLine]) -> Section:
    return Section(
        name=name,
        counted="doses" if all(is_of_a_dose(line.place) for line in lines) else "messages",
        scored=sum(line.weight * line.good for line in lines),
        potential=sum(line.weight for line in lines),
        fields=tuple(lines),
    )
