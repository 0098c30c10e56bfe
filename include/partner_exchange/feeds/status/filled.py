"""The filled cells of many columns below each other: what the judging of values works on.

A status file is wide and its columns are alike, so values are judged once for all columns of a kind, and each
distinct text of a kind of column once. Called by ``values.py`` and the modules beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from partner_exchange.feeds.status.recognise import ElementColumn
from partner_exchange.readers.grid import Grid

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]
Text = Any
"""One ``pyarrow.LargeStringArray`` without nulls."""

_Rule = TypeVar("_Rule", bound=Hashable)


def text(values: Sequence[str]) -> Text:
    """Return the values as text."""
    return pa.array(values, pa.large_string())


def blanks(count: int) -> Text:
    """Return ``count`` times ""."""
    return pa.repeat(pa.scalar("", pa.large_string()), count)


def flags(values: Any) -> Flags:
    """Return the Arrow booleans as numpy's."""
    result: Flags = values.to_numpy(zero_copy_only=False)
    return result


def is_filled(cells: Text) -> Flags:
    """Return which cells are not blank."""
    return flags(pc.greater(pc.binary_length(cells), 0))


def blanked(cells: Text, is_blank: Flags) -> Text:
    """Return the cells, some of them blank."""
    if not is_blank.any():
        return cells
    return pc.if_else(pa.array(is_blank), pa.scalar("", pa.large_string()), cells)


@dataclass(frozen=True)
class Distinct:
    """The distinct pairs of text and rule among cells."""

    text: Text
    rule: Places
    """Place of the rule of each pair in the list of rules."""
    place: Places
    """Place of the pair of each cell."""


@dataclass(frozen=True)
class FilledCells:
    """Cells that hold something, ordered by row and then by element."""

    at: Places
    """Position in ``grid.rows``."""
    element: Places
    """Place in ``recognised.elements``."""
    text: Text

    def __len__(self) -> int:
        return len(self.at)

    def where(self, is_wanted: Flags) -> FilledCells:
        """Return some of the cells."""
        if is_wanted.all():
            return self
        return FilledCells(self.at[is_wanted], self.element[is_wanted], self.text.filter(pa.array(is_wanted)))

    def distinct(self, rule_of_element: Places) -> Distinct:
        """Return what there is to judge: of equal cells under one rule only one.

        :param rule_of_element: place of the rule of each element; cells of elements below 0 must not be here.
        """
        coded = self.text.dictionary_encode()
        size = max(1, len(coded.dictionary))
        pairs = rule_of_element[self.element] * size + coded.indices.to_numpy()
        place, distinct = pd.factorize(pairs)
        return Distinct(coded.dictionary.take(pa.array(distinct % size)), distinct // size, place)


def fill(grid: Grid, elements: Sequence[ElementColumn], is_wanted: Flags) -> FilledCells:
    """Return the wanted cells.

    :param is_wanted: rows of the grid by elements; only filled cells.
    """
    at, element = np.nonzero(is_wanted)
    columns = [grid.columns[one.position] for one in elements]
    return FilledCells(at, element, _picked(columns, at, element, len(grid.rows)))


def beside(grid: Grid, position: Places, at: Places, *, is_blank: Flags) -> Text:
    """Return for each line the cell of another column in its row; "" where it has none.

    :param position: position of that column in the grid; below 0: there is none.
    :param is_blank: where the cell counts as blank, whatever it holds.
    """
    is_there = (position >= 0) & ~is_blank
    needed, column = np.unique(position[is_there], return_inverse=True)
    if not len(needed):
        return blanks(len(at))
    columns = [grid.columns[each] for each in needed]
    picked = _picked(columns, at[is_there], column, len(grid.rows))
    return pc.replace_with_mask(blanks(len(at)), pa.array(is_there), picked)


def _picked(columns: Sequence[pa.ChunkedArray], at: Places, column: Places, row_count: int) -> Text:
    chunks = [chunk for cells in columns for chunk in cells.chunks]
    if not chunks:
        return blanks(0)
    return pa.concat_arrays(chunks).take(pa.array(column * row_count + at))


def ruled(
    elements: Sequence[ElementColumn], rule_of: Callable[[ElementColumn], _Rule]
) -> tuple[list[_Rule], Places]:
    """Return the distinct rules of elements, and the place of the rule of each element."""
    places: dict[_Rule, int] = {}
    of_element = [places.setdefault(rule_of(one), len(places)) for one in elements]
    return list(places), np.array(of_element, dtype=np.int64)
