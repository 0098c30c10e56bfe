"""What became of the values of a submission, by column (E21): for feeds that judge values one by one."""

from __future__ import annotations

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
    """Blank, or in a column that nothing may set."""
    rejected: int = 0

    @property
    def total(self) -> int:
        """Return the number of cells of the column."""
        return self.set + self.unchanged + self.late + self.skipped + self.rejected


def add(connection: Connection, submission_id: str, outcomes: Iterable[ColumnOutcome]) -> None:
    """Add the counts to those that the submission has already; new columns go behind the known ones."""
    known = [one.column for one in read(connection, submission_id)]
    for one in outcomes:
        if one.column not in known:
            known.append(one.column)
        counts = {name: getattr(one, name) for name in ("set", "unchanged", "late", "skipped", "rejected")}
        row = {
            "submission_id": submission_id,
            "ordinal": known.index(one.column) + 1,
            "column_name": one.column,
            **{f"{name}_count": count for name, count in counts.items()},
        }
        statement = insert(_table).values(row)
        more = {
            f"{name}_count": _table.c[f"{name}_count"] + statement.excluded[f"{name}_count"]
            for name in counts
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
