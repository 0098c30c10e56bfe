"""Suggest the nearest known value for an unknown one (M29), without ever showing what was sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from partner_exchange.readers.marks import Mark, Rows

_MAX_VALUES = 500
_MAX_CHARACTERS = 80


def with_suggestions(
    mark: Mark, table: pa.Table, rows: Rows, *, key: str, known: Sequence[str]
) -> list[Mark]:
    """Return the mark split by what is suggested.

    Looking for something near costs time, so it is done once per distinct value, and for the first values in
    the order of the alphabet only: the result never depends on the order of rows.
    """
    cells = table.column(key).take(pa.array(np.searchsorted(rows, mark.rows)))
    values = sorted(value for value in pc.unique(cells).to_pylist() if len(value) <= _MAX_CHARACTERS)
    near = dict(_nearest(values[:_MAX_VALUES], known))
    asked = pa.array(list(near), pa.large_string())
    offers = sorted(set(near.values()))
    offer_of_asked = np.array([offers.index(near[value]) for value in near], dtype=np.int64)
    place = pc.fill_null(pc.index_in(cells, value_set=asked), -1).to_numpy()
    offer = np.where(place >= 0, offer_of_asked[place] if len(near) else -1, -1)
    return [
        replace(mark, rows=mark.rows[offer == at], facts={"nearest": offers[at]} if at >= 0 else {})
        for at in np.unique(offer)
    ]


def _nearest(values: Iterable[str], known: Sequence[str]) -> Iterable[tuple[str, str]]:
    folded = {value.casefold(): value for value in sorted(known)}
    for value in values:
        found = get_close_matches(value.casefold(), folded, n=1, cutoff=0.6)
        if found:
            yield value, folded[found[0]]
