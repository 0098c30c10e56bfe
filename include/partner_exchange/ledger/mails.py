"""The outbox: mails that wait, were sent, or were refused by the mail server (E36).

Steps ``enqueue`` in the transaction that makes a mail true; ``partner_exchange.notify`` sends what is ``due``
and marks it in the same transaction, so that no two senders ever hold the same mail.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from ulid import ULID

from partner_exchange import clock
from partner_exchange.ledger import tables

_table = tables.mail


class Event(StrEnum):
    """What a mail tells its recipient."""

    SUCCESS = "success"
    FINDINGS = "findings"
    REFUSAL = "refusal"
    FAILURE = "failure"
    SUSPENDED = "suspended"
    QUOTA = "quota"
    DELIVERED = "delivered"
    DELIVERY_FAILED = "delivery-failed"
    DELIVERY_REFUSED = "delivery-refused"
    DELIVERY_UNANSWERED = "delivery-unanswered"
    TARGET_WARNING = "target-warning"
    REPORT_WANTED = "report-wanted"


class MailState(StrEnum):
    """How far a mail has come."""

    QUEUED = "queued"
    SENT = "sent"
    REFUSED = "refused"


@dataclass(frozen=True)
class QueuedMail:
    """One mail to send now."""

    mail_id: str
    submission_id: str | None
    tenant_code: str
    event: Event
    topic: str
    """What the mail is about when it belongs to no submission, else empty."""
    recipient: str
    attempts: int
    """Tries so far, without the one to come."""
    queued_at: datetime


def enqueue(
    connection: Connection,
    *,
    tenant_code: str,
    event: Event,
    recipients: Iterable[str],
    submission_id: str | None = None,
    topic: str = "",
) -> int:
    """Queue one mail per recipient, each once per submission and event; return how many are new.

    :param topic: given instead of a submission: the id of what the mail is about; each is told once per
        topic and event.
    """
    at = clock.now()
    rows = [
        {
            "mail_id": str(ULID.from_datetime(at)),
            "submission_id": submission_id,
            "tenant_code": tenant_code,
            "event": str(event),
            "topic": topic,
            "recipient": recipient,
            "state": MailState.QUEUED,
            "next_attempt_at": at,
            "queued_at": at,
        }
        for recipient in dict.fromkeys(recipients)
    ]
    if not rows:
        return 0
    statement = insert(_table).values(rows).on_conflict_do_nothing()
    return len(connection.execute(statement.returning(_table.c.mail_id)).all())


def due(
    connection: Connection,
    now: datetime,
    limit: int,
    submission_id: str | None = None,
    *,
    topic: str | None = None,
) -> list[QueuedMail]:
    """Return mails to send now, oldest first, held until the transaction ends, but not another sender's.

    :param topic: only mails about this one, such as a delivery; those whose topic goes on after a dot, as
        that of each failure of a delivery does, are about it as well.
    """
    columns = [_table.c[name] for name in QueuedMail.__dataclass_fields__]
    query = (
        select(*columns)
        .where(_table.c.state == MailState.QUEUED, _table.c.next_attempt_at <= now)
        .order_by(_table.c.next_attempt_at, _table.c.mail_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if submission_id is not None:
        query = query.where(_table.c.submission_id == submission_id)
    if topic is not None:
        is_about = or_(_table.c.topic == topic, _table.c.topic.startswith(f"{topic}.", autoescape=True))
        query = query.where(_table.c.submission_id.is_(None), is_about)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    return [QueuedMail(**{**row, "event": Event(row["event"])}) for row in rows]


def sent_at(connection: Connection, submission_id: str) -> datetime | None:
    """Return when the last mail of a submission went out, None while one waits or when there is none."""
    query = select(func.count(), func.count(_table.c.sent_at), func.max(_table.c.sent_at))
    queued, sent, at = connection.execute(query.where(_table.c.submission_id == submission_id)).one()
    return at if queued == sent else None


def mark_sent(connection: Connection, mail_id: str) -> None:
    """Keep that the mail server has taken the mail."""
    _mark(connection, mail_id, state=MailState.SENT, sent_at=clock.now(), last_error_code=None)


def mark_deferred(
    connection: Connection, mail_id: str, *, next_attempt_at: datetime, error_code: str
) -> None:
    """Keep that the mail has to be tried again, and when."""
    _mark(connection, mail_id, next_attempt_at=next_attempt_at, last_error_code=error_code)


def mark_refused(connection: Connection, mail_id: str, *, error_code: str) -> None:
    """Keep that the mail server will never take the mail."""
    _mark(connection, mail_id, state=MailState.REFUSED, last_error_code=error_code)


def _mark(connection: Connection, mail_id: str, **changes: object) -> None:
    is_it = (_table.c.mail_id == mail_id) & (_table.c.state == MailState.QUEUED)
    connection.execute(update(_table).where(is_it).values(attempts=_table.c.attempts + 1, **changes))
