"""When a file without rows goes out; called by the steps of a delivery."""

from __future__ import annotations

from datetime import datetime, time

from sqlalchemy import Connection

from partner_exchange.exports.plan import Plan
from partner_exchange.ledger import deliveries as ledger


def may_be_empty(connection: Connection, plan: Plan, at: datetime) -> bool:
    """Say whether a file without rows goes out now (once a day: of the export's zone)."""
    if plan.export.when_empty != "daily":
        return plan.export.when_empty == "file"
    last_at = ledger.last_delivered_at(connection, plan.tenant.code, plan.name)
    today = datetime.combine(at.astimezone(plan.zone).date(), time.min, tzinfo=plan.zone)
    return last_at is None or last_at < today
