"""The scores of a few files as bars, placed for an inline drawing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from partner_exchange.feeds.vxu.report.document import TrendPoint

_STEP, _BAR, _HEIGHT = 52, 34, 120
_TOP, _BOTTOM, _LINE = 18, 22, 14
_NUMBER = re.compile(r"[0-9]{5}(-[1-9][0-9]{0,3})\.hl7", re.I)


@dataclass(frozen=True)
class Bar:
    """One bar; all numbers are units of the drawing."""

    x: int
    y: float
    width: int
    height: float
    middle: float
    score: float
    day: str
    number: str
    """Such as ``-2`` for a file that shares its day with another one, as in its name; else ""."""
    is_test: bool


@dataclass(frozen=True)
class Chart:
    """The drawing; the base line is at ``base``, days are at ``day_y``, numbers of files at ``number_y``."""

    width: int
    height: int
    base: int
    day_y: int
    number_y: int
    bars: tuple[Bar, ...]

    @property
    def has_test(self) -> bool:
        """Say whether one of the files was a test file."""
        return any(bar.is_test for bar in self.bars)


def chart(points: Sequence[TrendPoint]) -> Chart:
    """Return the bars of files with their scores (0 to 100), the first one leftmost."""
    of_day = Counter(point.received_on for point in points)
    bars = []
    for at, point in enumerate(points):
        x, height = at * _STEP + (_STEP - _BAR) // 2, round(point.score * _HEIGHT / 100, 1)
        bars.append(
            Bar(
                x=x,
                y=round(_TOP + _HEIGHT - height, 1),
                width=_BAR,
                height=height,
                middle=x + _BAR / 2,
                score=point.score,
                day=point.received_on[5:],
                number=_number(point.file_name) if of_day[point.received_on] > 1 else "",
                is_test=point.mode == "test",
            )
        )
    base = _TOP + _HEIGHT
    more = _LINE if any(bar.number for bar in bars) else 0
    return Chart(len(bars) * _STEP, base + _BOTTOM + more, base, base + 15, base + 15 + _LINE, tuple(bars))


def _number(file_name: str) -> str:
    match = _NUMBER.search(file_name)
    return match[1] if match else ""
