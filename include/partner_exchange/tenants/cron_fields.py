"""Cron expressions with five fields, read strictly (M44).

Stricter than the library that Airflow reads them with: what that one accepts and takes for something else
than people mean (``5-5`` for every day, ``*/90`` minutes for once an hour, ``R`` for chance) is refused here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from croniter import croniter
from croniter.croniter import CroniterBadDateError, CroniterError

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_SUNDAY_TOO = 7
_PART = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\d{1,4}))?", re.ASCII)
_NTH_WEEKDAY = re.compile(r"(?P<day>\w+)#[1-5]|L(?P<last>[0-7])", re.ASCII)
_SOME_LEAP_YEAR = datetime(2028, 1, 1)  # noqa: DTZ001  the library counts in wall-clock time here


@dataclass(frozen=True)
class _Field:
    """What one field may hold."""

    title: str
    lowest: int
    highest: int
    names: tuple[str, ...] = ()
    """Names that stand for numbers, the first one for ``lowest``."""
    may_wrap: bool = True
    """Whether a range may go over the end, as ``22-4`` or ``FRI-MON``."""


_FIELDS = (
    _Field("minute", 0, 59, may_wrap=False),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31, may_wrap=False),
    _Field("month", 1, 12, MONTHS),
    _Field("day of the week", 0, _SUNDAY_TOO, WEEKDAYS),
)


def looks_like_cron(text: str) -> bool:
    """Say whether somebody meant cron rather than words: several fields, the first two without words."""
    fields = text.split()
    return len(fields) >= 3 and all(re.fullmatch(r"[\d*/,?#-]+|[HRhr](\W.*)?", one) for one in fields[:2])


def normal(text: str) -> str:
    """Return a cron expression in its normal form: one space between fields, names and letters upper case.

    A field that names all its values is ``*``: else it would hang on its spelling whether the day of the
    month and the weekday must both hold, or one of the two. Other lists, ranges and steps stay as they are
    written. The normal form of a normal form is itself.

    :raises ValueError: says which field does not hold, and what can be written instead.
    """
    fields = text.upper().split()
    if len(fields) != len(_FIELDS):
        raise ValueError(
            "cron has five fields (minute, hour, day of the month, month, day of the week), not "
            f"{len(fields)}; "
            "there are neither seconds nor years, every minute (`* * * * *`) is the shortest"
        )
    settled = []
    for place, (written, field) in enumerate(zip(fields, _FIELDS, strict=True)):
        one = "*" if written == "?" and field.title.startswith("day") else written
        parts = one.split(",")
        for part in parts:
            _require_part(part, field)
        settled.append("*" if "*" in parts or _names_all(one, place) else one)
    if settled[2] != "*" and re.search("[#L]", settled[4]):
        raise ValueError(
            f"`{settled[2]}` and `{settled[4]}` cannot stand together: a day of the month beside a weekday "
            "counted within the month; write `*` for one of the two"
        )
    cron = " ".join(settled)
    _require_runs(cron)
    return cron


def _names_all(field: str, place: int) -> bool:
    """Say whether a field limits nothing, alone among fields without limit."""
    whole = ["*"] * len(_FIELDS)
    whole[place] = field
    try:
        return bool(croniter.expand(" ".join(whole))[0][place] == ["*"])
    except CroniterError:
        # It holds by its parts; that they cannot stand together is said of the whole cron.
        return False


def _require_part(part: str, field: _Field) -> None:
    if _is_special(part, field):
        return
    found = _PART.fullmatch(part)
    if found is None:
        raise ValueError(f"`{part}` is not a {field.title}; {_may_be(field)}")
    first, last, step = found["first"], found["last"], found["step"]
    if step is not None and not 1 <= int(step) <= field.highest:
        raise ValueError(
            f"the step of `{part}` is not within the {field.title} (1-{field.highest}); cron counts each "
            "field from anew and cannot go across its end"
        )
    if first == "*":
        if last is not None:
            raise ValueError(f"`{part}` is not a {field.title}; {_may_be(field)}")
        return
    low = _number(first, field)
    if last is not None:
        # A range that begins with Sunday begins the week, whichever of its two numbers is written.
        low = 0 if field.names == WEEKDAYS and low == _SUNDAY_TOO else low
        _require_range(part, low, _number(last, field), has_step=step is not None, field=field)


def _require_range(part: str, low: int, high: int, *, has_step: bool, field: _Field) -> None:
    if low == high:
        raise ValueError(
            f"`{part}` is a range of one {field.title}, which is read as all of them; write the one alone"
        )
    if low > high and (not field.may_wrap or has_step):
        raise ValueError(f"`{part}` goes backwards; write the two parts as a list, such as `20-23,0-4`")


def _is_special(part: str, field: _Field) -> bool:
    """Say whether it is the last day of the month, or a weekday counted within the month."""
    if field.title == "day of the month":
        return part == "L"
    nth = _NTH_WEEKDAY.fullmatch(part) if field.names == WEEKDAYS else None
    if nth is None:
        return False
    if nth["day"] is not None:
        _number(nth["day"], field)
    return True


def _number(text: str, field: _Field) -> int:
    if text in field.names:
        return field.names.index(text) + field.lowest
    if text.isdecimal() and field.lowest <= int(text) <= field.highest:
        return int(text)
    raise ValueError(f"`{text}` is not a {field.title}; {_may_be(field)}")


def _may_be(field: _Field) -> str:
    names = f" or {field.names[0]}-{field.names[-1]}" if field.names else ""
    return f"write {field.lowest}-{field.highest}{names}, `*`, a list `a,b`, a range `a-b` or a step `*/n`"


def _require_runs(cron: str) -> None:
    try:
        croniter(cron, _SOME_LEAP_YEAR).get_next(datetime)
    except CroniterBadDateError:
        raise ValueError(
            f"`{cron}` never runs: no such month has such a day; `L` is the last day of a month"
        ) from None
    except CroniterError:
        raise ValueError(
            f"`{cron}` mixes what cannot stand together; `L` and `MON#1` stand alone in their field"
        ) from None
