"""Report on what became of each resource in the sets for NHSN (E39, M63)."""

from __future__ import annotations

from sqlalchemy import and_, select
from sqlalchemy.dialects.postgresql import distinct_on

from partner_exchange.exports.columns import Kind
from partner_exchange.exports.reports.parts import days, since
from partner_exchange.exports.reports.report import (
    STATUS,
    Parameter,
    Query,
    Report,
    Request,
    Rows,
    instant,
    text,
)
from partner_exchange.ledger import tables as ledger
from partner_exchange.stores import tables as stores

_event = ledger.nhsn_event
_resource = stores.resource


def _states(request: Request) -> Rows:
    """Return the newest event of each resource and due time: a later answer replaces what was said before."""
    newest = (
        select(_event)
        .ext(distinct_on(_event.c.frequency, _event.c.due_at, _event.c.resource_id))
        .where(_event.c.tenant_code == request.tenant.code, _event.c.due_at > since(request))
        .order_by(_event.c.frequency, _event.c.due_at, _event.c.resource_id, _event.c.event_id.desc())
        .subquery()
    )
    query = select(newest, _resource.c.name.label("resource")).join(
        _resource,
        and_(
            _resource.c.tenant_code == newest.c.tenant_code,
            _resource.c.resource_id == newest.c.resource_id,
        ),
        isouter=True,
    )
    wanted = request.text("frequency")
    return query if wanted == "all" else query.where(newest.c.frequency == wanted)


REPORTS = (
    Report(
        name="nhsn_states",
        version=1,
        title="NHSN reporting results",
        about="What became of each resource at each due time of the last days: forwarded to CDC's NHSN, "
        "with or without something to look at, or why it was not. A late answer shows at its due "
        "time.",
        feeds=STATUS,
        columns=(
            text("frequency", "Frequency", about="`daily` or `weekly`", width=10),
            instant("due_at", "DueAt", about="when the set was due"),
            text("resource_id", "ResourceId", about="as files carry it"),
            text("resource", "Resource", about="name of the facility or unit", width=40),
            text(
                "state",
                "State",
                about="`Ready`, `Warning`, `Submitted`, `Not Submitted` or `Error`",
                width=14,
            ),
            text("reason_code", "ReasonCode", about="why; see nhsn.md", width=24),
            text("comment", "Comment", about="what it means and what to do", width=4000),
            text(
                "origin", "Origin", about="`set`: our own checks; `answer`: NHSN, or the way there", width=8
            ),
            instant("recorded_at", "RecordedAt", about="when we learned it"),
        ),
        keys=("frequency", "due_at", "resource_id"),
        default_columns=("frequency", "due_at", "resource_id", "resource", "state", "comment"),
        source=Query(_states, order=("frequency", "due_at", "resource_id")),
        parameters=(
            days(14, "how many days back"),
            Parameter(
                "frequency",
                Kind.TEXT,
                "only the daily or the weekly sets",
                default="all",
                choices=("all", "daily", "weekly"),
            ),
        ),
    ),
)
