"""Reports on consents (T61, T62, M63): counts only, no patient is in them."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from partner_exchange.exports.columns import Row
from partner_exchange.exports.reports.report import (
    VXU,
    Computed,
    Query,
    Report,
    Request,
    Rows,
    day,
    instant,
    integer,
    text,
)
from partner_exchange.stores import tables

_consent = tables.consent


def _patients(connection: Connection, request: Request) -> Iterator[Row]:
    from partner_exchange.stores import consent_overview

    for one in consent_overview.by_status(connection, request.tenant, now=request.as_of):
        yield one.status, one.type, one.stored + one.held, one.stored, one.held


def _records(request: Request) -> Rows:
    return (
        select(
            _consent.c.type,
            _consent.c.status,
            func.count().label("records"),
            func.max(_consent.c.consented_on).label("newest_on"),
            func.max(_consent.c.recorded_at).label("recorded_at"),
        )
        .where(_consent.c.tenant_code == request.tenant.code)
        .group_by(_consent.c.type, _consent.c.status)
    )


REPORTS = (
    Report(
        name="patients_by_consent",
        version=1,
        title="Patients by consent",
        about="How many patients have consent today, have refused it, or are not known to the consent "
        "register, and of how many of them doses are stored or wait.",
        feeds=VXU,
        columns=(
            text("consent", "Consent", about="`YES`, `NO`, `PENDING` or `NOT_FOUND`", width=12),
            text("type", "Type", about="`CHILD` or `ADULT`; empty: none is on record", width=8),
            integer("patients", "Patients", about="all of them"),
            integer("stored", "Stored", about="those in the store"),
            integer("held", "Held", about="those whose doses wait"),
        ),
        keys=("consent", "type"),
        default_columns=("consent", "type", "patients", "stored", "held"),
        source=Computed(_patients),
    ),
    Report(
        name="consent_records",
        version=1,
        title="Consents on record",
        about="How many consents are on record, by type and status; of one person there may be several.",
        feeds=VXU,
        columns=(
            text("type", "Type", about="`CHILD` or `ADULT`", width=8),
            text("status", "Status", about="`YES`, `NO`, `PENDING` or `WITHDRAWN`", width=12),
            integer("records", "Records", about="how many"),
            day("newest_on", "NewestOn", about="day of the newest consent"),
            instant("recorded_at", "LastRecordedAt", about="when the last one was recorded"),
        ),
        keys=("type", "status"),
        default_columns=("type", "status", "records", "newest_on"),
        source=Query(_records, order=("type", "status")),
    ),
)
