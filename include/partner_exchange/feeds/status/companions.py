"""Judge what goes with a value: its comment and its reason (K23).

Only the bulk template has columns for them, so only there they are asked for. Called by ``values.py`` when
the values themselves are judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from partner_exchange.feeds.nearest import nearest
from partner_exchange.feeds.status.filled import (
    FilledCells,
    Flags,
    Places,
    Text,
    beside,
    blanked,
    blanks,
    text,
)
from partner_exchange.feeds.status.layout import Layout
from partner_exchange.feeds.status.lines import Lines
from partner_exchange.feeds.status.stating import Say, Statements, by_element, failures, marked
from partner_exchange.feeds.status.suite import companion_suite, orphan_suite
from partner_exchange.readers.grid import Grid
from partner_exchange.tenants.status_types import MultiStatus

_RULES = ("optional", "mandatory", "unavailable")
_MANDATORY, _UNAVAILABLE = 1, 2


@dataclass(frozen=True)
class Companions:
    """Comment and reason of each line, and what that means for its value and for their own cells."""

    comment: Text
    reason: Text
    is_refused: Flags
    """Lines whose value cannot be taken because of them."""
    is_comment_missing: Flags
    is_reason_missing: Flags
    is_comment_ignored: Flags

    @classmethod
    def none(cls, count: int) -> Companions:
        """Return those of lines in a template that has none."""
        nowhere = np.zeros(count, dtype=np.bool_)
        return cls(blanks(count), blanks(count), nowhere, nowhere, nowhere, nowhere)


@dataclass(frozen=True)
class _Side:
    """The comments, or the reasons, of lines."""

    cells: Text
    is_struck: Flags
    target: Places
    """Element of the column that the partner must change."""

    @property
    def length(self) -> npt.NDArray[np.float64]:
        lengths: npt.NDArray[np.float64] = pc.binary_length(self.cells).to_numpy().astype(np.float64)
        return lengths


def _side(grid: Grid, layout: Layout, lines: Lines, element_of_type: Places, is_struck: Flags) -> _Side:
    type_ = layout.type_of[lines.element]
    element = element_of_type[type_]
    struck = (element >= 0) & is_struck[lines.at, element]
    cells = beside(grid, layout.position[element], lines.at, is_blank=struck)
    return _Side(cells, struck, np.where(element >= 0, element, layout.home[type_]))


def judge_companions(
    grid: Grid,
    layout: Layout,
    lines: Lines,
    statuses: Sequence[MultiStatus],
    *,
    is_struck: Flags,
    statements: Statements,
) -> Companions:
    """Return comment and reason of each line.

    :param is_struck: cells that the reader found faulty, rows of the grid by elements: they are not used, and
        nothing more is said of them.
    """
    comment = _side(grid, layout, lines, layout.comment, is_struck)
    reason = _side(grid, layout, lines, layout.reason, is_struck)
    rule = _comment_rules(layout, lines, statuses)
    needs_reason = np.array([*(one.reason_required for one in statuses), False])[lines.status]
    listed = _Listed.of(reason.cells, lines.status, statuses)
    frame = pd.DataFrame(
        {
            "comment": comment.length,
            "least_comment": np.where((rule == _MANDATORY) & ~comment.is_struck, 1.0, np.nan),
            "most_comment": np.where(rule == _UNAVAILABLE, 0.0, np.nan),
            "reason": reason.length,
            "least_reason": np.where(needs_reason & ~reason.is_struck, 1.0, np.nan),
            "listed_reason": listed.asked.to_pandas(),
        }
    )
    nowhere = np.empty(0, dtype=np.int64)
    found: dict[str, Places] = dict.fromkeys(
        ("comment-missing", "comment-not-taken", "reason-missing", "reason-unknown"), nowhere
    )
    if _asks(frame):
        found.update(failures(frame, companion_suite(listed.known)))
    for code, failed in found.items():
        side = comment if code.startswith("comment") else reason
        for element, positions in by_element(failed, side.target[failed]):
            for say, part in _said(code, positions, reason.cells, lines.status, statuses):
                statements.state(say, lines.at[part], element)
    flagged = {code: marked(len(lines), failed) for code, failed in found.items()}
    has_no_comment = (rule == _MANDATORY) & (comment.length == 0)
    has_no_reason = needs_reason & (reason.length == 0)
    return Companions(
        blanked(comment.cells, flagged["comment-not-taken"]),
        listed.spelled,
        has_no_comment | has_no_reason | flagged["reason-unknown"],
        flagged["comment-missing"],
        flagged["reason-missing"],
        flagged["comment-not-taken"],
    )


def _asks(frame: pd.DataFrame) -> bool:
    """Say whether anything can be wrong, which in most files nothing can: GX costs time even so."""
    has_limit = frame[["least_comment", "most_comment", "least_reason"]].notna().to_numpy().any()
    return bool(has_limit or (frame["listed_reason"] != "").any())


def _comment_rules(layout: Layout, lines: Lines, statuses: Sequence[MultiStatus]) -> Places:
    """Return the place in ``_RULES`` for each line: that of its status, else of its type.

    A Multi value that is no status has no rule of its own.
    """
    of_type = ["optional" if one.statuses else one.comment for one in layout.types]
    rules = np.array([_RULES.index(rule) for rule in (*of_type, *(one.comment for one in statuses))])
    has_status = lines.status >= 0
    which = np.where(has_status, len(layout.types) + lines.status, layout.type_of[lines.element])
    result: Places = rules[which]
    return result


@dataclass(frozen=True)
class _Listed:
    """Reasons of statuses that have a list of them."""

    asked: Text
    """For each line: what must be among ``known``; "" where there is no reason, or no list."""
    known: list[str]
    spelled: Text
    """For each line its reason, spelled as in the list where it is there."""

    @classmethod
    def of(cls, reasons: Text, status: Places, statuses: Sequence[MultiStatus]) -> _Listed:
        spelling = {
            f"{place} {reason.casefold()}": reason
            for place, one in enumerate(statuses)
            for reason in one.reasons
        }
        has_list = np.array([*(bool(one.reasons) for one in statuses), False])[status]
        at = np.flatnonzero(has_list & (pc.binary_length(reasons).to_numpy() > 0))
        if not len(at):
            return cls(blanks(len(status)), list(spelling), reasons)
        sent = reasons.take(pa.array(at)).to_pylist()
        asked = [f"{place} {one.casefold()}" for place, one in zip(status[at].tolist(), sent, strict=True)]
        spelled = [spelling.get(key, one) for key, one in zip(asked, sent, strict=True)]
        mask = pa.array(marked(len(status), at))
        return cls(
            pc.replace_with_mask(blanks(len(status)), mask, text(asked)),
            list(spelling),
            pc.replace_with_mask(reasons, mask, text(spelled)),
        )


def _said(
    code: str, positions: Places, reasons: Text, status: Places, statuses: Sequence[MultiStatus]
) -> Iterator[tuple[Say, Places]]:
    """Return what to say of the lines at ``positions``; of an unknown reason also which one is near."""
    if code != "reason-unknown":
        yield Say(code), positions
        return
    for place, part in by_element(positions, status[positions]):
        sent = reasons.take(pa.array(part)).to_pylist()
        near = nearest(set(sent), statuses[place].reasons)
        offers = sorted(set(near.values()))
        offer = np.array([offers.index(near[one]) if one in near else -1 for one in sent], dtype=np.int64)
        for each, same in by_element(part, offer):
            yield Say(code, {"nearest": offers[each]} if each >= 0 else {}), same


def judge_orphans(cells: FilledCells, has_value: Flags, *, statements: Statements) -> Flags:
    """Return which comments and reasons stand in a row without the value that they belong to.

    :param has_value: for each cell whether that value is there, in whatever form.
    """
    frame = pd.DataFrame({"needed": np.ones(len(cells)), "values": has_value.astype(np.float64)})
    is_orphan = np.zeros(len(cells), dtype=np.bool_)
    for code, failed in failures(frame, orphan_suite()):
        is_orphan[failed] = True
        for element, positions in by_element(failed, cells.element[failed]):
            statements.state(Say(code), cells.at[positions], element)
    return is_orphan
