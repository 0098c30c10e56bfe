"""Whose row it is, and for when it reports (E18, E19, E24, E32)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_exchange.feeds.status.recognise import Recognised, recognise
from partner_exchange.feeds.status.reporting import Arrival
from partner_exchange.feeds.status.rows import JudgedRows, judge_rows
from partner_exchange.tenants.model import Tenant
from partner_exchange.validation.wording import word
from support.grids import a_grid, a_hospital, a_status_tenant, said

ARRIVED = datetime(2026, 11, 21, 18, 0, 0, 123456, tzinfo=UTC)
"""Noon of a Saturday in Chicago."""
ARRIVAL = ARRIVED.replace(tzinfo=None)
TENANT = a_status_tenant()
IN_TEST = a_status_tenant(mode="test")


def judged(columns: dict[str, Sequence[str]], tenant: Tenant = TENANT, at: datetime = ARRIVED) -> JudgedRows:
    grid = a_grid(columns)
    recognised = recognise(grid, tenant.status.catalogue)
    assert isinstance(recognised, Recognised)
    rows = judge_rows(grid, recognised, tenant=tenant, arrival=Arrival(at))
    for array in (rows.resource_id, rows.reported_at, rows.is_stated, rows.is_bad):
        assert len(array) == len(grid.rows)
    assert rows.reported_at.dtype == np.dtype("datetime64[us]")
    word(rows.marks, columns=grid.header, cap=100)
    return rows


def by_id(*ids: str, tenant: Tenant = TENANT) -> JudgedRows:
    return judged({"Resource ID": ids, "NEDOCS": ["5"] * len(ids)}, tenant)


def by_org(*pairs: tuple[str, str], tenant: Tenant = TENANT) -> JudgedRows:
    orgs, contexts = zip(*pairs, strict=True)
    day = ["2026-11-20"] * len(pairs)
    columns = {"orgID": orgs, "reportingContext": contexts, "collectionDate": day, "numInPtBeds": day}
    return judged(columns, tenant)


def facts(rows: JudgedRows, code: str) -> list[dict[str, Any]]:
    return [dict(mark.facts) for mark in rows.marks if mark.code == code]


def codes(rows: JudgedRows) -> list[str]:
    """Return for each row its codes, joined."""
    stated = said(rows.marks)
    return [
        ",".join(sorted(code for row, _, code in stated if row == at + 2)) for at in range(len(rows.is_bad))
    ]


def test_E19_a_row_is_about_the_resource_of_its_id() -> None:
    rows = by_id("10002", "10001", "10002")

    assert rows.resource_id.to_pylist() == ["10002", "10001", "10002"]
    assert rows.marks == ()
    assert not rows.is_bad.any()


def test_E19_a_tenant_touches_its_own_resources_only() -> None:
    rows = by_id("10001", "20001", "", "X")

    assert said(rows.marks) == {
        (3, "Resource ID", "resource-unknown"),
        (4, "Resource ID", "resource-id-missing"),
        (5, "Resource ID", "resource-unknown"),
    }
    assert rows.resource_id.to_pylist() == ["10001", "", "", ""]
    assert rows.is_bad.tolist() == [False, True, True, True]


@pytest.mark.parametrize("tenant", [TENANT, IN_TEST], ids=["production", "test"])
def test_E32_E37_ids_of_the_other_mode_are_refused_by_a_code_of_their_own(tenant: Tenant) -> None:
    own, other = ("10001", "T10001") if tenant is TENANT else ("T10001", "10001")
    code = "test-id-in-production" if tenant is TENANT else "production-id-in-test"

    rows = by_id(own, other, tenant=tenant)

    assert rows.resource_id.to_pylist() == [own, ""]
    assert said(rows.marks) == {(3, "Resource ID", code)}


def test_E19_what_a_spreadsheet_did_to_an_id_is_undone() -> None:
    resources = [
        {"name": "A", "production_id": "00123"},
        {"name": "B", "production_id": "456", "test_id": "0789"},
    ]
    tenant = a_status_tenant(status={"resources": resources})

    rows = by_id("123", "00123.0", "456.0", "0456", "789", "0123", "124", tenant=tenant)

    assert rows.resource_id.to_pylist() == ["00123", "00123", "456", "456", "", "00123", ""]
    restored = "resource-id-restored"
    assert codes(rows) == [restored] * 4 + ["test-id-in-production", restored, "resource-unknown"]
    assert rows.is_bad.tolist() == [False] * 4 + [True, False, True]


def test_E19_an_id_that_could_be_two_is_not_guessed() -> None:
    resources = [{"name": "A", "production_id": "0123"}, {"name": "B", "production_id": "00123"}]
    tenant = a_status_tenant(status={"resources": resources})

    rows = by_id("123", "0123", tenant=tenant)

    assert codes(rows) == ["resource-unknown", ""]


def test_E18_a_row_of_cdc_is_about_the_resource_of_org_id_and_context() -> None:
    resources = [a_hospital(1), a_hospital(2, org_id="20001", context="CHLD")]
    tenant = a_status_tenant(status={"resources": resources})

    rows = by_org(("20001", "CHLD"), ("20001", "hosp"), tenant=tenant)

    assert rows.resource_id.to_pylist() == ["10002", "10001"]
    assert rows.marks == ()


def test_E18_each_way_an_org_id_can_be_wrong_has_its_code() -> None:
    rows = by_org(*((org, "HOSP") for org in ("", "2000", "200011", "2000A", "30001", "90001")))

    wrong = ["org-id-missing", "org-id-format", "org-id-format", "org-id-format", "org-id-unknown"]
    assert codes(rows) == [*wrong, "test-id-in-production"]
    assert {column for _, column, _ in said(rows.marks)} == {"orgID"}
    assert rows.is_bad.all()


def test_E18_leading_zeros_that_a_spreadsheet_cut_off_are_put_back() -> None:
    tenant = a_status_tenant(status={"resources": [a_hospital(1, org_id="01234")]})

    rows = by_org(("1234", "HOSP"), ("1234.0", "HOSP"), ("01234", "HOSP"), tenant=tenant)

    assert codes(rows) == ["org-id-restored", "org-id-restored", ""]
    assert rows.resource_id.to_pylist() == ["10001"] * 3
    assert not rows.is_bad.any()


def test_E18_candidates_of_the_tenant_are_named_for_an_unknown_pair() -> None:
    many = a_status_tenant(status={"resources": [a_hospital(n) for n in range(1, 8)]})

    few, near, far = by_org(("29999", "HOSP")), by_org(("20031", "HOSP"), tenant=many), None
    far = by_org(("88888", "HOSP"), tenant=many)

    assert facts(few, "org-id-unknown") == [
        {"candidates": "20001 HOSP (Hospital 1), 20002 HOSP (Hospital 2)"},
    ]
    assert facts(near, "org-id-unknown")[0]["candidates"].startswith("20001 HOSP (Hospital 1), ")
    assert facts(far, "org-id-unknown") == [{}]


def test_E18_contexts_are_judged_by_the_list_and_by_the_resource() -> None:
    rows = by_org(("20001", ""), ("20001", "HOME"), ("20001", "CHLD"), ("30001", "CHLD"), ("30001", "HOME"))

    assert codes(rows) == [
        "context-missing",
        "context-unknown",
        "context-not-set",
        "org-id-unknown",
        "context-unknown,org-id-unknown",
    ]
    assert facts(rows, "context-not-set") == [{"contexts": "HOSP"}]
    assert rows.is_bad.all()


def test_E32_the_other_modes_org_ids_are_refused_also_where_the_context_alone_tells() -> None:
    resources = [a_hospital(1), a_hospital(2, test_org_id="20001", context="CHLD")]
    sent = (("20001", "HOSP"), ("20001", "CHLD"), ("90001", "HOSP"), ("20002", "CHLD"))

    in_production = by_org(*sent, tenant=a_status_tenant(status={"resources": resources}))
    in_test = by_org(*sent, tenant=a_status_tenant(status={"resources": resources}, mode="test"))

    assert codes(in_production) == ["", "test-id-in-production", "test-id-in-production", ""]
    assert in_production.resource_id.to_pylist() == ["10001", "", "", "10002"]
    assert codes(in_test) == ["production-id-in-test", "", "", "production-id-in-test"]
    assert in_test.resource_id.to_pylist() == ["", "T10002", "T10001", ""]


def test_E32_a_resource_without_an_id_for_testing_takes_nothing_while_testing() -> None:
    tenant = a_status_tenant(status={"resources": [{**a_hospital(1), "test_id": ""}]}, mode="test")

    rows = by_org(("90001", "HOSP"), tenant=tenant)

    assert said(rows.marks) == {(2, "orgID", "resource-without-test-id")}
    assert rows.resource_id.to_pylist() == [""]


def test_E18_a_tenant_without_resources_knows_no_row() -> None:
    tenant = a_status_tenant(status={"resources": []})

    assert codes(by_id("10001", tenant=tenant)) == ["resource-unknown"]
    assert codes(by_org(("20001", "HOSP"), tenant=tenant)) == ["org-id-unknown"]


def test_E19_a_name_that_differs_is_warned_of_and_the_id_counts() -> None:
    ids = ["10001", "10001", "10001", "10002", "X"]
    names = ["Hospital 1", " HOSPITAL  1", "", "Hospital 1", "Hospital 9"]

    rows = judged({"Resource ID": ids, "Resource Name": names, "NEDOCS": ["5"] * 5})

    assert said(rows.marks) == {
        (5, "Resource Name", "resource-name-differs"),
        (6, "Resource ID", "resource-unknown"),
    }
    assert rows.resource_id.to_pylist() == ["10001"] * 3 + ["10002", ""]


def at(*moments: str, tenant: Tenant = TENANT) -> JudgedRows:
    ids = ["10001"] * len(moments)
    return judged({"Resource ID": ids, "Update Date/Time": moments, "NEDOCS": ids}, tenant)


def times(rows: JudgedRows) -> list[tuple[datetime | None, bool]]:
    return list(zip(rows.reported_at.tolist(), rows.is_stated.tolist(), strict=True))


def test_E24_a_file_without_a_time_reports_for_its_arrival() -> None:
    assert times(by_id("10001")) == [(ARRIVAL, False)]


def test_E24_date_and_time_are_that_instant_and_a_day_is_its_end_or_the_arrival() -> None:
    rows = at("11/20/2026 4:30 PM", "11/20/2026", "11/21/2026", "", "2026-11-21 09:15:00", "11/21/2026 12:03")

    assert times(rows) == [
        (datetime(2026, 11, 20, 22, 30), True),  # noqa: DTZ001
        (datetime(2026, 11, 21, 5, 59, 59), True),  # noqa: DTZ001
        (ARRIVAL, False),
        (ARRIVAL, False),
        (datetime(2026, 11, 21, 15, 15), True),  # noqa: DTZ001
        (datetime(2026, 11, 21, 18, 3), True),  # noqa: DTZ001
    ]
    assert rows.marks == ()


def test_E24_a_row_for_long_ago_is_taken_with_a_word_about_day_and_month() -> None:
    rows = at("05/11/2026", "10/21/2026 11:59", "10/21/2026 1:05 PM", "", "soon")

    assert codes(rows) == ["reporting-time-old"] * 2 + ["", "", "reporting-date-format"]
    assert rows.is_bad.tolist() == [False] * 4 + [True]
    assert codes(cdc("collectionDate", ["05/11/2026"])) == [""]


def test_E24_each_fault_of_a_time_rejects_the_row_by_a_code_of_its_own() -> None:
    rows = at("soon", "2/30/2026", "11/20/2026 late", "11/20/2026 25:00", "11/22/2026", "11/21/2026 14:00",
              "1/1/2010", "11/20/2026")  # fmt: skip

    assert codes(rows) == [
        "reporting-date-format",
        "reporting-date-no-such-day",
        "reporting-time-format",
        "reporting-time-no-such-time",
        "reporting-time-in-future",
        "reporting-time-in-future",
        "date-too-old",
        "",
    ]
    assert {column for _, column, _ in said(rows.marks)} == {"Update Date/Time"}
    assert rows.is_bad.tolist() == [True] * 7 + [False]
    assert np.isnat(rows.reported_at[:7]).all()


def test_E24_the_local_day_decides_what_today_is() -> None:
    late = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
    columns = {
        "Resource ID": ["10001"] * 2,
        "Update Date/Time": ["11/21/2026", "11/22/2026"],
        "NEDOCS": ["1"] * 2,
    }

    rows = judged(columns, at=late)

    assert codes(rows) == ["", "reporting-time-in-future"]
    assert times(rows)[0] == (late.replace(tzinfo=None), False)


def cdc(date_header: str, dates: Sequence[str], **more: Sequence[str]) -> JudgedRows:
    size = len(dates)
    columns = {"orgID": ["20001"] * size, "reportingContext": ["HOSP"] * size, date_header: dates, **more}
    measure = "AllBedsOccupied" if more else "numInPtBeds"
    return judged({**columns, measure: ["1"] * size})


def test_E16_a_week_ends_on_a_saturday_that_is_not_in_the_future() -> None:
    dates = ["11/14/2026", "11/21/2026", "11/20/2026", "11/28/2026", "", "2026-11-14 10:00:00", "11/2026"]

    rows = cdc("weekEndingDate", dates)

    assert codes(rows) == [
        "",
        "",
        "week-ending-not-saturday",
        "reporting-time-in-future",
        "reporting-date-missing",
        "reporting-date-format",
        "reporting-date-format",
    ]
    assert times(rows)[:2] == [
        (datetime(2026, 11, 15, 5, 59, 59), True),  # noqa: DTZ001
        (ARRIVAL, False),
    ]
    assert rows.is_bad.tolist() == [False, False, True, True, True, True, True]


def test_E17_collection_date_and_time_are_one_instant() -> None:
    dates = ["11/21/2026", "11/21/2026", "11/20/2026", "11/21/2026", "11/20/2026", "11/20/2026", "soon", ""]
    clock = ["11:45", "", "", "14:00", "1145", "24:00", "1145", "11:00"]

    rows = cdc("collectionDate", dates, collectionTime=clock)

    assert said(rows.marks) == {
        (5, "collectionTime", "reporting-time-in-future"),
        (6, "collectionTime", "reporting-time-format"),
        (7, "collectionTime", "reporting-time-no-such-time"),
        (8, "collectionDate", "reporting-date-format"),
        (9, "collectionDate", "reporting-date-missing"),
    }
    assert times(rows)[:3] == [
        (datetime(2026, 11, 21, 17, 45), True),  # noqa: DTZ001
        (ARRIVAL, False),
        (datetime(2026, 11, 21, 5, 59, 59), True),  # noqa: DTZ001
    ]
    assert rows.is_bad.tolist() == [False] * 3 + [True] * 5


def test_E24_a_table_without_rows_is_judged_too() -> None:
    assert cdc("collectionDate", []).marks == ()
    assert at().marks == ()


VALUES = ["", "10001", "T10001", "20001", "1001.0", "secret-7", "10002", "HOSP", "11/20/2026", "2/30/2026"]


@given(st.lists(st.tuples(*[st.sampled_from(VALUES)] * 3), max_size=6))
def test_E24_what_is_bad_has_a_finding_and_no_finding_holds_a_value(sent: list[tuple[str, str, str]]) -> None:
    ids, names, moments = ([row[at] for row in sent] for at in range(3))
    columns = {"Resource ID": ids, "Resource Name": names, "Update Date/Time": moments, "NEDOCS": ids}

    rows = judged(columns)

    is_nobodys = [each == "" for each in rows.resource_id.to_pylist()]
    is_timeless = np.isnat(rows.reported_at).tolist()
    assert rows.is_bad.tolist() == [a or b for a, b in zip(is_nobodys, is_timeless, strict=True)]
    assert "secret-7" not in repr([dataclasses.asdict(mark) for mark in rows.marks])
