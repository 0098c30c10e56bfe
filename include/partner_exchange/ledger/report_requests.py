"""Reports that somebody misses: who wants what, with which filters, and what became of it (M66).

Called by ``exchange export request``. A request is a ticket of ours: no report and no export changes by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update
from ulid import ULID

from partner_exchange import clock
from partner_exchange.errors import StateConflict, UnknownReportRequest
from partner_exchange.ledger import tables

_table = tables.report_request


@dataclass(frozen=True)
class ReportRequest:
    """One request for a report that the catalogue does not have."""

    request_id: str
    tenant_code: str
    wanted: str
    """What a person asks for, in own words."""
    report: str
    """Name of the report of the catalogue that comes nearest; "" where none does."""
    parameters: Mapping[str, Any]
    """The filters that were set when it was missed."""
    requested_by: str
    requested_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    answer: str
    """What the asker is told; "" while it is open."""


def ask(
    connection: Connection,
    *,
    tenant_code: str,
    wanted: str,
    requested_by: str,
    report: str = "",
    parameters: Mapping[str, Any] | None = None,
) -> ReportRequest:
    """Keep the request and return it with its id."""
    at = clock.now()
    row = {
        "request_id": str(ULID.from_datetime(at)),
        "tenant_code": tenant_code,
        "wanted": wanted,
        "report": report,
        "parameters": dict(parameters or {}),
        "requested_by": requested_by,
        "requested_at": at,
    }
    return _request(connection.execute(insert(_table).values(row).returning(_table)).mappings().one())


def get(connection: Connection, request_id: str) -> ReportRequest:
    """Return the request.

    :raises UnknownReportRequest: no request of that id.
    """
    query = select(_table).where(_table.c.request_id == request_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        message = f"No request {request_id!r}; `exchange export requests --all` shows them."
        raise UnknownReportRequest("unknown-report-request", message, request=request_id)
    return _request(row)


def listed(
    connection: Connection, tenant_code: str | None = None, *, with_closed: bool = False, limit: int = 1000
) -> list[ReportRequest]:
    """Return the newest requests, newest first: those without an answer, or all; of one tenant or of all."""
    query = select(_table).order_by(_table.c.request_id.desc()).limit(limit)
    if tenant_code is not None:
        query = query.where(_table.c.tenant_code == tenant_code)
    if not with_closed:
        query = query.where(_table.c.closed_at.is_(None))
    return [_request(row) for row in connection.execute(query).mappings()]


def close(connection: Connection, request_id: str, *, answer: str, closed_by: str) -> ReportRequest:
    """Keep the answer to a request, which is done with then.

    :raises UnknownReportRequest: no request of that id.
    :raises StateConflict: it has an answer.
    """
    changes = {"answer": answer, "closed_by": closed_by, "closed_at": clock.now()}
    is_open = (_table.c.request_id == request_id) & _table.c.closed_at.is_(None)
    statement = update(_table).where(is_open).values(**changes).returning(_table)
    row = connection.execute(statement).mappings().one_or_none()
    if row is None:
        before = get(connection, request_id)
        at = f"{before.closed_at:%Y-%m-%d %H:%M}Z"
        message = f"The request {request_id} was answered at {at}; nothing was changed."
        raise StateConflict("request-answered", message, request=request_id)
    return _request(row)


def _request(row: Mapping[Any, Any]) -> ReportRequest:
    return ReportRequest(**row)
