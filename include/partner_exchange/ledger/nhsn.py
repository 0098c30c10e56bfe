"""What became of each resource in each NHSN set: a history that is only ever added to (E39).

The builder of sets writes one event per resource and due time. What CDC answers later is appended as another
event of the same due time, so that the newest event is what holds and the earlier ones stay to be seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, get_args

from sqlalchemy import ColumnElement, Connection, Select, func, select, text
from sqlalchemy.dialects.postgresql import distinct_on, insert

from partner_exchange import clock
from partner_exchange.ledger import tables
from partner_exchange.tenants.resources import Frequency

_table = tables.nhsn_event

# As the index has it, word for word: a bound parameter would not find the index.
_IS_OF_SET = text("origin = 'set'")


class NhsnState(StrEnum):
    """What became of a resource at a due time; all but Ready are the words of EMResource."""

    READY = "Ready"
    """In the set, which is not sent yet."""
    WARNING = "Warning"
    """In the set, with something for the hospital to look at."""
    SUBMITTED = "Submitted"
    """CDC has it; only a delivery says so."""
    NOT_SUBMITTED = "Not Submitted"
    ERROR = "Error"


class NhsnOrigin(StrEnum):
    """Who says so."""

    SET = "set"
    """The builder of sets, once per resource and due time."""
    ANSWER = "answer"
    """CDC, or the delivery on its way there; as often as there is something new."""


@dataclass(frozen=True)
class NhsnOutcome:
    """What is to be recorded of one resource."""

    resource_id: str
    state: NhsnState
    reason_code: str = ""
    """Stable code, "" for Ready."""
    comment: str = ""
    """Sentences for people; never a value."""


@dataclass(frozen=True)
class NhsnEvent:
    """One event of the history."""

    event_id: int
    """Ascending in the order of recording."""
    tenant_code: str
    resource_id: str
    frequency: Frequency
    due_at: datetime
    origin: NhsnOrigin
    state: NhsnState
    reason_code: str
    comment: str
    set_path: str | None
    """Where the set with the resource's row lies in the archive; None when it is in no set."""
    set_sha256: str | None
    recorded_at: datetime


@dataclass(frozen=True)
class KeptSet:
    """A set in the archive."""

    path: str
    sha256: str


@dataclass(frozen=True)
class BuiltSetFile:
    """A set in the archive, with its due time."""

    due_at: datetime
    kept: KeptSet
    rows_total: int


_IN_SET = frozenset({NhsnState.READY, NhsnState.WARNING})


def append(
    connection: Connection,
    tenant_code: str,
    frequency: Frequency,
    due_at: datetime,
    outcomes: Iterable[NhsnOutcome],
    *,
    origin: NhsnOrigin,
    kept: KeptSet | None = None,
) -> int:
    """Append the outcomes and return how many were new.

    Of a set, only the first outcome of a resource and due time is taken. Answers are all taken; the caller
    sees to it that the same answer does not come twice.

    :param kept: the set; noted with the resources that are in it, and with every answer to it.
    :raises ConstraintSurprise: a resource is in a set that is not given, or Submitted by the builder.
    """
    now = clock.now()
    rows = [
        {
            "tenant_code": tenant_code,
            "frequency": frequency,
            "due_at": due_at,
            "origin": origin,
            "recorded_at": now,
            **asdict(outcome),
            **_set_of(outcome, origin, kept),
        }
        for outcome in outcomes
    ]
    if not rows:
        return 0
    statement = insert(_table).on_conflict_do_nothing(
        index_elements=["tenant_code", "frequency", "due_at", "resource_id"],
        index_where=_IS_OF_SET,
    )
    return len(connection.execute(statement.returning(_table.c.event_id), rows).all())


def _set_of(outcome: NhsnOutcome, origin: NhsnOrigin, kept: KeptSet | None) -> dict[str, str | None]:
    is_noted = kept is not None and (origin is NhsnOrigin.ANSWER or outcome.state in _IN_SET)
    return {
        "set_path": kept.path if kept and is_noted else None,
        "set_sha256": kept.sha256 if kept and is_noted else None,
    }


def recorded_dues(
    connection: Connection, tenant_code: str, frequency: Frequency, *, since: datetime
) -> set[datetime]:
    """Return the due times from ``since`` on whose set was built and recorded."""
    query = (
        select(_table.c.due_at)
        .distinct()
        .where(
            _table.c.tenant_code == tenant_code,
            _table.c.frequency == frequency,
            _table.c.due_at >= since,
            _IS_OF_SET,
        )
    )
    return set(connection.execute(query).scalars())


def first_due(connection: Connection, tenant_code: str, frequency: Frequency) -> datetime | None:
    """Return the earliest due time that was ever recorded, None before the first."""
    return _end_of_history(connection, tenant_code, frequency, _table.c.due_at.asc())


def last_due(connection: Connection, tenant_code: str, frequency: Frequency) -> datetime | None:
    """Return the latest due time that was ever recorded, None before the first."""
    return _end_of_history(connection, tenant_code, frequency, _table.c.due_at.desc())


def _end_of_history(
    connection: Connection, tenant_code: str, frequency: Frequency, order: ColumnElement[Any]
) -> datetime | None:
    query = (
        select(_table.c.due_at)
        .where(_table.c.tenant_code == tenant_code, _table.c.frequency == frequency)
        .order_by(order)
        .limit(1)
    )
    return connection.execute(query).scalar_one_or_none()


def set_of(
    connection: Connection, tenant_code: str, frequency: Frequency, due_at: datetime
) -> KeptSet | None:
    """Return the set of a due time; None when it was not built, or no resource went."""
    query = (
        select(_table.c.set_path, _table.c.set_sha256)
        .where(
            _table.c.tenant_code == tenant_code,
            _table.c.frequency == frequency,
            _table.c.due_at == due_at,
            _table.c.set_path.is_not(None),
            _IS_OF_SET,
        )
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return KeptSet(row.set_path, row.set_sha256) if row is not None else None


def built_sets(
    connection: Connection, tenant_code: str, frequency: Frequency, *, since: datetime
) -> list[BuiltSetFile]:
    """Return the sets of due times from ``since`` on in which at least one resource goes, earliest first."""
    query = (
        select(_table.c.due_at, _table.c.set_path, _table.c.set_sha256, func.count().label("rows_total"))
        .where(
            _table.c.tenant_code == tenant_code,
            _table.c.frequency == frequency,
            _table.c.due_at >= since,
            _table.c.set_path.is_not(None),
            _IS_OF_SET,
        )
        .group_by(_table.c.due_at, _table.c.set_path, _table.c.set_sha256)
        .order_by(_table.c.due_at)
    )
    return [
        BuiltSetFile(row.due_at, KeptSet(row.set_path, row.set_sha256), row.rows_total)
        for row in connection.execute(query)
    ]


def in_set(connection: Connection, tenant_code: str, frequency: Frequency, due_at: datetime) -> list[str]:
    """Return the resources that have a row in the set of a due time, by resource id."""
    query = (
        select(_table.c.resource_id)
        .where(
            _table.c.tenant_code == tenant_code,
            _table.c.frequency == frequency,
            _table.c.due_at == due_at,
            _table.c.set_path.is_not(None),
            _IS_OF_SET,
        )
        .order_by(_table.c.resource_id)
    )
    return list(connection.execute(query).scalars())


def states(
    connection: Connection, tenant_code: str, frequency: Frequency, due_at: datetime
) -> list[NhsnEvent]:
    """Return the newest event of each resource at one due time, by resource id."""
    query = (
        select(_table)
        .ext(distinct_on(_table.c.resource_id))
        .where(
            _table.c.tenant_code == tenant_code, _table.c.frequency == frequency, _table.c.due_at == due_at
        )
        .order_by(_table.c.resource_id, _table.c.event_id.desc())
    )
    return _events(connection, query)


def newest(connection: Connection, tenant_code: str) -> list[NhsnEvent]:
    """Return the newest event of each resource at the last due time of each frequency."""
    found: list[NhsnEvent] = []
    for frequency in get_args(Frequency):
        due_at = last_due(connection, tenant_code, frequency)
        if due_at is not None:
            found += states(connection, tenant_code, frequency, due_at)
    return found


def history(
    connection: Connection, tenant_code: str, resource_id: str, *, limit: int = 100
) -> list[NhsnEvent]:
    """Return what was ever recorded of a resource, newest first."""
    query = (
        select(_table)
        .where(_table.c.tenant_code == tenant_code, _table.c.resource_id == resource_id)
        .order_by(_table.c.event_id.desc())
        .limit(limit)
    )
    return _events(connection, query)


def _events(connection: Connection, query: Select[Any]) -> list[NhsnEvent]:
    rows = [dict(row._mapping) for row in connection.execute(query)]
    return [
        NhsnEvent(**{**row, "state": NhsnState(row["state"]), "origin": NhsnOrigin(row["origin"])})
        for row in rows
    ]
