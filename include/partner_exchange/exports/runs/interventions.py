"""What a person may do with a delivery: send it again, or give it up (X09, X10).

Called by ``exchange export``. Each intervention is in the audit trail.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection

from partner_exchange.errors import StateConflict
from partner_exchange.exports import plan as plans
from partner_exchange.exports.delivery import upload
from partner_exchange.exports.runs.deliver import Opener, deliver
from partner_exchange.exports.runs.turns import alone, hold
from partner_exchange.exports.runs.write import write
from partner_exchange.ledger import audit
from partner_exchange.ledger import deliveries as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.deliveries import Delivery, DeliveryState
from partner_exchange.storage.archive import Archive
from partner_exchange.tenants import registry


def resend(delivery_id: str, opener: Opener, *, actor: str, is_again: bool = False) -> Delivery:
    """Send a dead letter, or one whose next try is not due yet, now.

    :param is_again: send one that was delivered a second time, the same bytes under the same or the next free
        name; what counts as delivered does not change by it.
    :raises StateConflict: it was delivered, and ``is_again`` was not asked for; it was given up; or
        ``delivery-purged``, its file is not kept any more.
    :raises StateConflict: ``nothing-to-resend``, it had no file yet, and now there is no row for one.
    :raises DeliveryError: this try failed too; it counts as the first one of a new ladder.
    :raises DeliveryWaits: a worker is at the export now.
    """
    with transaction() as connection:
        delivery = _held(connection, delivery_id)
        ledger.require_kept(delivery)
        if delivery.state in ledger.SENT and not is_again:
            message = (
                f"Delivery {delivery_id} was delivered at {delivery.delivered_at:%Y-%m-%d %H:%M}Z. To send "
                "the same file a second time, add --again."
            )
            raise StateConflict("already-delivered", message, delivery=delivery_id)
        if delivery.state is DeliveryState.DEAD:
            ledger.revive(connection, delivery_id)
        elif delivery.state not in (*ledger.SENT, DeliveryState.SELECTED):
            ledger.hurry(connection, delivery_id)
        _record(connection, delivery, actor=actor, action="delivery.resend")
    if delivery.state in ledger.SENT:
        return _send_again(delivery_id, opener)
    if write(delivery_id) is None:
        message = (
            f"Delivery {delivery_id} has nothing to send any more: the export was defined anew, or there is "
            "no row. It was discarded; what there is goes with the next run, or with `exchange export run`."
        )
        raise StateConflict("nothing-to-resend", message, delivery=delivery_id)
    return deliver(delivery_id, opener)


def abandon(delivery_id: str, *, actor: str, even_if_uploaded: bool = False) -> Delivery:
    """Give up a delivery that was not delivered; its changes go with the next one.

    :param even_if_uploaded: also when its file may have got its name at the target; its changes then go
        twice.
    :raises StateConflict: it was delivered or given up before, or may be at the target.
    :raises DeliveryWaits: a worker is at the export now.
    """
    with transaction() as connection:
        delivery = _held(connection, delivery_id)
        if delivery.delivered_name and delivery.state in ledger.OPEN and not even_if_uploaded:
            message = (
                f"Delivery {delivery_id} was uploaded whole, and it is not known whether it got its name. "
                "Send it again, which finds out; or look at the target and add --even-if-uploaded."
            )
            raise StateConflict("may-be-delivered", message, delivery=delivery_id)
        delivery = ledger.abandon(connection, delivery_id)
        _record(connection, delivery, actor=actor, action="delivery.abandon")
    return delivery


def settle(delivery_id: str, *, is_delivered: bool, actor: str) -> Delivery:
    """Keep what a person has found out of a delivery that may have got its name where nobody looks now.

    :param is_delivered: whether the file has got its name; else it goes with the next try.
    :raises StateConflict: it is not in doubt.
    :raises DeliveryWaits: a worker is at the export now.
    """
    with transaction() as connection:
        delivery = _held(connection, delivery_id)
        if delivery.state is DeliveryState.DEAD and delivery.delivered_name:
            delivery = ledger.revive(connection, delivery_id)
        record = ledger.record_delivered if is_delivered else ledger.record_upload_lost
        delivery = record(connection, delivery_id)
        _record(connection, delivery, actor=actor, action="delivery.settle")
    return delivery


def _held(connection: Connection, delivery_id: str) -> Delivery:
    """Return the delivery as it stays until the transaction ends: no worker is at its export meanwhile."""
    delivery = ledger.get(connection, delivery_id)
    hold(connection, delivery.tenant_code, delivery.export_name)
    return ledger.get(connection, delivery_id)


def clear_target(delivery: Delivery, opener: Opener) -> bool:
    """Remove what a delivery that was given up left at its target under a hidden name; say whether it had.

    Only after it was given up: until then, that the name is gone means that the file has got its own.

    :raises StateConflict: it was not given up.
    :raises ReportRefused: the tenant file does not have the export any more.
    :raises DeliveryError: the target cannot be opened, or nothing may be removed there.
    """
    if delivery.state is not DeliveryState.ABANDONED:
        message = f"Delivery {delivery.delivery_id} is {delivery.state}; nothing of it was removed."
        raise StateConflict("state-conflict", message, delivery=delivery.delivery_id)
    if not delivery.archive_path:
        return False
    tenant = registry.load_one(delivery.tenant_code)
    with opener(tenant, plans.target_of(tenant, delivery.export_name)) as carrier:
        was_there = carrier.exists(delivery.temporary_name)
        if was_there:
            carrier.remove(delivery.temporary_name)
    return was_there


def _send_again(delivery_id: str, opener: Opener) -> Delivery:
    with alone(delivery_id) as delivery, TemporaryDirectory(prefix="exchange-delivery-") as folder:
        ledger.require_kept(delivery)
        tenant = registry.load_one(delivery.tenant_code)
        target = plans.target_of(tenant, delivery.export_name)
        local = Path(folder) / "file"
        Archive().fetch_export(delivery.archive_path, delivery.sha256, local)
        fresh = replace(delivery, state=DeliveryState.WRITTEN)
        with opener(tenant, target) as carrier:
            name = upload.put_in_place(carrier, target, fresh, local, notes=_Nowhere())
        return replace(delivery, delivered_name=name)


class _Nowhere:
    """Notes of a file that was delivered before: the ledger has nothing to learn."""

    def about_to_name(self, name: str) -> None:
        """See ``upload.Notes``."""

    def begins_anew(self) -> None:
        """See ``upload.Notes``."""


def _record(connection: Connection, delivery: Delivery, *, actor: str, action: str) -> None:
    audit.record(
        connection,
        actor=actor,
        action=action,
        subject=delivery.delivery_id,
        tenant_code=delivery.tenant_code,
        facts={"export": delivery.export_name, "state": str(delivery.state)},
    )
