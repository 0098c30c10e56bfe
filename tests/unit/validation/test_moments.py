"""Dates and date-times: what is read, what is a fault, and the zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_exchange.validation.moments import (
    MomentFault,
    Reporting,
    judge_moments,
    last_second,
    read_days,
    read_moments,
)
from partner_exchange.validation.runner import Stated, run
from support.grids import cells

ZONE = "America/Chicago"
ARRIVED = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
"""Noon of a Saturday in Chicago."""


def fault_of(text: str, by: Reporting | None = None) -> str:
    moments = judge_moments(cells(text), by) if by else read_moments(cells(text), zone=ZONE)
    return MomentFault(int(moments.fault[0])).name


@pytest.mark.parametrize("text", ["1/2/2026", "01/02/2026", "1/02/2026", "01/2/2026", "2026-01-02"])
def test_E16_three_forms_of_a_date_are_read(text: str) -> None:
    moments = read_days(cells(text))

    assert moments.day.tolist() == [datetime(2026, 1, 2).date()]  # noqa: DTZ001
    assert np.isnat(moments.at).all()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "NONE"),
        ("2/29/2024", "NONE"),
        ("2/29/2026", "NO_SUCH_DAY"),
        ("2/29/1900", "NO_SUCH_DAY"),
        ("2/29/2000", "NONE"),
        ("13/01/2026", "NO_SUCH_DAY"),
        ("0/1/2026", "NO_SUCH_DAY"),
        ("2026-04-31", "NO_SUCH_DAY"),
        ("0000-01-01", "NO_SUCH_DAY"),
        ("1/2/26", "DATE_FORMAT"),
        ("2026-1-2", "DATE_FORMAT"),
        ("20260102", "DATE_FORMAT"),
        ("Jan 2, 2026", "DATE_FORMAT"),
        ("2.1.2026", "DATE_FORMAT"),
        ("46023", "DATE_FORMAT"),
        ("1/2/2026x", "DATE_FORMAT"),
        ("x1/2/2026", "DATE_FORMAT"),
        ("\u0661/2/2026", "DATE_FORMAT"),
        ("1/2/2026 noon", "TIME_FORMAT"),
        ("1/2/2026 1630", "TIME_FORMAT"),
        ("1/2/2026 16:30\n17:30", "TIME_FORMAT"),
        ("1/2/2026 16:30 CST", "TIME_FORMAT"),
        ("1/2/2026 24:00", "NO_SUCH_TIME"),
        ("1/2/2026 23:60", "NO_SUCH_TIME"),
        ("1/2/2026 13:00 PM", "NO_SUCH_TIME"),
        ("1/2/2026 0:30 AM", "NO_SUCH_TIME"),
        ("2026-01-02T10:00+25:00", "NO_SUCH_TIME"),
    ],
)
def test_E16_a_date_or_time_that_cannot_be_read_has_one_fault(text: str, fault: str) -> None:
    assert fault_of(text) == fault


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("1/2/2026 16:30", "2026-01-02T22:30:00"),
        ("01/02/2026 4:30 PM", "2026-01-02T22:30:00"),
        ("01/02/2026 4:30:10\u202fp.m.", "2026-01-02T22:30:10"),
        ("1/2/2026 12:00 AM", "2026-01-02T06:00:00"),
        ("1/2/2026 12:05 pm", "2026-01-02T18:05:00"),
        ("2026-01-02 16:30:05", "2026-01-02T22:30:05"),
        ("2026-01-02T16:30:05Z", "2026-01-02T16:30:05"),
        ("2026-01-02T16:30:05.25+05:30", "2026-01-02T11:00:05.250000"),
        ("2026-01-02T16:30-0600", "2026-01-02T22:30:00"),
        ("2026-07-02 16:30", "2026-07-02T21:30:00"),
    ],
)
def test_E24_a_time_is_local_unless_it_says_its_zone(text: str, utc: str) -> None:
    moments = read_moments(cells(text), zone=ZONE)

    assert moments.at.tolist() == [datetime.fromisoformat(utc)]


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2036, 1, 1)),  # noqa: DTZ001
    st.sampled_from([ZONE, "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns", "UTC"]),
)
def test_E24_local_times_become_utc_as_python_does_it_also_where_clocks_are_moved(
    local: datetime, zone: str
) -> None:
    text = local.isoformat(" ", "microseconds")

    moments = read_moments(cells(text), zone=zone)

    assert moments.at[0].item() == local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)


@pytest.mark.parametrize(
    "text", ["2026-03-08 02:30", "2026-11-01 01:30", "2026-11-01 00:59", "2026-03-08 03:00"]
)
def test_E24_a_time_that_is_skipped_or_doubled_is_the_first_of_zoneinfo(text: str) -> None:
    expected = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC)

    assert read_moments(cells(text), zone=ZONE).at[0].item() == expected.replace(tzinfo=None)


def test_E24_the_last_second_of_a_day_is_local() -> None:
    days = read_days(cells("2026-11-20", "2026-07-20")).day

    assert last_second(days, zone=ZONE).astype(str).tolist() == [
        "2026-11-21T05:59:59.000000",
        "2026-07-21T04:59:59.000000",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("11/21/2026", "NONE"),
        ("11/22/2026", "FUTURE"),
        ("11/21/2026 12:05", "NONE"),
        ("11/21/2026 12:05:01", "FUTURE"),
        ("2026-11-21T18:05Z", "NONE"),
        ("2026-11-21T18:06Z", "FUTURE"),
        ("2026-11-22T00:30+12:00", "NONE"),
        ("11/21/2016", "NONE"),
        ("11/20/2016", "TOO_OLD"),
    ],
)
def test_E24_a_reporting_time_is_neither_in_the_future_nor_very_old(text: str, fault: str) -> None:
    assert fault_of(text, Reporting(ARRIVED, ZONE)) == fault


def test_E24_the_day_of_arrival_is_that_of_the_tenants_zone() -> None:
    late = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)

    assert fault_of("11/22/2026", Reporting(late, ZONE)) == "FUTURE"
    assert fault_of("11/22/2026", Reporting(late, "UTC")) == "NONE"


def test_E16_a_week_ends_on_a_saturday() -> None:
    by = Reporting(ARRIVED, ZONE, may_have_time=False, is_week_ending=True)
    first = datetime(2026, 11, 15).date()  # noqa: DTZ001
    days = [(first + timedelta(days=at)).isoformat() for at in range(7)]

    faults = judge_moments(cells(*days, ""), by).fault

    assert faults.tolist() == [MomentFault.NOT_SATURDAY] * 6 + [MomentFault.NONE] * 2


def test_E16_where_no_time_may_stand_a_time_is_a_fault_of_form() -> None:
    by = Reporting(ARRIVED, ZONE, may_have_time=False)

    assert fault_of("2026-11-20 10:00", by) == "DATE_FORMAT"


def test_E24_no_cells_are_no_moments() -> None:
    assert read_moments(cells(), zone=ZONE).fault.tolist() == []


def test_E24_the_leap_day_has_a_day_ten_years_before() -> None:
    by = Reporting(datetime(2028, 2, 29, 12, tzinfo=UTC), ZONE)

    assert fault_of("2/28/2018", by) == "NONE"
    assert fault_of("2/27/2018", by) == "TOO_OLD"


def test_E24_the_expectation_finds_what_the_judge_finds() -> None:
    from partner_exchange.validation.moment_expectations import ExpectMomentsWithout

    texts = ["", "11/20/2026 10:00", "soon", "2/30/2026", "11/23/2026", "1/1/2001", "11/20/2026 25:00"]
    by = Reporting(ARRIVED, ZONE)
    expectations = [
        ExpectMomentsWithout(
            column="at",
            arrived_at=ARRIVED.isoformat(),
            zone=ZONE,
            may_have_time=True,
            is_week_ending=False,
            fault=int(fault),
            meta=Stated(fault.name, "Update Date/Time").meta,
        )
        for fault in MomentFault
        if fault
    ]

    marks = run(pd.DataFrame({"at": texts}, dtype="str"), expectations, rows=np.arange(7, dtype=np.int64))

    found = {(row, MomentFault[mark.code]) for mark in marks for row in mark.rows.tolist()}
    faults = judge_moments(cells(*texts), by).fault.tolist()
    assert found == {(row, fault) for row, fault in enumerate(faults) if fault}
