"""Turn marks into findings: grouped with exact counts and row ranges, listed one by one up to the cap (X06).

Called by the feeds after reader and suite. Works on whole arrays, so a million findings cost about a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from partner_exchange.readers.marks import Mark, Refusal, Rows
from partner_exchange.validation.catalogue import CATALOGUE
from partner_exchange.validation.findings import FindingGroup, Findings, Severity

RANGES_SHOWN = 20
_WEIGHT = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
_WHOLE_FILE = -1


def severity_of(mark: Mark) -> Severity:
    """Return what the catalogue says, lowered where the tenant's policy does so.

    :raises KeyError: the code is not in the catalogue.
    """
    entry = CATALOGUE[mark.code]
    return Severity.WARNING if mark.is_warning and entry.may_be_lowered else entry.severity


def rejected_rows(marks: Iterable[Mark]) -> Rows:
    """Return the rows that carry an error, each once, ascending (K23)."""
    rows = [mark.rows for mark in marks if len(mark.rows) and severity_of(mark) is Severity.ERROR]
    is_rejected = np.zeros(max((int(each.max()) for each in rows), default=-1) + 1, dtype=np.bool_)
    for each in rows:
        is_rejected[each] = True
    return np.flatnonzero(is_rejected)


def refusal_findings(refusal: Refusal) -> Findings:
    """Return the one finding that refuses a whole file."""
    return word([Mark(refusal.code, facts=refusal.facts)], columns=(), cap=1)


def word(marks: Iterable[Mark], *, columns: Sequence[str], cap: int) -> Findings:
    """Return the findings of all marks.

    When there are more than ``cap``, errors are listed before warnings and warnings before infos, so that the
    cap never hides what rejects a row; the list itself is ordered by row, then column, then code.
    """
    kept = [_in_order(mark) for mark in marks]
    place = {"": 0, **{title: at for at, title in enumerate(columns, 1)}}
    return Findings(_groups(kept, place), _table(kept, place, cap))


def _in_order(mark: Mark) -> Mark:
    if bool((mark.rows[1:] >= mark.rows[:-1]).all()):
        return mark
    if not mark.places:
        return replace(mark, rows=np.sort(mark.rows))
    order = np.argsort(mark.rows, kind="stable")
    return replace(mark, rows=mark.rows[order], places=[mark.places[at] for at in order])


def row_ranges(rows: Rows) -> str:
    """Return ascending row numbers as ``2-4, 9``, cut after 20 ranges."""
    if not len(rows):
        return ""
    breaks = np.flatnonzero(np.diff(rows) > 1)
    starts = np.concatenate([rows[:1], rows[breaks + 1]])
    ends = np.concatenate([rows[breaks], rows[-1:]])
    shown = zip(starts[:RANGES_SHOWN].tolist(), ends[:RANGES_SHOWN].tolist(), strict=True)
    text = ", ".join(str(start) if start == end else f"{start}-{end}" for start, end in shown)
    return text + ", ..." if len(starts) > RANGES_SHOWN else text


def _groups(marks: Sequence[Mark], place: dict[str, int]) -> tuple[FindingGroup, ...]:
    together: dict[tuple[int, int, str, str], list[Mark]] = {}
    for mark in marks:
        key = (_WEIGHT[severity_of(mark)], place[mark.column], mark.code, mark.column)
        together.setdefault(key, []).append(mark)
    return tuple(
        _group(together[key]) for key in sorted(together, key=lambda key: (_has_rows(together[key]), key))
    )


def _has_rows(marks: Sequence[Mark]) -> bool:
    return any(len(mark.rows) for mark in marks)


def _group(marks: Sequence[Mark]) -> FindingGroup:
    first = marks[0]
    entry = CATALOGUE[first.code]
    rows = first.rows if len(marks) == 1 else np.sort(np.concatenate([mark.rows for mark in marks]))
    message = entry.sentence(first.facts) if len(marks) == 1 else entry.general
    return FindingGroup(
        first.code, severity_of(first), first.column, max(1, len(rows)), row_ranges(rows), message
    )


@dataclass(frozen=True)
class _Listed:
    """The single findings as parallel arrays; ``mark`` points to what they say."""

    row: Rows
    mark: npt.NDArray[np.int64]
    place: npt.NDArray[np.object_] | None
    """Where in the row; None where no mark says it, which spares feeds without places a million texts."""

    def take(self, chosen: npt.NDArray[np.int64]) -> _Listed:
        place = None if self.place is None else self.place[chosen]
        return _Listed(self.row[chosen], self.mark[chosen], place)


def _table(marks: Sequence[Mark], place: dict[str, int], cap: int) -> pd.DataFrame:
    if not marks:
        return Findings().table
    weights = np.array([_WEIGHT[severity_of(mark)] for mark in marks])
    places = np.array([place[mark.column] for mark in marks])
    codes = np.array([mark.code for mark in marks])
    listed = _candidates(marks, cap)
    if len(listed.mark) > cap:
        of = listed.mark
        listed = listed.take(np.lexsort((codes[of], places[of], listed.row, weights[of]))[:cap])
    of = listed.mark
    listed = listed.take(np.lexsort((codes[of], places[of], listed.row)))
    row, of = listed.row, listed.mark
    return pd.DataFrame(
        {
            "row": pd.Series(row, dtype="Int64").mask(row == _WHOLE_FILE),
            "column": _text([mark.column for mark in marks], of),
            "place": _text([""] * len(marks), of)
            if listed.place is None
            else pd.Series(listed.place, dtype="str"),
            "severity": _text([severity_of(mark).value for mark in marks], of),
            "code": _text([mark.code for mark in marks], of),
            "message": _text([CATALOGUE[mark.code].sentence(mark.facts) for mark in marks], of),
        }
    )


def _candidates(marks: Sequence[Mark], cap: int) -> _Listed:
    """Return row and mark of each finding; of one mark no more than the first ``cap`` can ever be listed."""
    whole_file = np.array([_WHOLE_FILE], dtype=np.int64)
    rows = [mark.rows[:cap] if len(mark.rows) else whole_file for mark in marks]
    lengths = [len(each) for each in rows]
    places = _places(marks, lengths) if any(mark.places for mark in marks) else None
    return _Listed(np.concatenate(rows), np.repeat(np.arange(len(marks)), lengths), places)


def _places(marks: Sequence[Mark], lengths: Sequence[int]) -> npt.NDArray[np.object_]:
    """Return where the first findings of each mark are, "" for marks that do not say it."""
    places = np.full(sum(lengths), "", dtype=object)
    end = 0
    for mark, length in zip(marks, lengths, strict=True):
        if mark.places:
            places[end : end + length] = list(mark.places[:length])
        end += length
    return places


def _text(values: Sequence[str], of: npt.NDArray[np.int64]) -> pd.Series:
    return pd.Series(values, dtype="str").take(of).reset_index(drop=True)
