"""Repeat a tenant's resources and status types in the store, so that reports can join them.

The YAML stays the one place where they are changed; a merge brings the copy up to date when the policy is
another than that of the last one. What is no longer in the YAML stays, inactive: its history names it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

import pyarrow as pa
from sqlalchemy import Connection, text

from partner_exchange.ledger.copying import copy_rows
from partner_exchange.tenants.model import Tenant

_TEMPORARY_TABLES = """
create temporary table given_resource (like store.resource) on commit drop;
create temporary table given_status_type (like store.status_type) on commit drop
"""

_IS_SYNCED = text("""
select exists (
    select from store.status_policy where tenant_code = :tenant_code and policy_sha256 = :policy_sha256
)
""")

_REMEMBER = text("""
insert into store.status_policy (tenant_code, policy_sha256, synced_at)
values (:tenant_code, :policy_sha256, :now)
on conflict (tenant_code) do update
set policy_sha256 = excluded.policy_sha256, synced_at = excluded.synced_at
""")

_LEAVE = (
    text("update store.resource set is_active = false where tenant_code = :tenant_code"),
    text("update store.status_type set is_active = false where tenant_code = :tenant_code"),
)

_TAKE = """
insert into store.resource (
    tenant_code, resource_id, is_test, name, kind, region, org_id, context, frequency, is_active
)
select tenant_code, resource_id, is_test, name, kind, region, org_id, context, frequency, is_active
from given_resource
on conflict (tenant_code, resource_id) do update
set is_test = excluded.is_test, name = excluded.name, kind = excluded.kind, region = excluded.region,
    org_id = excluded.org_id, context = excluded.context, frequency = excluded.frequency,
    is_active = excluded.is_active;
insert into store.status_type (
    tenant_code, status_type_id, ordinal, name, kind, section, standard, update_every_h, is_active
)
select tenant_code, status_type_id, ordinal, name, kind, section, standard, update_every_h, is_active
from given_status_type
on conflict (tenant_code, status_type_id) do update
set ordinal = excluded.ordinal, name = excluded.name, kind = excluded.kind, section = excluded.section,
    standard = excluded.standard, update_every_h = excluded.update_every_h, is_active = excluded.is_active;
drop table given_resource, given_status_type
"""

_MODES: tuple[Literal["production", "test"], ...] = ("production", "test")


def sync(connection: Connection, tenant: Tenant, *, now: datetime) -> bool:
    """Bring the copy up to date, in the caller's transaction; return whether that was needed."""
    policy = {"tenant_code": tenant.code, "policy_sha256": tenant.policy_sha256}
    if connection.execute(_IS_SYNCED, policy).scalar_one():
        return False
    connection.exec_driver_sql(_TEMPORARY_TABLES)
    copy_rows(connection, ("given_resource",), _resources(tenant))
    copy_rows(connection, ("given_status_type",), _status_types(tenant))
    for statement in _LEAVE:
        connection.execute(statement, {"tenant_code": tenant.code})
    connection.exec_driver_sql(_TAKE)
    connection.execute(_REMEMBER, {**policy, "now": now})
    return True


def _resources(tenant: Tenant) -> Iterator[pa.Table]:
    """Give each resource under each of its ids, as a file may name it."""
    lines = [
        {
            "tenant_code": tenant.code,
            "resource_id": one.id_in(mode),
            "is_test": mode == "test",
            "name": one.name,
            "kind": one.kind,
            "region": one.region or tenant.status.region,
            "org_id": one.org_id_in(mode),
            "context": one.nhsn.context if one.nhsn else "",
            "frequency": (one.nhsn.frequency or "") if one.nhsn else "",
            "is_active": True,
        }
        for one in tenant.status.resources
        for mode in _MODES
        if one.id_in(mode)
    ]
    if lines:
        yield pa.Table.from_pylist(lines)


def _status_types(tenant: Tenant) -> Iterator[pa.Table]:
    lines = [
        {
            "tenant_code": tenant.code,
            "status_type_id": one.id,
            "ordinal": ordinal,
            "name": one.name,
            "kind": one.kind.value,
            "section": one.section,
            "standard": one.standard,
            "update_every_h": one.update_every_h,
            "is_active": one.active,
        }
        for ordinal, one in enumerate(tenant.status.catalogue, start=1)
    ]
    if lines:
        yield pa.Table.from_pylist(lines)
