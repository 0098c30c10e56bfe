"""Find the nearest known value for an unknown one (M29, E15); called by the feeds.

What is found is always a known value, never what was sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

_MAX_VALUES = 500
_MAX_CHARACTERS = 80


def nearest(values: Iterable[str], known: Sequence[str]) -> dict[str, str]:
    """Return what is near, for those of the distinct ``values`` that have something near; no case.

    Looking for something near costs time, so it is done for the first values in the order of the alphabet
    only: the result never depends on the order of rows.
    """
    folded = {value.casefold(): value for value in sorted(known)}
    asked = sorted(value for value in values if len(value) <= _MAX_CHARACTERS)[:_MAX_VALUES]
    found = {value: get_close_matches(value.casefold(), folded, n=1, cutoff=0.6) for value in asked}
    return {value: folded[near[0]] for value, near in found.items() if near}
