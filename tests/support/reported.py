"""Tenants of every feed with something of each kind in store and ledger, for reports to be made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import Connection, insert

from partner_exchange import clock
from partner_exchange.exports.columns import Value
from partner_exchange.exports.reports import catalogue, settling
from partner_exchange.exports.reports.report import Request
from partner_exchange.exports.reports.streaming import stream
from partner_exchange.ledger import mails, messages, nhsn, submissions, tables
from partner_exchange.ledger.nhsn import NhsnOrigin, NhsnOutcome, NhsnState
from partner_exchange.ledger.states import Outcome
from partner_exchange.ledger.submissions import Submission
from partner_exchange.stores import (
    consents,
    immunizations,
    statuses,
    students,
    verification_log,
    verifications,
)
from partner_exchange.stores.consent_registry import RECORD_TEXTS
from partner_exchange.stores.verification_log import Window
from partner_exchange.tenants.model import Tenant
from partner_exchange.validation.findings import FindingGroup, Findings, Severity
from support.builders import a_student_rows, a_submission, a_tenant
from support.immunizations import a_dose, a_message, a_registry_tenant, accepted
from support.quality import Case
from support.quality import a_report as a_quality_report
from support.status_reports import BEDS, ED, NOTE, VENTILATORS, a_report, a_status_tenant, observations

NOW = datetime(2026, 11, 21, 7, 47, 12, tzinfo=UTC)


def tenant_of(feed: str, code: str) -> Tenant:
    """Return a tenant of the feed."""
    if feed == "status":
        return a_status_tenant(code)
    if feed == "vxu":
        return a_registry_tenant(consent="required").model_copy(update={"code": code})
    return a_tenant(code=code)


def asked(
    connection: Connection,
    tenant: Tenant,
    name: str,
    *,
    columns: Sequence[str] = (),
    window: Window | None = None,
    at: datetime = NOW,
    batch_rows: int = 10_000,
    **parameters: object,
) -> list[dict[str, Value]]:
    """Return the rows of a report, by name of column; without ``columns`` all of them."""
    report = catalogue.get(name, tenant.feed)
    names = list(columns) or [one.name for one in report.columns]
    request = Request(tenant, settling.settle(report, parameters), at, window)
    batches = stream(connection, report, request, names, batch_rows=batch_rows)
    return [dict(zip(names, row, strict=True)) for batch in batches for row in batch]


def between(start: str = "", end: str = "") -> dict[str, Any]:
    """Return the parameters of a report about the time between two days, one of which may be open."""
    return {name: day for name, day in (("from", start), ("until", end)) if day}


def rostered(
    connection: Connection, tenant: Tenant, count: int = 4, *, at: datetime = NOW, **over: Any
) -> list[str]:
    """Merge so many students and return their Usernames."""
    rows = a_student_rows(count, **over)
    students.merge(connection, rows, tenant_code=tenant.code, submission_id="s", policy=tenant.roster, now=at)
    return rows["username"].tolist()


def verified(connection: Connection, tenant: Tenant, *usernames: str, at: datetime = NOW) -> None:
    """Verify these students."""
    verifications.verify(connection, tenant.code, usernames, rule_version="1", actor="ann", at=at)


def unverified(connection: Connection, tenant: Tenant, *usernames: str, at: datetime = NOW) -> None:
    """Take the verification of these students back."""
    verifications.unverify(
        connection, tenant.code, usernames, rule_version="2", actor="ann", at=at, reason="card was wrong"
    )


def a_finding(code: str, *rows: int, severity: Severity = Severity.ERROR, column: str = "Dob") -> Findings:
    """Return one finding in each of these rows."""
    told = {"column": column, "place": "", "severity": str(severity), "code": code, "message": "Not a date."}
    table = pd.DataFrame([{"row": row, **told} for row in rows]).astype({"row": "Int64"})
    ranges = ", ".join(map(str, rows))
    return Findings((FindingGroup(code, severity, column, len(rows), ranges, "Not a date."),), table)


def received(
    connection: Connection,
    tenant: Tenant,
    *,
    file_name: str = "roster.csv",
    at: datetime = NOW,
    findings: Findings | None = None,
) -> Submission:
    """Open a submission of the tenant, check it and load it."""
    rejected = len(set(findings.table["row"])) if findings else 0
    with clock.frozen(at):
        opened = a_submission(
            connection,
            tenant_code=tenant.code,
            feed=tenant.feed,
            file_name=file_name,
            stamp=f"{at:%Y%m%dT%H%M%SZ}",
        )
        submissions.record_validation(
            connection,
            opened.submission_id,
            outcome=Outcome.ACCEPTED_WITH_FINDINGS if findings else Outcome.ACCEPTED,
            rule_version="1",
            rows_total=10,
            rows_accepted=10 - rejected,
            rows_rejected=rejected,
            findings=findings or Findings(),
            seconds=1.25,
        )
        return submissions.record_load(
            connection,
            opened.submission_id,
            created=10 - rejected,
            updated=0,
            unchanged=0,
            rejected_at_load=0,
            findings=Findings(),
            seconds=0.5,
        )


def delivered(connection: Connection, tenant: Tenant, *, at: datetime = NOW, **over: Any) -> None:
    """Put one delivery of the tenant into the ledger."""
    row = {
        "delivery_id": f"D{at:%m%d%H%M%S%f}{tenant.code}",
        "tenant_code": tenant.code,
        "export_name": "verified",
        "report": "verified_students",
        "report_version": 1,
        "content": "delta",
        "policy_sha256": "1" * 64,
        "state": "delivered",
        "rows_total": 3,
        "file_name": "verified.csv",
        "archive_path": "exports/verified.csv",
        "sha256": "2" * 64,
        "size_bytes": 120,
        "delivered_name": "verified.csv",
        "opened_at": at,
        "written_at": at,
        "delivered_at": at,
        **over,
    }
    connection.execute(insert(tables.delivery).values(row))


def consented(connection: Connection, tenant: Tenant, **over: str) -> None:
    """Record one consent; without more of the child that is known as 1."""
    one = {"authority": "CLINIC", "identifier": "1", "type": "CHILD", "status": "YES"}
    blank = dict.fromkeys(RECORD_TEXTS, "")
    record = {**blank, **one, "consented_on": "2026-01-02", **over}
    frame = pd.DataFrame([record], columns=list(RECORD_TEXTS)).astype("str")
    consents.record(connection, frame, tenant_code=tenant.code, source="c.csv", actor="ann", now=NOW)


def immunized(
    connection: Connection, tenant: Tenant, *about: Any, at: datetime = NOW
) -> immunizations.ImmunizationMerge:
    """Merge messages of ``support.immunizations``."""
    return immunizations.merge(connection, accepted(*about), tenant=tenant, submission_id="s", now=at)


def reported(connection: Connection, tenant: Tenant, *reports: dict[str, Any], at: datetime = NOW) -> None:
    """Merge reports of ``support.status_reports``."""
    statuses.merge(connection, observations(*reports), tenant=tenant, submission_id="s", now=at)


def filled(connection: Connection, feed: str, code: str, *, size: int = 2) -> Tenant:
    """Return a new tenant of the feed, with something in it for every report of the feed.

    Names, numbers and times are the same for each, so that a report that mixes tenants up has to show it.

    :param size: how much there is.
    """
    tenant = tenant_of(feed, code)
    for day in range(size):
        at = NOW - timedelta(days=day, hours=1)
        done = received(connection, tenant, at=at, findings=a_finding("date-invalid", *range(2, 3 + size)))
        with clock.frozen(at):
            mails.enqueue(
                connection,
                tenant_code=code,
                event=mails.Event.SUCCESS,
                recipients=[f"{number}@{code}.example" for number in range(size)],
                submission_id=done.submission_id,
            )
        delivered(connection, tenant, at=at, rows_total=size)
        if feed == "vxu":
            document = a_quality_report(Case(messages=100 * size))
            messages.record_report(connection, done, score=document.score, document=document.as_json())
    {"roster": _fill_roster, "status": _fill_statuses, "vxu": _fill_doses}[feed](connection, tenant, size)
    return tenant


def _fill_roster(connection: Connection, tenant: Tenant, size: int) -> None:
    names = rostered(
        connection,
        tenant,
        4 * size,
        telephone="(512) 555-0100",
        dob="2001-02-03",
        last_name="Same",
        first_name=tenant.code,
    )
    more = a_student_rows(4 * size + size).iloc[4 * size :].assign(requirement_group="", term="")
    students.merge(
        connection, more, tenant_code=tenant.code, submission_id="s", policy=tenant.roster, now=NOW
    )
    verified(connection, tenant, *names[: 2 * size])
    unverified(connection, tenant, *names[:size])
    verified(connection, tenant, *names[2 * size : 3 * size])
    verification_log.take_position(connection, tenant.code)


def _fill_statuses(connection: Connection, tenant: Tenant, size: int) -> None:
    if size > 2:
        reported(connection, tenant, a_report(7, BEDS, resource="R2", at=-300))
    for hour in range(size):
        reported(
            connection,
            tenant,
            a_report(10 * size + hour, BEDS, at=hour),
            a_report(size, VENTILATORS, at=hour, row=3),
            a_report("Open", ED, at=hour, row=4),
            a_report(tenant.code, NOTE, at=hour, row=5),
        )
        outcome = NhsnOutcome("R1", NhsnState.NOT_SUBMITTED, "unchanged", f"Nothing for {tenant.code}.")
        due_at = NOW - timedelta(days=hour)
        nhsn.append(connection, tenant.code, "daily", due_at, [outcome], origin=NhsnOrigin.SET)


def _fill_doses(connection: Connection, tenant: Tenant, size: int) -> None:
    for number in range(size):
        consented(connection, tenant, consented_on=f"2026-01-0{number + 1}")
    days = [f"2026-11-0{number + 1}" for number in range(size)]
    doses = [a_dose(f"D{day}", administered_on=day) for day in days]
    refused = [a_dose(f"R{day}", completion="RE", refusal_reason="00", administered_on=day) for day in days]
    waiting = [a_message(f"W{number}", doses=doses, first_name=f"Bo{number}") for number in range(size)]
    immunized(connection, tenant, a_message("1", doses=[*doses, *refused]), *waiting)
