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
    is_late: bool
    """Told when a newer report was known already."""
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
    update_every_h: float

    @property
    def due_at(self) -> datetime | None:
        """Return when it was to be reported again; None when it was never reported."""
        return None if self.confirmed_at is None else self.confirmed_at + timedelta(hours=self.update_every_h)


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


# Only what the shortest frequency makes overdue; which frequency counts, the catalogue says.
_CANDIDATES = text("""
select resource_id, status_type_id, value, confirmed_at
from store.status
where tenant_code = :tenant_code and status_type_id = any(cast(:status_types as integer[]))
    and confirmed_at < :before
""")

_REPORTED = text("""
select s.resource_id, s.status_types, coalesce(r.is_test, false) as is_test
from (
    select
        resource_id,
        array_agg(status_type_id) filter (where status_type_id = any(cast(:status_types as integer[])))
            as status_types
    from store.status
    where tenant_code = :tenant_code
    group by resource_id
) s
left join store.resource r on r.tenant_code = :tenant_code and r.resource_id = s.resource_id
where coalesce(r.is_active, true)
""")


def overdue(
    connection: Connection, tenant_code: str, catalogue: Catalogue, *, at: datetime
) -> list[OverdueStatus]:
    """Return what was to be reported again before ``at``, by resource and status type.

    A Multi status may have a frequency of its own. A type with a frequency that a resource never reported is
    overdue once the resource has any status. Resources and types that are not active any more are left out.
    """
    hours = _hours(catalogue)
    if not hours:
        return []
    ours = {"tenant_code": tenant_code, "status_types": sorted({one for one, _ in hours})}
    before = at - timedelta(hours=min(hours.values()))
    reported = {row.resource_id: row for row in connection.execute(_REPORTED, ours)}
    found = []
    for row in connection.execute(_CANDIDATES, {**ours, "before": before}):
        key = row.status_type_id
        every = hours.get((key, row.value), hours.get((key, None)))
        if row.resource_id in reported and every and row.confirmed_at < at - timedelta(hours=every):
            is_test = reported[row.resource_id].is_test
            found.append(OverdueStatus(row.resource_id, key, is_test, row.value, row.confirmed_at, every))
    whole = {one: every for (one, value), every in hours.items() if value is None}
    for resource_id, row in reported.items():
        for key in whole.keys() - set(row.status_types or ()):
            found.append(OverdueStatus(resource_id, key, row.is_test, "", None, whole[key]))
    return sorted(found, key=lambda one: (one.resource_id, one.status_type_id))


def _hours(catalogue: Catalogue) -> dict[tuple[int, str | None], float]:
    """Return how often to report: by type, and by type and status where a Multi status has its own."""
    hours: dict[tuple[int, str | None], float] = {}
    for one in catalogue:
        if not one.is_settable:
            continue
        if one.update_every_h is not None:
            hours[one.id, None] = one.update_every_h
        hours.update(
            ((one.id, status.name), status.update_every_h)
            for status in one.statuses
            if status.update_every_h is not None
        )
    return hours


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
    and (
        {since} is null or c.reported_at >= {since} or exists (
            select
            from store.status_confirmation
            where tenant_code = {tenant_code} and resource_id = s.resource_id
                and reported_at >= {since} and reported_at <= {at}
                and s.status_type_id = any(status_type_ids)
        )
    )
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
    connection: Connection,
    tenant_code: str,
    status_type_ids: Collection[int],
    *,
    at: datetime,
    since: datetime | None = None,
) -> pd.DataFrame:
    """Return the statuses that were in force at an instant, as far as is known today.

    Late reports count for the time they speak of. Lines by resource and status type: ``resource_id`` str,
    ``status_type_id`` int32, ``value`` str, ``number`` float64 (NaN for none), ``is_not_applicable`` bool,
    ``reported_at`` datetime64[us, UTC], when it came into force; a status without a value by then has no
    line.

    :param since: leaves out what nobody reported, or reported again, for a time from then on up to ``at``.
    """
    status_types = sorted(int(one) for one in status_type_ids)
    parameters = {"tenant_code": tenant_code, "status_types": status_types, "at": at, "since": since}
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
