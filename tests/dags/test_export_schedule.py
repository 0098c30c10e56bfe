"""Our times of a schedule against Airflow's own timetable, over days on which clocks change (M44, M74)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pendulum
import pytest
from airflow.timetables.base import DataInterval, TimeRestriction
from airflow.timetables.trigger import CronTriggerTimetable

from partner_exchange.exports.schedule import next_runs, ticks
from partner_exchange.tenants.schedule import cron_of

pytestmark = pytest.mark.slow

ZONES = (
    "America/Chicago",
    "America/New_York",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "UTC",
)
# The days on which clocks change; in the others they never do.
CHANGES = {
    "America/Chicago": ((2026, 11, 1), (2027, 3, 14)),
    "America/New_York": ((2026, 11, 1), (2027, 3, 14)),
    "Europe/Berlin": ((2026, 10, 25), (2027, 3, 28)),
    "Australia/Lord_Howe": ((2026, 10, 4), (2027, 4, 4)),
}
FREQUENT = ("* * * * *", "*/5 * * * *", "*/7 * * * SUN", "0-50/10 0-5 * * *")
DAILY = (
    "0 * * * *",
    "30 * * * *",
    "45 * * 3,4,10,11 SUN",
    "0 0 * * *",
    "30 1 * * *",
    "30 2 * * *",
    "5 3 * * *",
    "15,45 1-3 * * *",
    "20,32 2 * * *",
    "*/30 0-5 * * SAT,SUN",
    "0 */2 * * *",
    "30 2 * * SUN",
    "17 */3 13 * FRI",
    "once a day at midnight",
    "weekdays at 7:30",
    "weekends at 2:15",
)
RARE = (
    # With any hour and long pauses Airflow counts over the change in hours and lands beside the day.
    "0 * 15 * *",
    "0 * L * *",
    "0 9 * * MON#1",
    "0 23 L * *",
    "on the last Friday of the month at 17:00",
    "0 0 1 */3 *",
    "30 1 1-7 11 *",
    "yearly on July 1",
)


def airflow_runs(cron: str, zone: str, since: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the runs that the scheduler makes one after the other from a start long before."""
    timetable = CronTriggerTimetable(cron, timezone=zone)
    restriction = TimeRestriction(earliest=pendulum.instance(since), latest=None, catchup=True)
    last = None
    while True:
        info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        assert info is not None
        if info.run_after > until:
            return
        yield datetime.fromtimestamp(info.run_after.timestamp(), UTC)
        last = DataInterval.exact(info.run_after)


def windows(zone: str, before: timedelta, behind: timedelta) -> list[tuple[datetime, datetime]]:
    days = [datetime(*day, tzinfo=UTC) for day in CHANGES.get(zone, ((2026, 11, 1),))]
    return [(day - before, day + behind) for day in days]


def compare(cron: str, zone: str, since: datetime, begin: datetime, end: datetime) -> None:
    theirs = list(airflow_runs(cron, zone, since, end))
    # From several places: each run hangs on the one before, and whoever asks begins in mid-chain.
    for after in (begin, begin + (end - begin) / 3, begin + (end - begin) * 4 / 7):
        expected = [one for one in theirs if one > after]
        found = list(ticks(cron, ZoneInfo(zone), after=after, until=end))
        assert found == expected, after
        assert next_runs(cron, ZoneInfo(zone), after=after)[: len(expected)] == expected[:5]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("cron", FREQUENT)
def test_M74_frequent_schedules_run_as_airflow_runs_them(cron: str, zone: str) -> None:
    for begin, end in windows(zone, timedelta(hours=18), timedelta(hours=21)):
        compare(cron, zone, begin - timedelta(hours=6), begin, end)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("written", DAILY)
def test_M44_daily_schedules_run_as_airflow_runs_them(written: str, zone: str) -> None:
    for begin, end in windows(zone, timedelta(days=2), timedelta(days=3)):
        # "45 * * 3,4,10,11 SUN" last ran in April: the chain over the winter begins there.
        since = begin - timedelta(days=250 if "10,11" in written else 20)
        compare(cron_of(written), zone, since, begin, end)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("written", RARE)
def test_M44_rare_schedules_run_as_airflow_runs_them(written: str, zone: str) -> None:
    for begin, end in windows(zone, timedelta(days=20), timedelta(days=60)):
        compare(cron_of(written), zone, begin - timedelta(days=400), begin, end)
