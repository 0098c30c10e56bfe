"""People's words for a schedule, as cron (M45): "once a day at midnight", "weekdays at 7:30".

Each phrase is understood as a whole or refused; no word is passed over. What cron cannot say exactly (every
90 minutes, every other day, 8:00 and 20:30 in one) is refused with the reason, never rounded.
"""

from __future__ import annotations

import re
from difflib import get_close_matches

from partner_exchange.tenants.schedule_days import AND, Days, days_of

EXAMPLES = (
    "every minute",
    "every 5 minutes",
    "every hour",
    "every 2 hours",
    "every 15 minutes on weekdays",
    "once a day at midnight",
    "daily at noon",
    "every day at 7:30",
    "twice a day at 8:00 and 20:00",
    "weekdays at 7:30",
    "weekends at 9:00",
    "every Monday at 6 pm",
    "Mondays and Thursdays at 18:00",
    "Monday to Friday at 7:30",
    "on the 1st of each month at 02:00",
    "monthly on the 15th",
    "on the last day of the month at 23:00",
    "on the first Monday of the month at 9:00",
    "quarterly at 6:00",
    "yearly on July 1 at 6:00",
)
"""One of each kind of phrase, for messages and documentation."""

_ALIASES = {
    "@hourly": "every hour",
    "@daily": "daily",
    "@midnight": "daily",
    "@weekly": "weekly",
    "@monthly": "monthly",
    "@quarterly": "quarterly",
    "@yearly": "yearly",
    "@annually": "yearly",
}
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_SPELLINGS = {
    **{word: str(number) for number, word in enumerate(_NUMBERS, 1)},
    **{"fifteen": "15", "twenty": "20", "thirty": "30"},
    **{"once": "1 times", "twice": "2 times", "thrice": "3 times"},
    **{"first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th"},
    **{"hourly": "every hour", "midday": "noon", "any": "every"},
}
_REWORDED = (
    (r"\b([ap])\.\s?m\b\.?", r"\1m"),
    (r"(\d)([ap]m)\b", r"\1 \2"),
    (r"\bevery half(?:[ -]an)?[ -]hour\b|\bhalf[ -]hourly\b", "every 30 minutes"),
    (r"\bevery quarter(?: of an)?[ -]hour\b", "every 15 minutes"),
    (r"\bevery other (minute|hour)\b", r"every 2 \1s"),
    (r"\b(?:once|one) (?:an|a|every|per|each) (hour|minute)\b", r"every \1"),
)

_TIME = r"(?:midnight|noon|\d{1,2}(?:[:.]\d{2})?(?: [ap]m| ?h| o'?clock)?)"
_TIMES = rf"(?P<times>{_TIME}(?:{AND}(?:at )?{_TIME})*)"
_INTERVAL = re.compile(r"every (?:(?P<every>\d{1,4}) )?(?P<unit>min(?:ute)?|h(?:our)?)s?(?P<days> \S.*)?")
_WITH_TIMES = (
    re.compile(rf"(?P<days>\S.*?),? (?:at )?{_TIMES}"),
    re.compile(rf"(?:at )?{_TIMES},? (?P<days>\S.*)"),
    re.compile(rf"(?:at )?{_TIMES}"),
)
_MINUTES_OF_A_DAY = 24 * 60

_NOT_IN_CRON = (
    (
        r".*\bsec(?:onds?)?\b.*|every 2nd",
        "a minute is the shortest; write `every minute`",
    ),
    (
        r".*\b(?:(?:every|each) (?:other|2nd|3rd|\d+) (?:day|week|month|year|quarter|\w+day)s?"
        r"|bi-?(?:weekly|monthly)|fortnight(?:ly)?)\b.*",
        "cron cannot count days, weeks or months over the end of a month or year; name the days, such as "
        "`Mondays and Thursdays at 18:00` or `on the 1st and 15th of each month`",
    ),
    (
        r".*\b(?:utc|gmt|[ecmp][sd]?t|ce[st]+|[bi]st)\b.*",
        "a zone does not stand in the schedule; put it into `time_zone`, such as America/Chicago",
    ),
    (
        r".*\b(?:between|from) .*\d.*\b(?:and|to|until)\b.*",
        "hours from and to are for cron: `*/15 8-17 * * MON-FRI` is every 15 minutes from 8:00 to 17:45",
    ),
)


def cron_of_words(text: str) -> str:
    """Return a phrase as cron; of a day that never comes too, such as 30 February.

    :raises ValueError: the phrase is not known, then with the nearest one that is, or says what cron cannot.
    """
    phrase = _plain(text)
    cron = _understood(phrase)
    if cron is not None:
        return cron
    for pattern, reason in _NOT_IN_CRON:
        if re.fullmatch(pattern, phrase):
            raise ValueError(reason)
    raise ValueError(f"neither cron with five fields nor words that are known; {_hint(text)}")


def _plain(text: str) -> str:
    """Return a phrase in lower case, with one spelling for what has several."""
    phrase = " ".join(text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split()).rstrip(".!")
    phrase = _ALIASES.get(phrase, phrase)
    for pattern, spelling in _REWORDED:
        phrase = re.sub(pattern, spelling, phrase)
    return re.sub(r"\b[a-z]+\b", lambda word: _SPELLINGS.get(word[0], word[0]), phrase)


def _understood(phrase: str) -> str | None:
    interval = _INTERVAL.fullmatch(phrase)
    if interval is not None:
        return _of_interval(interval)
    for pattern in _WITH_TIMES:
        found = pattern.fullmatch(phrase)
        if found is not None:
            days = days_of(found.groupdict().get("days", "daily"))
            if days is not None:
                return _of_times(found["times"], *days)
    days = days_of(phrase)
    return None if days is None else _of_times("midnight", *days)


def _of_interval(found: re.Match[str]) -> str | None:
    days = days_of((found["days"] or "daily").strip().removeprefix(", "))
    # The interval says how often; "every 5 minutes twice a day" says it again.
    if days is None or days[1] is not None:
        return None
    pause = int(found["every"] or 1) * (1 if found["unit"].startswith("m") else 60)
    if pause and pause < 60 and 60 % pause == 0:
        clock = "* *" if pause == 1 else f"*/{pause} *"
    elif pause and pause % 60 == 0 and _MINUTES_OF_A_DAY % pause == 0:
        hours = pause // 60
        clock = {1: "0 *", 24: "0 0"}.get(hours, f"0 */{hours}")
    else:
        raise ValueError(
            "cron begins anew each hour and each day, so the pauses would differ; write minutes that "
            "divide 60 (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30) or hours that divide 24 (1, 2, 3, 4, 6, 8, 12)"
        )
    return f"{clock} {_fields(days[0])}"


def _of_times(times: str, days: Days, promised: int | None) -> str:
    """Return the cron of clock times on days.

    :raises ValueError: a time that is none, more or fewer than promised, or times that no one cron has.
    """
    clock = sorted({_time_of_day(one) for one in re.findall(_TIME, times)})
    if promised is not None and promised != len(clock) * days.count:
        raise ValueError(
            f"{promised} runs are promised, and {len(clock) * days.count} named; write it as `twice a day at "
            "8:00 and 20:00`"
        )
    minutes = {minute for _, minute in clock}
    if len(minutes) > 1:
        raise ValueError(
            "times with different minutes do not fit into one cron; choose the same minute for all, such as "
            "8:30 and 20:30, or make an export for each"
        )
    return f"{minutes.pop()} {','.join(str(hour) for hour, _ in clock)} {_fields(days)}"


def _fields(days: Days) -> str:
    return f"{days.day} {days.month} {days.weekday}"


def _time_of_day(text: str) -> tuple[int, int]:
    if not text[0].isdigit():
        return (12, 0) if text == "noon" else (0, 0)
    numbers = [int(one) for one in re.findall(r"\d+", text)]
    hour, minute = numbers[0], numbers[1] if len(numbers) > 1 else 0
    half = text[-2:] if text.endswith(("am", "pm")) else ""
    if minute > 59 or hour > 23 or (half and not 1 <= hour <= 12):
        raise ValueError(f"`{text}` is no time of day; write 00:00 to 23:59, or 12:00 am to 11:59 pm")
    return (hour % 12 + (12 if half == "pm" else 0) if half else hour), minute


def _hint(text: str) -> str:
    """Return what somebody may have meant: the phrase with its words mended, or the nearest example."""
    words = sorted({word for one in EXAMPLES for word in re.findall(r"[A-Za-z]+", one)})
    by_key = {word.casefold(): word for word in words}

    def mended(word: re.Match[str]) -> str:
        near = get_close_matches(word[0].casefold(), by_key, n=1)
        return by_key[near[0]] if near else word[0]

    try:
        guess = re.sub(r"[A-Za-z]{3,}", mended, text)
        if _understood(_plain(guess)) is not None:
            return f"perhaps `{guess}` is meant"
    except ValueError:
        pass
    near = get_close_matches(text.casefold(), {one.casefold(): one for one in EXAMPLES}, n=1, cutoff=0.4)
    example = next((one for one in EXAMPLES if near and one.casefold() == near[0]), EXAMPLES[1])
    return f"write it as `{example}`, or as cron such as `30 7 * * MON-FRI`"
