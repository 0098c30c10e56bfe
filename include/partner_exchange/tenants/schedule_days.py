"""The part of a phrase that says on which days: "weekdays", "Mondays and Thursdays", "the 1st of each month".

Phrases come in the plain spelling of ``schedule_words``: lower case, numbers as digits, one space.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from partner_exchange.tenants.cron_fields import MONTHS, WEEKDAYS


@dataclass(frozen=True)
class Days:
    """On which days: the last three fields of cron."""

    day: str = "*"
    month: str = "*"
    weekday: str = "*"
    count: int = 1
    """How many days that are of the day, week or month that the phrase speaks of."""


AND = r"(?:\s?,\s?(?:and )?| and | ?& ?)"
COUNT = r"(?:(?P<count>\d{1,2})(?: times)?)"
"""How often a phrase promises that something runs: "1 times a day"."""

_WEEKDAY = (
    r"(?:sun(?:day)?|mon(?:day)?|tue(?:s|sday)?|wed(?:nesday)?|thu(?:rs?|rsday)?|fri(?:day)?"
    r"|sat(?:urday)?)s?"
)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_A = r"(?:every|each|the|a|per)"
_NTH = r"(?:\d{1,2}(?:st|nd|rd|th))"
_DAY_NUMBER = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_TO = r"(?: to | through | until | ?[-\N{EN DASH}] ?)"

_WEEKLY = rf"(?:weekly|{COUNT}? ?{_A} week)"
_MONTHLY = rf"(?:monthly|{COUNT}? ?{_A} month)"
_YEARLY = rf"(?:yearly|annually|{COUNT}? ?{_A} year)"
_QUARTERLY = rf"(?:quarterly|{COUNT}? ?{_A} quarter)"
_OF_A_MONTH = rf"(?: day)? (?:of|in) {_A} month"
_SOME_WEEKDAYS = rf"(?P<named>{_WEEKDAY}(?:{AND}(?:on )?(?:every )?{_WEEKDAY})*)"
_SOME_DAYS = rf"(?P<named>{_NTH}(?:{AND}(?:the )?{_NTH})*)"


def days_of(text: str) -> tuple[Days, int | None] | None:
    """Return the days that words name, and how many runs they promise if they do; None for unknown words.

    :raises ValueError: the words are known, but there are no such days.
    """
    for pattern, days in _PHRASES:
        found = pattern.fullmatch(text)
        if found is not None:
            promised = found.groupdict().get("count")
            return (days if isinstance(days, Days) else days(found)), int(promised) if promised else None
    return None


def _weekdays(found: re.Match[str]) -> Days:
    named = dict.fromkeys(_weekday(one) for one in re.findall(_WEEKDAY, found["named"]))
    return Days(weekday=",".join(named), count=len(named))


def _span_of_weekdays(found: re.Match[str]) -> Days:
    first, last = _weekday(found["first"]), _weekday(found["last"])
    if first == last:
        raise ValueError("a span from a weekday to itself; name the day alone, or write `daily`")
    return Days(weekday=f"{first}-{last}")


def _days_of_month(found: re.Match[str]) -> Days:
    numbers = sorted({int(one) for one in re.findall(r"\d+", found["named"])})
    if not 1 <= numbers[0] <= numbers[-1] <= 31:
        raise ValueError("a month has the days 1st to 31st; `on the last day of the month` is known too")
    return Days(day=",".join(str(one) for one in numbers), count=len(numbers))


def _weekday_of_month(found: re.Match[str]) -> Days:
    weekday = _weekday(found["weekday"])
    if found["nth"] == "last":
        return Days(weekday=f"L{WEEKDAYS.index(weekday)}")
    number = int(found["nth"][:-2])
    if not 1 <= number <= 5:
        raise ValueError("a month has a weekday five times at most; write `on the first Monday of the month`")
    return Days(weekday=f"{weekday}#{number}")


def _day_of_year(found: re.Match[str]) -> Days:
    month = next(one for one in MONTHS if found["month"].upper().startswith(one))
    return Days(day=str(int(found["day"])), month=month)


def _weekday(text: str) -> str:
    return text[:3].upper()


_PHRASES: tuple[tuple[re.Pattern[str], Days | Callable[[re.Match[str]], Days]], ...] = tuple(
    (re.compile(pattern), days)
    for pattern, days in (
        (rf"{COUNT}? ?(?:daily|(?:{_A}|all) days?)", Days()),
        (
            rf"(?:on |every |each |{COUNT} (?:on |{_A} )?)?(?:week|working |work|business )days?",
            Days(weekday="MON-FRI"),
        ),
        (r"(?:on |every |each )?(?:the )?weekends?", Days(weekday="SAT,SUN")),
        (_WEEKLY, Days(weekday="SUN")),
        (rf"(?:{_WEEKLY} )?(?:on |every |each )?{_SOME_WEEKDAYS}", _weekdays),
        (
            rf"(?:on |every |each |(?:daily )?(?:from )?)?(?P<first>{_WEEKDAY}){_TO}(?P<last>{_WEEKDAY})",
            _span_of_weekdays,
        ),
        (_MONTHLY, Days(day="1")),
        (rf"(?:{_MONTHLY} )?(?:on )?(?:the )?{_SOME_DAYS}{_OF_A_MONTH}", _days_of_month),
        (rf"{_MONTHLY},? on (?:the )?{_SOME_DAYS}(?: day)?", _days_of_month),
        (rf"(?:{_MONTHLY} )?(?:on )?(?:the )?last day(?: (?:of|in) {_A} month)?", Days(day="L")),
        (
            rf"(?:on )?(?:(?:the|every|each) )?(?P<nth>{_NTH}|last) (?P<weekday>{_WEEKDAY})"
            rf" (?:of|in) {_A} month",
            _weekday_of_month,
        ),
        (_QUARTERLY, Days(day="1", month="*/3")),
        (_YEARLY, Days(day="1", month="JAN")),
        (rf"(?:{_YEARLY},? )(?:on )?(?:the )?(?P<month>{_MONTH}) (?:the )?{_DAY_NUMBER}", _day_of_year),
        (rf"(?:{_YEARLY},? )(?:on )?(?:the )?{_DAY_NUMBER}(?: of)? (?P<month>{_MONTH})", _day_of_year),
    )
)
