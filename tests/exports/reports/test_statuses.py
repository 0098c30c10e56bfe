"""What resources report, from a real store (E30, M63)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection

from partner_exchange.errors import ReportRefused
from partner_exchange.exports.reports.statuses import is_of_beds
from partner_exchange.ledger import nhsn
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.nhsn import NhsnOrigin, NhsnOutcome, NhsnState
from partner_exchange.stores import statuses
from partner_exchange.tenants.catalogue import CatalogueName, ready
from partner_exchange.tenants.status_types import StatusKind
from support.reported import NOW, asked, reported
from support.status_reports import BEDS, ED, MONDAY, NOTE, VENTILATORS, a_report, a_status_tenant, hours

pytestmark = pytest.mark.service

TENANT = a_status_tenant()
IN_TEST = TENANT.model_copy(update={"mode": "test"})


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with transaction() as open_connection:
        yield open_connection


def told(rows: list[dict[str, Any]], *names: str) -> list[tuple[object, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def test_E30_statuses_now_say_what_how_much_and_since_when(connection: Connection) -> None:
    reported(connection, TENANT, a_report(7, at=1), a_report(None, VENTILATORS, at=1), at=hours(2))
    reported(connection, TENANT, a_report(7, at=3, is_stated=False), at=hours(4))
    rows = asked(connection, TENANT, "statuses_now", resource="R1", status_type="beds")
    assert rows[0] == {
        "resource_id": "R1",
        "resource": "Hospital 1",
        "kind": "Hospital",
        "region": "",
        "status_type_id": BEDS,
        "status_type": "Beds",
        "value": "7",
        "number": Decimal(7),
        "is_not_applicable": False,
        "colour": "",
        "level": "",
        "reason": "",
        "comment": "",
        "is_computed": False,
        "reported_at": hours(1),
        "confirmed_at": hours(3),
        "recorded_at": hours(2),
        "submission_id": "s",
    }
    (ventilators,) = asked(connection, TENANT, "statuses_now", status_type=str(VENTILATORS))
    assert (ventilators["value"], ventilators["is_not_applicable"]) == ("", True)


def test_E32_a_report_holds_the_resources_of_the_tenants_mode_alone(connection: Connection) -> None:
    reported(connection, TENANT, a_report(7), a_report(900, resource="T1", row=3))
    for tenant, resource, beds in ((TENANT, "R1", 7), (IN_TEST, "T1", 900)):
        of_mode = asked(connection, tenant, "statuses_now")
        assert {row["resource_id"] for row in of_mode} == {resource}
        assert {row["resource_id"] for row in asked(connection, tenant, "status_history")} == {resource}
        (total,) = asked(connection, tenant, "bed_totals")
        assert total["total"] == beds
        late = asked(connection, tenant, "overdue_statuses")
        assert {row["resource_id"] for row in late} == {resource}


def test_E30_what_is_no_longer_in_the_tenant_file_is_in_no_report_of_now(connection: Connection) -> None:
    reported(connection, TENANT, a_report(7), a_report(8, resource="R2", row=3), a_report("a", NOTE, row=4))
    kept = [one.model_dump() for one in TENANT.status.status_types if one.id != NOTE]
    left = a_status_tenant(resources=[TENANT.status.resources[0].model_dump()], status_types=kept)
    reported(connection, left, a_report(7, at=1))
    now = asked(connection, left, "statuses_now")
    assert {row["resource_id"] for row in now} == {"R1"}
    assert NOTE not in {row["status_type_id"] for row in now}
    (total,) = asked(connection, left, "bed_totals")
    assert total["total"] == 7


def test_E30_the_history_goes_back_some_days_and_names_late_reports(connection: Connection) -> None:
    for at, value in ((0, 1), (100, 2), (50, 3)):
        reported(connection, TENANT, a_report(value, at=at), at=NOW)
    rows = asked(connection, TENANT, "status_history", status_type="Beds")
    assert told(rows, "value", "reported_at", "is_late") == [
        ("1", MONDAY, False),
        ("3", hours(50), True),
        ("2", hours(100), False),
    ]
    assert len(asked(connection, TENANT, "status_history", status_type="Beds", days=2)) == 1


@pytest.mark.parametrize("report", ["statuses_now", "status_history"])
def test_E30_an_unknown_resource_or_status_type_is_refused_with_the_nearest(
    connection: Connection, report: str
) -> None:
    with pytest.raises(ReportRefused, match="did you mean 'R1'") as refused:
        asked(connection, TENANT, report, resource="R11")
    assert refused.value.code == "report-parameter-wrong"
    assert report in refused.value.message
    with pytest.raises(ReportRefused, match="did you mean 'Ventilators'"):
        asked(connection, TENANT, report, status_type="Ventilator")


def test_E30_overdue_statuses_are_those_of_the_store(connection: Connection) -> None:
    reported(connection, TENANT, a_report(7), a_report("Closed", ED, row=3), a_report("a", NOTE, row=4))
    catalogue = TENANT.status.catalogue
    known = statuses.overdue(connection, TENANT.code, catalogue, at=hours(5))
    rows = asked(connection, TENANT, "overdue_statuses", at=hours(5))
    assert told(rows, "resource_id", "status_type_id") == [
        (one.resource_id, one.status_type_id) for one in known
    ]
    assert told(rows, "status_type", "value", "due_at", "late_h") == [("ED", "Closed", hours(2), 3)]
    assert asked(connection, TENANT, "overdue_statuses", at=hours(2)) == []


def test_E30_what_was_never_reported_is_overdue_unless_that_is_not_wanted(connection: Connection) -> None:
    reported(connection, TENANT, a_report(7))
    rows = asked(connection, TENANT, "overdue_statuses", at=hours(1))
    assert told(rows, "status_type", "value", "confirmed_at", "due_at", "late_h") == [
        ("ED", "", None, None, None)
    ]
    assert asked(connection, TENANT, "overdue_statuses", at=hours(1), never_reported=False) == []


def test_E30_resources_that_fell_silent_or_never_reported(connection: Connection) -> None:
    reported(connection, TENANT, a_report(7))
    rows = asked(connection, TENANT, "resources_without_report", at=hours(24 * 9))
    assert told(rows, "resource_id", "resource", "last_at", "silent_days") == [
        ("R1", "Hospital 1", MONDAY, 9),
        ("R2", "Hospital 2", None, None),
    ]
    rows = asked(connection, TENANT, "resources_without_report", at=hours(24 * 9), days=10)
    assert told(rows, "resource_id") == [("R2",)]


def test_M63_bed_totals_add_up_what_counts_beds(connection: Connection) -> None:
    reported(
        connection,
        TENANT,
        a_report(7),
        a_report(5, resource="R2", row=3, at=30),
        a_report(4, VENTILATORS, row=4),
        a_report(None, VENTILATORS, row=5, resource="R2"),
    )
    names = ("status_type", "resources", "not_applicable", "total", "least", "most", "oldest_at")
    beds = ("Beds", 2, 0, Decimal(12), Decimal(5), Decimal(7), MONDAY)
    assert told(asked(connection, TENANT, "bed_totals"), *names) == [beds]
    assert told(asked(connection, TENANT, "bed_totals", which="numbers"), *names) == [
        beds,
        ("Ventilators", 1, 1, Decimal(4), Decimal(4), Decimal(4), MONDAY),
    ]
    rows = asked(connection, TENANT, "bed_totals", at=hours(40), not_older_than_h=24)
    assert told(rows, "resources", "total") == [(1, Decimal(5))]


def test_M63_beds_are_what_the_ready_sets_call_so() -> None:
    assert all(is_of_beds(one) for one in ready(CatalogueName.CDC_BED_CAPACITY))
    counts = [one for one in ready(CatalogueName.CDC_HRD) if is_of_beds(one)]
    assert {one.id for one in counts} == set(range(55001, 55013))
    assert not any(is_of_beds(one) for one in ready(CatalogueName.STARTER))
    assert {one.kind for one in ready(CatalogueName.EDXL_HAVE) if is_of_beds(one)} == {StatusKind.NUMBER}


def test_E39_nhsn_results_are_the_newest_of_each_resource_and_due_time(connection: Connection) -> None:
    def say(state: NhsnState, *, days: int, origin: NhsnOrigin, resource: str = "R1") -> None:
        outcome = NhsnOutcome(resource, state, "unchanged", "Nothing to send.")
        due_at = NOW - timedelta(days=days)
        nhsn.append(connection, TENANT.code, "daily", due_at, [outcome], origin=origin)

    for days in (20, 2, 1):
        say(NhsnState.NOT_SUBMITTED, days=days, origin=NhsnOrigin.SET)
    say(NhsnState.ERROR, days=2, origin=NhsnOrigin.ANSWER)
    say(NhsnState.NOT_SUBMITTED, days=1, origin=NhsnOrigin.SET, resource="R9")
    rows = asked(connection, TENANT, "nhsn_states")
    assert told(rows, "due_at", "resource_id", "state", "origin") == [
        (NOW - timedelta(days=2), "R1", "Error", "answer"),
        (NOW - timedelta(days=1), "R1", "Not Submitted", "set"),
        (NOW - timedelta(days=1), "R9", "Not Submitted", "set"),
    ]
    assert len(asked(connection, TENANT, "nhsn_states", days=30)) == 4
    assert asked(connection, TENANT, "nhsn_states", frequency="weekly") == []
