"""Which submissions are old enough to be purged, and what a purge must leave alone (T39, K10).

Called by ``submissions.retention`` and ``submissions.purge``. What the ledger itself says of a submission is
never removed. ``delivery_retention`` says the same of what went out.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, update

from partner_exchange import clock
from partner_exchange.ledger import submissions, tables
from partner_exchange.ledger.states import FINAL, State
from partner_exchange.ledger.submissions import Submission
from partner_exchange.storage.names import StampedName

_table = tables.submission


def expired(connection: Connection, tenant_code: str, *, before: datetime, limit: int) -> list[Submission]:
    """Return the submissions to purge, in the order of their claims.

    They ended before ``before`` and are not purged yet. One that failed counts only once it is answered, and
    the one for which intake is suspended now never does.
    """
    query = select(_table.c.submission_id).where(_is_expired(tenant_code, before))
    ids = connection.execute(query.order_by(_table.c.seq).limit(limit)).scalars().all()
    return [submissions.get(connection, submission_id) for submission_id in ids]


def count_expired(connection: Connection, tenant_code: str, *, before: datetime) -> int:
    """Return how many submissions ``expired`` has without its limit."""
    query = select(func.count()).select_from(_table).where(_is_expired(tenant_code, before))
    return connection.execute(query).scalar_one()


def lock_expired(connection: Connection, submission: Submission, *, before: datetime) -> bool:
    """Hold the submission until the transaction ends, and say whether it is still to be purged."""
    query = select(_table.c.seq).where(
        _is_expired(submission.tenant_code, before), _table.c.submission_id == submission.submission_id
    )
    submissions.lock(connection, submission.submission_id)
    return connection.execute(query).first() is not None


def _is_expired(tenant_code: str, before: datetime) -> ColumnElement[bool]:
    intake = tables.intake
    suspending = select(intake.c.submission_id).where(
        intake.c.tenant_code == tenant_code,
        intake.c.suspended_at.is_not(None),
        intake.c.submission_id.is_not(None),
    )
    return and_(
        _table.c.tenant_code == tenant_code,
        _table.c.purged_at.is_(None),
        _table.c.finished_at < before,
        _table.c.state.in_(FINAL),
        or_(_table.c.state != State.FAILED, _table.c.answered_at.is_not(None)),
        _table.c.submission_id.not_in(suspending),
    )


def kept_names(connection: Connection, tenant_code: str, *, besides: Collection[str]) -> list[StampedName]:
    """Return the names of all submissions whose files are to stay.

    :param besides: ids of the submissions that are purged now.
    """
    query = select(_table.c.file_name, _table.c.stamp, _table.c.is_first_of_name).where(
        _table.c.tenant_code == tenant_code,
        _table.c.purged_at.is_(None),
        _table.c.submission_id.not_in(besides),
    )
    return [StampedName(*row) for row in connection.execute(query)]


def is_original_needed(connection: Connection, submission: Submission, *, besides: Collection[str]) -> bool:
    """Say whether another submission of the tenant has the same archived original and keeps it.

    :param besides: ids of the submissions that are purged before this one.
    """
    query = select(_table.c.seq).where(
        _table.c.tenant_code == submission.tenant_code,
        _table.c.sha256 == submission.sha256,
        _table.c.purged_at.is_(None),
        _table.c.submission_id.not_in([*besides, submission.submission_id]),
    )
    return connection.execute(query.limit(1)).first() is not None


def mark_purged(connection: Connection, submission_id: str) -> None:
    """Keep that nothing of the submission is left but what the ledger says."""
    connection.execute(
        update(_table).where(_table.c.submission_id == submission_id).values(purged_at=clock.now())
    )
