"""Send sets to NHSN: each built set is one delivery, in the order of due times (E38, X10).

A set stays Ready or Warning until NHSN answers; that it was delivered is in the ledger of deliveries. Called
by the outbound DAGs.
"""

from __future__ import annotations

from sqlalchemy import Connection

from partner_exchange import clock
from partner_exchange.exports.nhsn.schedule import DueTime
from partner_exchange.exports.nhsn.sets import CATCH_UP
from partner_exchange.exports.runs.deliver import Opener, deliver
from partner_exchange.exports.runs.turns import blocked, hold
from partner_exchange.ledger import deliveries
from partner_exchange.ledger import nhsn as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.deliveries import Delivery, DeliveryState, Opening, WrittenFile
from partner_exchange.ledger.nhsn import BuiltSetFile
from partner_exchange.storage.archive import Archive
from partner_exchange.storage.names import NHSN_FILE_NAME
from partner_exchange.tenants.model import Tenant
from partner_exchange.tenants.nhsn_sets import export_name
from partner_exchange.tenants.resources import Frequency

REPORT = "nhsn_set"
_VERSION = 1
_MOST_DELIVERIES = 1000


def sends(tenant: Tenant) -> bool:
    """Say whether sets of the tenant go out at all: it has a target, and is in production."""
    return tenant.status.nhsn_target is not None and tenant.mode == "production"


def undelivered_sets(tenant: Tenant, frequency: Frequency) -> list[DueTime]:
    """Return the due times whose set is built and not delivered, earliest first; none where none are sent.

    It reaches 14 days back, like the building of sets. One whose delivery a person gave up is not among them.

    :raises StoreUnavailable: the database cannot be reached.
    """
    if not sends(tenant):
        return []
    with transaction() as connection:
        waiting = _unopened(connection, tenant, frequency)
        pending = deliveries.open_of(connection, tenant.code, export_name(frequency))
    dues = {DueTime(one.due_at, frequency) for one in waiting}
    if pending is not None and pending.due_at is not None:
        dues.add(DueTime(pending.due_at, frequency))
    return sorted(dues)


def send(tenant: Tenant, frequency: Frequency, opener: Opener) -> list[Delivery]:
    """Deliver every set that is built and not delivered, and return the deliveries, earliest first.

    The first that cannot be delivered ends it: no set overtakes an earlier one.

    :raises ExportBlocked: that one is a dead letter.
    :raises DeliveryError: the try failed, or is not due yet.
    :raises ArchiveDamaged: a set is not in the archive any more as it was built.
    :raises StoreUnavailable: the database cannot be reached.
    """
    sent: list[Delivery] = []
    while sends(tenant) and (delivery := _next(tenant, frequency)) is not None:
        sent.append(deliver(delivery.delivery_id, opener))
    return sent


def _next(tenant: Tenant, frequency: Frequency) -> Delivery | None:
    """Return the delivery to send now: the open one, or one for the earliest set that has none."""
    name = export_name(frequency)
    with transaction() as connection:
        hold(connection, tenant.code, name)
        delivery = deliveries.open_of(connection, tenant.code, name)
        if delivery is None:
            waiting = _unopened(connection, tenant, frequency)
            return _open(connection, tenant, frequency, waiting[0]) if waiting else None
    if delivery.state is DeliveryState.DEAD:
        raise blocked(delivery)
    return delivery


def _unopened(connection: Connection, tenant: Tenant, frequency: Frequency) -> list[BuiltSetFile]:
    """Return the sets that no delivery was ever opened for, earliest first."""
    built = ledger.built_sets(connection, tenant.code, frequency, since=clock.now() - CATCH_UP)
    opened = deliveries.latest(connection, tenant.code, export_name(frequency), limit=_MOST_DELIVERIES)
    dues = {one.due_at for one in opened}
    return [one for one in built if one.due_at not in dues]


def _open(
    connection: Connection, tenant: Tenant, frequency: Frequency, built: BuiltSetFile
) -> Delivery | None:
    size_bytes = Archive().check_export(built.kept.path, built.kept.sha256)
    opening = Opening(
        tenant_code=tenant.code,
        export_name=export_name(frequency),
        report=REPORT,
        report_version=_VERSION,
        content="full",
        policy_sha256=tenant.policy_sha256,
        due_at=built.due_at,
    )
    delivery = deliveries.open_delivery(connection, opening)
    if delivery is None or delivery.state is not DeliveryState.SELECTED:
        return delivery
    written = WrittenFile(
        file_name=_file_name(tenant, DueTime(built.due_at, frequency)),
        archive_path=built.kept.path,
        sha256=built.kept.sha256,
        size_bytes=size_bytes,
        rows_total=built.rows_total,
    )
    return deliveries.record_written(
        connection,
        delivery.delivery_id,
        written,
        report_version=opening.report_version,
        policy_sha256=opening.policy_sha256,
    )


def _file_name(tenant: Tenant, due: DueTime) -> str:
    return NHSN_FILE_NAME.format(tenant=tenant.code, frequency=due.frequency, date=f"{due.reports_on:%Y%m%d}")
