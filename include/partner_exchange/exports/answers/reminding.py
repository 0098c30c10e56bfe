"""Answers that did not come in time (X11); called by housekeeping."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection

from partner_exchange import clock
from partner_exchange.ledger import delivery_answers, mails
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.deliveries import Delivery
from partner_exchange.ledger.mails import Event
from partner_exchange.storage.answer_names import answered_targets
from partner_exchange.submissions.recipients import recipients
from partner_exchange.tenants.model import Tenant

_TOLD_FOR = timedelta(days=2)
"""What is overdue for longer is not told any more: who asks for answers from today on has a past without."""


def overdue(connection: Connection, tenant: Tenant) -> list[Delivery]:
    """Return what was delivered, is not answered in time, and has not been overdue for more than two days."""
    now = clock.now()
    found: list[Delivery] = []
    for export_name, target in answered_targets(tenant).items():
        if target.answers is None or target.answers.within_h is None:
            continue
        before = now - timedelta(hours=target.answers.within_h)
        found += delivery_answers.unanswered(
            connection, tenant.code, export_name, after=before - _TOLD_FOR, before=before
        )
    return found


def remind(tenant: Tenant) -> int:
    """Queue a mail about each delivery that is not answered in time, once; return how many are told now.

    :raises StoreUnavailable: the database cannot be reached.
    """
    told = recipients(tenant.contacts, Event.DELIVERY_UNANSWERED, with_ours=True)
    with transaction() as connection:
        queued = [
            mails.enqueue(
                connection,
                tenant_code=tenant.code,
                event=Event.DELIVERY_UNANSWERED,
                recipients=told,
                topic=delivery.delivery_id,
            )
            for delivery in overdue(connection, tenant)
        ]
    return sum(1 for count in queued if count)
