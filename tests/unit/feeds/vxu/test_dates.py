"""Dates and times of HL7 as whole columns (T43)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from partner_exchange.feeds.vxu.dates import Precision, StampFault, Stamps, read_stamps, whole_months


def stamps(*texts: str) -> Stamps:
    return read_stamps(pa.array(texts, pa.large_string()))


FAULTS = [
    ("", StampFault.NONE),
    ("20240229", StampFault.NONE),
    ("2024022913", StampFault.NONE),
    ("20240229135959.1234-0600", StampFault.NONE),
    ("20240229-500", StampFault.NONE),
    ("99991231", StampFault.NONE),
    ("2024", StampFault.NOT_PRECISE),
    ("202402", StampFault.NOT_PRECISE),
    ("2024-0600", StampFault.NOT_PRECISE),
    ("20230229", StampFault.NO_SUCH_DAY),
    ("20240431", StampFault.NO_SUCH_DAY),
    ("20241301", StampFault.NO_SUCH_DAY),
    ("202413", StampFault.NO_SUCH_DAY),
    ("20240100", StampFault.NO_SUCH_DAY),
    ("00000101", StampFault.NO_SUCH_DAY),
    ("2024022924", StampFault.NO_SUCH_DAY),
    ("202402291260", StampFault.NO_SUCH_DAY),
    ("20240229120060", StampFault.NO_SUCH_DAY),
    ("20240229-0060", StampFault.NO_SUCH_DAY),
    ("20240229-2400", StampFault.NO_SUCH_DAY),
    ("SHOT DATE", StampFault.NOT_OF_TYPE),
    ("2024022", StampFault.NOT_OF_TYPE),
    ("20240229 ", StampFault.NOT_OF_TYPE),
    ("2024-02-29", StampFault.NOT_OF_TYPE),
    ("20240229-50", StampFault.NOT_OF_TYPE),
    ("20240229-05:00", StampFault.NOT_OF_TYPE),
    ("20240229.5", StampFault.NOT_OF_TYPE),
    ("٢٠٢٤٠٢٢٩", StampFault.NOT_OF_TYPE),
]


@pytest.mark.parametrize(("text", "fault"), FAULTS)
def test_T43_each_text_has_the_first_fault_that_applies(text: str, fault: StampFault) -> None:
    found = stamps(text)
    assert StampFault(int(found.fault[0])) is fault
    is_day = bool(text) and fault is StampFault.NONE
    assert np.isnan(found.day[0]) == (not is_day)
    assert np.isnan(found.second[0]) == (not is_day)


def test_T43_days_are_those_of_the_calendar_of_all_years() -> None:
    days = [date(1600, 2, 29) + timedelta(days=days) for days in range(0, 200_000, 61)]
    found = stamps(*(day.strftime("%Y%m%d") for day in days))
    assert found.day.tolist() == [(day - date(1970, 1, 1)).days for day in days]


def test_T43_precision_is_how_far_down_it_goes() -> None:
    found = stamps("20240229", "2024022913", "202402291305", "20240229130509", "2024", "")
    expected = [Precision.DAY, Precision.HOUR, Precision.MINUTE, Precision.MINUTE, 0, 0]
    assert found.precision.tolist() == expected


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("20150624073733.994-0500", datetime(2015, 6, 24, 12, 37, 33, tzinfo=UTC)),
        ("201201130000-500", datetime(2012, 1, 13, 5, tzinfo=UTC)),
        ("20240101+0930", datetime(2023, 12, 31, 14, 30, tzinfo=UTC)),
        ("20140317155432", datetime(2014, 3, 17, 20, 54, 32, tzinfo=UTC)),
        ("20240101", datetime(2024, 1, 1, 6, tzinfo=UTC)),
        ("20240310023000", datetime(2024, 3, 10, 8, tzinfo=UTC)),
        ("20241103013000", datetime(2024, 11, 3, 6, 30, tzinfo=UTC)),
    ],
)
def test_T43_instants_take_their_own_zone_or_that_of_the_partner(text: str, utc: datetime) -> None:
    assert stamps(text).utc("America/Chicago").tolist() == [utc.timestamp()]


@pytest.mark.parametrize("text", ["00010101000000", "99991231235959", "00010101000000+1400"])
def test_T43_the_ends_of_time_have_instants_too(text: str) -> None:
    assert not np.isnan(stamps(text).utc("Pacific/Kiritimati")[0])
    assert not np.isnan(stamps(text).utc("America/Chicago")[0])


def test_T43_an_offset_of_three_digits_is_unusual() -> None:
    assert stamps("20240101-500", "20240101-0500", "20240101", "").is_zone_unusual.tolist() == [
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        ("20240131", "20240131", 0),
        ("20240131", "20240229", 0),
        ("20240131", "20240331", 2),
        ("20240115", "20250114", 11),
        ("20240115", "20250115", 12),
        ("20240116", "20240115", None),
        ("20240116", "", None),
    ],
)
def test_T43_ages_are_whole_months(start: str, end: str, months: int | None) -> None:
    days = stamps(start, end).day
    found = whole_months(days[:1], days[1:])[0]
    assert (None if np.isnan(found) else int(found)) == months
