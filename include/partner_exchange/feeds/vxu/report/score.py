"""The score: what the three parts reach of their points, and the band it falls into (T59)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from partner_exchange.feeds.vxu.report.document import Part, Score
from partner_exchange.tenants.vxu_policy import Scoring

LETTERS = ("A", "B", "C", "D")
LOWEST = "F"


def worths(scoring: Scoring, percents: Mapping[str, float | None]) -> dict[str, float] | None:
    """Return how many points each part is worth: a part that is not judged leaves its weight to the others.

    None when nothing could be judged.
    """
    weights: dict[str, float] = scoring.weights.model_dump()
    judged = sum(weight for name, weight in weights.items() if percents[name] is not None)
    if not judged:
        return None
    return {
        name: 0.0 if percents[name] is None else weight * 100 / judged for name, weight in weights.items()
    }


def score(
    scoring: Scoring,
    percents: Mapping[str, float | None],
    worth: Mapping[str, float],
    sentences: Mapping[str, str],
    *,
    rejection_points: float,
) -> Score:
    """Return the score of the parts; rounded once, so that the band is that of the number one reads."""
    weights: dict[str, float] = scoring.weights.model_dump()
    parts = tuple(
        Part(name, weight, worth[name], percents[name], _points(percents[name], worth[name]), sentences[name])
        for name, weight in weights.items()
    )
    total = round(sum(part.points for part in parts), 1)
    return Score(total, band(total, scoring.bands), tuple(scoring.bands), parts, rejection_points)


def band(total: float, bands: Sequence[float]) -> str:
    """Return the letter of a score."""
    return next((letter for letter, least in zip(LETTERS, bands, strict=True) if total >= least), LOWEST)


def _points(percent: float | None, worth: float) -> float:
    return 0.0 if percent is None else percent * worth / 100
