"""Forms of dates and instants as people write them, such as MM/DD/YYYY (M48, M73).

A tenant file is checked with them when it is read; ``exports.formats`` writes by them.
"""

from __future__ import annotations

import re

DATE_PARTS = frozenset({"YYYY", "YY", "MM", "DD"})
TIME_PARTS = frozenset({"HH", "hh", "mm", "ss", "A", "Z"})
_PART = re.compile("(YYYY|YY|MM|DD|HH|hh|mm|ss|A|Z)")


def parts_of(form: str, *, has_time: bool) -> tuple[str, ...]:
    """Return the parts of a form and the signs between them, in their order.

    :param has_time: whether it is a form of instants, which may also have hours, minutes, seconds, A and Z.
    :raises ValueError: a letter means nothing, a part stands twice, or the form leaves open what it says.
    """
    pieces = tuple(piece for piece in _PART.split(form) if piece)
    known = DATE_PARTS | TIME_PARTS if has_time else DATE_PARTS
    parts = [piece for piece in pieces if piece in known]
    allowed = "YYYY YY MM DD HH hh mm ss A Z" if has_time else "YYYY YY MM DD"
    if not parts:
        raise ValueError(f"no part of a date or time stands in it; write it with {allowed}")
    # The T of ISO forms is the one letter that stands for itself.
    unknown = [sign for piece in pieces if piece not in known for sign in piece if not _is_plain(sign)]
    if unknown:
        raise ValueError(f"{unknown[0]!r} means nothing here; known are {allowed}")
    twice = next((part for part in parts if parts.count(part) > 1), None)
    if twice:
        raise ValueError(f"{twice} stands in it twice; MM is the month, mm the minute")
    if ("hh" in parts) != ("A" in parts):
        raise ValueError("hh, the hour up to 12, and A, which is AM or PM, belong together")
    return pieces


def _is_plain(sign: str) -> bool:
    return sign == "T" or (sign.isprintable() and not sign.isalnum())
