"""What a step of a delivery says of itself: log lines and queued mails; ids and counts only."""

from __future__ import annotations

import logging
from time import monotonic

from sqlalchemy import Connection

from partner_exchange import clock, log
from partner_exchange.exports.delivery.whose_turn import is_ours
from partner_exchange.ledger import mails
from partner_exchange.ledger.deliveries import Delivery
from partner_exchange.ledger.mails import Event
from partner_exchange.storage.names import utc_stamp
from partner_exchange.submissions.recipients import recipients
from partner_exchange.tenants.model import Tenant


def log_step(logger: logging.Logger, name: str, delivery: Delivery, started_s: float) -> None:
    """Log the end of a step with counts and seconds."""
    log.event(
        logger,
        name,
        tenant=delivery.tenant_code,
        export=delivery.export_name,
        **delivery.counts(),
        seconds=monotonic() - started_s,
    )


def tell_delivered(connection: Connection, tenant: Tenant, delivery: Delivery) -> None:
    """Queue the mails about a delivered file, to those whom the tenant file names for it."""
    export = tenant.exports.get(delivery.export_name)
    told = export.delivered_mail if export else ()
    _queue(connection, delivery, Event.DELIVERED, told, topic=delivery.delivery_id)


def tell_dead(connection: Connection, tenant: Tenant, delivery: Delivery) -> None:
    """Queue the mails about a dead letter, to us and, unless it is ours to mend, to the contacts (X10)."""
    target = tenant.targets().get(delivery.export_name)
    is_our_turn = is_ours(delivery.fault_code, is_home=target is None or target.kind == "home")
    told = recipients(tenant.contacts, Event.DELIVERY_FAILED, with_ours=True, is_our_turn=is_our_turn)
    # A dead letter that was sent again and failed again is told again.
    topic = f"{delivery.delivery_id}.{utc_stamp(clock.now())}"
    _queue(connection, delivery, Event.DELIVERY_FAILED, told, topic=topic)


def _queue(
    connection: Connection, delivery: Delivery, event: Event, told: tuple[str, ...], *, topic: str
) -> None:
    mails.enqueue(connection, tenant_code=delivery.tenant_code, event=event, recipients=told, topic=topic)
