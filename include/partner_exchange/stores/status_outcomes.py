"""What became of each observation, counted for rows and columns; called by the merge of statuses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pandas as pd

from partner_exchange.errors import CountsDoNotReconcile


class Outcome(StrEnum):
    """What became of one observation; one letter, as the database gives them back in one text."""

    CREATED = "c"
    """Gave the status its first value."""
    SET = "s"
    """Changed value, reason or comment."""
    UNCHANGED = "u"
    LATE = "l"
    """Older than the status now: kept in the history."""
    BETWEEN = "x"
    """Not merged yet: it has to go between what the history has."""


Outcomes = npt.NDArray[np.str_]
"""One letter per observation, in their order, dtype ``U1``."""


@dataclass(frozen=True)
class StatusMerge:
    """What became of a file's observations; the three counts add up to its distinct rows."""

    rows_created: int
    """Rows that gave at least one status its first value."""
    rows_updated: int
    """Other rows that changed at least one status."""
    rows_unchanged: int
    """All others, late ones too."""
    columns: pd.DataFrame
    """``column`` str, in the order of observations, and ``set``, ``unchanged``, ``late`` int64: values."""
    late_rows: dict[str, npt.NDArray[np.int64]]
    """Row numbers with late values by column of the file, ascending; columns without one are left out."""


def tally(observations: pd.DataFrame, outcomes: Outcomes) -> StatusMerge:
    """Count the outcomes of a file's observations.

    :param observations: ``row`` int64 and ``column`` str.
    :raises CountsDoNotReconcile: an observation has no outcome.
    """
    is_created, is_late = outcomes == Outcome.CREATED, outcomes == Outcome.LATE
    is_set = is_created | (outcomes == Outcome.SET)
    is_unchanged = outcomes == Outcome.UNCHANGED
    require_equal(len(observations), int((is_set | is_unchanged | is_late).sum()))
    rows = observations["row"].to_numpy(dtype=np.int64)
    distinct, row_of = np.unique(rows, return_inverse=True)
    has_created = np.bincount(row_of, is_created, len(distinct)) > 0
    has_set = np.bincount(row_of, is_set, len(distinct)) > 0
    column_of, distinct_columns = pd.factorize(observations["column"])
    titles = [str(title) for title in distinct_columns]
    counts = {
        name: np.bincount(column_of, mask, len(titles)).astype(np.int64)
        for name, mask in (("set", is_set), ("unchanged", is_unchanged), ("late", is_late))
    }
    late = {
        titles[code]: np.unique(rows[is_late & (column_of == code)])
        for code in np.flatnonzero(counts["late"])
    }
    return StatusMerge(
        rows_created=int(has_created.sum()),
        rows_updated=int((has_set & ~has_created).sum()),
        rows_unchanged=int((~has_set).sum()),
        columns=pd.DataFrame({"column": pd.Series(titles, dtype="str"), **counts}),
        late_rows=late,
    )


def require_equal(given: int, counted: int) -> None:
    """Compare what went in with what came out (X04).

    :raises CountsDoNotReconcile: they differ.
    """
    if given != counted:
        raise CountsDoNotReconcile(
            "counts-do-not-reconcile",
            f"Of {given} statuses to merge {counted} were accounted for; nothing was committed. "
            "This is a fault of the exchange, not of the file.",
            given=given,
            counted=counted,
        )
