"""Suggest the nearest known value for an unknown one (M29), without ever showing what was sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from partner_exchange.feeds.nearest import nearest
from partner_exchange.readers.marks import Mark, Rows


def with_suggestions(
    mark: Mark, table: pa.Table, rows: Rows, *, key: str, known: Sequence[str]
) -> list[Mark]:
    """Return the mark split by what is suggested.

    The result never depends on the order of rows.
    """
    cells = table.column(key).take(pa.array(np.searchsorted(rows, mark.rows)))
    near = nearest(pc.unique(cells).to_pylist(), known)
    asked = pa.array(list(near), pa.large_string())
    offers = sorted(set(near.values()))
    offer_of_asked = np.array([offers.index(near[value]) for value in near], dtype=np.int64)
    place = pc.fill_null(pc.index_in(cells, value_set=asked), -1).to_numpy()
    offer = np.where(place >= 0, offer_of_asked[place] if len(near) else -1, -1)
    return [
        replace(mark, rows=mark.rows[offer == at], facts={"nearest": offers[at]} if at >= 0 else {})
        for at in np.unique(offer)
    ]
