"""The third step of a delivery: the file to its place, once, and the cursor behind it (M67, X10)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import TypeAlias

from partner_exchange import clock, log
from partner_exchange.errors import (
    ArchiveDamaged,
    DeliveryError,
    DeliveryGivenUp,
    DeliveryWaits,
    ReportRefused,
    StateConflict,
    Transient,
)
from partner_exchange.exports import plan as plans
from partner_exchange.exports.delivery import ladder, upload
from partner_exchange.exports.delivery.carrier import Carrier
from partner_exchange.exports.runs.turns import alone, blocked, busy
from partner_exchange.exports.runs.words import log_step, tell_dead, tell_delivered
from partner_exchange.ledger import deliveries as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.deliveries import Delivery, DeliveryState
from partner_exchange.storage.archive import Archive
from partner_exchange.tenants import registry
from partner_exchange.tenants.exports import Target
from partner_exchange.tenants.model import Tenant

_logger = logging.getLogger(__name__)

Opener: TypeAlias = Callable[[Tenant, Target], AbstractContextManager[Carrier]]
"""Opens a target for the block; raises nothing but the family DeliveryError."""


def deliver(delivery_id: str, opener: Opener) -> Delivery:
    """Put the file where it belongs; it appears there whole or not at all, and once.

    :raises DeliveryWaits: the next try is not due yet, or another worker is at it.
    :raises DeliveryError: this try failed; a transient fault is tried again by the ladder.
    :raises DeliveryGivenUp: it was the last try of the ladder.
    :raises ExportBlocked: the delivery is a dead letter.
    :raises StateConflict: its file is not written, or it was given up.
    :raises ReportRefused: the tenant file does not have the export any more; a dead letter, too.
    :raises ArchiveDamaged: the file is not in the archive any more as it was written; a dead letter, too.
    :raises ArchiveUnavailable: the archive cannot be read now.
    :raises UnknownDelivery: no delivery of that id.
    :raises StoreUnavailable: the database cannot be reached.
    """
    started_s = monotonic()
    with alone(delivery_id) as delivery:
        if delivery.state in ledger.SENT:
            return delivery
        if delivery.state is DeliveryState.DEAD:
            raise blocked(delivery)
        ledger.require_sendable(delivery)
        _require_due(delivery)
        tenant = registry.load_one(delivery.tenant_code)
        try:
            delivery = _send(tenant, delivery, opener)
        except StateConflict as error:
            if error.code != ledger.NOT_AS_SEEN:
                raise
            delivery = _after_another(delivery_id)
        except (DeliveryError, ReportRefused, ArchiveDamaged) as error:
            _record_fault(tenant, delivery, error)
    log_step(_logger, "export.deliver", delivery, started_s)
    return delivery


def _send(tenant: Tenant, delivery: Delivery, opener: Opener) -> Delivery:
    target = plans.target_of(tenant, delivery.export_name)
    with TemporaryDirectory(prefix="exchange-delivery-") as folder:
        local = Path(folder) / "file"
        Archive().fetch_export(delivery.archive_path, delivery.sha256, local)
        with opener(tenant, target) as carrier:
            upload.put_in_place(carrier, target, delivery, local, notes=_InLedger(carrier, delivery))
    with transaction() as connection:
        delivered = ledger.record_delivered(connection, delivery.delivery_id)
        tell_delivered(connection, tenant, delivered)
    return delivered


class _InLedger:
    """Notes of a try, each committed before the next word to the target."""

    def __init__(self, carrier: Carrier, delivery: Delivery) -> None:
        self._place = carrier.whereabouts
        self._home_folder = carrier.place.folder if carrier.place.is_ours else ""
        self._seen = delivery

    def about_to_name(self, name: str) -> None:
        """See ``upload.Notes``."""
        with transaction() as connection:
            self._seen = ledger.record_uploaded(
                connection, self._seen, name, place=self._place, home_folder=self._home_folder
            )

    def begins_anew(self) -> None:
        """See ``upload.Notes``."""
        with transaction() as connection:
            self._seen = ledger.record_upload_lost(connection, self._seen.delivery_id)


def _after_another(delivery_id: str) -> Delivery:
    """Return the delivery that another worker has finished while our lock was lost.

    :raises DeliveryWaits: it has not finished yet.
    """
    with transaction() as connection:
        delivery = ledger.get(connection, delivery_id)
    if delivery.state not in ledger.SENT:
        raise busy(delivery.tenant_code, delivery.export_name)
    return delivery


def _record_fault(
    tenant: Tenant, delivery: Delivery, error: DeliveryError | ReportRefused | ArchiveDamaged
) -> None:
    """Record a try that failed, and raise what the caller is to know."""
    next_at = None
    if isinstance(error, Transient):
        next_at = ladder.next_attempt(delivery.attempts + 1, clock.now(), delivery.delivery_id)
    with transaction() as connection:
        delivery = ledger.record_fault(
            connection,
            delivery.delivery_id,
            code=error.code,
            message=error.message,
            next_attempt_at=next_at,
        )
        if next_at is None:
            tell_dead(connection, tenant, delivery)
    log.event(
        _logger,
        "export.fault",
        tenant=delivery.tenant_code,
        export=delivery.export_name,
        delivery=delivery.delivery_id,
        code=error.code,
        attempts=delivery.attempts,
        next_attempt_at=next_at.isoformat() if next_at else None,
    )
    if next_at is None and isinstance(error, Transient):
        message = (
            f"Delivery {delivery.delivery_id} failed {delivery.attempts} times and is a dead letter now. "
            f"{error.message} Then run `exchange export resend {delivery.delivery_id}`."
        )
        raise DeliveryGivenUp("delivery-given-up", message, delivery=delivery.delivery_id) from None
    if next_at is not None:
        pause_s = (next_at - clock.now()).total_seconds()
        raise type(error)(error.code, error.message, **{**error.fields, "retry_after_s": pause_s}) from None
    raise error


def _require_due(delivery: Delivery) -> None:
    if delivery.next_attempt_at is None:
        return
    pause = delivery.next_attempt_at - clock.now()
    # A clock that ran ahead when the last try failed does not put the next one off for as long.
    if timedelta(0) < pause <= ladder.LONGEST:
        message = (
            f"The next try of delivery {delivery.delivery_id} is due at "
            f"{delivery.next_attempt_at:%Y-%m-%d %H:%M}Z; "
            f"`exchange export resend {delivery.delivery_id}` does not wait for it."
        )
        raise DeliveryWaits(
            "delivery-waits", message, delivery=delivery.delivery_id, retry_after_s=pause.total_seconds()
        )
