"""Look statuses up: as they are, as they were, what is overdue and what changed; offered by ``statuses``."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, select, text

from partner_exchange.stores import tables
from partner_exchange.stores.status_frames import read_frame
from partner_exchange.tenants.catalogue import Catalogue


@dataclass(frozen=True)
class Status:
    """What one resource reports now for one status type."""

    resource_id: str
    status_type_id: int
    value: str
    """Canonical; "" when not applicable."""
    number: float | None
    """Number of the numeric kinds."""
    colour: str
    level: str
    reason: str
    comment: str
    is_not_applicable: bool
    is_computed: bool
    """By a formula, not by a file."""
    reported_at: datetime
    """Reporting time of what is shown."""
    confirmed_at: datetime
    """Latest reporting time that said so."""
    recorded_at: datetime
    """When we wrote it."""
    submission_id: str
    row_number: int | None
    """Row of the file; None when computed."""


@dataclass(frozen=True)
class StatusChange:
    """One line of the history of a status: what was in force from ``reported_at`` on."""

    resource_id: str
    status_type_id: int
    value: str
    number: float | None
    colour: str
    level: str
    reason: str
    comment: str
    is_not_applicable: bool
    is_computed: bool
    reported_at: datetime
    recorded_at: datetime
    submission_id: str
    row_number: int | None
    """Row of the file; None when computed, or when it only follows from what a late file said of before."""


@dataclass(frozen=True)
class OverdueStatus:
    """A status that was to be reported again by now."""

    resource_id: str
    status_type_id: int
    is_test: bool
    """The resource id is one for testing."""
    value: str
    """As it is now; "" when it was never reported."""
    confirmed_at: datetime | None
    """None when it was never reported."""
    due_at: datetime | None


def now(connection: Connection, tenant_code: str, *, resource_id: str | None = None) -> list[Status]:
    """Return the statuses of a tenant, or of one of its resources, by resource and status type."""
    table = tables.status
    query = (
        select(*(table.c[name] for name in Status.__dataclass_fields__))
        .where(table.c.tenant_code == tenant_code)
        .order_by(table.c.resource_id, table.c.status_type_id)
    )
    if resource_id is not None:
        query = query.where(table.c.resource_id == resource_id)
    return [Status(**row._mapping) for row in connection.execute(query)]


def history(
    connection: Connection, tenant_code: str, resource_id: str, status_type_id: int, *, limit: int
) -> list[StatusChange]:
    """Return the last changes of one status, the newest reporting time first.

    Of several lines for one time the first was in force at the end; the others were corrected.
    """
    table = tables.status_change
    query = (
        select(*(table.c[name] for name in StatusChange.__dataclass_fields__))
        .where(
            table.c.tenant_code == tenant_code,
            table.c.resource_id == resource_id,
            table.c.status_type_id == status_type_id,
        )
        .order_by(table.c.reported_at.desc(), table.c.merge_no.desc())
        .limit(limit)
    )
    return [StatusChange(**row._mapping) for row in connection.execute(query)]


# A rule without a value is that of the status type; one with a value is that of a Multi status.
_OVERDUE = text("""
with rule as (
    select *
    from unnest(cast(:status_types as integer[]), cast(:values as text[]), cast(:hours as float8[]))
        as r (status_type_id, value, hours)
),
late as (
    select s.resource_id, s.status_type_id, s.value, s.confirmed_at, coalesce(v.hours, t.hours) as hours
    from store.status s
    left join rule t on t.status_type_id = s.status_type_id and t.value is null
    left join rule v on v.status_type_id = s.status_type_id and v.value = s.value
    where s.tenant_code = :tenant_code and s.status_type_id = any(cast(:status_types as integer[]))
        and s.confirmed_at < cast(:at as timestamptz) - coalesce(v.hours, t.hours) * interval '1 hour'
    union all
    select r.resource_id, t.status_type_id, '', null, null
    from (select distinct resource_id from store.status where tenant_code = :tenant_code) r
    join rule t on t.value is null
    where not exists (
        select from store.status s
        where s.tenant_code = :tenant_code and s.resource_id = r.resource_id
            and s.status_type_id = t.status_type_id
    )
)
select late.*, coalesce(r.is_test, false) as is_test
from late
left join store.resource r on r.tenant_code = :tenant_code and r.resource_id = late.resource_id
where coalesce(r.is_active, true)
order by late.resource_id, late.status_type_id
""")


def overdue(
    connection: Connection, tenant_code: str, catalogue: Catalogue, *, at: datetime
) -> list[OverdueStatus]:
    """Return what was to be reported again before ``at``, by resource and status type.

    A Multi status may have a frequency of its own. A type with a frequency that a resource never reported is
    overdue once the resource has any status. Resources and types that are not active any more are left out.
    """
    rules = [
        (one.id, value, hours)
        for one in catalogue
        if one.is_settable
        for value, hours in [(None, one.update_every_h), *((x.name, x.update_every_h) for x in one.statuses)]
        if hours is not None
    ]
    names = ("status_types", "values", "hours")
    parameters = {name: [rule[place] for rule in rules] for place, name in enumerate(names)}
    rows = connection.execute(_OVERDUE, {**parameters, "tenant_code": tenant_code, "at": at})
    return [
        OverdueStatus(
            resource_id=row.resource_id,
            status_type_id=row.status_type_id,
            is_test=row.is_test,
            value=row.value,
            confirmed_at=row.confirmed_at,
            due_at=None if row.confirmed_at is None else row.confirmed_at + timedelta(hours=row.hours),
        )
        for row in rows
    ]


# One look into the index per status: the length of the history does not matter.
_AS_OF: LiteralString = """
select s.resource_id, s.status_type_id, c.value, c.number, c.is_not_applicable,
    (extract(epoch from c.reported_at) * 1000000)::bigint
from store.status s
cross join lateral (
    select value, number, is_not_applicable, reported_at
    from store.status_change
    where tenant_code = {tenant_code} and resource_id = s.resource_id and status_type_id = s.status_type_id
        and reported_at <= {at}
    order by reported_at desc, merge_no desc
    limit 1
) c
where s.tenant_code = {tenant_code} and s.status_type_id = any({status_types})
order by s.resource_id, s.status_type_id
"""
_AS_OF_TYPES = {
    "resource_id": pa.string(),
    "status_type_id": pa.int32(),
    "value": pa.string(),
    "number": pa.float64(),
    "is_not_applicable": pa.bool_(),
    "reported_at": pa.timestamp("us", tz="UTC"),
}


def as_of(
    connection: Connection, tenant_code: str, status_type_ids: Collection[int], *, at: datetime
) -> pd.DataFrame:
    """Return the statuses that were in force at an instant, as far as is known today.

    Late reports count for the time they speak of. Lines by resource and status type: ``resource_id`` str,
    ``status_type_id`` int32, ``value`` str, ``number`` float64 (NaN for none), ``is_not_applicable`` bool,
    ``reported_at`` datetime64[us, UTC]; a status without a value by then has no line.
    """
    status_types = sorted(int(one) for one in status_type_ids)
    parameters = {"tenant_code": tenant_code, "status_types": status_types, "at": at}
    return read_frame(connection, _AS_OF, parameters, _AS_OF_TYPES)


_CHANGED = text("""
select distinct resource_id
from store.status_change
where tenant_code = :tenant_code and recorded_at >= :since and recorded_at < :until
    and resource_id = any(cast(:resources as text[]))
    and status_type_id = any(cast(:status_types as integer[]))
""")


def changed_between(
    connection: Connection,
    tenant_code: str,
    resource_ids: Collection[str],
    status_type_ids: Collection[int],
    *,
    since: datetime,
    until: datetime,
) -> set[str]:
    """Return those of the resources whose history got a line from ``since`` on, before ``until``."""
    parameters = {
        "tenant_code": tenant_code,
        "resources": list(resource_ids),
        "status_types": [int(one) for one in status_type_ids],
        "since": since,
        "until": until,
    }
    return set(connection.execute(_CHANGED, parameters).scalars())
