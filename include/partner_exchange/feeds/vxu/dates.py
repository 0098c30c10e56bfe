"""Dates and times as HL7 writes them: YYYYMMDD[HHMM[SS[.S]]][+-ZZZZ], as whole columns.

Days are those that are written, without regard to zones: a dose on the evening of a day is not "after" the
message that an hour later tells of it in UTC. What ``measures.py`` asks of a zone, it says itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from partner_exchange.feeds.vxu.cells import Flags, Places, flags_of

Numbers = npt.NDArray[np.float64]
"""Days since 1970-01-01; NaN where there is none."""

_WRITTEN = (
    r"\A(?P<year>[0-9]{4})(?:(?P<month>[0-9]{2})(?:(?P<day>[0-9]{2})"
    r"(?:(?P<hour>[0-9]{2})(?:(?P<minute>[0-9]{2})(?:(?P<second>[0-9]{2})(?:\.[0-9]{1,9})?)?)?)?)?)?"
    r"(?P<zone>(?P<sign>[+-])(?P<ahead>[0-9]{3,4}))?\z"
)
_ZONED_S = tuple(np.array(["1900-01-01", "9999-01-01"], "datetime64[s]").astype(np.int64).tolist())
"""First and last time that has an offset of its own; earlier and later ones have that of these."""
_USUAL_ZONE = 5
"""Characters of an offset from UTC with its sign."""


class StampFault(IntEnum):
    """What is wrong with a date; only the first of these is stated."""

    NONE = 0
    NOT_OF_TYPE = 1
    NO_SUCH_DAY = 2
    NOT_PRECISE = 3


class Precision(IntEnum):
    """How far down a date goes."""

    YEAR = 0
    MONTH = 1
    DAY = 2
    HOUR = 3
    MINUTE = 4


@dataclass(frozen=True)
class Stamps:
    """What texts say as dates, one entry per text; a blank one has no fault and nothing else."""

    fault: npt.NDArray[np.int8]
    """``StampFault``: ``NOT_PRECISE`` where there is no day."""
    precision: npt.NDArray[np.int8]
    """``Precision`` of what has no fault, else that of a year."""
    day: Numbers
    """NaN where there is none: blank, faulty, or not precise."""
    second: Numbers
    """Seconds since 1970-01-01 as written, whatever the zone; NaN where there is no day."""
    ahead_s: Numbers
    """Offset from UTC; NaN where none is written."""
    is_zone_unusual: Flags
    """The offset has three digits."""

    def utc(self, zone: str) -> Numbers:
        """Return the seconds since 1970-01-01 UTC; a time without an offset is local in ``zone``.

        A local time that occurs twice is the first of the two, one that never occurs the end of the gap.
        """
        seconds = self.second - np.where(np.isnan(self.ahead_s), 0.0, self.ahead_s)
        local = np.flatnonzero(np.isnan(self.ahead_s) & ~np.isnan(self.second))
        if len(local):
            # At the ends of the calendar a zone leads out of it.
            asked = np.clip(self.second[local], *_ZONED_S).astype(np.int64)
            stamps = pd.DatetimeIndex(asked.astype("datetime64[s]"))
            is_first = np.ones(len(local), dtype=np.bool_)
            zoned = stamps.tz_localize(zone, ambiguous=is_first, nonexistent="shift_forward")
            utc = zoned.tz_convert(None).to_numpy().astype("datetime64[s]").astype(np.int64)
            seconds[local] += utc - asked
        return seconds


def read_stamps(values: pa.Array) -> Stamps:
    """Return what texts say as dates and times."""
    parts = pc.extract_regex(values, pattern=_WRITTEN)
    is_written = flags_of(pc.is_valid(parts))
    is_blank = flags_of(pc.equal(pc.binary_length(values), 0))
    names = ("month", "day", "hour", "minute")
    has = [flags_of(pc.greater(_lengths(parts, name), 0)) for name in names]
    year, month, day, hour, minute, second = (
        _number(parts, name) for name in ("year", "month", "day", "hour", "minute", "second")
    )
    is_month = (month >= 1) & (month <= 12) & (year >= 1)
    months = ((year - 1970) * 12 + np.where(is_month, month, 1) - 1).astype("datetime64[M]")
    length = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64)
    exists = (~has[0] | is_month) & (~has[1] | ((day >= 1) & (day <= length))) & (year >= 1)
    zone_length = _lengths(parts, "zone").to_numpy(zero_copy_only=False)
    ahead = _number(parts, "ahead")
    exists &= (hour < 24) & (minute < 60) & (second < 60) & (ahead % 100 < 60) & (ahead // 100 < 24)
    fault = np.select(
        [is_blank, ~is_written, ~exists, ~has[1]],
        [StampFault.NONE, StampFault.NOT_OF_TYPE, StampFault.NO_SUCH_DAY, StampFault.NOT_PRECISE],
        StampFault.NONE,
    )
    is_day = (fault == StampFault.NONE) & ~is_blank
    first = months.astype("datetime64[D]").astype(np.int64)
    days = np.where(is_day, first + day - 1, np.nan)
    is_west = flags_of(pc.fill_null(pc.equal(pc.struct_field(parts, "sign"), "-"), False))
    ahead_s = (ahead // 100 * 3600 + ahead % 100 * 60) * np.where(is_west, -1, 1)
    precision = np.where(is_day, np.cumprod(has, axis=0).sum(axis=0), Precision.YEAR)
    return Stamps(
        fault=fault.astype(np.int8),
        precision=precision.astype(np.int8),
        day=days,
        second=days * 86_400.0 + hour * 3600 + minute * 60 + second,
        ahead_s=np.where(is_day & (zone_length > 0), ahead_s, np.nan),
        is_zone_unusual=is_day & (zone_length > 0) & (zone_length < _USUAL_ZONE),
    )


def whole_months(start: Numbers, end: Numbers) -> Numbers:
    """Return the whole months from one day to another; NaN where a day is missing or the order is wrong."""
    is_known = end >= start
    days = [np.where(is_known, each, 0).astype(np.int64).astype("datetime64[D]") for each in (start, end)]
    months = [each.astype("datetime64[M]") for each in days]
    of_month = [
        (day - month.astype("datetime64[D]")).astype(np.int64)
        for day, month in zip(days, months, strict=True)
    ]
    whole = (months[1] - months[0]).astype(np.int64) - (of_month[1] < of_month[0])
    result: Numbers = np.where(is_known, whole, np.nan)
    return result


def _lengths(parts: pa.StructArray, name: str) -> pa.Array:
    return pc.fill_null(pc.binary_length(pc.struct_field(parts, name)), 0)


def _number(parts: pa.StructArray, name: str) -> Places:
    digits = pc.struct_field(parts, name)
    filled = pc.if_else(pc.greater(_lengths(parts, name), 0), digits, pa.scalar("0", digits.type))
    numbers: Places = pc.cast(pc.fill_null(filled, "0"), pa.int64()).to_numpy(zero_copy_only=False)
    return numbers
