"""Numbers as partners write them: whole columns to plain digits, and how exact each is.

Called by the status feed; works on distinct texts. A number is digits with an optional sign, optional commas
between thousands and an optional point with digits behind it: ``1,234``, ``-5``, ``12.50``, ``.5``. Nothing
else is one: no exponent, no NaN, no hexadecimal digits, no other script's digits, no decimal comma.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

NUMBER_PATTERN = r"[+-]?(?:(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?|\.[0-9]+)"
"""In the syntax of RE2, for the whole cell."""

EXACT_DIGITS = 15
"""A floating-point number keeps so many decimal digits, and a spreadsheet shows no more."""

_PLAIN = r"\A(?:0|-?[1-9][0-9]*|-?(?:0|[1-9][0-9]*)\.[0-9]*[1-9])\z"
_PARTS = r"\A(?P<sign>[+-]?)0*(?P<whole>[0-9]*)(?:\.(?P<fraction>[0-9]*?)0*)?\z"


@dataclass(frozen=True)
class Numbers:
    """Numbers of one column of text, each array as long as the column."""

    value: pa.LargeStringArray
    """Plain digits: no plus sign, no commas, no needless zeros; "" where the text is no number."""
    number: npt.NDArray[np.float64]
    """NaN where the text is no number, or has more digits than ``EXACT_DIGITS``."""
    decimals: npt.NDArray[np.float64]
    """Digits behind the point without trailing zeros; NaN where the text is no number."""
    digits: npt.NDArray[np.float64]
    """Digits in all, without leading and trailing zeros; NaN where the text is no number."""


def parse_numbers(texts: pa.LargeStringArray) -> Numbers:
    """Return the numbers of the texts, which hold no nulls."""
    is_plain = pc.match_substring_regex(texts, _PLAIN)
    value = texts if pc.all(is_plain).as_py() is not False else _made_plain(texts, is_plain)
    length = _integers(pc.binary_length(value))
    point = _integers(pc.find_substring(value, "."))
    has_minus, has_zero = (
        _flags(pc.starts_with(value, "-")),
        _flags(pc.match_substring_regex(value, r"\A-?0")),
    )
    decimals = np.where(point >= 0, length - point - 1, 0)
    digits = length - has_minus - has_zero - (point >= 0)
    is_number = length > 0
    is_exact = is_number & (digits <= EXACT_DIGITS)
    number = pc.cast(pc.if_else(pa.array(is_exact), value, None), pa.float64())
    return Numbers(
        value,
        number.to_numpy(zero_copy_only=False),
        np.where(is_number, decimals, np.nan),
        np.where(is_number, digits, np.nan),
    )


def _made_plain(texts: pa.LargeStringArray, is_plain: Any) -> pa.LargeStringArray:
    """Return the numbers in plain digits, and "" for what is none."""
    rest = pc.invert(is_plain)
    others = texts.filter(rest)
    is_number = pc.match_substring_regex(others, rf"\A(?:{NUMBER_PATTERN})\z")
    rewritten = pc.replace_with_mask(
        pa.repeat(_text(""), len(others)), is_number, _rewritten(others.filter(is_number))
    )
    return pc.replace_with_mask(texts, rest, rewritten)


def _rewritten(numbers: pa.LargeStringArray) -> pa.LargeStringArray:
    parts = pc.extract_regex(pc.replace_substring(numbers, ",", ""), _PARTS)
    sign, whole, fraction = (pc.struct_field(parts, name) for name in ("sign", "whole", "fraction"))
    has_no_whole, has_no_fraction = (pc.equal(pc.binary_length(each), 0) for each in (whole, fraction))
    is_zero = pc.and_(has_no_whole, has_no_fraction)
    minus = pc.if_else(pc.and_not(pc.equal(sign, "-"), is_zero), _text("-"), _text(""))
    unit = pc.if_else(has_no_whole, _text("0"), whole)
    point = pc.if_else(has_no_fraction, _text(""), _text("."))
    return pc.binary_join_element_wise(minus, unit, point, fraction, _text(""))


def _text(value: str) -> Any:
    return pa.scalar(value, pa.large_string())


def _integers(values: Any) -> npt.NDArray[np.int64]:
    integers: npt.NDArray[np.int64] = values.to_numpy(zero_copy_only=False).astype(np.int64)
    return integers


def _flags(values: Any) -> npt.NDArray[np.bool_]:
    flags: npt.NDArray[np.bool_] = values.to_numpy(zero_copy_only=False)
    return flags
