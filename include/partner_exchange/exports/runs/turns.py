"""Turns at an export: one worker at a time, one open delivery at a time (M74).

Called by the steps of a delivery.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from partner_exchange.errors import DeliveryWaits, ExportBlocked
from partner_exchange.ledger import deliveries as ledger
from partner_exchange.ledger.database import DELIVERY_LOCK, transaction, try_hold
from partner_exchange.ledger.deliveries import Delivery

_BUSY_S = 15
"""Pause of a worker that finds another one at the same export."""


@contextmanager
def alone(delivery_id: str) -> Iterator[Delivery]:
    """Give the delivery to one worker at a time; a worker that dies lets go of it.

    :raises DeliveryWaits: another worker has it.
    :raises UnknownDelivery: no delivery of that id.
    """
    with transaction() as connection:
        delivery = ledger.get(connection, delivery_id)
        hold(connection, delivery.tenant_code, delivery.export_name)
        yield ledger.get(connection, delivery_id)


def hold(connection: Connection, tenant_code: str, export_name: str) -> None:
    """Hold the export until the transaction ends.

    :raises DeliveryWaits: another worker does.
    """
    if not try_hold(connection, DELIVERY_LOCK, f"{tenant_code}/{export_name}"):
        raise busy(tenant_code, export_name)


def busy(tenant_code: str, export_name: str) -> DeliveryWaits:
    """Return the error of whoever finds another worker at the export."""
    message = f"Another worker is at the export {export_name} of {tenant_code}; tried again in {_BUSY_S} s."
    return DeliveryWaits(
        "export-busy", message, tenant=tenant_code, export=export_name, retry_after_s=_BUSY_S
    )


def blocked(delivery: Delivery) -> ExportBlocked:
    """Return the error of an export whose open delivery is a dead letter."""
    message = (
        f"Delivery {delivery.delivery_id} of export {delivery.export_name} is a dead letter, and nothing "
        f"goes before it: {delivery.fault_message} Mend that, then run `exchange export resend "
        f"{delivery.delivery_id}`. What changes meanwhile waits and is not lost."
    )
    return ExportBlocked(
        "export-blocked", message, delivery=delivery.delivery_id, export=delivery.export_name
    )
