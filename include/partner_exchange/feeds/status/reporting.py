"""For when a row reports: its reporting time, or the arrival of the file where it says none.

A day alone is its last second, but the arrival when it is the day on which the file came, and the first
arrival when that was on the day and the file comes again later. The rules are Great Expectations over the
text of the columns. Called by ``rows.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from partner_exchange.feeds.status.day_cells import day_cells
from partner_exchange.feeds.status.template import KeyName
from partner_exchange.readers.cells import Cells
from partner_exchange.readers.grid import Grid, column_title
from partner_exchange.readers.marks import Mark, Rows
from partner_exchange.validation.moments import (
    Flags,
    Instants,
    MomentFault,
    Moments,
    Reporting,
    instant,
    judge_moments,
    last_second,
)
from partner_exchange.validation.runner import Stated, run

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

_DATE_CODES = {
    MomentFault.DATE_FORMAT: "reporting-date-format",
    MomentFault.NO_SUCH_DAY: "reporting-date-no-such-day",
    MomentFault.FUTURE: "reporting-time-in-future",
    MomentFault.TOO_OLD: "date-too-old",
}
_TIME_CODES = {
    MomentFault.TIME_FORMAT: "reporting-time-format",
    MomentFault.NO_SUCH_TIME: "reporting-time-no-such-time",
}
_WEEK_CODES = {MomentFault.NOT_SATURDAY: "week-ending-not-saturday"}
_USUAL_DAYS = 31
"""Before the arrival; bulk rows that report for longer ago are often those of a day and month swapped."""


@dataclass(frozen=True)
class Arrival:
    """When a file came."""

    at: datetime
    """With its zone."""
    first_at: datetime | None = None
    """When its content first came, or that of the file which it mends; None: not known."""


@dataclass(frozen=True)
class ReportingTimes:
    """For when each row reports."""

    at: Instants
    """UTC; NaT where the row says none that can be taken."""
    is_stated: Flags
    """Whether the file says the time itself."""
    marks: list[Mark]


def reporting_times(
    grid: Grid, keys: Mapping[KeyName, int], *, zone: str, arrival: Arrival
) -> ReportingTimes:
    """Return the reporting time of each row; rows without one have a mark that is an error.

    :param zone: zone of times in the file that say none.
    :param arrival: what a row without a time of its own reports for.
    """
    columns = _Columns.of(grid, keys)
    if columns is None:
        size = len(grid.rows)
        return ReportingTimes(np.full(size, instant(arrival.at)), np.zeros(size, dtype=np.bool_), [])
    by = Reporting(arrival.at, zone, columns.may_have_time, columns.is_week_ending)
    dates = judge_moments(columns.date, by)
    times = None
    frame = {"date": columns.date.to_pandas()}
    if columns.time is not None:
        together = _together(columns.date, columns.time, dates)
        times = judge_moments(together, Reporting(arrival.at, zone))
        frame["time"] = together.to_pandas()
    marks = run(pd.DataFrame(frame), list(_suite(columns, by)), rows=grid.rows)
    settled = _settled(dates, times, arrival, by, is_required=columns.is_required)
    if KeyName.UPDATED_AT in keys:
        marks += _old(settled.at, arrival, columns.date_title, grid.rows)
    return replace(settled, marks=marks)


@dataclass(frozen=True)
class _Columns:
    """The columns of a table that say for when it reports."""

    date: Cells
    date_title: str
    time: Cells | None = None
    time_title: str = ""
    may_have_time: bool = False
    is_week_ending: bool = False
    is_required: bool = True

    @classmethod
    def of(cls, grid: Grid, keys: Mapping[KeyName, int]) -> _Columns | None:
        cells = {key: (grid.columns[at], column_title(grid.header[at], at)) for key, at in keys.items()}
        if KeyName.UPDATED_AT in cells:
            return cls(*cells[KeyName.UPDATED_AT], may_have_time=True, is_required=False)
        if KeyName.WEEK_ENDING in cells:
            days, title = cells[KeyName.WEEK_ENDING]
            return cls(day_cells(days, grid.format), title, is_week_ending=True)
        if KeyName.COLLECTION_DATE in cells:
            days, title = cells[KeyName.COLLECTION_DATE]
            return cls(day_cells(days, grid.format), title, *cells.get(KeyName.COLLECTION_TIME, ()))
        return None


def _together(date: Cells, time: Cells, dates: Moments) -> Cells:
    """Return date and time in one cell, blank where there is no time or the date is faulty already."""
    is_both = pc.and_(pa.array(~np.isnat(dates.day)), pc.greater(pc.binary_length(time), 0))
    space, nothing = pa.scalar(" ", pa.large_string()), pa.scalar("", pa.large_string())
    return pc.if_else(is_both, pc.binary_join_element_wise(date, time, space), nothing)


def _suite(columns: _Columns, by: Reporting) -> Iterator[Expectation]:
    from partner_exchange.validation.runner import quiet

    quiet()
    from partner_exchange.validation.expectations import ExpectCellsToBeFilled
    from partner_exchange.validation.moment_expectations import ExpectMomentsWithout

    def without(
        codes: Mapping[MomentFault, str], column: str, title: str, by: Reporting
    ) -> list[Expectation]:
        return [
            ExpectMomentsWithout(
                column=column,
                arrived_at=by.arrived_at.isoformat(),
                zone=by.zone,
                may_have_time=by.may_have_time,
                is_week_ending=by.is_week_ending,
                fault=int(fault),
                meta=Stated(code, title).meta,
            )
            for fault, code in codes.items()
        ]

    date_codes = _DATE_CODES | (_TIME_CODES if by.may_have_time else {})
    date_codes |= _WEEK_CODES if by.is_week_ending else {}
    yield from without(date_codes, "date", columns.date_title, by)
    if columns.is_required:
        missing = Stated("reporting-date-missing", columns.date_title)
        yield ExpectCellsToBeFilled(column="date", meta=missing.meta)
    if columns.time is not None:
        # What is wrong with the date was said of its own column.
        time_codes = _TIME_CODES | {MomentFault.FUTURE: _DATE_CODES[MomentFault.FUTURE]}
        yield from without(time_codes, "time", columns.time_title, Reporting(by.arrived_at, by.zone))


def _old(at: Instants, arrival: Arrival, title: str, rows: Rows) -> list[Mark]:
    """Return the mark about rows that report for unusually long ago, which is taken all the same."""
    age_d = (instant(arrival.at) - at) / np.timedelta64(1, "D")
    # GX has a price, and in most files no row is old.
    if not (age_d > _USUAL_DAYS).any():
        return []
    from partner_exchange.validation.value_expectations import ExpectFirstNotAboveSecond

    meta = Stated("reporting-time-old", title).meta
    frame = pd.DataFrame({"age_d": age_d, "usual_d": float(_USUAL_DAYS)})
    return run(frame, [ExpectFirstNotAboveSecond(column_A="age_d", column_B="usual_d", meta=meta)], rows=rows)


def _settled(
    dates: Moments, times: Moments | None, arrival: Arrival, by: Reporting, *, is_required: bool
) -> ReportingTimes:
    at, fault = dates.at, dates.fault != MomentFault.NONE
    if times is not None:
        at, fault = times.at, fault | (times.fault != MomentFault.NONE)
    is_blank = np.isnat(dates.day) & ~fault
    if is_required:
        fault |= is_blank
    has_time = ~np.isnat(at)
    is_today = (dates.day == np.datetime64(by.today, "D")) | is_blank
    day_over = last_second(dates.day, zone=by.zone)
    if arrival.first_at is not None:
        # Said once more, a day of which only a part had passed must not undo what was said later on it.
        first = Reporting(arrival.first_at, by.zone)
        day_over[dates.day == np.datetime64(first.today, "D")] = instant(first.arrived_at)
    at = np.where(has_time, at, np.where(is_today, instant(arrival.at), day_over))
    at[fault] = np.datetime64("NaT")
    return ReportingTimes(at, (has_time | ~is_today) & ~fault, [])
