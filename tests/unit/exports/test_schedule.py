"""When NHSN sets are due, and which instants belong to a due time (E38)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_exchange.exports.nhsn.schedule import (
    CRON,
    SCHEDULE,
    DueTime,
    due_times,
    frequencies_of,
    latest_due,
)
from partner_exchange.tenants.nhsn_sets import FREQUENCIES
from partner_exchange.tenants.resources import Frequency
from support.builders import a_tenant
from support.nhsn import a_hospital, a_hospital_group

EASTERN = ZoneInfo("America/New_York")
SECOND = timedelta(seconds=1)
frequencies = st.sampled_from(["daily", "weekly"])
instants = st.integers(0, 20 * 365 * 86_400).map(lambda s: datetime(2020, 1, 1, tzinfo=UTC) + s * SECOND)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def daily(text: str) -> DueTime:
    return latest_due("daily", at=utc(text))


@pytest.mark.parametrize(
    ("day", "due_at"),
    [
        ("2026-07-01", "2026-07-01T20:30"),
        ("2026-12-01", "2026-12-01T21:30"),
        # Clocks go forward at two in the night of 2026-03-08, back on 2026-11-01.
        ("2026-03-07", "2026-03-07T21:30"),
        ("2026-03-08", "2026-03-08T20:30"),
        ("2026-10-31", "2026-10-31T20:30"),
        ("2026-11-01", "2026-11-01T21:30"),
    ],
)
def test_E38_daily_sets_are_due_at_half_past_four_where_new_york_is(day: str, due_at: str) -> None:
    end = datetime.combine(date.fromisoformat(day), datetime.max.time(), tzinfo=EASTERN)
    assert latest_due("daily", at=end).at == utc(due_at)
    assert latest_due("daily", at=utc(due_at)).at == utc(due_at)
    assert latest_due("daily", at=utc(due_at) - SECOND).at < utc(due_at)


def test_E38_weekly_sets_are_due_on_tuesday_for_the_week_that_ended_on_saturday() -> None:
    due = latest_due("weekly", at=utc("2026-11-20T12:00"))
    assert due.at == utc("2026-11-17T21:30")
    assert due.reports_on == date(2026, 11, 14)
    assert due.reports_on.strftime("%A") == "Saturday"
    assert due.before.at == utc("2026-11-10T21:30")


def test_E38_a_daily_set_reports_on_its_day_in_new_york() -> None:
    assert daily("2026-11-20T22:00").reports_on == date(2026, 11, 20)


@pytest.mark.parametrize(
    ("time_zone", "end"),
    [
        ("America/Chicago", "2026-11-15T05:59:59.999999"),
        ("America/New_York", "2026-11-15T04:59:59.999999"),
        ("Pacific/Guam", "2026-11-14T13:59:59.999999"),
    ],
)
def test_E38_weekly_values_are_those_of_the_end_of_saturday_where_the_tenant_is(
    time_zone: str, end: str
) -> None:
    due = latest_due("weekly", at=utc("2026-11-20T12:00"))
    assert due.values_at(time_zone) == utc(end)
    assert daily("2026-11-20T22:00").values_at(time_zone) == utc("2026-11-20T21:30")


@pytest.mark.parametrize(
    ("frequency", "time_zone", "begin", "end"),
    [
        ("daily", "America/Chicago", "2026-11-20T06:00", "2026-11-20T21:30"),
        # Where the day is over before the set is due.
        ("daily", "Pacific/Guam", "2026-11-19T14:00", "2026-11-20T14:00"),
        ("weekly", "America/Chicago", "2026-11-14T06:00", "2026-11-15T06:00"),
    ],
)
def test_E38_counts_are_those_reported_for_the_very_day_where_the_tenant_is(
    frequency: Frequency, time_zone: str, begin: str, end: str
) -> None:
    due = latest_due(frequency, at=utc("2026-11-20T22:00"))
    assert due.counts_from(time_zone) == utc(begin)
    assert timedelta(0) <= utc(end) - due.counts_at(time_zone) < SECOND


@pytest.mark.parametrize(
    ("due_at", "since"),
    [
        ("2026-11-20T21:30", "2026-11-19T21:30"),
        # 23 hours after the set before: the window is 24 hours all the same.
        ("2026-03-08T20:30", "2026-03-07T20:30"),
        # 25 hours after it: a change in the odd hour still counts.
        ("2026-11-01T21:30", "2026-10-31T20:30"),
    ],
)
def test_E38_changes_of_24_hours_count_and_none_falls_between_two_sets(due_at: str, since: str) -> None:
    due = daily(due_at)
    assert due.at == utc(due_at)
    assert due.changed_since == utc(since)
    assert due.changed_since <= due.before.at


@pytest.mark.parametrize("due_at", ["2026-11-17T21:30", "2026-03-10T20:30", "2026-11-03T21:30"])
def test_E38_changes_of_nine_days_of_24_hours_count_for_a_weekly_set(due_at: str) -> None:
    due = latest_due("weekly", at=utc(due_at))
    assert due.at == utc(due_at)
    assert due.at - due.changed_since == timedelta(hours=9 * 24)


@pytest.mark.parametrize(
    ("frequency", "due_at", "is_required"),
    [
        ("weekly", "2026-11-17T21:30", True),
        ("daily", "2026-11-18T21:30", True),
        ("daily", "2026-11-17T21:30", False),
        ("daily", "2026-11-19T21:30", False),
    ],
)
def test_E38_starred_fields_are_required_weekly_and_on_wednesday(
    frequency: Frequency, due_at: str, is_required: bool
) -> None:
    assert latest_due(frequency, at=utc(due_at)).requires_capacity is is_required


def test_E38_an_outage_of_two_weeks_leaves_fourteen_daily_and_two_weekly_sets() -> None:
    until = utc("2026-11-15T12:00")
    since = until - timedelta(days=14)
    assert len(due_times("daily", after=since, until=until)) == 14
    assert [due.at for due in due_times("weekly", after=since, until=until)] == [
        utc("2026-11-03T21:30"),
        utc("2026-11-10T21:30"),
    ]


@given(frequency=frequencies, at=instants)
def test_E38_the_latest_due_time_is_the_last_of_those_before(frequency: Frequency, at: datetime) -> None:
    latest = latest_due(frequency, at=at)
    longest = timedelta(days=1 if frequency == "daily" else 7, hours=1)
    assert latest.at <= at < latest.at + longest
    assert latest_due(frequency, at=latest.at) == latest
    assert latest.before == latest_due(frequency, at=latest.at - SECOND)
    local = latest.at.astimezone(EASTERN)
    assert (local.hour, local.minute) == (16, 30)
    assert frequency == "daily" or local.strftime("%a") == "Tue"


@given(frequency=frequencies, after=instants, days=st.floats(0, 40))
def test_E38_due_times_come_once_each_in_order(frequency: Frequency, after: datetime, days: float) -> None:
    until = after + timedelta(days=days)
    found = due_times(frequency, after=after, until=until)
    assert found == sorted(set(found))
    assert all(after < due.at <= until for due in found)
    assert all(later.before == earlier for earlier, later in zip(found, found[1:], strict=False))


def test_E38_the_words_of_a_schedule_and_its_cron_name_the_same_times() -> None:
    assert {SCHEDULE[one]: CRON[one] for one in FREQUENCIES} == {
        "every day at 16:30": "30 16 * * *",
        "Tuesdays at 16:30": "30 16 * * TUE",
    }


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (["daily", "daily", None], ["daily"]),
        (["weekly", "daily"], ["daily", "weekly"]),
        ([None], []),
    ],
)
def test_E38_sets_go_as_often_as_a_hospital_says(given: list[Frequency | None], found: list[str]) -> None:
    hospitals = [a_hospital(number, frequency=one) for number, one in enumerate(given, 1)]
    group = a_hospital_group(*hospitals)
    assert frequencies_of(group) == found
    assert frequencies_of(a_tenant(status=group.status)) == []
