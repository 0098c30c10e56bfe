"""Which deliveries are old enough to be purged, and what a purge must leave alone (T39, K10).

Called by ``exports.retention`` and ``exports.purge``. What the ledger itself says of a delivery is never
removed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, update

from partner_exchange import clock
from partner_exchange.ledger import deliveries, tables
from partner_exchange.ledger.deliveries import OPEN, SENT, Delivery, DeliveryState

_table = tables.delivery
_cursor = tables.export_cursor
_answer = tables.delivery_answer

_ended_at = func.coalesce(_table.c.delivered_at, _table.c.closed_at)


@dataclass(frozen=True)
class PutAway:
    """An answer that was read, as the name and content of its file tell it."""

    file_name: str
    sha256: str
    """"" of one that was too large to be read."""
    received_at: datetime
    delivery_id: str | None


def expired(
    connection: Connection, tenant_code: str, *, before: datetime, never: Collection[str], limit: int
) -> list[Delivery]:
    """Return the deliveries to purge, in the order of their ends.

    They were delivered or given up before ``before``, and something of them is kept. Where all but the keys
    for the next comparison is purged, they come again once the cursor of the export has left them.

    :param never: reports whose deliveries are kept.
    """
    query = select(_table.c.delivery_id).where(_is_expired(tenant_code, before, never))
    ids = connection.execute(query.order_by(_ended_at, _table.c.seq).limit(limit)).scalars().all()
    return [deliveries.get(connection, delivery_id) for delivery_id in ids]


def count_expired(
    connection: Connection, tenant_code: str, *, before: datetime, never: Collection[str]
) -> int:
    """Return how many deliveries ``expired`` has without its limit."""
    query = select(func.count()).select_from(_table).where(_is_expired(tenant_code, before, never))
    return connection.execute(query).scalar_one()


def _is_expired(tenant_code: str, before: datetime, never: Collection[str]) -> ColumnElement[bool]:
    with_cursor = select(_cursor.c.delivery_id).where(_cursor.c.tenant_code == tenant_code)
    return and_(
        _table.c.tenant_code == tenant_code,
        _table.c.report.not_in(never),
        _table.c.state.in_((*SENT, DeliveryState.ABANDONED)),
        _ended_at < before,
        or_(
            _table.c.purged_at.is_(None),
            and_(_table.c.keys_path != "", _table.c.delivery_id.not_in(with_cursor)),
        ),
    )


def has_cursor(connection: Connection, delivery: Delivery) -> bool:
    """Say whether the next file of the export is compared with what this delivery keeps for it."""
    cursor = deliveries.cursor(connection, delivery.tenant_code, delivery.export_name)
    return cursor is not None and cursor.delivery_id == delivery.delivery_id


def is_name_kept(connection: Connection, delivery: Delivery, folder: str, name: str) -> bool:
    """Say whether a later delivery, which keeps its file, has that name in a folder of the home."""
    query = select(_table.c.seq).where(
        _is_later(delivery), _table.c.delivered_name == name, _table.c.home_folder == folder
    )
    return connection.execute(query.limit(1)).first() is not None


def is_content_kept(connection: Connection, delivery: Delivery) -> bool:
    """Say whether a later delivery that keeps its files has the same content."""
    query = select(_table.c.seq).where(_is_later(delivery), _table.c.sha256 == delivery.sha256)
    return connection.execute(query.limit(1)).first() is not None


def _is_later(delivery: Delivery) -> ColumnElement[bool]:
    at = delivery.ended_at
    return and_(
        _table.c.tenant_code == delivery.tenant_code,
        _table.c.purged_at.is_(None),
        or_(
            _table.c.state.in_(OPEN),
            _ended_at > at,
            and_(_ended_at == at, _table.c.seq > delivery.seq),
        ),
    )


def home_folders(connection: Connection, tenant_code: str) -> set[str]:
    """Return the folders of the partner's home in which files were delivered."""
    query = select(_table.c.home_folder).where(
        _table.c.tenant_code == tenant_code, _table.c.home_folder != ""
    )
    return set(connection.execute(query.distinct()).scalars())


def answer_places(connection: Connection, tenant_code: str) -> set[str]:
    """Return the places in which answers were found, folders of the home and of partners' servers alike."""
    query = select(_answer.c.place).where(_answer.c.tenant_code == tenant_code)
    return set(connection.execute(query.distinct()).scalars())


def answers(connection: Connection, tenant_code: str, place: str) -> list[PutAway]:
    """Return all answers that were found in a place, newest first."""
    columns = [_answer.c[name] for name in PutAway.__dataclass_fields__]
    query = select(*columns).where(_answer.c.tenant_code == tenant_code, _answer.c.place == place)
    ordered = query.order_by(_answer.c.received_at.desc(), _answer.c.answer_id.desc())
    return [PutAway(*row) for row in connection.execute(ordered)]


def mark_purged(connection: Connection, delivery: Delivery, *, keeps_keys: bool) -> None:
    """Keep that nothing of the delivery is left but what the ledger says.

    :param keeps_keys: its keys are still needed for the next comparison.
    """
    values: dict[str, Any] = {"purged_at": func.coalesce(_table.c.purged_at, clock.now())}
    if not keeps_keys:
        values["keys_path"] = ""
    connection.execute(update(_table).where(_table.c.delivery_id == delivery.delivery_id).values(**values))
