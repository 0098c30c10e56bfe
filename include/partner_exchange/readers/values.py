"""Typed cells of a workbook as canonical text, a whole column at a time (``grid.Grid`` says how it looks).

Called by the workbook reader. A column of one type never meets a loop over its rows; in a mixed one each
differing value is worded once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Text = Any
"""One ``pyarrow.LargeStringArray`` without nulls."""

_INT64_LIMIT = float(2**63)
_SHOWN_DIGITS = 15
# An exponent, a number that is none, or more signs than 15 digits with point and minus may need.
_RARE_NUMBER = "[en]|.{17}"
_NOWHERE = np.empty(0, dtype=np.int64)
_HALF_SECOND = timedelta(microseconds=500_000)


@dataclass(frozen=True)
class Worded:
    """The cells of one column as text."""

    text: Text
    has_words: bool
    """Some cell was text before, so there may be something to clean."""
    unusable: npt.NDArray[np.int64]
    """Positions of numbers that are none (NaN, infinite): blank here, and errors whatever wrote them."""


def column_text(values: Sequence[Any]) -> Worded:
    """Return the cells of one column as text."""
    types = list(map(type, values))
    kinds = set(types)
    if kinds <= {str}:
        has_words = values.count("") < len(values)
        return Worded(pa.array(values, pa.large_string()), has_words, _NOWHERE)
    if kinds == {float}:
        numbers = np.array(values, dtype=np.float64)
        return Worded(_float_text(numbers), False, np.flatnonzero(~np.isfinite(numbers)))
    return _mixed_text(values, types, kinds)


def _mixed_text(values: Sequence[Any], types: Sequence[type], kinds: set[type]) -> Worded:
    texts = np.array(values, dtype=object)
    unusable = _NOWHERE
    for kind in kinds - {str}:
        at = np.fromiter((each is kind for each in types), dtype=np.bool_, count=len(types))
        if kind is float:
            numbers = texts[at].astype(np.float64)
            unusable = np.flatnonzero(at)[~np.isfinite(numbers)]
            texts[at] = _float_text(numbers).to_numpy(zero_copy_only=False)
        else:
            write = _WRITERS.get(kind, str)
            known = {value: write(value) for value in set(texts[at])}
            texts[at] = [known[value] for value in texts[at]]
    return Worded(pa.array(texts, pa.large_string()), str in kinds, unusable)


def _float_text(numbers: npt.NDArray[np.float64]) -> Text:
    # Adding nothing turns the zero with a minus, which arithmetic leaves behind, into zero.
    numbers = numbers + 0.0
    with np.errstate(invalid="ignore"):
        is_whole = (numbers == np.floor(numbers)) & (np.abs(numbers) < _INT64_LIMIT)
    if is_whole.all():
        return pa.array(numbers.astype(np.int64)).cast(pa.large_string())
    texts = pa.array(numbers).cast(pa.large_string())
    is_rare = pc.match_substring_regex(texts, _RARE_NUMBER)
    if not pc.any(is_rare).as_py():
        return texts
    worded = [number_text(number) for number in numbers[is_rare.to_numpy(zero_copy_only=False)].tolist()]
    return pc.replace_with_mask(texts, is_rare, pa.array(worded, pa.large_string()))


def number_text(number: float) -> str:
    """Return the number in plain digits, never with an exponent; whole ones exactly, others as Excel shows.

    A fraction that needs more than 15 digits comes from arithmetic in binary (0.1 + 0.2); spreadsheets show
    and compare 15 of them, so that is the number meant.
    """
    if not math.isfinite(number):
        return ""
    if number == math.floor(number):
        return str(int(number))
    shortest = Decimal(repr(number))
    if len(shortest.as_tuple().digits) > _SHOWN_DIGITS:
        shortest = Decimal(f"{number:.{_SHOWN_DIGITS}g}")
    text = format(shortest, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _bool_text(value: bool) -> str:
    return "TRUE" if value else "FALSE"


def _moment_text(value: datetime) -> str:
    # Spreadsheets keep a moment as a fraction of a day, so a whole second is hardly ever hit exactly.
    try:
        value = (value + _HALF_SECOND).replace(microsecond=0)
    except OverflowError:
        value = value.replace(microsecond=0)
    return _date_text(value) if value.time() == time() else value.isoformat(" ")


def _date_text(value: date) -> str:
    return f"{value.year:04}-{value.month:02}-{value.day:02}"


def _time_text(value: time) -> str:
    seconds = value.hour * 3600 + value.minute * 60 + value.second + (value.microsecond >= 500_000)
    return _clock_text(min(seconds, 86_399))


def _span_text(value: timedelta) -> str:
    seconds = round(abs(value).total_seconds())
    return ("-" if value < timedelta() and seconds else "") + _clock_text(seconds)


def _clock_text(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


_WRITERS: Mapping[type, Callable[[Any], str]] = {
    bool: _bool_text,
    datetime: _moment_text,
    date: _date_text,
    time: _time_text,
    timedelta: _span_text,
}
