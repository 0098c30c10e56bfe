"""The first step of a delivery: settle what goes, so that every change goes once (M46, M75)."""

from __future__ import annotations

import logging
from datetime import datetime
from time import monotonic

from sqlalchemy import Connection

from partner_exchange import clock, log
from partner_exchange.exports import plan as plans
from partner_exchange.exports.plan import Plan
from partner_exchange.exports.runs.definition import discard, is_made_by
from partner_exchange.exports.runs.empty import may_be_empty
from partner_exchange.exports.runs.turns import blocked, hold
from partner_exchange.ledger import deliveries as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.deliveries import Delivery, DeliveryState, Opening
from partner_exchange.stores import verification_log
from partner_exchange.tenants.model import Tenant

_logger = logging.getLogger(__name__)


def select(tenant: Tenant, export_name: str, *, due_at: datetime | None = None) -> Delivery | None:
    """Open the export's delivery and return it, or the one that is still open; None with nothing to send.

    :param due_at: the time of the schedule that the run serves, each once; None when a person asks.
    :raises ReportRefused: the export does not hold.
    :raises ExportBlocked: the open delivery is a dead letter.
    :raises DeliveryWaits: another worker is at the export.
    :raises StoreUnavailable: the database cannot be reached.
    """
    plan = plans.resolve(tenant, export_name)
    started_s = monotonic()
    with transaction() as connection:
        hold(connection, tenant.code, export_name)
        delivery = ledger.open_of(connection, tenant.code, export_name)
        if delivery and delivery.state is DeliveryState.SELECTED and not is_made_by(plan, delivery):
            discard(connection, delivery)
            delivery = None
        if delivery is None:
            delivery = _open(connection, plan, due_at)
    if delivery is not None and delivery.state is DeliveryState.DEAD:
        raise blocked(delivery)
    facts = delivery.counts() if delivery else {"delivery": None}
    log.event(
        _logger,
        "export.select",
        tenant=tenant.code,
        export=export_name,
        **facts,
        seconds=monotonic() - started_s,
    )
    return delivery


def _open(connection: Connection, plan: Plan, due_at: datetime | None) -> Delivery | None:
    tenant_code, now = plan.tenant.code, clock.now()
    if due_at is not None and ledger.is_served(connection, tenant_code, plan.name, due_at):
        return None
    since = until = None
    if plan.reads_changes:
        cursor = ledger.cursor(connection, tenant_code, plan.name)
        is_same = cursor is not None and cursor.report == plan.report.name
        since = (cursor.position or 0) if cursor and is_same else 0
        until = verification_log.take_position(connection, tenant_code)
        if since == until and not may_be_empty(connection, plan, now):
            return None
    opening = Opening(
        tenant_code=tenant_code,
        export_name=plan.name,
        report=plan.report.name,
        report_version=plan.report.version,
        content=plan.export.content,
        policy_sha256=plan.sha256,
        due_at=due_at,
        since_position=since,
        until_position=until,
    )
    return ledger.open_delivery(connection, opening)
