"""Reports on what went out to a partner: files and mails (M63, M67)."""

from __future__ import annotations

from sqlalchemy import func, select

from partner_exchange.exports.reports.parts import days, since
from partner_exchange.exports.reports.report import (
    EVERY_FEED,
    Query,
    Report,
    Request,
    Rows,
    instant,
    integer,
    text,
)
from partner_exchange.ledger import tables

_delivery = tables.delivery
_mail = tables.mail

_DELIVERY = (
    text("delivery_id", "Delivery", about="id", width=26),
    text("export_name", "Export", about="name in the tenant file"),
    text("report", "Report", about="report of the catalogue", width=30),
    text("content", "Content", about="`full` or `delta`", width=8),
    text("state", "State", about="how far it has come", width=12),
    instant("due_at", "DueAt", about="time of the schedule; empty: by hand"),
    instant("opened_at", "OpenedAt", about="when it began"),
    instant("delivered_at", "DeliveredAt", about="when the file was in place; empty: it is not yet"),
    instant("answered_at", "AnsweredAt", about="when the partner's answer came; empty: none"),
    text("delivered_name", "FileName", about="name of the file in place", width=60),
    integer("rows_total", "Rows", about="rows in it, without the header"),
    integer("size_bytes", "Bytes", about="size of the file"),
    text("sha256", "Sha256", about="checksum of the file", width=64),
    integer("attempts", "Attempts", about="failed tries to deliver it"),
    text("fault_code", "FaultCode", about="why the last try failed; empty: it did not", width=26),
)


def _deliveries(request: Request) -> Rows:
    return select(_delivery.c.seq, *(_delivery.c[one.name] for one in _DELIVERY)).where(
        _delivery.c.tenant_code == request.tenant.code, _delivery.c.opened_at > since(request)
    )


def _mails(request: Request) -> Rows:
    return (
        select(
            _mail.c.event,
            _mail.c.state,
            func.count().label("mails"),
            func.min(_mail.c.queued_at).label("first_at"),
            func.max(_mail.c.queued_at).label("last_at"),
            func.max(_mail.c.attempts).label("attempts"),
        )
        .where(_mail.c.tenant_code == request.tenant.code, _mail.c.queued_at > since(request))
        .group_by(_mail.c.event, _mail.c.state)
    )


REPORTS = (
    Report(
        name="deliveries",
        version=1,
        title="Delivered files",
        about="Each outbound file of the last days: which export, how many rows, whether it is in place, "
        "and what stands in its way.",
        feeds=EVERY_FEED,
        columns=_DELIVERY,
        keys=("delivery_id",),
        default_columns=(
            *("export_name", "report", "content", "state", "due_at", "delivered_at"),
            *("delivered_name", "rows_total", "attempts", "fault_code"),
        ),
        source=Query(_deliveries, order=("seq",)),
        parameters=(days(30, "how many days back"),),
    ),
    Report(
        name="mails",
        version=1,
        title="Mails",
        about="How many mails about the partner's files were written in the last days, by what they are "
        "about and whether they went; no address is in it.",
        feeds=EVERY_FEED,
        columns=(
            text("event", "Event", about="what they tell", width=24),
            text("state", "State", about="`queued`, `sent` or `refused` by the mail server", width=10),
            integer("mails", "Mails", about="how many; one per recipient"),
            instant("first_at", "FirstAt", about="when the first was written"),
            instant("last_at", "LastAt", about="when the last was written"),
            integer("attempts", "MostAttempts", about="tries of the one that was tried most"),
        ),
        keys=("event", "state"),
        default_columns=("event", "state", "mails", "first_at", "last_at"),
        source=Query(_mails, order=("event", "state")),
        parameters=(days(30, "how many days back"),),
    ),
)
