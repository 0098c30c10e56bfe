"""Schedules as cron and in people's words: what is understood, and what is refused with a way out."""

from __future__ import annotations

import pytest

from partner_exchange.tenants.exports import Export
from partner_exchange.tenants.schedule import cron_of, words_of
from partner_exchange.tenants.schedule_words import EXAMPLES

WORDS = {
    # The source's own words, with its own typo.
    "one a day at midnight": "0 0 * * *",
    "once a day at midnight": "0 0 * * *",
    "every minute": "* * * * *",
    "every 1 minute": "* * * * *",
    "every 5 minutes": "*/5 * * * *",
    "every 5 mins": "*/5 * * * *",
    "every five minutes": "*/5 * * * *",
    "every half hour": "*/30 * * * *",
    "every 60 minutes": "0 * * * *",
    "every hour": "0 * * * *",
    "once an hour": "0 * * * *",
    "hourly": "0 * * * *",
    "hourly on weekdays": "0 * * * MON-FRI",
    "every other hour": "0 */2 * * *",
    "every 2 hours": "0 */2 * * *",
    "every 24 hours": "0 0 * * *",
    "every 15 minutes on weekdays": "*/15 * * * MON-FRI",
    "daily": "0 0 * * *",
    "@daily": "0 0 * * *",
    "@hourly": "0 * * * *",
    "@weekly": "0 0 * * SUN",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 JAN *",
    "midnight": "0 0 * * *",
    "daily at noon": "0 12 * * *",
    "daily, at noon": "0 12 * * *",
    "every day at 7:30": "30 7 * * *",
    "at 7:30 pm every day": "30 19 * * *",
    "EVERY DAY AT 7:30 PM": "30 19 * * *",
    "7:30": "30 7 * * *",
    "at 12 am": "0 0 * * *",
    "at 12 pm": "0 12 * * *",
    "at 12:05 a.m. each day": "5 0 * * *",
    "twice a day at 8:00 and 20:00": "0 8,20 * * *",
    "twice daily at 8 pm and 8 am": "0 8,20 * * *",
    "three times a day at 8, 12, and 16": "0 8,12,16 * * *",
    "at midnight and noon": "0 0,12 * * *",
    "weekdays at 7:30": "30 7 * * MON-FRI",
    "every weekday at 7.30 am": "30 7 * * MON-FRI",
    "on working days at 7:30": "30 7 * * MON-FRI",
    "weekends at 9": "0 9 * * SAT,SUN",
    "weekly": "0 0 * * SUN",
    "every Monday at 6 pm": "0 18 * * MON",
    "Mondays and Thursdays at 18:00": "0 18 * * MON,THU",
    "Mon, Wed and Fri at 18:00": "0 18 * * MON,WED,FRI",
    "twice a week on Monday and Thursday at 9": "0 9 * * MON,THU",
    "once a week on Tuesday": "0 0 * * TUE",
    "Monday to Friday at 7:30": "30 7 * * MON-FRI",
    "Friday through Monday at 7:30": "30 7 * * FRI-MON",
    "on the 1st of each month at 02:00": "0 2 1 * *",
    "the 1st and the 15th of the month at 4 am": "0 4 1,15 * *",
    "twice a month on the 1st and 15th": "0 0 1,15 * *",
    "monthly": "0 0 1 * *",
    "monthly on the 15th": "0 0 15 * *",
    "last day of the month at 23:00": "0 23 L * *",
    "on the last day of each month at 11 pm": "0 23 L * *",
    "on the first Monday of the month at 9:00": "0 9 * * MON#1",
    "every 2nd Tuesday of the month": "0 0 * * TUE#2",
    "on the last Friday of each month at 17:00": "0 17 * * L5",
    "quarterly": "0 0 1 */3 *",
    "yearly on July 1 at 6:00": "0 6 1 JUL *",
    "every year on the 4th of July at noon": "0 12 4 JUL *",
}


@pytest.mark.parametrize(("words", "cron"), WORDS.items())
def test_M45_words_are_understood(words: str, cron: str) -> None:
    assert cron_of(words) == cron
    assert cron_of(f"  {words.upper()}. ") == cron
    assert cron_of(cron) == cron


@pytest.mark.parametrize("example", EXAMPLES)
def test_M45_every_example_holds_and_is_said_back_in_words(example: str) -> None:
    assert words_of(cron_of(example))


@pytest.mark.parametrize(
    ("words", "way_out"),
    [
        ("every 7 minutes", "divide 60"),
        ("every 90 minutes", "divide 60"),
        ("every 5 hours", "divide 24"),
        ("every 0 minutes", "divide 60"),
        ("every 30 seconds", "`every minute`"),
        ("every second", "`every minute`"),
        ("every other day", "name the days"),
        ("every 2 weeks on Monday", "name the days"),
        ("every second Monday at 9", "name the days"),
        ("biweekly", "name the days"),
        ("twice a day", "2 runs are promised, and 1 named"),
        ("once a day at 8 and 20", "1 runs are promised, and 2 named"),
        ("once a week on Monday and Tuesday", "1 runs are promised, and 2 named"),
        ("twice a day at 8:00 and 20:30", "same minute for all"),
        ("at 25:00", "no time of day"),
        ("at 7:60", "no time of day"),
        ("at 13 pm", "no time of day"),
        ("at 0 am", "no time of day"),
        ("daily at 7:30 CST", "`time_zone`"),
        ("every day at 7:30 UTC", "`time_zone`"),
        ("every 5 minutes between 8:00 and 18:00", "8-17 * * MON-FRI"),
        ("on the 32nd of each month", "1st to 31st"),
        ("yearly on 30 February", "never runs"),
        ("on the 6th Monday of the month", "five times at most"),
        ("Monday to Monday", "name the day alone"),
        ("evvry mondy at 6 pm", "`every Monday at 6 pm`"),
        ("every 5 minnutes", "`every 5 minutes`"),
        ("every fortnite", "write it as"),
        ("@reboot", "write it as"),
        ("every day at", "`every day at 7:30`"),
        ("at at 7:30", "write it as"),
        ("every 5 minutes twice a day", "write it as"),
        ("now and then", "write it as"),
        ("", "write it as"),
    ],
)
def test_M45_what_cron_cannot_say_is_refused_with_a_way_out(words: str, way_out: str) -> None:
    with pytest.raises(ValueError, match=".") as refused:
        cron_of(words)
    assert way_out in str(refused.value)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("0  0 *  * *", "0 0 * * *"),
        ("0 0 * * mon", "0 0 * * MON"),
        ("*/5 8-17 1-15/2,20 jan-mar 1,WED", "*/5 8-17 1-15/2,20 JAN-MAR 1,WED"),
        ("5/15 * * * *", "5/15 * * * *"),
        ("0 22-4 * * fri-mon", "0 22-4 * * FRI-MON"),
        ("0 0 ? * 7", "0 0 * * 7"),
        ("*/1 *,5 */1,3 * 7", "* * * * 7"),
        ("0-59 0-11,12-23 1/1 * SUN-SAT", "* * * * *"),
        ("0 0 l * *", "0 0 L * *"),
        ("0 0 * * mon#1", "0 0 * * MON#1"),
        ("0 0 * * 5-7", "0 0 * * 5-7"),
        ("0 0 29 2 *", "0 0 29 2 *"),
        ("0 0 31 2 MON", "0 0 31 2 MON"),
    ],
)
def test_M44_cron_keeps_what_is_written_in_one_spelling(written: str, normal: str) -> None:
    assert cron_of(written) == normal
    assert cron_of(normal) == normal


@pytest.mark.parametrize(
    ("written", "way_out"),
    [
        ("0 0 31 2 *", "never runs"),
        ("0 0 31 4,6,9,11 *", "never runs"),
        ("0 0 * * * *", "neither seconds nor years"),
        ("0 0 * *", "five fields"),
        ("60 0 * * *", "0-59"),
        ("0 24 * * *", "0-23"),
        ("0 0 0 * *", "1-31"),
        ("0 0 * 13 *", "1-12 or JAN-DEC"),
        ("0 0 * * 8", "0-7 or SUN-SAT"),
        ("0 0 * * MONDAY", "0-7 or SUN-SAT"),
        ("0 0 * * 1#6", "0-7 or SUN-SAT"),
        ("0 0 15W * *", "1-31"),
        ("*/90 * * * *", "cannot go across its end"),
        ("*/0 * * * *", "cannot go across its end"),
        ("0 0 5-5 * *", "read as all of them"),
        ("0 0 * * 7-0", "read as all of them"),
        ("0 0 20-10 * *", "goes backwards"),
        ("0 20-4/2 * * *", "goes backwards"),
        ("*-5 * * * *", "0-59"),
        ("1,,2 * * * *", "0-59"),
        ("R R * * *", "0-59"),
        ("H * * * *", "0-59"),
        ("0 0 * * 0,1#2", "stand alone"),
        ("0 0 1 * MON#1", "`*` for one of the two"),
        ("0 0 * * -1", "0-7"),
        ("\u0661 0 * * *", "0-59"),
    ],
)
def test_M44_cron_that_is_taken_for_something_else_is_refused(written: str, way_out: str) -> None:
    with pytest.raises(ValueError, match=".") as refused:
        cron_of(written)
    assert way_out in str(refused.value)


def test_M45_a_cron_is_said_back_in_words() -> None:
    assert words_of("30 7 * * MON-FRI") == "At 07:30, Monday through Friday"
    both = words_of("0 6 13 * FRI")
    assert both == "At 06:00, on day 13 of the month; also: At 06:00, only on Friday"
    assert words_of("0 0,*/6 * * *") == ""


def test_M45_an_export_has_its_schedule_as_cron() -> None:
    assert Export(report="verified_students", schedule="weekdays at 7:30").cron == "30 7 * * MON-FRI"
    assert Export(report="verified_students").cron == ""
