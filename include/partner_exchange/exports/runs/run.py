"""All steps of a delivery in one go, without Airflow; called by ``exchange export run``."""

from __future__ import annotations

from datetime import datetime

from partner_exchange.exports.runs.deliver import Opener, deliver
from partner_exchange.exports.runs.select import select
from partner_exchange.exports.runs.write import write
from partner_exchange.ledger.deliveries import Delivery
from partner_exchange.tenants.model import Tenant


def run(
    tenant: Tenant, export_name: str, opener: Opener, *, due_at: datetime | None = None
) -> Delivery | None:
    """Select, write and deliver in one go; None with nothing to send.

    :raises ExchangeError: as each of the three does.
    """
    selected = select(tenant, export_name, due_at=due_at)
    written = write(selected.delivery_id) if selected else None
    return deliver(written.delivery_id, opener) if written else None
