"""Where the rows to mend came from, kept with them from the checks to the answer.

Checks and answer run in different processes. Parquet keeps a frame's ``attrs``, so the answer need not find
sheet and header anew, which costs most of a second for a large workbook.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from partner_exchange.readers.grid import Grid, column_title

HEADER_MARK = "h:"
"""Goes before a header of the file where it is the name of a column of ours."""
AS_SENT = "as_sent"
"""Column of the rows to mend: a whole record of a CSV that has no column form, else ""."""
_KEY = "source"


@dataclass(frozen=True)
class Source:
    """Sheet and header of a table that was taken."""

    sheet_name: str = ""
    """"" for a CSV."""
    sheet_at: int = 0
    header_row: int = 1
    header: tuple[str, ...] = ()
    """All header cells of the file, by position."""

    @classmethod
    def of(cls, grid: Grid) -> Source:
        """Return what a reader found."""
        return cls(grid.sheet_name, grid.sheet_at, grid.header_row, grid.header)

    @classmethod
    def kept_in(cls, rejected: pd.DataFrame) -> Source:
        """Return what ``keep_in`` noted; an empty one where nothing was noted."""
        noted: Mapping[str, Any] = rejected.attrs.get(_KEY, {})
        return cls(**{**noted, "header": tuple(noted.get("header", ()))})

    def keep_in(self, rejected: pd.DataFrame) -> pd.DataFrame:
        """Return the same frame with this noted in it."""
        rejected.attrs[_KEY] = {**asdict(self), "header": list(self.header)}
        return rejected

    @property
    def titles(self) -> tuple[str, ...]:
        """Return what findings call the columns, by position."""
        return tuple(column_title(text, position) for position, text in enumerate(self.header))
