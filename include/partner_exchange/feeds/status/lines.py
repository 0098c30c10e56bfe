"""What became of the values of a file so far: one line per value that a row gives a status type.

Made by the modules that judge a kind, joined and finished by ``values.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from partner_exchange.feeds.status.filled import FilledCells, Flags, Places, Text, blanks


@dataclass(frozen=True)
class Lines:
    """Values to store, and those that cannot be; arrays of one length."""

    at: Places
    """Position in ``grid.rows``."""
    element: Places
    """Place in ``recognised.elements``."""
    value: Text
    number: npt.NDArray[np.float64]
    colour: Text
    level: Text
    is_not_applicable: Flags
    is_taken: Flags
    status: Places
    """Place in the list of all statuses of the Multi types of the file; -1 where there is none."""

    def __len__(self) -> int:
        return len(self.at)

    @classmethod
    def of(cls, cells: FilledCells, value: Text, is_taken: Flags, **more: Any) -> Lines:
        """Return lines about cells; what ``more`` does not say is blank."""
        count = len(cells)
        defaults: dict[str, Any] = {
            "number": np.full(count, np.nan),
            "colour": blanks(count),
            "level": blanks(count),
            "is_not_applicable": np.zeros(count, dtype=np.bool_),
            "status": np.full(count, -1, dtype=np.int64),
        }
        return cls(at=cells.at, element=cells.element, value=value, is_taken=is_taken, **{**defaults, **more})

    def where(self, is_wanted: Flags) -> Lines:
        """Return some of the lines."""
        if is_wanted.all():
            return self
        mask = pa.array(is_wanted)
        return Lines(
            *(
                each[is_wanted] if isinstance(each, np.ndarray) else each.filter(mask)
                for each in self._arrays()
            )
        )

    def but_not(self, is_refused: Flags) -> Lines:
        """Return the lines, some of them not taken any more."""
        return replace(self, is_taken=self.is_taken & ~is_refused)

    def _arrays(self) -> list[Any]:
        return [getattr(self, each.name) for each in fields(self)]


def joined(parts: Sequence[Lines]) -> Lines:
    """Return the lines of all parts, ordered by row and then by element."""
    filled = [part for part in parts if len(part)]
    if len(filled) <= 1:
        return filled[0] if filled else parts[0]
    columns = zip(*(part._arrays() for part in filled), strict=True)
    whole = Lines(
        *(
            np.concatenate(each) if isinstance(each[0], np.ndarray) else pa.concat_arrays(each)
            for each in columns
        )
    )
    order = np.lexsort((whole.element, whole.at))
    indices = pa.array(order)
    return Lines(
        *(each[order] if isinstance(each, np.ndarray) else each.take(indices) for each in whole._arrays())
    )


def table(lines: Lines, reason: Text, comment: Text) -> pd.DataFrame:
    """Return the lines as ``JudgedValues.table`` has them."""
    return pd.DataFrame(
        {
            "at": lines.at,
            "element": lines.element,
            "value": _column(lines.value),
            "number": lines.number,
            "colour": _column(lines.colour),
            "level": _column(lines.level),
            "reason": _column(reason),
            "comment": _column(comment),
            "is_not_applicable": lines.is_not_applicable,
        },
        copy=False,
    )


def _column(cells: Text) -> pd.Series[str]:
    column: pd.Series[str] = pa.chunked_array([cells], pa.large_string()).to_pandas()
    return column
