"""Dates and date-times as partners write them, as whole columns: their one fault each, day and instant.

Dates are M/D/YYYY, MM/DD/YYYY or YYYY-MM-DD, the last being what a date cell of a workbook reads as. Behind a
date may stand a time: ``16:30``, ``16:30:00``, ``4:30 PM``, after a space or ``T``, with ``Z`` or ``+hh:mm``
if it is not local. Called by the status feed, and by the expectations of ``moment_expectations.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import IntEnum
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from partner_exchange.readers.cells import Cells

Days = npt.NDArray[np.datetime64]
"""Days as datetime64[D]."""
Instants = npt.NDArray[np.datetime64]
"""Times as datetime64[us]: UTC, unless a name says that they are local."""
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]

AHEAD_S = 300
"""How far a partner's clock may be ahead of ours."""
OLDEST_YEARS = 10

_DATE = (
    r"\A(?:(?P<m>[0-9]{1,2})/(?P<d>[0-9]{1,2})/(?P<y>[0-9]{4})"
    r"|(?P<iso_y>[0-9]{4})-(?P<iso_m>[0-9]{2})-(?P<iso_d>[0-9]{2}))(?P<rest>(?s:[ Tt\x{a0}\x{202f}].*)?)\z"
)
# A spreadsheet of an English Windows or Mac puts a narrow no-break space before AM and PM.
_SPACE = r"[ \x{a0}\x{202f}]*"
_TIME = (
    r"\A(?:[ \x{a0}\x{202f}]+|[Tt])(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:\.(?P<part>[0-9]{1,9}))?)?"
    rf"{_SPACE}(?P<half>(?i:[ap]\.?m\.?))?{_SPACE}"
    r"(?P<zone>[Zz]|(?P<sign>[+-])(?P<ahead_h>[0-9]{2}):?(?P<ahead_m>[0-9]{2}))?\z"
)
_SLOT_S = 900


class MomentFault(IntEnum):
    """What is wrong with a date or date-time, in the order of looking; only the first is stated."""

    NONE = 0
    DATE_FORMAT = 1
    NO_SUCH_DAY = 2
    TIME_FORMAT = 3
    NO_SUCH_TIME = 4
    FUTURE = 5
    TOO_OLD = 6
    NOT_SATURDAY = 7


@dataclass(frozen=True)
class Moments:
    """What the cells of a column say, one entry per cell."""

    fault: npt.NDArray[np.int8]
    """``MomentFault``; blank cells have none."""
    day: Days
    """Day as written; NaT where the cell is blank or faulty."""
    at: Instants
    """Instant in UTC; NaT also where no time is written."""

    def take(self, places: Numbers) -> Moments:
        """Return the entries at these places."""
        return Moments(self.fault[places], self.day[places], self.at[places])


@dataclass(frozen=True)
class Reporting:
    """By what reporting times are judged."""

    arrived_at: datetime
    """When the file came, with its zone."""
    zone: str
    """Zone of times written without one, such as America/Chicago."""
    may_have_time: bool = True
    is_week_ending: bool = False
    """Whether it must be a Saturday, the last day of a week at CDC."""

    @property
    def today(self) -> date:
        """Return the local day on which the file came."""
        return self.arrived_at.astimezone(ZoneInfo(self.zone)).date()


def read_days(cells: Cells) -> Moments:
    """Return the days that the cells hold; anything behind a date is a fault of its format."""
    return _by_distinct(cells, lambda values: _read(values, None))


def read_moments(cells: Cells, *, zone: str) -> Moments:
    """Return days and instants; a time without a zone of its own is local in ``zone``."""
    return _by_distinct(cells, lambda values: _read(values, ZoneInfo(zone)))


def judge_moments(cells: Cells, by: Reporting) -> Moments:
    """Return what ``read_moments`` or ``read_days`` does, with what a reporting time must not be as a fault.

    It must not be in the future, where ``AHEAD_S`` are forgiven, nor older than ``OLDEST_YEARS``.
    """

    def judged(values: pa.Array) -> Moments:
        moments = _read(values, ZoneInfo(by.zone) if by.may_have_time else None)
        fault = np.where(moments.fault == MomentFault.NONE, _limits(moments, by), moments.fault)
        return _without_faulty(fault.astype(np.int8), moments)

    return _by_distinct(cells, judged)


def _limits(moments: Moments, by: Reporting) -> npt.NDArray[np.int64]:
    has_time = ~np.isnat(moments.at)
    latest = instant(by.arrived_at) + np.timedelta64(AHEAD_S, "s")
    today = np.datetime64(by.today, "D")
    # Days after the 28th are not in every year's month; up to three days more are no harm here.
    first_day = by.today.replace(year=by.today.year - OLDEST_YEARS, day=min(by.today.day, 28))
    oldest = np.datetime64(first_day, "D")
    is_future = np.where(has_time, moments.at > latest, moments.day > today)
    # Day 0 of numpy, 1970-01-01, was a Thursday.
    is_saturday = (moments.day.astype(np.int64) + 4) % 7 == 6
    return np.select(
        [is_future, moments.day < oldest, by.is_week_ending & ~is_saturday & ~np.isnat(moments.day)],
        [MomentFault.FUTURE, MomentFault.TOO_OLD, MomentFault.NOT_SATURDAY],
        MomentFault.NONE,
    )


def instant(moment: datetime) -> np.datetime64:
    """Return a moment that has a zone as UTC without one."""
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")


def last_second(days: Days, *, zone: str) -> Instants:
    """Return the instant of 23:59:59 local time of each day."""
    midnight: Instants = days.astype("datetime64[us]")
    return _utc(midnight + np.timedelta64(86_399, "s"), ZoneInfo(zone))


def _by_distinct(cells: Cells, read: Callable[[pa.Array], Moments]) -> Moments:
    whole = cells.chunk(0) if cells.num_chunks == 1 else cells.combine_chunks()
    coded = whole.dictionary_encode()
    return read(coded.dictionary).take(coded.indices.to_numpy())


def _read(values: pa.Array, zone: ZoneInfo | None) -> Moments:
    """Return what distinct values say; without a zone, nothing may stand behind the date."""
    parts = pc.extract_regex(values, pattern=_DATE)
    is_dated = _flags(pc.is_valid(parts))
    is_blank = _flags(pc.equal(pc.binary_length(values), 0))
    day, exists = _days(parts)
    has_rest = _flags(pc.fill_null(pc.greater(pc.binary_length(pc.struct_field(parts, "rest")), 0), False))
    fault = np.where(exists, MomentFault.NONE, MomentFault.NO_SUCH_DAY)
    at: Instants = np.full(len(values), np.datetime64("NaT", "us"))
    if zone is None:
        is_dated &= ~has_rest
    elif has_rest.any():
        at, time_fault = _times(pc.struct_field(parts, "rest"), day, zone)
        fault = np.where(exists & has_rest, time_fault, fault)
        at[~has_rest] = np.datetime64("NaT")
    fault = np.where(is_dated, fault, MomentFault.DATE_FORMAT)
    fault[is_blank] = MomentFault.NONE
    moments = Moments(fault, np.where(is_blank, np.datetime64("NaT", "D"), day), at)
    return _without_faulty(fault.astype(np.int8), moments)


def _without_faulty(fault: npt.NDArray[np.int8], moments: Moments) -> Moments:
    is_sound = fault == MomentFault.NONE
    return Moments(
        fault,
        np.where(is_sound, moments.day, np.datetime64("NaT", "D")),
        np.where(is_sound, moments.at, np.datetime64("NaT", "us")),
    )


def _days(parts: pa.StructArray) -> tuple[Days, Flags]:
    """Return the days, and which of them are in the calendar."""
    year, month, day = (_number(parts, name) + _number(parts, f"iso_{name}") for name in ("y", "m", "d"))
    is_month = (month >= 1) & (month <= 12) & (year >= 1)
    months = ((year - 1970) * 12 + np.where(is_month, month, 1) - 1).astype("datetime64[M]")
    length = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)
    return months.astype("datetime64[D]") + (day - 1), is_month & (day >= 1) & (day <= length)


def _times(rest: pa.Array, day: Days, zone: ZoneInfo) -> tuple[Instants, npt.NDArray[np.int64]]:
    """Return the instants of days and the times behind them, and the fault of each time."""
    parts = pc.extract_regex(rest, pattern=_TIME)
    hour, minute, second = (_number(parts, name) for name in ("hour", "minute", "second"))
    half = pc.utf8_lower(pc.utf8_slice_codeunits(pc.struct_field(parts, "half"), 0, 1))
    is_pm, is_halved = (
        _flags(pc.fill_null(flags, False)) for flags in (pc.equal(half, "p"), pc.greater(half, ""))
    )
    ahead_m, ahead_h = _number(parts, "ahead_m"), _number(parts, "ahead_h")
    exists = (minute < 60) & (second < 60) & (ahead_m < 60) & (ahead_h < 24)
    exists &= np.where(is_halved, (hour >= 1) & (hour <= 12), hour < 24)
    hour = np.where(is_halved, hour % 12 + 12 * is_pm, hour)
    part = pc.utf8_slice_codeunits(pc.utf8_rpad(pc.struct_field(parts, "part"), 6, "0"), 0, 6)
    since_midnight = (hour * 3600 + minute * 60 + second) * 1_000_000 + _cast(part)
    local = day.astype("datetime64[us]") + since_midnight
    is_west = _flags(pc.fill_null(pc.equal(pc.struct_field(parts, "sign"), "-"), False))
    ahead = (ahead_h * 60 + ahead_m) * np.where(is_west, -60_000_000, 60_000_000)
    has_zone = _flags(pc.fill_null(pc.greater(pc.struct_field(parts, "zone"), ""), False))
    fault = np.where(exists, MomentFault.NONE, MomentFault.NO_SUCH_TIME)
    fault[_flags(pc.is_null(parts))] = MomentFault.TIME_FORMAT
    # What is faulty is set back first: a wild date has no offset.
    local = np.where(fault == MomentFault.NONE, local, np.datetime64(0, "us"))
    return np.where(has_zone, local - ahead, _utc(local, zone)), fault


def _utc(local: Instants, zone: ZoneInfo) -> Instants:
    """Return local times as UTC; times that occur twice or never by the rule of zoneinfo for ``fold=0``.

    Clocks are moved at quarters of an hour only, so one look-up serves all times of a quarter.
    """
    is_time = ~np.isnat(local)
    seconds = np.where(is_time, local, np.datetime64(0, "us")).astype("datetime64[s]").astype(np.int64)
    slots, place = np.unique(seconds // _SLOT_S, return_inverse=True)
    starts = (slots * _SLOT_S).astype("datetime64[s]").astype(object)
    offsets = [int(start.replace(tzinfo=zone).utcoffset().total_seconds()) for start in starts]
    result: Instants = local - (np.array(offsets, dtype=np.int64)[place] * 1_000_000).astype(
        "timedelta64[us]"
    )
    return result


def _number(parts: pa.StructArray, name: str) -> Numbers:
    return _cast(pc.struct_field(parts, name))


def _cast(digits: pa.Array) -> Numbers:
    """Return digits as numbers; what is not there as 0."""
    filled = pc.if_else(pc.greater(pc.binary_length(digits), 0), digits, pa.scalar("0", digits.type))
    numbers: Numbers = pc.cast(pc.fill_null(filled, "0"), pa.int64()).to_numpy(zero_copy_only=False)
    return numbers


def _flags(values: pa.BooleanArray) -> Flags:
    flags: Flags = values.to_numpy(zero_copy_only=False)
    return flags
