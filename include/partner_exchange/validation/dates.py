"""Dates written MM/DD/YYYY: the one fault of each, and the ISO form of those without (M27).

Called by the date expectation and by the roster's load; works on whole columns.
"""

from __future__ import annotations

from datetime import date
from enum import IntEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_WRITTEN = r"\A[0-9]{2}/[0-9]{2}/[0-9]{4}\z"
_TWO_DIGIT_YEAR = r"\A[0-9]{1,2}/[0-9]{1,2}/[0-9]{2}\z"
_ISO = (r"\A([0-9]{2})/([0-9]{2})/([0-9]{4})\z", r"\3-\1-\2")
FIRST_YEAR = 1900


class DateFault(IntEnum):
    """What is wrong with a date, in the order of looking; the first that applies is the only one."""

    NONE = 0
    FORMAT = 1
    TWO_DIGIT_YEAR = 2
    MONTH = 3
    DAY = 4
    TOO_EARLY = 5
    FUTURE = 6


def date_faults(cells: pa.ChunkedArray, *, today: str) -> npt.NDArray[np.int8]:
    """Return the ``DateFault`` of each cell; blank ones have none.

    :param today: the last day that is not in the future, as yyyy-mm-dd.
    """
    whole = cells.chunk(0) if cells.num_chunks == 1 else cells.combine_chunks()
    coded = whole.dictionary_encode()
    faults: npt.NDArray[np.int8] = _distinct_faults(coded.dictionary, today)[coded.indices.to_numpy()]
    return faults


def _distinct_faults(values: pa.Array, today: str) -> npt.NDArray[np.int8]:
    faults = np.full(len(values), DateFault.FORMAT, dtype=np.int8)
    faults[_flags(pc.match_substring_regex(values, _TWO_DIGIT_YEAR))] = DateFault.TWO_DIGIT_YEAR
    faults[_flags(pc.equal(pc.binary_length(values), 0))] = DateFault.NONE
    is_written = pc.match_substring_regex(values, _WRITTEN)
    month, day, year = _parts(values.filter(is_written))
    faults[_flags(is_written)] = np.select(
        [
            (month < 1) | (month > 12),
            (day < 1) | (day > _days_in_month(month, year)),
            year < FIRST_YEAR,
            year * 10_000 + month * 100 + day > int(date.fromisoformat(today).strftime("%Y%m%d")),
        ],
        [DateFault.MONTH, DateFault.DAY, DateFault.TOO_EARLY, DateFault.FUTURE],
        DateFault.NONE,
    )
    return faults


def _flags(values: pa.BooleanArray) -> npt.NDArray[np.bool_]:
    flags: npt.NDArray[np.bool_] = values.to_numpy(zero_copy_only=False)
    return flags


def _parts(values: pa.Array) -> tuple[npt.NDArray[np.int64], ...]:
    return tuple(
        pc.cast(pc.utf8_slice_codeunits(values, start, stop), pa.int64()).to_numpy()
        for start, stop in ((0, 2), (3, 5), (6, 10))
    )


def _days_in_month(month: npt.NDArray[np.int64], year: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    days = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    is_leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    length: npt.NDArray[np.int64] = days[np.clip(month, 0, 12)] + (is_leap & (month == 2))
    return length


def iso_dates(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return dates without fault as yyyy-mm-dd; blank ones stay blank."""
    pattern, replacement = _ISO
    return pc.replace_substring_regex(cells, pattern=pattern, replacement=replacement)
