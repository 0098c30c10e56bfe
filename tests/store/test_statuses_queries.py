"""Looking statuses up, and what the store repeats of the tenant's YAML."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Connection, text

from partner_exchange.ledger.database import transaction
from partner_exchange.stores import statuses
from partner_exchange.stores.statuses import OverdueStatus
from partner_exchange.tenants.model import Tenant
from support.status_reports import (
    BEDS,
    ED,
    NOTE,
    RATIO,
    SCORE,
    VENTILATORS,
    a_report,
    a_status_tenant,
    hours,
    observations,
)

pytestmark = pytest.mark.service

TENANT = a_status_tenant()
CODE, CATALOGUE = TENANT.code, TENANT.status.catalogue


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with transaction() as open_connection:
        yield open_connection


def merge(
    connection: Connection, *reports: dict[str, Any], tenant: Tenant = TENANT, now: datetime | None = None
) -> None:
    statuses.merge(
        connection, observations(*reports), tenant=tenant, submission_id="s", now=now or hours(100)
    )


def overdue(connection: Connection, at: float) -> list[tuple[str, int, str, datetime | None]]:
    return [
        (one.resource_id, one.status_type_id, one.value, one.due_at)
        for one in statuses.overdue(connection, CODE, CATALOGUE, at=hours(at))
    ]


def test_E30_statuses_are_listed_by_resource_and_type(connection: Connection) -> None:
    merge(connection, a_report("a", NOTE, resource="R2"), a_report("b", NOTE), a_report("Open", ED))
    found = [(one.resource_id, one.status_type_id) for one in statuses.now(connection, CODE)]
    assert found == [("R1", ED), ("R1", NOTE), ("R2", NOTE)]
    assert [one.value for one in statuses.now(connection, CODE, resource_id="R2")] == ["a"]
    assert statuses.now(connection, CODE, resource_id="R9") == []


def test_E30_history_is_newest_first_and_limited(connection: Connection) -> None:
    for at in (2, 1, 3):
        merge(connection, a_report(at, at=at), now=hours(200 + at))
    found = statuses.history(connection, CODE, "R1", BEDS, limit=2)
    assert [(one.value, one.recorded_at) for one in found] == [("3", hours(203)), ("2", hours(202))]


def test_E38_what_was_in_force_at_an_instant(connection: Connection) -> None:
    merge(connection, a_report(1, at=1), a_report(2, at=2, resource="R2", row=3), a_report("a", NOTE, at=1))
    merge(connection, a_report(5, at=3), a_report(None, VENTILATORS, at=2))
    found = statuses.as_of(connection, CODE, {BEDS, VENTILATORS}, at=hours(2))
    assert found.to_dict("list") == {
        "resource_id": ["R1", "R1", "R2"],
        "status_type_id": [BEDS, VENTILATORS, BEDS],
        "value": ["1", "", "2"],
        "number": [1.0, pytest.approx(float("nan"), nan_ok=True), 2.0],
        "is_not_applicable": [False, True, False],
        "reported_at": [hours(1), hours(2), hours(2)],
    }
    assert found.dtypes.astype(str).tolist() == [
        "str",
        "int32",
        "str",
        "float64",
        "bool",
        "datetime64[us, UTC]",
    ]


@pytest.mark.parametrize("status_types", [[], [BEDS]])
def test_E38_nothing_in_force_is_an_empty_table_of_the_same_form(
    connection: Connection, status_types: list[int]
) -> None:
    merge(connection, a_report(1, at=1))
    empty = statuses.as_of(connection, CODE, status_types, at=hours(0))
    full = statuses.as_of(connection, CODE, [BEDS], at=hours(1))
    assert (len(empty), len(full)) == (0, 1)
    assert empty.dtypes.astype(str).to_dict() == full.dtypes.astype(str).to_dict()


def test_E38_what_was_said_or_said_again_in_a_window(connection: Connection) -> None:
    merge(
        connection, a_report(1, at=1), a_report(2, at=1, resource="R2", row=3), a_report(3, VENTILATORS, at=5)
    )
    merge(connection, a_report(1, at=5), a_report(2, at=9, resource="R2", row=3))

    def said(since: float, until: float) -> list[tuple[str, int, str]]:
        found = statuses.as_of(connection, CODE, [BEDS, VENTILATORS], at=hours(until), since=hours(since))
        return list(found[["resource_id", "status_type_id", "value"]].itertuples(index=False, name=None))

    assert said(1, 8) == [("R1", BEDS, "1"), ("R1", VENTILATORS, "3"), ("R2", BEDS, "2")]
    assert said(2, 8) == said(5, 5) == [("R1", BEDS, "1"), ("R1", VENTILATORS, "3")], (
        "R2 said it before and after"
    )
    assert said(2, 4) == []
    assert said(9, 9) == [("R2", BEDS, "2")]


def test_E38_resources_with_something_new_in_a_window(connection: Connection) -> None:
    merge(connection, a_report(1, at=1), a_report(1, at=1, resource="R2", row=3), now=hours(10))
    merge(connection, a_report(2, at=2), a_report(1, at=2, resource="R2", row=3), now=hours(20))

    def changed(
        since: float, until: float, resources: tuple[str, ...] = ("R1", "R2"), one: int = BEDS
    ) -> set[str]:
        window = {"since": hours(since), "until": hours(until)}
        return statuses.changed_between(connection, CODE, resources, [one], **window)

    assert changed(10, 11) == {"R1", "R2"}
    assert changed(11, 21) == {"R1"}
    assert changed(10, 10) == changed(0, 10) == changed(10, 21, one=NOTE) == changed(10, 21, ()) == set()
    assert changed(0, 21, ("R2",)) == {"R2"}


def test_E30_a_status_is_overdue_after_the_hours_of_its_type(connection: Connection) -> None:
    merge(connection, a_report(1, at=0), a_report("Open", ED, at=20), a_report("a", NOTE))
    assert overdue(connection, 24) == []
    assert overdue(connection, 25) == [("R1", BEDS, "1", hours(24))]
    merge(connection, a_report(1, at=10, is_stated=False))
    assert overdue(connection, 25) == []


def test_E30_a_multi_status_may_be_overdue_sooner(connection: Connection) -> None:
    merge(connection, a_report("Closed", ED, at=0), a_report(1, at=0))
    assert overdue(connection, 3) == [("R1", ED, "Closed", hours(2))]
    merge(connection, a_report("Open", ED, at=3))
    assert overdue(connection, 14) == []
    assert overdue(connection, 16) == [("R1", ED, "Open", hours(15))]


def test_E30_a_status_that_was_never_reported_is_overdue_since_ever(connection: Connection) -> None:
    merge(connection, a_report("a", NOTE), a_report(1, resource="T2"))
    assert statuses.overdue(connection, CODE, CATALOGUE, at=hours(1)) == [
        OverdueStatus("R1", BEDS, False, "", None, 24),
        OverdueStatus("R1", ED, False, "", None, 12),
        OverdueStatus("T2", ED, True, "", None, 12),
    ]


def test_E30_what_is_not_active_any_more_is_not_overdue(connection: Connection) -> None:
    merge(connection, a_report(1, at=0), a_report("Open", ED, at=0), a_report(1, at=0, resource="R2", row=3))
    smaller = a_status_tenant(resources=[{"name": "Hospital 1", "production_id": "R1"}])
    merge(connection, tenant=smaller)
    assert [one.resource_id for one in statuses.overdue(connection, CODE, CATALOGUE, at=hours(99))] == [
        "R1",
        "R1",
    ]
    without = a_status_tenant(status_types=[{"id": NOTE, "name": "Note", "kind": "text"}]).status.catalogue
    assert statuses.overdue(connection, CODE, without, at=hours(99)) == []


def test_E15_resources_and_types_are_repeated_for_reports(connection: Connection) -> None:
    nhsn = {"org_id": "10234", "test_org_id": "90234", "frequency": "daily"}
    hospital = {"name": "Mercy", "production_id": "R1", "test_id": "T1", "region": "West", "nhsn": nhsn}
    merge(
        connection,
        tenant=a_status_tenant(
            resources=[hospital, {"name": "Van", "production_id": "V", "kind": "Ambulance"}], region="North"
        ),
    )
    found = connection.execute(text("select * from store.resource order by resource_id")).all()
    assert [tuple(row) for row in found] == [
        (CODE, "R1", False, "Mercy", "Hospital", "West", "10234", "HOSP", "daily", True),
        (CODE, "T1", True, "Mercy", "Hospital", "West", "90234", "HOSP", "daily", True),
        (CODE, "V", False, "Van", "Ambulance", "North", "", "", "", True),
    ]
    types = connection.execute(text("select * from store.status_type order by ordinal")).all()
    assert [row.status_type_id for row in types] == [BEDS, VENTILATORS, ED, NOTE, SCORE, RATIO]
    assert tuple(types[0]) == (CODE, BEDS, 1, "Beds", "number", "Capacity", "", 24.0, True)


def test_E15_a_changed_policy_is_taken_over_and_what_is_gone_stays_inactive(connection: Connection) -> None:
    other = a_status_tenant("other-clinic")
    merge(connection)
    merge(connection, tenant=other)
    renamed = [{"id": BEDS, "name": "All beds", "kind": "number"}]
    merge(
        connection,
        tenant=a_status_tenant(status_types=renamed, resources=[{"name": "H", "production_id": "R1"}]),
        now=hours(150),
    )
    for table, key, active in (
        ("resource", "resource_id", ["R1"]),
        ("status_type", "status_type_id", [BEDS]),
    ):
        query = f"select {key} from store.{table} where is_active and tenant_code = :code order by 1"
        assert connection.execute(text(query), {"code": CODE}).scalars().all() == active
        assert len(connection.execute(text(query), {"code": other.code}).all()) > 1
    name = text("select name from store.status_type where tenant_code = :code and status_type_id = 1")
    assert connection.execute(name, {"code": CODE}).scalar_one() == "All beds"


def test_E15_an_unchanged_policy_is_not_written_again(connection: Connection) -> None:
    merge(connection, now=hours(10))
    merge(connection, now=hours(20))
    assert connection.execute(text("select synced_at from store.status_policy")).scalar_one() == hours(10)
