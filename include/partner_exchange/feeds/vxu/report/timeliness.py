"""How soon doses given now are reported: 10 of the 100 points by default (T59).

The lag is the days from the dose (RXA-3) to the message (MSH-7). Historical doses and refusals have none.
"""

from __future__ import annotations

from collections.abc import Sequence

from partner_exchange.feeds.vxu.report.document import LagBand, Timeliness
from partner_exchange.feeds.vxu.report.tallies import Tally
from partner_exchange.feeds.vxu.report.wording import many, part_of
from partner_exchange.feeds.vxu.tally import LONGEST_LAG

CREDITS = (("on time", 100), ("late", 70), ("very late", 40), ("too late", 0))


def timeliness(tally: Tally, timely_days: Sequence[int]) -> Timeliness:
    """Return how many doses came how late.

    :param timely_days: the last day that is on time, late, very late.
    """
    lags = sorted((int(days), count) for _, days, count in tally.lines("lag"))
    doses = sum(count for _, count in lags)
    limits = [*timely_days, LONGEST_LAG]
    lowest = [0, *(limit + 1 for limit in timely_days)]
    words = [_days(low, high) for low, high in zip(lowest[:-1], timely_days, strict=True)]
    words.append(f"more than {many(timely_days[-1], 'day')}")
    longest = [*(many(limit, "day") for limit in timely_days), ""]
    bands = []
    for at, (name, credit) in enumerate(CREDITS):
        is_last = at == len(CREDITS) - 1
        counts = [count for days, count in lags if days >= lowest[at] and (is_last or days <= limits[at])]
        bands.append(LagBand(name, words[at], longest[at], credit, sum(counts), part_of(sum(counts), doses)))
    worst = lags[-1][0] if lags else None
    return Timeliness(
        doses=doses,
        bands=tuple(bands),
        median_days=_median(lags, doses),
        worst_days=worst,
        is_worst_capped=worst is not None and worst >= LONGEST_LAG,
    )


def percent(found: Timeliness) -> float | None:
    """Return the score of timeliness, 0 to 100; None when no dose given now was accepted."""
    if not found.doses:
        return None
    return sum(band.credit * band.doses for band in found.bands) / found.doses


def _days(low: int, high: int) -> str:
    if low == high:
        return many(low, "day")
    return f"{low} to {high} days"


def _median(lags: Sequence[tuple[int, int]], doses: int) -> float | None:
    if not doses:
        return None
    return (_at(lags, (doses - 1) // 2) + _at(lags, doses // 2)) / 2


def _at(lags: Sequence[tuple[int, int]], place: int) -> int:
    """Return the lag of the dose at one place in the order of lags."""
    passed = 0
    for days, count in lags:
        passed += count
        if place < passed:
            return days
    raise IndexError(place)
