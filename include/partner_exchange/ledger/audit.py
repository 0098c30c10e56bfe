"""The audit trail: who changed what and when (X13); written once, never changed.

Called where a person or a step changes what a tenant may do. ``facts`` never hold a cell value, password or
key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from partner_exchange import clock
from partner_exchange.ledger import tables

PIPELINE = "pipeline"
"""Who acts when nobody has asked for it."""

_table = tables.audit


@dataclass(frozen=True)
class AuditEntry:
    """One change."""

    audit_id: int
    at: datetime
    actor: str
    tenant_code: str | None
    action: str
    """Verb and object, such as ``intake.resume``."""
    subject: str
    facts: Mapping[str, Any]


def record(
    connection: Connection,
    *,
    actor: str,
    action: str,
    subject: str,
    tenant_code: str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Append an entry, in the transaction of the change itself."""
    row = {
        "at": clock.now(),
        "actor": actor,
        "tenant_code": tenant_code,
        "action": action,
        "subject": subject,
        "facts": dict(facts or {}),
    }
    connection.execute(insert(_table).values(row))


def entries(connection: Connection, tenant_code: str | None = None, limit: int = 100) -> list[AuditEntry]:
    """Return the newest entries, newest first, of one tenant or of all."""
    query = select(_table).order_by(_table.c.audit_id.desc()).limit(limit)
    if tenant_code is not None:
        query = query.where(_table.c.tenant_code == tenant_code)
    return [AuditEntry(**row._mapping) for row in connection.execute(query)]
