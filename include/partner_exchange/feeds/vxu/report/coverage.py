"""Vaccine groups by age, beside what is usually given at that age (T59).

It costs no points: a file of an internist has no babies in it. The words are for people who know the
practice.
"""

from __future__ import annotations

from collections.abc import Mapping

from partner_exchange.feeds.vxu import code_sets
from partner_exchange.feeds.vxu.code_sets import AGE_BANDS, CoverageGroup, Expectation
from partner_exchange.feeds.vxu.report.document import AgeBand, Coverage, CoverageCell, CoverageLine
from partner_exchange.feeds.vxu.report.tallies import Tally
from partner_exchange.feeds.vxu.report.wording import part_of

PRESENT_SHARE = 0.05
"""Share of the doses of an age band from which a vaccine group counts as present."""

_VERDICTS: Mapping[Expectation, tuple[tuple[str, str], tuple[str, str], tuple[str, str]]] = {
    # Present; there, but less; absent.
    Expectation.EXPECTED: (("as expected", "good"), ("less than expected", "note"), ("missing", "note")),
    Expectation.POSSIBLE: (("more than expected", "note"), ("possible", "plain"), ("", "plain")),
    Expectation.UNEXPECTED: (("often, never expected", "bad"), ("never expected", "note"), ("", "plain")),
    Expectation.IMPOSSIBLE: (("not possible", "bad"), ("not possible", "bad"), ("", "plain")),
}


def coverage(tally: Tally) -> Coverage:
    """Return the groups that were reported, or are expected in an age band that has doses."""
    counts = {(band, group): count for band, group, count in tally.lines("vaccine") if group}
    bands = tuple(_band(name, tally, counts) for name in AGE_BANDS)
    lines = [_line(group, bands, counts) for group in code_sets.coverage_groups()]
    return Coverage(bands, tuple(line for line in lines if any(cell.verdict for cell in line.cells)))


def _band(name: str, tally: Tally, counts: Mapping[tuple[str, str], int]) -> AgeBand:
    # A dose of a combined vaccine is in several groups, so the doses are told apart from them.
    doses = tally.one("vaccine", name)
    first, end = AGE_BANDS[name]
    is_last = name == list(AGE_BANDS)[-1]
    ages = f"{first} years and more" if is_last else f"under {end}" if first == 0 else f"{first} to {end - 1}"
    return AgeBand(name, name.capitalize(), ages, doses)


def _line(
    group: CoverageGroup, bands: tuple[AgeBand, ...], counts: Mapping[tuple[str, str], int]
) -> CoverageLine:
    cells = tuple(
        _cell(group.expectations[band.name], counts.get((band.name, group.group), 0), band.doses)
        for band in bands
    )
    return CoverageLine(group.group, group.label, cells)


def _cell(expectation: Expectation, doses: int, of_band: int) -> CoverageCell:
    share = part_of(doses, of_band)
    if not of_band:
        return CoverageCell(str(expectation), 0, 0.0, "", "plain")
    present, little, absent = _VERDICTS[expectation]
    verdict, tone = present if share >= PRESENT_SHARE else little if doses else absent
    return CoverageCell(str(expectation), doses, share, verdict, tone)
