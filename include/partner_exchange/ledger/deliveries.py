"""Deliveries: one run of an export, sent; and how far each export has come (M46, X10).

The one place that says which move a delivery may make. ``exports.runs`` makes the moves; whoever wants to see
what went out reads here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement, Connection, Select, func, select, true, update
from sqlalchemy.dialects.postgresql import insert
from ulid import ULID

from partner_exchange import clock
from partner_exchange.errors import StateConflict, UnknownDelivery
from partner_exchange.ledger import tables

_table = tables.delivery
_cursor = tables.export_cursor

Content: TypeAlias = Literal["full", "delta"]


class DeliveryState(StrEnum):
    """How far a delivery has come."""

    SELECTED = "selected"
    """What goes is settled; of a delta, the changes are reserved."""
    WRITTEN = "written"
    """The file is in the archive."""
    UPLOADED = "uploaded"
    """It is at the target under its temporary name, or has just got its own."""
    DEAD = "dead"
    """A dead letter: it waits for a person."""
    DELIVERED = "delivered"
    CONFIRMED = "confirmed"
    """The partner says that the file was taken."""
    REFUSED = "refused"
    """The partner says that it was not."""
    ABANDONED = "abandoned"
    """A person gave it up before it was delivered; its changes go with the next one."""


OPEN = (DeliveryState.SELECTED, DeliveryState.WRITTEN, DeliveryState.UPLOADED, DeliveryState.DEAD)
"""States of a delivery that stands before the next one of its export."""
SENT = (DeliveryState.DELIVERED, DeliveryState.CONFIRMED, DeliveryState.REFUSED)
NOT_AS_SEEN = "state-conflict"
"""Code of a move that the state does not allow: somebody else has moved the delivery, or nobody may."""
_SENDABLE = (DeliveryState.WRITTEN, DeliveryState.UPLOADED)


@dataclass(frozen=True)
class Opening:
    """What is settled when a delivery is opened."""

    tenant_code: str
    export_name: str
    report: str
    report_version: int
    content: Content
    policy_sha256: str
    """Of the definition by which it is made."""
    due_at: datetime | None
    """The time of the schedule that it serves; None when a person asked for it."""
    since_position: int | None = None
    until_position: int | None = None
    """Changes after the one and up to the other, of a delta that reads a log."""


@dataclass(frozen=True)
class WrittenFile:
    """An outbound file in the archive."""

    file_name: str
    archive_path: str
    sha256: str
    size_bytes: int
    rows_total: int
    keys_path: str = ""
    """What the next delta by comparison is compared with; "" without one."""
    keys_sha256: str = ""


@dataclass(frozen=True)
class Delivery:
    """One delivery, as the ledger has it."""

    delivery_id: str
    seq: int
    tenant_code: str
    export_name: str
    report: str
    report_version: int
    content: Content
    policy_sha256: str
    due_at: datetime | None
    state: DeliveryState
    since_position: int | None
    until_position: int | None
    rows_total: int | None
    file_name: str
    archive_path: str
    sha256: str
    size_bytes: int | None
    keys_path: str
    keys_sha256: str
    delivered_name: str
    """The name at the target, from the moment on at which it may be there."""
    home_folder: str
    """Folder of the partner's home in which it has that name; "" on a partner's server."""
    place: str
    """Where it went, to tell whether the export still goes there."""
    attempts: int
    """Tries that failed."""
    next_attempt_at: datetime | None
    fault_code: str
    fault_message: str
    """Of the last try; what, where, why, next."""
    opened_at: datetime
    written_at: datetime | None
    delivered_at: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None
    purged_at: datetime | None
    """When retention let go of its files; what the ledger says stays (T39)."""

    @property
    def temporary_name(self) -> str:
        """Return the name at the target until the file is whole; hidden, and the gateway keeps it so."""
        return f".{self.delivery_id}.exchange"

    @property
    def ended_at(self) -> datetime | None:
        """Return when it was delivered or given up, from which its days count; None while it is open."""
        return self.delivered_at or self.closed_at

    def counts(self) -> dict[str, Any]:
        """Return what a log line or an XCom may hold: ids and counts."""
        return {
            "delivery": self.delivery_id,
            "state": str(self.state),
            "rows": self.rows_total,
            "bytes": self.size_bytes,
        }


@dataclass(frozen=True)
class Cursor:
    """What has been delivered of an export so far."""

    tenant_code: str
    export_name: str
    report: str
    position: int | None
    """The last change that was delivered; None for an export that reads no log."""
    delivery_id: str
    moved_at: datetime


def open_delivery(connection: Connection, opening: Opening) -> Delivery | None:
    """Open the export's delivery and return it, or the one that is open already.

    None when the time of the schedule has been served: by a run before, or before a clock was set back.
    """
    at = clock.now()
    row = {
        "delivery_id": str(ULID.from_datetime(at)),
        "state": DeliveryState.SELECTED,
        "opened_at": at,
        **asdict(opening),
    }
    statement = insert(_table).values(row).on_conflict_do_nothing().returning(_table)
    found = connection.execute(statement).mappings().one_or_none()
    if found is not None:
        return _delivery(found)
    return open_of(connection, opening.tenant_code, opening.export_name)


def open_of(connection: Connection, tenant_code: str, export_name: str) -> Delivery | None:
    """Return the open delivery of an export, a dead letter included; None when there is none."""
    return _one(connection, _of(tenant_code, export_name).where(_table.c.state.in_(OPEN)))


def open_ones(connection: Connection, tenant_code: str) -> list[Delivery]:
    """Return all open deliveries of a tenant, dead letters included, oldest first."""
    query = select(_table).where(_table.c.tenant_code == tenant_code, _table.c.state.in_(OPEN))
    return [_delivery(row) for row in connection.execute(query.order_by(_table.c.seq)).mappings()]


def is_served(connection: Connection, tenant_code: str, export_name: str, due_at: datetime) -> bool:
    """Say whether a delivery was opened for that time of the schedule."""
    query = _of(tenant_code, export_name).where(
        _table.c.due_at == due_at, _table.c.state != DeliveryState.ABANDONED
    )
    return _one(connection, query) is not None


def get(connection: Connection, delivery_id: str) -> Delivery:
    """Return the delivery.

    :raises UnknownDelivery: no delivery of that id.
    """
    found = _one(connection, select(_table).where(_table.c.delivery_id == delivery_id))
    if found is None:
        message = f"No delivery {delivery_id!r}; `exchange export deliveries` shows them."
        raise UnknownDelivery("unknown-delivery", message, delivery=delivery_id)
    return found


def running_number(connection: Connection, delivery: Delivery) -> int:
    """Return which one of its export a delivery is, from 1; given up ones do not count."""
    query = select(func.count()).where(
        _table.c.tenant_code == delivery.tenant_code,
        _table.c.export_name == delivery.export_name,
        _table.c.seq < delivery.seq,
        _table.c.state != DeliveryState.ABANDONED,
    )
    return connection.execute(query).scalar_one() + 1


def latest(
    connection: Connection,
    tenant_code: str | None = None,
    export_name: str | None = None,
    *,
    states: Collection[DeliveryState] = (),
    limit: int = 100,
) -> list[Delivery]:
    """Return the newest deliveries, newest first; of all tenants, of one, or of one export."""
    query = select(_table).order_by(_table.c.seq.desc()).limit(limit)
    if tenant_code is not None:
        query = query.where(_table.c.tenant_code == tenant_code)
    if export_name is not None:
        query = query.where(_table.c.export_name == export_name)
    if states:
        query = query.where(_table.c.state.in_(states))
    return [_delivery(row) for row in connection.execute(query).mappings()]


def last_delivered_at(connection: Connection, tenant_code: str, export_name: str) -> datetime | None:
    """Return when the export was delivered last."""
    query = select(func.max(_table.c.delivered_at)).where(
        _table.c.tenant_code == tenant_code, _table.c.export_name == export_name
    )
    at: datetime | None = connection.execute(query).scalar_one()
    return at


def cursor(connection: Connection, tenant_code: str, export_name: str) -> Cursor | None:
    """Return what has been delivered of an export so far; None before its first delivery."""
    columns = [_cursor.c[name] for name in Cursor.__dataclass_fields__]
    query = select(*columns).where(_cursor.c.tenant_code == tenant_code, _cursor.c.export_name == export_name)
    row = connection.execute(query).mappings().one_or_none()
    return Cursor(**row) if row is not None else None


def record_written(
    connection: Connection, delivery_id: str, file: WrittenFile, *, report_version: int, policy_sha256: str
) -> Delivery:
    """Keep that the file is in the archive, and by which definition it was made.

    :raises StateConflict: it was written before, or given up.
    """
    changes = {"state": DeliveryState.WRITTEN, "written_at": clock.now(), **asdict(file)}
    changes |= {"report_version": report_version, "policy_sha256": policy_sha256}
    return _move(connection, delivery_id, (DeliveryState.SELECTED,), changes)


def require_sendable(delivery: Delivery) -> None:
    """Return when the delivery is one that can be sent.

    :raises StateConflict: its file is not written yet, it is a dead letter, or it has left.
    """
    if delivery.state not in _SENDABLE:
        raise _conflict(delivery, str(DeliveryState.UPLOADED))


def require_kept(delivery: Delivery) -> None:
    """Return when the file of the delivery is still kept.

    :raises StateConflict: ``delivery-purged``, retention let go of it (T39).
    """
    if delivery.purged_at is None:
        return
    message = (
        f"The file of delivery {delivery.delivery_id} was purged at {delivery.purged_at:%Y-%m-%d %H:%M}Z by "
        "the partner's retention, so it can be neither read nor sent again. What the report gives now can be "
        f"written with `exchange export run --tenant {delivery.tenant_code} --report {delivery.report}`."
    )
    raise StateConflict("delivery-purged", message, delivery=delivery.delivery_id)


def record_uploaded(
    connection: Connection, seen: Delivery, delivered_name: str, *, place: str, home_folder: str = ""
) -> Delivery:
    """Keep that the whole file is at the target and is about to get this name; commit it before the rename.

    :param seen: the delivery as this worker knows it. A worker whose lock was lost, by a restart of the
        database for example, must not name what another one has named.
    :param place: where it goes.
    :param home_folder: folder of the partner's home; "" on a partner's server.
    :raises StateConflict: the delivery is not one that is being sent, or not as it was seen.
    """
    changes = {
        "state": DeliveryState.UPLOADED,
        "delivered_name": delivered_name,
        "home_folder": home_folder,
        "place": place,
    }
    require_sendable(seen)
    is_as_seen = (_table.c.state == seen.state) & (_table.c.delivered_name == seen.delivered_name)
    return _move(connection, seen.delivery_id, (seen.state,), changes, only=is_as_seen)


def record_upload_lost(connection: Connection, delivery_id: str) -> Delivery:
    """Keep that what was at the target is not whole any more and has not got its name; it goes anew.

    :raises StateConflict: the delivery was not uploaded.
    """
    changes = {"state": DeliveryState.WRITTEN, "delivered_name": "", "home_folder": "", "place": ""}
    return _move(connection, delivery_id, (DeliveryState.UPLOADED,), changes)


def record_delivered(connection: Connection, delivery_id: str) -> Delivery:
    """Keep that the file is in place, and move the export's cursor behind what it holds, in one transaction.

    Only a delta moves it: a full file says everything once more, and the next delta goes on from the last.

    :raises StateConflict: the delivery was not uploaded, or the cursor does not stand where the file begins.
    """
    at = clock.now()
    changes = {
        "state": DeliveryState.DELIVERED,
        "delivered_at": at,
        "next_attempt_at": None,
        "fault_code": "",
        "fault_message": "",
    }
    delivery = _move(connection, delivery_id, (DeliveryState.UPLOADED,), changes)
    if delivery.content == "full":
        return delivery
    _require_cursor_in_front(connection, delivery)
    row = {
        "tenant_code": delivery.tenant_code,
        "export_name": delivery.export_name,
        "report": delivery.report,
        "position": delivery.until_position,
        "delivery_id": delivery_id,
        "moved_at": at,
    }
    statement = insert(_cursor).values(row)
    connection.execute(
        statement.on_conflict_do_update(
            constraint="export_cursor_pkey",
            set_={
                name: statement.excluded[name] for name in ("report", "position", "delivery_id", "moved_at")
            },
        )
    )
    return delivery


def _require_cursor_in_front(connection: Connection, delivery: Delivery) -> None:
    before = cursor(connection, delivery.tenant_code, delivery.export_name)
    if delivery.since_position is None or before is None or before.report != delivery.report:
        return
    if (before.position or 0) != delivery.since_position:
        message = (
            f"Delivery {delivery.delivery_id} begins at change {delivery.since_position}, but the export "
            f"{delivery.export_name} has come to {before.position}; nothing was recorded. This is a fault "
            "of the exchange."
        )
        raise StateConflict("cursor-moved", message, delivery=delivery.delivery_id)


def record_fault(
    connection: Connection, delivery_id: str, *, code: str, message: str, next_attempt_at: datetime | None
) -> Delivery:
    """Keep that a try failed, and when the next one is; None makes it a dead letter.

    :raises StateConflict: the delivery is not one that is being sent.
    """
    changes: dict[str, Any] = {
        "attempts": _table.c.attempts + 1,
        "next_attempt_at": next_attempt_at,
        "fault_code": code,
        "fault_message": message,
    }
    if next_attempt_at is None:
        changes["state"] = DeliveryState.DEAD
    return _move(connection, delivery_id, _SENDABLE, changes)


def record_unwritable(connection: Connection, delivery_id: str, *, code: str, message: str) -> Delivery:
    """Keep that the file cannot be made: a dead letter without a file.

    :raises StateConflict: the file was written before, or given up.
    """
    changes = {"state": DeliveryState.DEAD, "fault_code": code, "fault_message": message}
    return _move(connection, delivery_id, (DeliveryState.SELECTED,), changes)


def revive(connection: Connection, delivery_id: str) -> Delivery:
    """Make a dead letter an open delivery again, where it stopped, with all tries before it.

    :raises StateConflict: it is no dead letter.
    """
    delivery = get(connection, delivery_id)
    state = DeliveryState.SELECTED if not delivery.archive_path else DeliveryState.WRITTEN
    # From the upload on, only a look at the target can say whether the file has got its name.
    state = DeliveryState.UPLOADED if delivery.delivered_name else state
    changes = {"state": state, "attempts": 0, "next_attempt_at": None, "fault_code": "", "fault_message": ""}
    return _move(connection, delivery_id, (DeliveryState.DEAD,), changes)


def hurry(connection: Connection, delivery_id: str) -> Delivery:
    """Let the next try of an open delivery be due now, the first one of a new ladder.

    :raises StateConflict: it is not one that is being sent.
    """
    return _move(connection, delivery_id, _SENDABLE, {"attempts": 0, "next_attempt_at": None})


def abandon(connection: Connection, delivery_id: str) -> Delivery:
    """Give an undelivered delivery up: the cursor stays, so its changes go with the next one.

    :raises StateConflict: it was delivered or given up before.
    """
    changes = {"state": DeliveryState.ABANDONED, "closed_at": clock.now()}
    return _move(connection, delivery_id, OPEN, changes)


def discard(connection: Connection, delivery_id: str) -> None:
    """Forget an opened delivery that turned out to have nothing to send.

    :raises StateConflict: its file was written.
    """
    gone = connection.execute(
        _table.delete().where(_table.c.delivery_id == delivery_id, _table.c.state == DeliveryState.SELECTED)
    )
    if gone.rowcount != 1:
        raise _conflict(get(connection, delivery_id), "discarded")


def record_answer(connection: Connection, delivery_id: str, *, is_accepted: bool) -> Delivery:
    """Keep what the partner says of a delivered file; the last answer counts (X11).

    :raises StateConflict: the file was not delivered.
    """
    state = DeliveryState.CONFIRMED if is_accepted else DeliveryState.REFUSED
    return _move(connection, delivery_id, SENT, {"state": state, "answered_at": clock.now()})


def _move(
    connection: Connection,
    delivery_id: str,
    before: Collection[DeliveryState],
    changes: Mapping[str, Any],
    *,
    only: ColumnElement[bool] | None = None,
) -> Delivery:
    statement = (
        update(_table)
        .where(
            _table.c.delivery_id == delivery_id, _table.c.state.in_(before), true() if only is None else only
        )
        .values(**changes)
        .returning(_table)
    )
    row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        raise _conflict(get(connection, delivery_id), str(changes.get("state", "tried")))
    return _delivery(row)


def _conflict(delivery: Delivery, wanted: str) -> StateConflict:
    now = f"Delivery {delivery.delivery_id} is {delivery.state}"
    message = f"{now} and cannot become {wanted}; nothing was changed."
    return StateConflict(NOT_AS_SEEN, message, delivery=delivery.delivery_id, state=str(delivery.state))


def _of(tenant_code: str, export_name: str) -> Select[Any]:
    return select(_table).where(_table.c.tenant_code == tenant_code, _table.c.export_name == export_name)


def _one(connection: Connection, query: Select[Any]) -> Delivery | None:
    row = connection.execute(query).mappings().one_or_none()
    return _delivery(row) if row is not None else None


def _delivery(row: Mapping[Any, Any]) -> Delivery:
    return Delivery(**{**row, "state": DeliveryState(row["state"])})
