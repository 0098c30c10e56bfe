"""Schedules against a calendar that is walked day by day: cron, and words that are built from a meaning."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from partner_exchange.exports.schedule import next_runs, ticks
from partner_exchange.tenants.schedule import cron_of, words_of

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
FULL_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
ZONE = ZoneInfo("UTC")
INSTANTS = st.integers(0, 4 * 366 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
LONGEST = 366 * 25


def weekday(day: date) -> int:
    return day.isoweekday() % 7


def walked(days: Callable[[date], bool], times: list[time], after: datetime) -> Iterator[datetime]:
    """Yield the instants later than ``after`` on days and at times, found by looking at each day."""
    for n in range(LONGEST):
        day = after.date() + timedelta(days=n)
        if days(day):
            for at in times:
                instant = datetime.combine(day, at, tzinfo=UTC)
                if instant > after:
                    yield instant


# ---- cron -------------------------------------------------------------------------------------------------


@st.composite
def fields(draw: st.DrawFn, low: int, high: int, names: tuple[str, ...] = ()) -> tuple[str, set[int]]:
    """Return one field as it is written, and the numbers that it means."""

    def written(number: int) -> str:
        name = names[number - low] if names and draw(st.booleans()) else str(number)
        return draw(st.sampled_from((name, name.lower())))

    texts: list[str] = []
    meant: set[int] = set()
    for _ in range(draw(st.integers(1, 3))):
        shape = draw(st.sampled_from(("one", "range", "step", "range step", "from step")))
        first, last = sorted((draw(st.integers(low, high)), draw(st.integers(low, high))))
        step = draw(st.integers(1, high))
        if shape == "step":
            first, last, text = low, high, f"*/{step}"
        elif shape == "from step":
            last, text = high, f"{written(first)}/{step}"
        elif shape == "one" or first == last:
            last, step, text = first, 1, written(first)
        elif shape == "range":
            step, text = 1, f"{written(first)}-{written(last)}"
        else:
            text = f"{written(first)}-{written(last)}/{step}"
        texts.append(text)
        meant |= set(range(first, last + 1, step))
    return ",".join(texts), meant


def maybe_any(low: int, high: int, names: tuple[str, ...] = ()) -> st.SearchStrategy[tuple[str, set[int]]]:
    """Return a field with the numbers that it is limited to; none where it is not."""
    all_of_them = set(range(low, high + 1))
    limited = fields(low, high, names).map(lambda one: (one[0], one[1] if one[1] < all_of_them else set()))
    return st.one_of(st.just(("*", set())), limited)


@settings(deadline=None)
@given(
    minutes=fields(0, 59),
    hours=fields(0, 23),
    days=maybe_any(1, 31),
    months=maybe_any(1, 12, MONTHS),
    weekdays=maybe_any(0, 6, WEEKDAYS),
    after=INSTANTS,
)
def test_M44_a_cron_runs_when_its_fields_say(
    minutes: tuple[str, set[int]],
    hours: tuple[str, set[int]],
    days: tuple[str, set[int]],
    months: tuple[str, set[int]],
    weekdays: tuple[str, set[int]],
    after: datetime,
) -> None:
    assume(not days[1] or min(days[1]) <= 28)
    cron = cron_of(" ".join(one[0] for one in (minutes, hours, days, months, weekdays)))
    assert cron_of(cron) == cron
    words_of(cron)

    def is_on(day: date) -> bool:
        if months[1] and day.month not in months[1]:
            return False
        on_day, on_weekday = day.day in days[1], weekday(day) in weekdays[1]
        if days[1] and weekdays[1]:
            return on_day or on_weekday
        return on_day or on_weekday or not (days[1] or weekdays[1])

    times = [time(hour, minute) for hour in sorted(hours[1]) for minute in sorted(minutes[1])]
    assert next_runs(cron, ZONE, after=after) == list(islice(walked(is_on, times, after), 5))


# ---- words ------------------------------------------------------------------------------------------------

Meaning = tuple[str, Callable[[date], bool]]


@st.composite
def clock_times(draw: st.DrawFn) -> tuple[str, list[time]]:
    """Return one to three times of a day in words; they have the same minute."""
    minute = draw(st.integers(0, 59))
    hours = draw(st.lists(st.integers(0, 23), min_size=1, max_size=3, unique=True))
    told = []
    for hour in hours:
        half = f"{(hour - 1) % 12 + 1}:{minute:02} {'pm' if hour >= 12 else 'am'}"
        forms = [f"{hour:02}:{minute:02}", f"{hour}.{minute:02}", half, half.replace(" ", "").upper()]
        forms += [f"{hour}", half.replace(":00", "")] if minute == 0 else []
        forms += ["midnight"] if (hour, minute) == (0, 0) else ["noon"] if (hour, minute) == (12, 0) else []
        told.append(draw(st.sampled_from(forms)))
    return " and ".join(told), sorted(time(hour, minute) for hour in hours)


@st.composite
def some_weekdays(draw: st.DrawFn) -> Meaning:
    chosen = draw(st.lists(st.integers(0, 6), min_size=1, max_size=4, unique=True))
    plural = draw(st.sampled_from(("s", "")))
    names = [FULL_WEEKDAYS[one] + plural for one in chosen]
    told = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return draw(
        st.sampled_from(("", "on ", "every ", "weekly on "))
    ) + told, lambda day: weekday(day) in chosen


@st.composite
def some_days_of_month(draw: st.DrawFn) -> Meaning:
    chosen = draw(st.lists(st.integers(1, 31), min_size=1, max_size=3, unique=True))
    ending = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}
    told = " and ".join(f"{one}{ending.get(one, 'th')}" for one in chosen)
    form = draw(st.sampled_from(("on the {} of each month", "monthly on the {}", "the {} of the month")))
    return form.format(told), lambda day: day.day in chosen


@st.composite
def nth_weekdays(draw: st.DrawFn) -> Meaning:
    nth, name = draw(st.integers(1, 4)), draw(st.integers(0, 6))
    word = ("first", "second", "third", "fourth")[nth - 1]
    told = f"on the {word} {FULL_WEEKDAYS[name]} of the month"
    return told, lambda day: weekday(day) == name and (day.day - 1) // 7 == nth - 1


def days_left(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1] - day.day


FIXED: tuple[Meaning, ...] = (
    ("daily", lambda day: True),
    ("every day", lambda day: True),
    ("weekdays", lambda day: day.isoweekday() <= 5),
    ("every weekday", lambda day: day.isoweekday() <= 5),
    ("Monday to Friday", lambda day: day.isoweekday() <= 5),
    ("weekends", lambda day: day.isoweekday() > 5),
    ("on the last day of the month", lambda day: days_left(day) == 0),
    ("on the last Friday of each month", lambda day: day.isoweekday() == 5 and days_left(day) < 7),
    ("quarterly", lambda day: day.day == 1 and day.month in (1, 4, 7, 10)),
    ("yearly on July 4", lambda day: (day.month, day.day) == (7, 4)),
)
DAYS = st.one_of(st.sampled_from(FIXED), some_weekdays(), some_days_of_month(), nth_weekdays())


@settings(deadline=None)
@given(days=DAYS, times=clock_times(), at_first=st.booleans(), after=INSTANTS)
def test_M45_words_run_when_they_say(
    days: Meaning, times: tuple[str, list[time]], at_first: bool, after: datetime
) -> None:
    told = f"at {times[0]} {days[0]}" if at_first else f"{days[0]} at {times[0]}"
    cron = cron_of(told)
    assert cron_of(cron) == cron
    assert next_runs(cron, ZONE, after=after) == list(islice(walked(days[1], times[1], after), 5)), told


@settings(deadline=None)
@given(
    pause=st.sampled_from((1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720)),
    is_in_hours=st.booleans(),
    days=st.sampled_from(
        (("", lambda day: True), *((f" on {one[0]}", one[1]) for one in (FIXED[2], FIXED[5])))
    ),
    after=INSTANTS,
)
def test_M45_pauses_run_when_they_say(pause: int, is_in_hours: bool, days: Meaning, after: datetime) -> None:
    count, unit = (pause // 60, "hour") if is_in_hours and pause % 60 == 0 else (pause, "minute")
    told = f"every {count} {unit}s{days[0]}"
    times = [time(*divmod(minute, 60)) for minute in range(0, 24 * 60, pause)]
    assert next_runs(cron_of(told), ZONE, after=after) == list(islice(walked(days[1], times, after), 5)), told


# ---- runs -------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(
    cron=st.sampled_from(
        (
            "*/5 * * * *",
            "30 2 * * *",
            "0 * * * *",
            "15,45 1-3 * * *",
            "0 0 * * *",
            "0 * 15 * *",
            "0 */2 * * SUN",
        )
    ),
    zone=st.sampled_from(("America/Chicago", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata")),
    begin=st.sampled_from(((2026, 10, 31), (2027, 3, 13), (2027, 4, 2))),
    cuts=st.lists(st.integers(0, 3 * 24 * 3600), min_size=1, max_size=4),
)
def test_M74_windows_of_any_cut_hold_each_run_once(
    cron: str, zone: str, begin: tuple[int, int, int], cuts: list[int]
) -> None:
    first = datetime(*begin, tzinfo=UTC)
    end = first + timedelta(days=3)
    whole = list(ticks(cron, ZoneInfo(zone), after=first, until=end))
    edges = [first, *(first + timedelta(seconds=one) for one in sorted(cuts)), end]
    pieces = [
        list(ticks(cron, ZoneInfo(zone), after=low, until=high))
        for low, high in zip(edges, edges[1:], strict=False)
    ]
    assert [one for piece in pieces for one in piece] == whole
    assert whole == sorted(set(whole))
