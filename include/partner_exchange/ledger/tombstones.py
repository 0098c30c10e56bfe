"""What a purge removed, when, and by which rule: one line per file, which nobody ever removes (T39).

A tombstone is set before the file goes, as planned, and dated when it is gone. So whatever a killed purge
leaves, no file is missing without a line that says why. Called by ``submissions.purge`` for what came in,
and by ``exports.purge`` for what went out; neither settles what the other one has planned.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, Select, and_, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from partner_exchange import clock
from partner_exchange.ledger import audit, tables

_table = tables.tombstone


class Kind(StrEnum):
    """What a purge removes."""

    ORIGINAL = "original"
    """The partner's file where it was put away in the home."""
    RESULT = "result"
    FIX_IT = "fix-it"
    ANNOTATED = "annotated"
    REPORT = "report"
    ACKNOWLEDGEMENTS = "acknowledgements"
    CONSENTS = "consents"
    IN_HAND = "in-hand"
    """What a failed step left under the name of a file in hand."""
    FORGOTTEN = "forgotten"
    """A cut upload in the home, which belongs to no submission."""
    ARCHIVE = "archive"
    """The original in the archive."""
    ARRIVING = "arriving"
    """A copy that did not get as far as its place in the archive."""
    WORK = "work"
    """What the steps of a failed submission left for one another."""
    OUTBOUND = "outbound"
    """What a delivery has in the archive: the file that went out, and its keys for the next comparison."""
    DELIVERED = "delivered"
    """The file that went out, in the partner's home."""
    ANSWER = "answer"
    """A partner's answer to a delivered file, put away in the home."""
    LEFT_OVER = "left-over"
    """What a delivery left under a hidden name in the home."""


OF_DELIVERY = (Kind.OUTBOUND, Kind.DELIVERED)
LOOSE = (Kind.ANSWER, Kind.LEFT_OVER)
"""Besides ``OF_DELIVERY``, what ``exports.purge`` removes; it belongs to no delivery, or outlives it."""


@dataclass(frozen=True)
class Removal:
    """One thing to remove."""

    kind: Kind
    path: str
    """Below the partner's home; of ``ARCHIVE``, ``ARRIVING``, ``WORK`` and ``OUTBOUND`` below the storage
    address.
    """
    size_bytes: int
    submission_id: str | None = None
    sha256: str = ""
    """Of the content, "" where it is not known."""
    delivery_id: str | None = None
    """Of an answer: the delivery that it answers."""


@dataclass(frozen=True, kw_only=True)
class Tombstone(Removal):
    """One thing that was removed, or is about to be."""

    tombstone_id: int
    policy_days: int
    """The retention of the tenant by which it went."""
    planned_at: datetime
    purged_at: datetime | None
    """When it was gone; None while a purge is under way or was stopped."""


def plan(connection: Connection, tenant_code: str, removals: Iterable[Removal], *, policy_days: int) -> None:
    """Set a tombstone for each thing; one that an earlier try has set is renewed."""
    now = clock.now()
    rows = [
        {**asdict(one), "tenant_code": tenant_code, "policy_days": policy_days, "planned_at": now}
        for one in removals
    ]
    if not rows:
        return
    statement = insert(_table)
    renewed = ("submission_id", "delivery_id", "sha256", "size_bytes", "policy_days", "planned_at")
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_code", "kind", "path"],
            index_where=_table.c.purged_at.is_(None),
            set_={name: statement.excluded[name] for name in renewed},
        ),
        rows,
    )


def planned(connection: Connection, tenant_code: str, submission_id: str | None) -> list[Tombstone]:
    """Return the tombstones of one submission that have no date yet; of None those of no submission.

    Those of what went out are never among them.
    """
    query = select(_table).where(
        _table.c.tenant_code == tenant_code,
        _table.c.submission_id.is_not_distinct_from(submission_id),
        _table.c.kind.not_in((*OF_DELIVERY, *LOOSE)),
        _table.c.purged_at.is_(None),
    )
    return _all(connection, query.order_by(_table.c.tombstone_id))


def planned_outbound(connection: Connection, tenant_code: str, delivery_id: str | None) -> list[Tombstone]:
    """Return the tombstones of one delivery's files that have no date yet; of None those of ``LOOSE``."""
    is_asked = (
        _table.c.kind.in_(LOOSE)
        if delivery_id is None
        else and_(_table.c.kind.in_(OF_DELIVERY), _table.c.delivery_id == delivery_id)
    )
    query = select(_table).where(_table.c.tenant_code == tenant_code, is_asked, _table.c.purged_at.is_(None))
    return _all(connection, query.order_by(_table.c.tombstone_id))


def date(connection: Connection, tombstone_ids: Collection[int]) -> None:
    """Keep that these things are gone."""
    connection.execute(
        update(_table).where(_table.c.tombstone_id.in_(tombstone_ids)).values(purged_at=clock.now())
    )


def settle(
    connection: Connection, planned: Collection[Tombstone], *, is_there: Callable[[Tombstone], bool]
) -> list[Tombstone]:
    """Date the tombstones of what is gone, also by an earlier try, take back those of what stays; return
    what is gone.
    """
    stays = [one.tombstone_id for one in planned if is_there(one)]
    withdraw(connection, stays)
    gone = [one for one in planned if one.tombstone_id not in stays]
    date(connection, [one.tombstone_id for one in gone])
    return gone


def record_purge(
    connection: Connection,
    tenant_code: str,
    subject: str,
    gone: Iterable[Removal],
    *,
    actor: str,
    policy_days: int,
) -> None:
    """Keep in the audit trail who purged how much, by which rule."""
    sizes = [one.size_bytes for one in gone]
    audit.record(
        connection,
        actor=actor,
        tenant_code=tenant_code,
        action="retention.purge",
        subject=subject,
        facts={"files": len(sizes), "size_bytes": sum(sizes), "policy_days": policy_days},
    )


def withdraw(connection: Connection, tombstone_ids: Collection[int]) -> None:
    """Take back tombstones of things that stay."""
    connection.execute(
        delete(_table).where(_table.c.tombstone_id.in_(tombstone_ids), _table.c.purged_at.is_(None))
    )


def is_original_purged(connection: Connection, submission_id: str) -> bool:
    """Say whether a purge has taken the archived original of a submission, or has begun to."""
    query = select(_table.c.tombstone_id).where(
        _table.c.submission_id == submission_id, _table.c.kind == Kind.ARCHIVE
    )
    return connection.execute(query.limit(1)).first() is not None


def entries(connection: Connection, tenant_code: str, *, limit: int = 100) -> list[Tombstone]:
    """Return the newest tombstones of a tenant, newest first."""
    query = select(_table).where(_table.c.tenant_code == tenant_code)
    return _all(connection, query.order_by(_table.c.tombstone_id.desc()).limit(limit))


def _all(connection: Connection, query: Select[tuple[object, ...]]) -> list[Tombstone]:
    rows = [dict(row) for row in connection.execute(query).mappings()]
    for row in rows:
        del row["tenant_code"]
    return [Tombstone(**{**row, "kind": Kind(row["kind"])}) for row in rows]
