"""Suspended intake: a tenant's inbox that is not looked at until somebody has remedied the cause (M39).

Called by the steps and by the command that resumes intake.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from partner_exchange import clock
from partner_exchange.ledger import tables

_table = tables.intake


@dataclass(frozen=True)
class Suspension:
    """Why and since when a tenant's files wait."""

    tenant_code: str
    suspended_at: datetime
    reason_code: str
    reason: str
    submission_id: str | None
    """The submission that caused it."""


def suspend(
    connection: Connection, tenant_code: str, *, reason_code: str, reason: str, submission_id: str | None
) -> None:
    """Suspend intake; while it is, the first reason stays.

    A step that runs again after intake was resumed does not suspend it a second time for the same submission.
    """
    row = {
        "tenant_code": tenant_code,
        "suspended_at": clock.now(),
        "reason_code": reason_code,
        "reason": reason,
        "submission_id": submission_id,
    }
    statement = insert(_table).values(row)
    new = statement.excluded
    is_another = or_(_table.c.submission_id.is_distinct_from(new.submission_id), new.submission_id.is_(None))
    connection.execute(
        statement.on_conflict_do_update(
            constraint="intake_pkey",
            set_={**row, "resumed_at": None, "resumed_by": None},
            where=_table.c.suspended_at.is_(None) & is_another,
        )
    )


def resume(connection: Connection, tenant_code: str, *, by: str) -> bool:
    """Take files of the tenant again; say whether intake was suspended."""
    statement = (
        update(_table)
        .where(_table.c.tenant_code == tenant_code, _table.c.suspended_at.is_not(None))
        .values(suspended_at=None, resumed_at=clock.now(), resumed_by=by)
    )
    return connection.execute(statement).rowcount > 0


def suspension(connection: Connection, tenant_code: str) -> Suspension | None:
    """Return why the tenant's files wait, None when they do not."""
    columns = [_table.c[name] for name in Suspension.__dataclass_fields__]
    row = connection.execute(
        select(*columns).where(_table.c.tenant_code == tenant_code, _table.c.suspended_at.is_not(None))
    ).one_or_none()
    return Suspension(**row._mapping) if row is not None else None
