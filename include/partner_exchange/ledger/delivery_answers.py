"""Partners' answers to delivered files: what each file said, and whose delivery it was about (X11).

``exports.answers`` writes them in the transaction that moves the delivery, and ``exchange export answers``
shows them. A comment is what a partner wrote, so it may hold values: it never leaves for a log or a mail.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from ulid import ULID

from partner_exchange import clock
from partner_exchange.ledger import deliveries, tables
from partner_exchange.ledger.deliveries import SENT, Delivery, DeliveryState

_table = tables.delivery_answer
_delivery = tables.delivery

IN_FLIGHT = (DeliveryState.UPLOADED, DeliveryState.DEAD)
"""States in which a file may have got its name without our knowing; an answer to it waits."""


class Verdict(StrEnum):
    """What an answer says."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNREADABLE = "unreadable"
    """Nobody can tell; a person has to look."""


@dataclass(frozen=True)
class Received:
    """An answer as it was found."""

    tenant_code: str
    place: str
    """Folder of the home, or connection and folder of a partner's server."""
    file_name: str
    sha256: str
    """Of the content; "" when it is too large to be read."""
    modified_at: datetime
    """Time of the file, in whole seconds: a later file of the same name and content is a new answer."""
    verdict: Verdict
    comment: str = ""
    delivery_id: str | None = None
    """None: it answers no file that was delivered."""
    export_name: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer(Received):
    """An answer in the ledger."""

    answer_id: str
    received_at: datetime


def record(connection: Connection, received: Received) -> Answer | None:
    """Keep the answer and return it; None when the very file was read before."""
    at = clock.now()
    row = {"answer_id": str(ULID.from_datetime(at)), "received_at": at, **asdict(received)}
    statement = insert(_table).values(row).on_conflict_do_nothing(constraint="delivery_answer_once_key")
    found = connection.execute(statement.returning(_table)).mappings().one_or_none()
    return _answer(found) if found is not None else None


def known(
    connection: Connection, tenant_code: str, place: str, names: Collection[str]
) -> set[tuple[str, datetime]]:
    """Return name and time of those that were read before."""
    query = select(_table.c.file_name, _table.c.modified_at).where(
        _table.c.tenant_code == tenant_code, _table.c.place == place, _table.c.file_name.in_(names)
    )
    return {(row.file_name, row.modified_at) for row in connection.execute(query)}


def latest(
    connection: Connection,
    tenant_code: str | None = None,
    *,
    delivery_id: str | None = None,
    only_unmatched: bool = False,
    limit: int = 100,
) -> list[Answer]:
    """Return the newest answers, newest first; of all tenants, of one, or to one delivery.

    :param only_unmatched: those that answer no file that was delivered.
    """
    query = select(_table).order_by(_table.c.received_at.desc(), _table.c.answer_id.desc()).limit(limit)
    if tenant_code is not None:
        query = query.where(_table.c.tenant_code == tenant_code)
    if delivery_id is not None:
        query = query.where(_table.c.delivery_id == delivery_id)
    if only_unmatched:
        query = query.where(_table.c.delivery_id.is_(None))
    return [_answer(row) for row in connection.execute(query).mappings()]


def addressee(connection: Connection, tenant_code: str, named: Iterable[tuple[str, str]]) -> Delivery | None:
    """Return the delivery that an answer is about, held until the transaction ends; None when there is none.

    Of an export it is the newest delivery that had the name at its target. Where that one is still in
    flight and the one before it waits for an answer, it is the one before. Of several exports, it is one
    that waits for an answer, else the newest.

    :param named: export and file name that the answer's name may mean.
    """
    found = [
        one
        for export_name, file_name in dict.fromkeys(named)
        if (one := _newest(connection, tenant_code, export_name, file_name)) is not None
    ]
    return max(found, key=lambda one: (one.state is DeliveryState.DELIVERED, one.seq), default=None)


def _newest(connection: Connection, tenant_code: str, export_name: str, file_name: str) -> Delivery | None:
    query = (
        select(_delivery.c.delivery_id)
        .where(
            _delivery.c.tenant_code == tenant_code,
            _delivery.c.export_name == export_name,
            _delivery.c.delivered_name == file_name,
            _delivery.c.state.in_((*SENT, *IN_FLIGHT)),
        )
        .order_by(_delivery.c.seq.desc())
        .limit(2)
        .with_for_update()
    )
    found = [deliveries.get(connection, one) for one in connection.execute(query).scalars()]
    if len(found) == 2 and found[0].state in IN_FLIGHT and found[1].state is DeliveryState.DELIVERED:
        return found[1]
    return found[0] if found else None


def sent_twice(connection: Connection, tenant_code: str, named: Iterable[tuple[str, str]]) -> Delivery | None:
    """Return the one delivery of these names, held until the transaction ends; None for none or several.

    For an answer to a file that was sent again and got a number, which the ledger does not keep.

    :param named: export and file name without the number.
    """
    is_named = tuple_(_delivery.c.export_name, _delivery.c.file_name).in_([*named])
    query = (
        select(_delivery.c.delivery_id)
        .where(_delivery.c.tenant_code == tenant_code, is_named, _delivery.c.state.in_(SENT))
        .limit(2)
        .with_for_update()
    )
    found = list(connection.execute(query).scalars())
    return deliveries.get(connection, found[0]) if len(found) == 1 else None


def unanswered(
    connection: Connection, tenant_code: str, export_name: str, *, after: datetime, before: datetime
) -> list[Delivery]:
    """Return what was delivered between two instants and is not answered, oldest first."""
    query = (
        select(_delivery.c.delivery_id)
        .where(
            _delivery.c.tenant_code == tenant_code,
            _delivery.c.export_name == export_name,
            _delivery.c.state == DeliveryState.DELIVERED,
            _delivery.c.delivered_at > after,
            _delivery.c.delivered_at <= before,
        )
        .order_by(_delivery.c.seq)
    )
    return [deliveries.get(connection, one) for one in connection.execute(query).scalars()]


def _answer(row: Any) -> Answer:
    return Answer(**{**row, "verdict": Verdict(row["verdict"])})
