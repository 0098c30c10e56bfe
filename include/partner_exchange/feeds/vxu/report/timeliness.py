"""How soon doses given now are reported: 10 of the 100 points by default (T59).

The lag is the days from the dose (RXA-3) to the message (MSH-7). Historical doses and refusals have none.
"""

from __future__ import annotations

from bisect import bisect_left
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
    counts = [0] * len(CREDITS)
    for days, count in lags:
        counts[bisect_left(timely_days, days)] += count
    bands = [
        LagBand(name, days, limit, credit, count, part_of(count, doses))
        for (name, credit), (days, limit), count in zip(CREDITS, _words(timely_days), counts, strict=True)
    ]
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


def _words(timely_days: Sequence[int]) -> list[tuple[str, str]]:
    """Return the days of each band in words, and the longest of them."""
    firsts = (0, *(last + 1 for last in timely_days[:-1]))
    told = [
        (many(last, "day") if first == last else f"{first} to {many(last, 'day')}", many(last, "day"))
        for first, last in zip(firsts, timely_days, strict=True)
    ]
    return [*told, (f"more than {many(timely_days[-1], 'day')}", "")]


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
