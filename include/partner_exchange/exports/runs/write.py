"""The second step of a delivery: the rows into a file in the archive (M46, M73)."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from partner_exchange import clock
from partner_exchange.errors import ArchiveDamaged, ExportError
from partner_exchange.exports import plan as plans
from partner_exchange.exports.plan import Plan
from partner_exchange.exports.runs.contents import write_contents
from partner_exchange.exports.runs.definition import discard, is_made_by
from partner_exchange.exports.runs.empty import may_be_empty
from partner_exchange.exports.runs.turns import alone
from partner_exchange.exports.runs.words import log_step, tell_dead
from partner_exchange.ledger import deliveries as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.deliveries import Delivery, DeliveryState, WrittenFile
from partner_exchange.storage import paths
from partner_exchange.storage.archive import Archive
from partner_exchange.stores.verification_log import Window
from partner_exchange.tenants import registry
from partner_exchange.tenants.model import Tenant

_logger = logging.getLogger(__name__)

_KEYS = "keys.parquet"


def write(delivery_id: str) -> Delivery | None:
    """Write the file into the archive; None when there is no row and the export sends no empty files.

    None also when the export has become another one since: the next run selects by what it is now.

    :raises ReportRefused: the export does not hold any more; the delivery is a dead letter then.
    :raises FileUnwritable: the rows do not fit the form of the file; the same.
    :raises ArchiveDamaged: what the last file left to compare with is not there as it was; the same.
    :raises ArchiveUnavailable: the archive cannot be written now.
    :raises UnknownDelivery: no delivery of that id.
    :raises DeliveryWaits: another worker is at the export.
    :raises StoreUnavailable: the database cannot be reached.
    """
    started_s = monotonic()
    with alone(delivery_id) as delivery:
        if delivery.state is not DeliveryState.SELECTED:
            return delivery
        tenant = registry.load_one(delivery.tenant_code)
        try:
            plan = plans.resolve(tenant, delivery.export_name)
            written = _write(plan, delivery) if is_made_by(plan, delivery) else None
        except (ExportError, ArchiveDamaged) as error:
            _bury_unwritable(tenant, delivery, error)
            raise
        with transaction() as connection:
            if written is None:
                discard(connection, delivery)
                return None
            delivery = ledger.record_written(
                connection,
                delivery_id,
                written,
                report_version=plan.report.version,
                policy_sha256=plan.sha256,
            )
    log_step(_logger, "export.write", delivery, started_s)
    return delivery


def _write(plan: Plan, delivery: Delivery) -> WrittenFile | None:
    archive = Archive()
    with TemporaryDirectory(prefix="exchange-export-") as folder:
        file, after = Path(folder) / "file", Path(folder) / _KEYS
        before = _keys_before(archive, plan, Path(folder) / "before.parquet")
        made_at = delivery.due_at or delivery.opened_at
        rows_total = write_contents(
            plan,
            file,
            window=_window(delivery),
            made_at=made_at,
            before=before,
            after=after if plan.compares else None,
        )
        with transaction() as connection:
            if not rows_total and not may_be_empty(connection, plan, clock.now()):
                return None
            number = ledger.running_number(connection, delivery)
        name = plan.file_name(made_at, number)
        kept = archive.keep_export_file(_place(delivery, name), file)
        file_kept = WrittenFile(name, _place(delivery, name), kept.sha256, kept.size_bytes, rows_total)
        if not plan.compares:
            return file_kept
        keys = archive.keep_export_file(_place(delivery, _KEYS), after)
        return replace(file_kept, keys_path=_place(delivery, _KEYS), keys_sha256=keys.sha256)


def _keys_before(archive: Archive, plan: Plan, local: Path) -> Path | None:
    """Return what the last delivered file left to compare with; None before the first one."""
    if not plan.compares:
        return None
    with transaction() as connection:
        cursor = ledger.cursor(connection, plan.tenant.code, plan.name)
        last = ledger.get(connection, cursor.delivery_id) if cursor else None
    if last is None or last.report != plan.report.name or not last.keys_path:
        return None
    archive.fetch_export(last.keys_path, last.keys_sha256, local)
    return local


def _window(delivery: Delivery) -> Window | None:
    if delivery.since_position is None or delivery.until_position is None:
        return None
    return Window(delivery.since_position, delivery.until_position)


def _place(delivery: Delivery, part: str) -> str:
    return paths.delivery(delivery.tenant_code, delivery.export_name, delivery.delivery_id, part)


def _bury_unwritable(tenant: Tenant, delivery: Delivery, error: ExportError | ArchiveDamaged) -> None:
    with transaction() as connection:
        dead = ledger.record_unwritable(
            connection, delivery.delivery_id, code=error.code, message=error.message
        )
        tell_dead(connection, tenant, dead)
