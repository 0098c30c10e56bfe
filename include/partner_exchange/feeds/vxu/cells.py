"""Columns of the flat tables, looked at once: what is filled, and the distinct values with where they stand.

Immunization messages repeat the same few codes and dates over and over, so the rules judge distinct values
and spread what they find; no loop touches single cells.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from partner_exchange.readers.cells import as_cells

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]
"""Positions of lines in a table, from 0."""


@dataclass(frozen=True)
class Coded:
    """A column as its distinct values, and for each line which of them it holds."""

    values: pa.Array
    at: Places

    def spread(self, flags: Flags) -> Flags:
        """Return for each line what ``flags`` says of its value."""
        return flags[self.at]

    def of(self, values: Collection[str]) -> Flags:
        """Return which lines hold one of ``values``."""
        return self.spread(flags_of(pc.is_in(self.values, value_set=pa.array(values, self.values.type))))

    def without(self, bad: Flags) -> Coded:
        """Return the column with these distinct values blank."""
        blank = pa.scalar("", self.values.type)
        return Coded(pc.if_else(pa.array(bad), blank, self.values), self.at)

    @property
    def text(self) -> pd.Series[str]:
        """Return the column as it stands in a table."""
        return pd.Series(pd.array(self.values.take(pa.array(self.at)), dtype="str"))


class Table:
    """One of the flat tables with the message of each line; columns are encoded when first asked for."""

    def __init__(self, frame: pd.DataFrame, message: Places) -> None:
        self.frame = frame
        self.message = message
        """Place of the line's message in the table of messages."""
        self._coded: dict[str, Coded] = {}
        self._filled: dict[str, Flags] = {}
        self._changed: set[str] = set()

    def __len__(self) -> int:
        return len(self.frame)

    def coded(self, column: str) -> Coded:
        """Return a column of texts by its distinct values."""
        if column not in self._coded:
            self._coded[column] = coded(self.frame[column])
        return self._coded[column]

    def is_filled(self, column: str) -> Flags:
        """Return which lines were sent with a value, also with a bad one."""
        if column not in self._filled:
            cells = as_cells(self.frame[column])
            self._filled[column] = flags_of(pc.greater(pc.binary_length(cells), 0))
        return self._filled[column]

    def of(self, column: str, *values: str) -> Flags:
        """Return which lines hold one of ``values``, after bad ones were taken out."""
        return self.coded(column).of(values)

    def take_out(self, column: str, bad: Flags) -> None:
        """Let distinct values of a column count as empty."""
        self.is_filled(column)
        self._coded[column] = self.coded(column).without(bad)
        self._changed.add(column)

    def put(self, column: str, lines: Flags, value: str) -> None:
        """Set single lines of a column; "" lets them count as empty."""
        self.is_filled(column)
        texts = pc.if_else(pa.array(lines), pa.scalar(value, pa.large_string()), self._texts(column))
        self._coded[column] = coded(pd.Series(pd.array(texts, dtype="str")))
        self._changed.add(column)

    def cleaned(self, kept: Flags | None = None, **more: Any) -> pd.DataFrame:
        """Return the table without the values that count as empty.

        :param kept: the lines to return; all when None.
        :param more: columns to add, one entry per line.
        """
        frame = self.frame.assign(**{column: self.coded(column).text for column in self._changed}, **more)
        return frame if kept is None or kept.all() else frame[kept].reset_index(drop=True)

    def _texts(self, column: str) -> pa.Array:
        one = self.coded(column)
        return one.values.take(pa.array(one.at))


def coded(column: pd.Series[str]) -> Coded:
    """Return a column of texts by its distinct values."""
    cells = as_cells(column)
    whole = cells.chunk(0) if cells.num_chunks == 1 else cells.combine_chunks()
    encoded = whole.dictionary_encode()
    return Coded(encoded.dictionary, encoded.indices.to_numpy().astype(np.int64))


def flags_of(values: Any) -> Flags:
    """Return Arrow booleans as an array."""
    flags: Flags = (
        values.to_numpy(zero_copy_only=False) if isinstance(values, pa.Array) else values.to_numpy()
    )
    return flags
