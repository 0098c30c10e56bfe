"""Which known word somebody meant who wrote an unknown one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(text: str, known: Iterable[str]) -> str:
    """Return the known word that comes nearest, "" when none is near.

    The beginning of a word is near, however much is missing; upper and lower case do not count.
    """
    by_key = {one.casefold(): one for one in sorted(known, reverse=True)}
    key = text.strip().casefold()
    begun = sorted(one for one in by_key if key and one.startswith(key))
    found = begun or get_close_matches(key, by_key, n=1)
    return by_key[found[0]] if found else ""
