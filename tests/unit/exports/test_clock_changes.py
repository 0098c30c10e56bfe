"""What is said of the days on which clocks change, and what an export does on them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from partner_exchange.exports.clock_changes import clock_changes, sentences
from partner_exchange.exports.schedule import next_runs, ticks

CHICAGO = ZoneInfo("America/Chicago")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
SUMMER, WINTER = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
SPRING = datetime(2027, 4, 30, tzinfo=UTC)


def test_M44_changes_are_found_to_the_minute() -> None:
    back, forward = clock_changes(CHICAGO, after=SUMMER, until=SPRING)
    assert (back.at, back.forward) == (datetime(2026, 11, 1, 7, tzinfo=UTC), timedelta(hours=-1))
    assert (forward.at, forward.forward) == (datetime(2027, 3, 14, 8, tzinfo=UTC), timedelta(hours=1))
    first, _ = clock_changes(LORD_HOWE, after=SUMMER, until=SPRING)
    assert (first.at, first.forward) == (datetime(2026, 10, 3, 15, 30, tzinfo=UTC), timedelta(minutes=30))
    assert list(clock_changes(ZoneInfo("Asia/Kolkata"), after=SUMMER, until=SPRING)) == []
    assert list(clock_changes(CHICAGO, after=back.at, until=forward.at - timedelta(seconds=1))) == []
    assert list(clock_changes(CHICAGO, after=back.at, until=forward.at)) == [forward]


BACK = "Clocks go back on 2026-11-01 from 02:00 to 01:00: "
FORWARD = "Clocks go forward on 2027-03-14 from 02:00 to 03:00: "


@pytest.mark.parametrize(
    ("cron", "back", "forward"),
    [
        ("0 0 * * *", "no run of the schedule is touched.", "no run of the schedule is touched."),
        (
            "30 1 * * *",
            "01:30 comes twice that day; Airflow runs the second time.",
            "no run of the schedule is touched.",
        ),
        (
            "30 2 * * *",
            "no run of the schedule is touched.",
            "02:30 does not exist that day; Airflow runs at 03:30 instead.",
        ),
        (
            "15,45 1-2 * * *",
            "01:15, 01:45 come twice that day; Airflow runs the second time.",
            "02:15, 02:45 do not exist that day; Airflow runs at 03:15 instead.",
        ),
        (
            "*/5 * * * *",
            "01:00 to 01:55 (12 times) come twice that day; Airflow runs both times.",
            "02:00 to 02:55 (12 times) do not exist that day; Airflow leaves out what does not exist.",
        ),
        (
            "0 * 15 * *",
            "Airflow counts the pause over it in hours, so the next run is at 2026-11-14 23:00.",
            "no run of the schedule is touched.",
        ),
    ],
)
def test_M44_each_change_is_told_as_airflow_does_it(cron: str, back: str, forward: str) -> None:
    assert sentences(cron, CHICAGO, after=SUMMER, until=SPRING) == [BACK + back, FORWARD + forward]


def test_M44_a_change_after_the_shown_runs_is_told_where_it_touches_one() -> None:
    shown = WINTER + timedelta(days=5)
    (told,) = sentences("30 2 * * *", CHICAGO, after=WINTER, until=shown)
    assert told.startswith(FORWARD)
    (again,) = sentences("30 2 * * *", CHICAGO, after=SPRING, until=SPRING + timedelta(days=5))
    assert "2028-03-12" in again
    assert sentences("0 4 * * *", CHICAGO, after=WINTER, until=shown) == []
    assert sentences("*/5 * * * *", CHICAGO, after=WINTER, until=shown) == []


def test_M44_runs_keep_their_wall_clock_over_a_change() -> None:
    found = next_runs("30 7 * * *", CHICAGO, after=datetime(2026, 10, 31, tzinfo=UTC), count=3)
    assert found == [
        datetime(2026, 10, 31, 12, 30, tzinfo=UTC),
        datetime(2026, 11, 1, 13, 30, tzinfo=UTC),
    ] + [datetime(2026, 11, 2, 13, 30, tzinfo=UTC)]


@pytest.mark.parametrize("day", [datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 3, 14, tzinfo=UTC)])
@pytest.mark.parametrize("zone", [CHICAGO, LORD_HOWE])
def test_M74_every_five_minutes_has_no_gap_and_no_double_on_any_day(day: datetime, zone: ZoneInfo) -> None:
    found = list(ticks("*/5 * * * *", zone, after=day, until=day + timedelta(days=1)))
    assert found == [day + timedelta(minutes=5 * n) for n in range(1, 289)]


def test_M46_a_span_without_length_has_no_run() -> None:
    at = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
    assert next_runs("0 12 * * *", CHICAGO, after=at - timedelta(seconds=1))[0] == at
    assert list(ticks("0 12 * * *", CHICAGO, after=at, until=at)) == []
