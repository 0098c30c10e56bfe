"""The merge of statuses on a real PostgreSQL: what holds now, and what the history says."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Connection, text

from partner_exchange.errors import CountsDoNotReconcile
from partner_exchange.ledger.database import transaction
from partner_exchange.stores import statuses
from partner_exchange.stores.status_outcomes import tally
from partner_exchange.stores.statuses import Status, StatusChange, StatusMerge
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
CODE = TENANT.code
WRITTEN = hours(100)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with transaction() as open_connection:
        yield open_connection


def merge(
    connection: Connection,
    *reports: dict[str, Any],
    tenant: Tenant = TENANT,
    submission_id: str = "first",
    now: datetime = WRITTEN,
) -> StatusMerge:
    return statuses.merge(
        connection, observations(*reports), tenant=tenant, submission_id=submission_id, now=now
    )


def rows(merged: StatusMerge) -> tuple[int, int, int]:
    return merged.rows_created, merged.rows_updated, merged.rows_unchanged


def columns(merged: StatusMerge) -> dict[str, tuple[int, int, int]]:
    counts = merged.columns.set_index("column")
    return {
        str(title): (int(a), int(b), int(c))
        for title, (a, b, c) in zip(counts.index, counts.to_numpy(), strict=True)
    }


def status(connection: Connection, status_type: int = BEDS, resource: str = "R1", code: str = CODE) -> Status:
    [found] = [
        one
        for one in statuses.now(connection, code, resource_id=resource)
        if one.status_type_id == status_type
    ]
    return found


def past(connection: Connection, status_type: int = BEDS, resource: str = "R1") -> list[StatusChange]:
    return statuses.history(connection, CODE, resource, status_type, limit=100)


def values(connection: Connection, status_type: int = BEDS) -> list[tuple[float, str]]:
    """Return the history, oldest first: hour and value."""
    return [
        ((one.reported_at - hours(0)).total_seconds() / 3600, one.value)
        for one in reversed(past(connection, status_type))
    ]


def remarks(connection: Connection) -> tuple[str, str, str]:
    found = status(connection, ED)
    return found.value, found.reason, found.comment


def test_E21_a_first_report_is_kept_with_all_that_it_says(connection: Connection) -> None:
    report = a_report("Open", ED, row=7, colour="green", reason="Staffing", comment='say "no"', at=1)
    merged = merge(connection, report, a_report(9, BEDS, row=7, level="busy"))
    assert rows(merged) == (1, 0, 0)
    assert status(connection, ED) == Status(
        resource_id="R1",
        status_type_id=ED,
        value="Open",
        number=None,
        colour="green",
        level="",
        reason="Staffing",
        comment='say "no"',
        is_not_applicable=False,
        is_computed=False,
        reported_at=hours(1),
        confirmed_at=hours(1),
        recorded_at=WRITTEN,
        submission_id="first",
        row_number=7,
    )
    assert (status(connection).number, status(connection).level) == (9.0, "busy")
    assert past(connection, ED) == [
        StatusChange(
            resource_id="R1",
            status_type_id=ED,
            value="Open",
            number=None,
            colour="green",
            level="",
            reason="Staffing",
            comment='say "no"',
            is_not_applicable=False,
            is_computed=False,
            is_late=False,
            reported_at=hours(1),
            recorded_at=WRITTEN,
            submission_id="first",
            row_number=7,
        )
    ]


def test_E21_only_reported_statuses_change(connection: Connection) -> None:
    merge(connection, a_report(1), a_report("a", NOTE), a_report(2, resource="R2"))
    merge(connection, a_report(3, at=1))
    assert status(connection).value == "3"
    assert (status(connection, NOTE).value, status(connection, resource="R2").value) == ("a", "2")


def test_E21_values_are_counted_by_column_and_rows_by_what_they_did(connection: Connection) -> None:
    merge(
        connection,
        *(a_report(1, row=row, at=5, resource=name) for row, name in ((2, "R1"), (3, "R2"))),
        a_report("a", NOTE, row=3, at=5, resource="R2"),
    )
    merged = merge(
        connection,
        a_report(1, row=2, at=6),
        a_report(2, VENTILATORS, row=2, at=6),
        a_report(9, row=3, at=6, resource="R2"),
        a_report("a", NOTE, row=3, at=6, resource="R2"),
        a_report(8, row=5, at=4),
        a_report(8, row=5, at=4, resource="R2"),
        a_report(1, row=6, at=7),
    )
    assert rows(merged) == (1, 1, 2)
    assert columns(merged) == {"type 1": (1, 2, 2), "type 2": (1, 0, 0), "type 4": (0, 1, 0)}
    assert {title: late.tolist() for title, late in merged.late_rows.items()} == {"type 1": [5]}
    assert merged.columns.dtypes.astype(str).tolist() == ["str", "int64", "int64", "int64"]


def test_E24_an_older_reporting_time_never_overwrites_a_newer_status(connection: Connection) -> None:
    merge(connection, a_report(5, at=10))
    merged = merge(connection, a_report(3, at=8), submission_id="second")
    assert (rows(merged), columns(merged)) == ((0, 0, 1), {"type 1": (0, 0, 1)})
    found = status(connection)
    assert (found.value, found.reported_at, found.submission_id) == ("5", hours(10), "first")
    assert values(connection) == [(8, "3"), (10, "5")]
    assert [one.is_late for one in past(connection)] == [False, True]


def test_E24_a_late_report_of_what_was_known_adds_nothing_to_history(connection: Connection) -> None:
    merge(connection, a_report(5, at=1))
    merge(connection, a_report(7, at=9))
    merge(connection, a_report(5, at=4))
    assert values(connection) == [(1, "5"), (9, "7")]


def test_E24_the_same_time_again_is_a_correction(connection: Connection) -> None:
    merge(connection, a_report(5, at=1))
    assert rows(merge(connection, a_report(6, at=1))) == (0, 1, 0)
    assert (status(connection).value, status(connection).reported_at) == ("6", hours(1))
    assert [one.value for one in past(connection)] == ["6", "5"]
    found = statuses.as_of(connection, CODE, [BEDS], at=hours(1))
    assert found["value"].tolist() == ["6"]


def test_E24_a_late_correction_counts_for_its_time(connection: Connection) -> None:
    merge(connection, a_report(5, at=1))
    merge(connection, a_report(7, at=9))
    merge(connection, a_report(6, at=1))
    assert status(connection).value == "7"
    assert statuses.as_of(connection, CODE, [BEDS], at=hours(5))["value"].tolist() == ["6"]


def test_E24_a_late_report_ends_where_the_value_was_said_again(connection: Connection) -> None:
    # Monday's value was said again on Tuesday and Wednesday; then comes a correction of Tuesday's.
    for day in (0, 24, 48):
        merge(connection, a_report(5, at=day))
    merge(connection, a_report(9, at=24), submission_id="correction")
    assert values(connection) == [(0, "5"), (24, "9"), (48, "5")]
    again = past(connection)[0]
    assert (again.row_number, again.submission_id, again.is_late) == (None, "correction", False)
    assert (status(connection).value, status(connection).reported_at) == ("5", hours(48))


@pytest.mark.parametrize("at", [3, 4])
def test_E24_the_same_value_stated_again_moves_both_times(connection: Connection, at: int) -> None:
    merge(connection, a_report(5, at=3))
    merged = merge(connection, a_report(5, at=at), submission_id="second")
    assert (rows(merged), columns(merged)) == ((0, 0, 1), {"type 1": (0, 1, 0)})
    found = status(connection)
    assert (found.reported_at, found.confirmed_at) == (hours(at), hours(at))
    assert (found.submission_id, found.recorded_at) == ("first", WRITTEN)
    assert values(connection) == [(3, "5")]


def test_E24_the_same_value_without_a_stated_time_only_confirms(connection: Connection) -> None:
    merge(connection, a_report(5, at=3))
    merge(connection, a_report(5, at=6, is_stated=False))
    assert (status(connection).reported_at, status(connection).confirmed_at) == (hours(3), hours(6))
    # What was confirmed at six is not overwritten from five.
    assert columns(merge(connection, a_report(7, at=5))) == {"type 1": (0, 0, 1)}
    assert status(connection).value == "5"
    merge(connection, a_report(5, at=6))
    assert status(connection).reported_at == hours(6)


def test_E24_a_changed_value_without_a_stated_time_is_of_its_arrival(connection: Connection) -> None:
    merge(connection, a_report(5, at=3))
    merge(connection, a_report(6, at=6, is_stated=False))
    assert (status(connection).value, status(connection).reported_at) == ("6", hours(6))


def test_E24_a_new_value_clears_the_comment_and_the_same_value_keeps_it(connection: Connection) -> None:
    merge(connection, a_report("Closed", ED, at=1, reason="Staffing", comment="until noon"))
    merge(connection, a_report("Closed", ED, at=2))
    assert remarks(connection) == ("Closed", "Staffing", "until noon")
    assert columns(merge(connection, a_report("Closed", ED, at=3, comment="until noon"))) == {
        "type 3": (0, 1, 0)
    }
    assert columns(merge(connection, a_report("Closed", ED, at=4, comment="until ten"))) == {
        "type 3": (1, 0, 0)
    }
    assert remarks(connection) == ("Closed", "Staffing", "until ten")
    merge(connection, a_report("Open", ED, at=5))
    assert remarks(connection) == ("Open", "", "")
    assert [one.comment for one in past(connection, ED)] == ["", "until ten", "until noon"]


def test_E24_a_late_comment_belongs_to_the_value_it_was_said_with(connection: Connection) -> None:
    merge(connection, a_report("Closed", ED, at=5))
    merge(connection, a_report("Closed", ED, at=3, comment="until noon"))
    assert remarks(connection) == ("Closed", "", "until noon")
    merge(connection, a_report("Open", ED, at=4))
    assert remarks(connection) == ("Closed", "", "")


def test_E23_not_applicable_is_a_value_of_its_own_and_no_number(connection: Connection) -> None:
    merge(connection, a_report(5, at=1))
    assert rows(merge(connection, a_report(None, at=2))) == (0, 1, 0)
    found = status(connection)
    assert (found.value, found.number, found.is_not_applicable) == ("", None, True)
    assert rows(merge(connection, a_report(None, at=3))) == (0, 0, 1)
    assert rows(merge(connection, a_report(0, at=4))) == (0, 1, 0)
    found_then = statuses.as_of(connection, CODE, [BEDS], at=hours(2))
    assert found_then["is_not_applicable"].tolist() == [True]
    assert np.isnan(found_then["number"]).all()


def test_E24_several_times_of_one_status_in_a_file_are_told_in_their_order(connection: Connection) -> None:
    merge(connection, a_report(1, at=5))
    merged = merge(
        connection,
        a_report(3, at=9, row=2),
        a_report(2, at=7, row=3),
        a_report(2, at=8, row=4),
        a_report(1, at=6, row=5),
        a_report(8, at=4, row=6),
    )
    assert (rows(merged), columns(merged)) == ((0, 2, 3), {"type 1": (2, 2, 1)})
    assert values(connection) == [(4, "8"), (5, "1"), (7, "2"), (9, "3")]
    assert (status(connection).value, status(connection).row_number) == ("3", 2)


def test_E24_a_first_file_may_hold_several_times_of_a_status(connection: Connection) -> None:
    merged = merge(connection, a_report(2, at=7, row=2), a_report(1, at=6, row=3), a_report(2, at=8, row=4))
    assert (rows(merged), columns(merged)) == ((1, 1, 1), {"type 1": (2, 1, 0)})
    assert values(connection) == [(6, "1"), (7, "2")]
    assert (status(connection).reported_at, status(connection).submission_id) == (hours(8), "first")


def test_X03_a_file_again_changes_nothing(connection: Connection) -> None:
    file = [a_report(1), a_report(2, VENTILATORS), a_report("Closed", ED, reason="r", comment="c")]
    merge(connection, *file)
    before = [connection.execute(text(f"table store.{name}")).all() for name in ("status", "status_change")]
    assert rows(merge(connection, *file, submission_id="second", now=hours(200))) == (0, 0, 1)
    after = [connection.execute(text(f"table store.{name}")).all() for name in ("status", "status_change")]
    assert after == before


def test_E24_two_reports_of_one_status_and_time_are_a_fault_of_the_feed(connection: Connection) -> None:
    with pytest.raises(ValueError, match="two of one status and time") as caught:
        merge(connection, a_report(1234), a_report(5678, row=3))
    assert "1234" not in str(caught.value)


def test_X03_a_file_without_any_value_does_nothing(connection: Connection) -> None:
    merged = merge(connection)
    assert (rows(merged), len(merged.columns), merged.late_rows) == ((0, 0, 0), 0, {})
    assert statuses.now(connection, CODE) == []


def test_X04_an_observation_without_an_outcome_stops_the_load() -> None:
    with pytest.raises(CountsDoNotReconcile) as caught:
        tally(observations(a_report(1), a_report(2, VENTILATORS)), np.array(["c", ""]))
    assert caught.value.fields == {"given": 2, "counted": 1}


@pytest.mark.parametrize(
    "cell", ['say "hi"', "two\nlines", "two\r\nlines", "\\.", "\\N", "NULL", "{a,b}", "' or 1=1", "日本 😀"]
)
def test_E30_texts_are_stored_as_sent(connection: Connection, cell: str) -> None:
    merge(connection, a_report(cell, NOTE, at=1, comment=cell))
    assert columns(merge(connection, a_report(cell, NOTE, at=2, comment=cell))) == {"type 4": (0, 1, 0)}
    merge(connection, a_report("else", NOTE, at=9))
    merge(connection, a_report(cell, NOTE, at=5, comment=cell), a_report(cell, NOTE, at=6, row=3))
    assert [(one.value, one.comment) for one in past(connection, NOTE)] == [("else", ""), (cell, cell)]
    assert statuses.as_of(connection, CODE, [NOTE], at=hours(3))["value"].tolist() == [cell]


@pytest.mark.parametrize(
    ("beds", "ventilators", "ratio"),
    [
        (6, 4, "2"),
        (1, 4, "0.333333"),
        (-2, 4, "-0.666667"),
        (0, -1, "0"),
        (1_000_000, 2, "1000000"),
        (None, 2, "4"),
        (6, None, "3"),
        (None, None, "2"),
        (6, 1, None),
        (0, 1, None),
    ],
)
def test_E15_a_calculated_status_follows_its_parts(
    connection: Connection, beds: int | None, ventilators: int | None, ratio: str | None
) -> None:
    merged = merge(connection, a_report(beds, at=2), a_report(ventilators, VENTILATORS, at=1))
    assert columns(merged) == {"type 1": (1, 0, 0), "type 2": (1, 0, 0)}
    found = status(connection, RATIO)
    assert (found.value, found.is_not_applicable) == (ratio or "", ratio is None)
    assert found.number == (None if ratio is None else float(ratio))
    assert (found.is_computed, found.row_number, found.submission_id) == (True, None, "first")
    assert (found.reported_at, found.confirmed_at) == (hours(2), hours(2))
    assert [one.row_number for one in past(connection, RATIO)] == [None]


def test_E15_a_missing_part_counts_as_its_initial_value(connection: Connection) -> None:
    merge(connection, a_report(6, at=1))
    assert status(connection, RATIO).value == "3"
    merge(connection, a_report(4, VENTILATORS, at=2))
    assert values(connection, RATIO) == [(1, "3"), (2, "2")]
    merge(connection, a_report("a", NOTE, at=3), a_report(9, at=0))
    assert values(connection, RATIO) == [(1, "3"), (2, "2")]


def test_E15_a_score_is_computed_unless_a_file_set_it_then_or_later(connection: Connection) -> None:
    merge(connection, a_report(2, at=1), a_report(1, VENTILATORS, at=1))
    assert (status(connection, SCORE).value, status(connection, SCORE).is_computed) == ("12", True)
    merge(connection, a_report(3, at=2), a_report(99, SCORE, at=2))
    assert (status(connection, SCORE).value, status(connection, SCORE).is_computed) == ("99", False)
    merge(connection, a_report(4, VENTILATORS, at=1.5))
    assert status(connection, SCORE).value == "99"
    merge(connection, a_report(5, at=3))
    assert (status(connection, SCORE).value, status(connection, SCORE).is_computed) == ("45", True)
    assert rows(merge(connection, a_report(45, SCORE, at=4))) == (0, 1, 0)
    assert (status(connection, SCORE).is_computed, status(connection, SCORE).row_number) == (False, 2)


def test_X12_two_tenants_with_the_same_ids_never_meet(connection: Connection) -> None:
    other = a_status_tenant("other-clinic")
    merge(connection, a_report(1, at=1), a_report("a", NOTE, at=1))
    assert rows(merge(connection, a_report(2, at=0), tenant=other)) == (1, 0, 0)
    assert (status(connection).value, status(connection, code=other.code).value) == ("1", "2")
    assert [one.status_type_id for one in statuses.now(connection, other.code)] == [BEDS, SCORE, RATIO]
    assert statuses.history(connection, other.code, "R1", NOTE, limit=9) == []
    assert len(statuses.as_of(connection, other.code, [BEDS, NOTE], at=hours(9))) == 1
    assert {
        one.confirmed_at
        for one in statuses.overdue(connection, other.code, other.status.catalogue, at=hours(25))
    } == {None, hours(0)}
    window = {"since": WRITTEN, "until": hours(101)}
    assert statuses.changed_between(connection, other.code, ["R1"], [NOTE], **window) == set()


def test_E32_test_and_production_ids_are_kept_apart(connection: Connection) -> None:
    merge(connection, a_report(1), a_report(2, resource="T1", row=3))
    assert (status(connection).value, status(connection, resource="T1").value) == ("1", "2")


def test_X02_merges_of_one_tenant_take_turns(database_url: str) -> None:
    start = Barrier(4)

    def bring(number: int) -> StatusMerge:
        file = [a_report(number * 10 + one, one + 1, at=number, row=one) for one in (0, 1)]
        start.wait()
        with transaction() as connection:
            return merge(connection, *file, submission_id=f"s{number}")

    with ThreadPoolExecutor(4) as pool:
        merged = list(pool.map(bring, range(4)))
    assert sum(one.rows_created for one in merged) == 2
    with transaction() as connection:
        assert (status(connection).value, status(connection, VENTILATORS).value) == ("30", "31")
        assert values(connection) == [(0, "0"), (1, "10"), (2, "20"), (3, "30")]
        assert status(connection, RATIO).value == "1"


def test_X03_a_merge_that_is_rolled_back_leaves_nothing(database_url: str) -> None:
    def fails(connection: Connection) -> None:
        merge(connection, a_report(1))
        raise KeyError

    with pytest.raises(KeyError), transaction() as connection:
        fails(connection)
    with transaction() as connection:
        assert statuses.now(connection, CODE) == []
        assert connection.execute(text("select count(*) from store.resource")).scalar_one() == 0


def test_M35_two_files_in_one_transaction_are_merged_one_after_the_other(connection: Connection) -> None:
    for at in range(3):
        merge(connection, a_report(at, at=at), a_report(5 - at, at=at + 0.5, row=3))
    assert len(values(connection)) == 6


def test_N07_a_large_file_goes_the_same_way_as_a_small_one(connection: Connection) -> None:
    number = np.arange(3_000)
    table = observations(a_report(1)).loc[np.zeros(3_000, dtype=int)].reset_index(drop=True)
    table["row"], table["resource_id"] = (
        number + 2,
        pd.Series("H" + number.astype("str").astype(object), dtype="str"),
    )

    def bring(at: float, value: np.ndarray[Any, Any]) -> tuple[int, int, int]:
        file = table.assign(
            value=pd.Series(value.astype("str"), dtype="str"),
            number=value.astype(float),
            reported_at=hours(at),
        ).astype({"reported_at": "datetime64[us, UTC]"})
        return rows(statuses.merge(connection, file, tenant=TENANT, submission_id="s", now=WRITTEN))

    assert bring(1, number) == (3_000, 0, 0)
    assert bring(2, np.where(number < 10, number, number + 1)) == (0, 2_990, 10)
    assert bring(1.5, number + 1) == (0, 0, 3_000)
    assert bring(1, number) == (0, 0, 3_000)
    found = statuses.as_of(connection, CODE, [BEDS], at=hours(1.5))
    assert (found.set_index("resource_id")["number"][table["resource_id"]].to_numpy() == number + 1).all()
    assert connection.execute(text("show enable_nestloop")).scalar_one() == "on"
