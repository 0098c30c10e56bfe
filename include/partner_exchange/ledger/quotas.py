"""Since when a partner's folder is nearly full: one row per threshold and episode (T38).

An episode begins when a look finds the threshold reached and ends when a look finds it no longer reached. So
a warning goes out once, and again only after the count has fallen below.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert
from ulid import ULID

from partner_exchange import clock
from partner_exchange.ledger import tables

_table = tables.quota_warning


@dataclass(frozen=True)
class QuotaWarning:
    """One threshold that a count of files has reached, as it was then."""

    warning_id: str
    tenant_code: str
    folder: str
    percent: int
    file_count: int
    max_files: int
    began_at: datetime


_COLUMNS = [_table.c[name] for name in QuotaWarning.__dataclass_fields__]


def record_look(
    connection: Connection,
    tenant_code: str,
    folder: str,
    *,
    file_count: int,
    max_files: int,
    reached: Collection[int],
) -> list[QuotaWarning]:
    """End the episodes that are over and return those that begin now, the lowest threshold first.

    Of two looks at once only one is told of a beginning.

    :param reached: the thresholds, in percent, that the count has reached.
    """
    at = clock.now()
    is_over = (
        (_table.c.tenant_code == tenant_code)
        & (_table.c.folder == folder)
        & _table.c.ended_at.is_(None)
        & _table.c.percent.not_in(sorted(reached))
    )
    connection.execute(update(_table).where(is_over).values(ended_at=at))
    rows = [
        {
            "warning_id": str(ULID.from_datetime(at)),
            "tenant_code": tenant_code,
            "folder": folder,
            "percent": percent,
            "file_count": file_count,
            "max_files": max_files,
            "began_at": at,
        }
        for percent in sorted(set(reached))
    ]
    if not rows:
        return []
    statement = insert(_table).values(rows).on_conflict_do_nothing().returning(*_COLUMNS)
    begun = [QuotaWarning(**row) for row in connection.execute(statement).mappings()]
    return sorted(begun, key=lambda warning: warning.percent)


def get(connection: Connection, warning_id: str) -> QuotaWarning:
    """Return the warning of that id, which a queued mail has as its topic."""
    query = select(*_COLUMNS).where(_table.c.warning_id == warning_id)
    return QuotaWarning(**connection.execute(query).mappings().one())
