"""The scores of a few files as bars, placed for an inline drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_STEP, _BAR, _HEIGHT = 52, 34, 120
_TOP, _BOTTOM = 18, 22


@dataclass(frozen=True)
class Bar:
    """One bar; all numbers are units of the drawing."""

    x: int
    y: float
    width: int
    height: float
    middle: float
    score: float
    label: str


@dataclass(frozen=True)
class Chart:
    """The drawing; the base line is at ``base``, the labels at ``label_y``."""

    width: int
    height: int
    base: int
    label_y: int
    bars: tuple[Bar, ...]


def chart(scores: Sequence[tuple[str, float]]) -> Chart:
    """Return the bars of days (yyyy-mm-dd) with their scores (0 to 100), the first one leftmost."""
    bars = []
    for at, (day, score) in enumerate(scores):
        x, height = at * _STEP + (_STEP - _BAR) // 2, round(score * _HEIGHT / 100, 1)
        bars.append(Bar(x, round(_TOP + _HEIGHT - height, 1), _BAR, height, x + _BAR / 2, score, day[5:]))
    base = _TOP + _HEIGHT
    return Chart(len(bars) * _STEP, base + _BOTTOM, base, base + 15, tuple(bars))
