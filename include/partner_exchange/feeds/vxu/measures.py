"""The numbers that rules compare: days, instants, ages, what a vaccine allows; NaN where one is not known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from partner_exchange.feeds.vxu.code_sets import VaccineKind
from partner_exchange.feeds.vxu.dates import Numbers, Precision, StampFault, whole_months
from partner_exchange.feeds.vxu.piece import Piece, table_of
from partner_exchange.feeds.vxu.vaccines import NO_VACCINE

HOUR_S, DAY_S = 3_600, 86_400
OLDEST_YEARS = 130
OLDEST_MESSAGE = "1900-01-01"
_MESSAGE_LIKE = ("messages", "patients")


def measure(piece: Piece, name: str, table: str) -> Numbers:
    """Return a number for each line of a table; one of messages or patients may stand beside any line."""
    of, find = MEASURES[name] if name in MEASURES else (table_of(name), lambda piece: piece.days(name))
    numbers = find(piece)
    if of == table or (of in _MESSAGE_LIKE and table in _MESSAGE_LIKE):
        return numbers
    return numbers[piece.tables[table].message]


def today(piece: Piece) -> float:
    """Return the day on which the file came, at the partner."""
    return float(np.datetime64(_arrived(piece).date(), "D").astype(np.int64))


def tomorrow(piece: Piece) -> float:
    """Return the day after the file came, at the partner; a day is given to zones."""
    return today(piece) + 1


def message_at(piece: Piece) -> Numbers:
    """Return the instant of each message in seconds since 1970-01-01 UTC."""
    coded = piece.tables["messages"].coded("MSH-7")
    return piece.stamps("MSH-7").utc(piece.context.tenant.time_zone)[coded.at]


def given_on(piece: Piece) -> Numbers:
    """Return the day of each dose, where it can be: not in the future, and in the life of the patient."""
    days, start, end = (measure(piece, name, "doses") for name in ("dose_until_message", "birth", "death"))
    return np.where((days < start) | (days > end), np.nan, days)


def given_to_message(piece: Piece) -> Numbers:
    """Return the days from each dose to its message."""
    return measure(piece, "message", "doses") - given_on(piece)


def age_months(piece: Piece) -> Numbers:
    """Return the age at each dose in whole months."""
    return whole_months(measure(piece, "birth", "doses"), given_on(piece))


def _arrived(piece: Piece) -> datetime:
    context = piece.context
    return context.arrived_at.astimezone(ZoneInfo(context.tenant.time_zone))


def _today(piece: Piece) -> Numbers:
    return np.full(len(piece.rows), today(piece))


def _tomorrow(piece: Piece) -> Numbers:
    return np.full(len(piece.rows), tomorrow(piece))


def _latest_at(piece: Piece) -> Numbers:
    """Return the last instant that a message may have: clocks differ, and a time without an offset is of any
    zone.
    """
    stamps, at = piece.stamps("MSH-7"), piece.tables["messages"].coded("MSH-7").at
    ahead: Numbers = np.where(np.isnan(stamps.ahead_s), DAY_S, HOUR_S)[at]
    return piece.context.arrived_at.timestamp() + ahead


def _first_message(piece: Piece) -> Numbers:
    oldest = np.datetime64(OLDEST_MESSAGE, "D").astype(np.int64)
    return np.maximum(_years_before(_today(piece)), oldest)


def _message(piece: Piece) -> Numbers:
    days = piece.days("MSH-7")
    return np.where(days < _first_message(piece), np.nan, days)


def _years_before(days: Numbers) -> Numbers:
    """Return the day ``OLDEST_YEARS`` before each."""
    dates = days.astype(np.int64).astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    first = (months - OLDEST_YEARS * 12).astype("datetime64[D]") + (dates - months.astype("datetime64[D]"))
    oldest: Numbers = first.astype(np.int64).astype(np.float64)
    return oldest


def _minute(piece: Piece) -> Numbers:
    return np.full(len(piece.rows), float(Precision.MINUTE))


def _precision(piece: Piece) -> Numbers:
    stamps, at = piece.stamps("MSH-7"), piece.tables["messages"].coded("MSH-7").at
    is_day = (stamps.fault == StampFault.NONE) & ~np.isnan(stamps.day)
    precision: Numbers = np.where(is_day, stamps.precision, np.nan)[at]
    return precision


def _last_birth(piece: Piece) -> Numbers:
    return np.fmin(measure(piece, "message", "patients"), tomorrow(piece))


def _first_birth(piece: Piece) -> Numbers:
    return _years_before(_last_birth(piece))


def _birth(piece: Piece) -> Numbers:
    """Return the birth date where it can be: not in the future, not too long ago."""
    days = piece.days("PID-7")
    return np.where((days > _last_birth(piece)) | (days < _first_birth(piece)), np.nan, days)


def _death(piece: Piece) -> Numbers:
    days = piece.days("PID-29")
    return np.where(piece.patients.of("PID-30", "Y") & (days <= tomorrow(piece)), days, np.nan)


def _dose_in(piece: Piece, ahead_s: Numbers) -> Numbers:
    """Return the day of each dose where the clock is so far ahead of UTC: the one that is written, or the one
    before where the dose has an offset of its own that says so.
    """
    stamps, at = piece.stamps("RXA-3"), piece.doses.coded("RXA-3").at
    there = np.floor(((stamps.second - stamps.ahead_s)[at] + ahead_s) / DAY_S)
    return np.fmin(stamps.day[at], there)


def _dose_here(piece: Piece) -> Numbers:
    offset = _arrived(piece).utcoffset() or timedelta()
    return _dose_in(piece, np.full(len(piece.doses), offset.total_seconds()))


def _dose_at_message(piece: Piece) -> Numbers:
    """Return the day of each dose that is not in the future, at its message."""
    stamps, at = piece.stamps("MSH-7"), piece.tables["messages"].coded("MSH-7").at
    ahead_s = (stamps.second[at] - message_at(piece))[piece.doses.message]
    return np.where(_dose_here(piece) > today(piece), np.nan, _dose_in(piece, ahead_s))


def _dose_until_message(piece: Piece) -> Numbers:
    at_message, message = _dose_at_message(piece), measure(piece, "message", "doses")
    return np.where(np.isnan(at_message) | (at_message > message), np.nan, piece.days("RXA-3"))


def _window(name: str) -> tuple[str, Callable[[Piece], Numbers]]:
    def find(piece: Piece) -> Numbers:
        # The code of an unspecified product is as old as the table, and 998 stands for no product at all.
        is_open = piece.vaccines.of_kind(VaccineKind.UNSPECIFIED) | piece.vaccines.of(frozenset({NO_VACCINE}))
        return np.where(is_open, np.nan, piece.vaccines.days(name))

    return "doses", find


def _licensed_dose(piece: Piece) -> Numbers:
    """Return the day of doses within the licence."""
    days = given_on(piece)
    start, end = (measure(piece, name, "doses") for name in ("licensed_from", "licensed_until"))
    return np.where((days < start) | (days > end), np.nan, days)


def _age(name: str) -> tuple[str, Callable[[Piece], Numbers]]:
    return "doses", lambda piece: piece.vaccines.months(name)


MEASURES: Mapping[str, tuple[str, Callable[[Piece], Numbers]]] = {
    "tomorrow": ("messages", _tomorrow),
    "today": ("messages", _today),
    "latest_at": ("messages", _latest_at),
    "first_message": ("messages", _first_message),
    "message": ("messages", _message),
    "message_at": ("messages", message_at),
    "minute": ("messages", _minute),
    "precision": ("messages", _precision),
    "last_birth": ("patients", _last_birth),
    "first_birth": ("patients", _first_birth),
    "birth": ("patients", _birth),
    "death": ("patients", _death),
    "given_on": ("doses", given_on),
    "dose_here": ("doses", _dose_here),
    "dose_at_message": ("doses", _dose_at_message),
    "dose_until_message": ("doses", _dose_until_message),
    "licensed_dose": ("doses", _licensed_dose),
    "age_months": ("doses", age_months),
    **{
        name: _window(name) for name in ("licensed_from", "licensed_until", "expected_from", "expected_until")
    },
    **{name: _age(name) for name in ("age_from_months", "age_until_months")},
}
"""By name: the table whose lines it goes with, and how it is found. A place of a date stands for its day."""
