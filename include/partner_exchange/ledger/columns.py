"""What became of the values of a submission, by column (E21): for feeds that judge values one by one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from partner_exchange.ledger import tables

_table = tables.column_outcome


@dataclass(frozen=True)
class ColumnOutcome:
    """How many values of one column had which outcome."""

    column: str
    set: int = 0
    """Gave a status a value, or another one."""
    unchanged: int = 0
    """Said what was known already."""
    late: int = 0
    """Older than what the store knows: kept in the history, not shown as the status now."""
    skipped: int = 0
    """Blank, or a later row of the file took its place."""
    rejected: int = 0

    @property
    def total(self) -> int:
        """Return the number of cells of the column."""
        return self.set + self.unchanged + self.late + self.skipped + self.rejected


_COUNTS = ("set", "unchanged", "late", "skipped", "rejected")


def add(connection: Connection, submission_id: str, outcomes: Iterable[ColumnOutcome]) -> None:
    """Add the counts to those that the submission has already; new columns go behind the known ones."""
    known = [one.column for one in read(connection, submission_id)]
    place = {column: ordinal for ordinal, column in enumerate(known, start=1)}
    rows: dict[str, dict[str, object]] = {}
    totals: dict[str, Counter[str]] = defaultdict(Counter)
    for one in outcomes:
        totals[one.column].update({f"{name}_count": getattr(one, name) for name in _COUNTS})
        rows[one.column] = {
            "submission_id": submission_id,
            "ordinal": place.setdefault(one.column, len(place) + 1),
            "column_name": one.column,
            **totals[one.column],
        }
    if not rows:
        return
    statement = insert(_table).values(list(rows.values()))
    more = {
        f"{name}_count": _table.c[f"{name}_count"] + statement.excluded[f"{name}_count"] for name in _COUNTS
    }
    connection.execute(statement.on_conflict_do_update(constraint="column_outcome_pkey", set_=more))


def read(connection: Connection, submission_id: str) -> tuple[ColumnOutcome, ...]:
    """Return the outcomes in the order of the file's columns."""
    rows = connection.execute(
        select(_table).where(_table.c.submission_id == submission_id).order_by(_table.c.ordinal)
    )
    return tuple(
        ColumnOutcome(
            row.column_name,
            row.set_count,
            row.unchanged_count,
            row.late_count,
            row.skipped_count,
            row.rejected_count,
        )
        for row in rows
    )
