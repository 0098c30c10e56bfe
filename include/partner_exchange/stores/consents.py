"""Consents: record them, keep the store to them, let held doses go (T61, T62).

Called by the command line, and by who purges. What a consent means on a day is in ``consent_registry``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd
from sqlalchemy import Connection, text

from partner_exchange.ledger import audit
from partner_exchange.ledger.database import MERGE_LOCK, hold
from partner_exchange.stores import consent_registry, immunization_held, immunizations
from partner_exchange.stores.consent_registry import ConsentCount, ConsentRecord
from partner_exchange.stores.immunizations import Moved
from partner_exchange.tenants.model import Tenant

__all__ = [
    "ConsentCount",
    "ConsentRecord",
    "Held",
    "Moved",
    "counts",
    "held",
    "held_expired",
    "listed",
    "purge_held",
    "record",
    "release",
]

_HELD = text("""
select count(distinct patient_key) as patients, count(*) as doses, min(held_at) as oldest_at
from store.held_dose
where tenant_code = :tenant_code
""")


@dataclass(frozen=True)
class Held:
    """What is held of a tenant."""

    patients: int
    doses: int
    """Doses and refusals."""
    oldest_at: datetime | None
    """None where nothing is held."""


def record(
    connection: Connection,
    records: pd.DataFrame,
    *,
    tenant_code: str,
    source: str,
    actor: str,
    now: datetime,
) -> int:
    """Append consents, in the caller's transaction, and return how many are new; audited.

    One that says what is on record already is left out. ``release`` brings the store in line.

    :param records: ``consent_registry.RECORD_TEXTS``; each says an identifier, or both names and a birth
        date.
    :param source: where they come from, such as the name of a file.
    """
    hold(connection, MERGE_LOCK, tenant_code)
    recorded = consent_registry.record(connection, records, tenant_code=tenant_code, source=source, now=now)
    audit.record(
        connection,
        actor=actor,
        action="consent.import",
        subject=source,
        tenant_code=tenant_code,
        facts={"taken": len(records), "recorded": recorded},
    )
    return recorded


def release(connection: Connection, tenant: Tenant, *, now: datetime, actor: str = audit.PIPELINE) -> Moved:
    """Release the held doses of patients who have consent now, and take those of all others out of the store.

    Released doses are merged in their old order, in the caller's transaction; audited when anything moved.
    """
    moved = immunizations.settle(connection, tenant, now=now)
    if moved.released or moved.taken_out:
        audit.record(
            connection,
            actor=actor,
            action="consent.release",
            subject="held doses",
            tenant_code=tenant.code,
            facts={"released": moved.released, "taken_out": moved.taken_out},
        )
    return moved


def held(connection: Connection, tenant_code: str) -> Held:
    """Return how much is held, and since when."""
    return Held(*connection.execute(_HELD, {"tenant_code": tenant_code}).one())


def held_expired(connection: Connection, tenant: Tenant, *, now: datetime) -> int:
    """Return how many doses are held longer than the tenant lets them be; ``purge_held`` removes them."""
    before = _held_before(tenant, now)
    return 0 if before is None else immunization_held.count_before(connection, tenant.code, before)


def purge_held(connection: Connection, tenant: Tenant, *, now: datetime, actor: str = audit.PIPELINE) -> int:
    """Remove the doses that are held longer than the tenant lets them be, and return how many; audited.

    A dose is held since it came first; the same dose again, or another version of it, does not prolong that.
    Under a legal hold nothing goes.
    """
    before = _held_before(tenant, now)
    if before is None:
        return 0
    hold(connection, MERGE_LOCK, tenant.code)
    removed = immunization_held.remove_before(connection, tenant.code, before)
    if removed:
        audit.record(
            connection,
            actor=actor,
            action="consent.purge",
            subject="held doses",
            tenant_code=tenant.code,
            facts={"removed": removed, "held_before": before.isoformat()},
        )
    return removed


def _held_before(tenant: Tenant, now: datetime) -> datetime | None:
    """Return since when a dose is held too long; None where nothing is ever purged."""
    days = tenant.vxu.held_days
    return None if days is None or tenant.retention.legal_hold else now - timedelta(days=days)


def counts(connection: Connection, tenant_code: str) -> Sequence[ConsentCount]:
    """Return how many consents are on record, by type and status."""
    return consent_registry.counts(connection, tenant_code)


def listed(connection: Connection, tenant_code: str) -> Sequence[ConsentRecord]:
    """Return all consents on record, oldest first, without names."""
    return consent_registry.listed(connection, tenant_code)
