"""Schedules as cron or in people's words (M44, M45).

``cron_of`` is all that a tenant file needs to hold; when a schedule runs is worked out in
``exports.schedule``.
"""

from __future__ import annotations

from partner_exchange.tenants import cron_fields, schedule_words


def cron_of(text: str) -> str:
    """Return the schedule as cron with five fields in normal form, which stays as it is if given again.

    :raises ValueError: it is neither cron that ever runs nor words that are known; says what can be written.
    """
    is_cron = cron_fields.looks_like_cron(text)
    return cron_fields.normal(text if is_cron else schedule_words.cron_of_words(text))


def words_of(cron: str) -> str:
    """Return a cron of ``cron_of`` in words, such as "At 07:30, Monday through Friday" (M45).

    "" for one that the library has no words for, such as hours of ``0,*/6``; Airflow then shows none either.

    Where both the day of the month and the weekday are limited, either is enough, and that is said.
    """
    minute, hour, day, month, weekday = cron.split()
    if "*" in (day, weekday):
        return _described(cron)
    by_day, by_weekday = f"{minute} {hour} {day} {month} *", f"{minute} {hour} * {month} {weekday}"
    told = _described(by_day), _described(by_weekday)
    return "; also: ".join(told) if all(told) else ""


def _described(cron: str) -> str:
    from cron_descriptor import ExpressionDescriptor, FormatException, MissingFieldException, Options

    options = Options()
    options.use_24hour_time_format = True
    # Not the language of the machine: what stands beside it is English.
    options.locale_code = "en_US"
    try:
        text: str = ExpressionDescriptor(cron, options).get_description()
    except (FormatException, MissingFieldException):
        return ""
    return text
