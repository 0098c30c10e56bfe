"""Whether an open delivery is still one of its export, and the end of one that is not (M46).

Called by the steps of a delivery.
"""

from __future__ import annotations

from sqlalchemy import Connection

from partner_exchange.exports.plan import Plan
from partner_exchange.ledger import deliveries as ledger
from partner_exchange.ledger.deliveries import Delivery
from partner_exchange.storage import paths
from partner_exchange.storage.archive import Archive


def is_made_by(plan: Plan, delivery: Delivery) -> bool:
    """Say whether what was selected is what the export sends now: its changes belong to its report alone."""
    return (plan.report.name, plan.export.content) == (delivery.report, delivery.content)


def discard(connection: Connection, delivery: Delivery) -> None:
    """Forget an opened delivery without a file, and what a killed try of it has left in the archive.

    :raises StateConflict: its file was written.
    """
    _clear(delivery)
    ledger.discard(connection, delivery.delivery_id)


def _clear(delivery: Delivery) -> None:
    """Remove what a killed try, which found rows, has left: nobody would know of it any more."""
    archive = Archive()
    folder = paths.delivery_folder(delivery.tenant_code, delivery.export_name, delivery.delivery_id)
    for path in archive.parts(folder):
        archive.remove(path)
    archive.remove_empty(folder)
