"""Send what is due in the outbox; called after each submission and delivery and, for what was deferred, by
housekeeping.

A mail is sent at least once: a crash between sending and marking repeats it with the same Message-ID.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, replace
from datetime import timedelta

from partner_exchange import clock, log
from partner_exchange.errors import ConfigError, MailDeferred, MailRefused
from partner_exchange.ledger import mails
from partner_exchange.ledger.database import transaction
from partner_exchange.notify.compose import compose
from partner_exchange.notify.transport import send
from partner_exchange.settings import Settings, get_settings
from partner_exchange.tenants import registry

_logger = logging.getLogger(__name__)

RETRY_LADDER_S = (30, 120, 600, 1800, 3600)
"""Pause before the next try, in seconds; the last one repeats until the relay is back."""


@dataclass(frozen=True)
class DeliveryCounts:
    """How many mails went out, wait for the relay or for a sound tenant file, or were refused for good."""

    sent: int = 0
    deferred: int = 0
    waiting: int = 0
    refused: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return plain values for a log line or an XCom."""
        return asdict(self)


def deliver(
    *, submission_id: str | None = None, topic: str | None = None, limit: int = 500
) -> DeliveryCounts:
    """Send due mails, each in a transaction of its own; stops at the first sign that the relay is away.

    :param submission_id: only the mails of this submission, due or not yet tried.
    :param topic: only those about this, such as the id of a delivery, that belong to no submission.
    """
    settings, counts = get_settings(), DeliveryCounts()
    for _ in range(limit):
        verdict = _deliver_one(settings, submission_id, topic)
        if verdict is None:
            break
        counts = replace(counts, **{verdict: getattr(counts, verdict) + 1})
        if verdict == "deferred":
            break
    log.event(_logger, "deliver", **counts.as_dict())
    return counts


def _deliver_one(settings: Settings, submission_id: str | None, topic: str | None) -> str | None:
    with transaction() as connection:
        due = mails.due(connection, clock.now(), limit=1, submission_id=submission_id, topic=topic)
        if not due:
            return None
        mail = due[0]
        try:
            tenant = registry.load_one(mail.tenant_code)
            send(compose(connection, mail, tenant, sender=settings.mail_from), settings)
        except MailDeferred as error:
            pause_s = RETRY_LADDER_S[min(mail.attempts, len(RETRY_LADDER_S) - 1)]
            next_attempt_at = clock.now() + timedelta(seconds=pause_s)
            mails.mark_deferred(
                connection, mail.mail_id, next_attempt_at=next_attempt_at, error_code=error.code
            )
            return "deferred"
        except MailRefused as error:
            mails.mark_refused(connection, mail.mail_id, error_code=error.code)
            return "refused"
        except ConfigError as error:
            # The tenant's file is gone or broken: its mails wait, everybody else's go out.
            later = clock.now() + timedelta(seconds=RETRY_LADDER_S[-1])
            mails.mark_deferred(connection, mail.mail_id, next_attempt_at=later, error_code=error.code)
            return "waiting"
        mails.mark_sent(connection, mail.mail_id)
        return "sent"
