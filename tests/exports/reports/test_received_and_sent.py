"""What came, what was wrong with it, and what went out, from a real ledger (M63)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection

from partner_exchange import clock
from partner_exchange.ledger import mails, submissions
from partner_exchange.ledger.database import transaction
from partner_exchange.validation.catalogue import CATALOGUE
from partner_exchange.validation.findings import Severity
from support.builders import a_tenant
from support.reported import NOW, a_finding, asked, delivered, received

pytestmark = pytest.mark.service

TENANT = a_tenant()
CODE, OTHER = sorted(CATALOGUE)[:2]


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with transaction() as open_connection:
        yield open_connection


def told(rows: list[dict[str, Any]], *names: str) -> list[tuple[object, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def test_M63_submissions_say_what_became_of_each_file(connection: Connection) -> None:
    received(connection, TENANT, file_name="old.csv", at=NOW - timedelta(days=31))
    received(connection, TENANT, at=NOW - timedelta(days=2), findings=a_finding(CODE, 2, 3))
    failed = received(connection, TENANT, file_name="last.csv", at=NOW)
    submissions.fail(connection, failed.submission_id, code="store-unavailable", message="...")
    rows = asked(connection, TENANT, "submissions")
    names = ("file_name", "state", "outcome", "rows_total", "rows_accepted", "rows_rejected", "failure_code")
    assert told(rows, *names) == [
        ("roster.csv", "loaded", "accepted_with_findings", 10, 8, 2, None),
        ("last.csv", "failed", "accepted", 10, 10, 0, "store-unavailable"),
    ]
    assert told(rows, "seconds") == [(Decimal("1.750"),)] * 2
    assert len(asked(connection, TENANT, "submissions", days=40)) == 3
    assert told(asked(connection, TENANT, "submissions", state="failed"), "file_name") == [("last.csv",)]
    rows = asked(connection, TENANT, "submissions", outcome="accepted_with_findings", state="loaded")
    assert told(rows, "file_name") == [("roster.csv",)]


def test_M63_rejected_rows_name_row_column_and_reason_in_the_order_of_the_files(
    connection: Connection,
) -> None:
    received(connection, TENANT, at=NOW - timedelta(days=1), findings=a_finding(CODE, 2, 30))
    warned = a_finding(OTHER, 5, severity=Severity.WARNING, column="Telephone")
    received(connection, TENANT, file_name="second.csv", at=NOW, findings=warned)
    rows = asked(connection, TENANT, "rejected_rows")
    names = ("file_name", "row_number", "column", "severity", "code", "message")
    assert told(rows, *names) == [
        ("roster.csv", 2, "Dob", "error", CODE, "Not a date."),
        ("roster.csv", 30, "Dob", "error", CODE, "Not a date."),
    ]
    rows = asked(connection, TENANT, "rejected_rows", severity="warning")
    assert told(rows, "file_name", "row_number", "column") == [("second.csv", 5, "Telephone")]
    assert len(asked(connection, TENANT, "rejected_rows", severity="all")) == 3


def test_M63_findings_are_counted_by_code(connection: Connection) -> None:
    for days in (40, 2, 1):
        at = NOW - timedelta(days=days)
        received(connection, TENANT, at=at, findings=a_finding(CODE, 2, 3))
    received(connection, TENANT, at=NOW, findings=a_finding(OTHER, 5, severity=Severity.WARNING))
    received(connection, TENANT, at=NOW - timedelta(hours=1), findings=a_finding("gone-code", 5))
    rows = asked(connection, TENANT, "findings_by_code")
    names = ("code", "severity", "title", "files", "findings", "last_at")
    assert told(rows, *names) == [
        (CODE, "error", CATALOGUE[CODE].title, 2, 4, NOW - timedelta(days=1)),
        (OTHER, "warning", CATALOGUE[OTHER].title, 1, 1, NOW),
        ("gone-code", "error", "", 1, 1, NOW - timedelta(hours=1)),
    ]
    assert told(asked(connection, TENANT, "findings_by_code", days=60), "files")[0] == (3,)


def test_M67_deliveries_say_what_went_and_what_stands_in_the_way(connection: Connection) -> None:
    delivered(connection, TENANT, at=NOW - timedelta(days=40))
    delivered(connection, TENANT, at=NOW - timedelta(days=1), due_at=NOW - timedelta(days=1))
    delivered(
        connection,
        TENANT,
        state="dead",
        delivered_at=None,
        delivered_name="",
        attempts=6,
        fault_code="target-full",
        fault_message="The server ...",
    )
    rows = asked(connection, TENANT, "deliveries")
    names = ("export_name", "state", "delivered_name", "rows_total", "attempts", "fault_code")
    assert told(rows, *names) == [
        ("verified", "delivered", "verified.csv", 3, 0, ""),
        ("verified", "dead", "", 3, 6, "target-full"),
    ]


def test_M63_mails_are_counted_without_an_address(connection: Connection) -> None:
    done = received(connection, TENANT)
    for event, count in ((mails.Event.SUCCESS, 2), (mails.Event.FINDINGS, 1)):
        with clock.frozen(NOW - timedelta(hours=count)):
            recipients = [f"{number}@state.example" for number in range(count)]
            mails.enqueue(
                connection,
                tenant_code=TENANT.code,
                event=event,
                recipients=recipients,
                submission_id=done.submission_id,
            )
    (due, *_) = mails.due(connection, NOW, 10)
    mails.mark_sent(connection, due.mail_id)
    rows = asked(connection, TENANT, "mails")
    assert told(rows, "event", "state", "mails", "attempts") == [
        ("findings", "queued", 1, 0),
        ("success", "queued", 1, 0),
        ("success", "sent", 1, 1),
    ]
    assert "state.example" not in str(rows)
