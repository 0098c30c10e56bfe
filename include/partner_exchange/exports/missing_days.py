"""Which months have no run since they lack the day of the schedule, for ``exchange tenants check`` (M44)."""

from __future__ import annotations

from calendar import month_name
from collections.abc import Iterator

from croniter import croniter

_FEBRUARY = 2
_SHORT = (4, 6, 9, 11)
_ENDINGS = {29: "29th", 30: "30th", 31: "31st"}


def sentences(cron: str) -> list[str]:
    """Return a sentence for each day of the month that is named and that months of the schedule lack.

    Days of a range or a step are not named one by one, so nobody counts on them; nor does anybody when
    weekdays have runs of their own.

    :param cron: five fields, as ``tenants.schedule.cron_of`` returns them.
    """
    _, _, days, months, weekdays = cron.split()
    if weekdays != "*":
        return []
    expanded = croniter.expand(cron)[0][3]
    of_schedule = [number for number in range(1, 13) if expanded == ["*"] or number in expanded]
    named = {int(one) for one in days.split(",") if one.isdecimal()}
    told = ((day, list(_lacking(day, of_schedule))) for day in _ENDINGS if day in named)
    return [_sentence(day, lacking, days) for day, lacking in told if lacking]


def _lacking(day: int, months: list[int]) -> Iterator[int]:
    for month in months:
        if month == _FEBRUARY or (day == 31 and month in _SHORT):
            yield month


def _sentence(day: int, lacking: list[int], days: str) -> str:
    names = [month_name[month] for month in lacking]
    listed = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
    have = "has" if len(names) == 1 else "have"
    when = ", except in leap years," if day == 29 else ""
    remedy = "; `on the last day of the month` runs in each" if days == str(day) else ""
    return f"{listed} {have} no {_ENDINGS[day]}{when} and so no run on it{remedy}."
