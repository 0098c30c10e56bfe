"""Cells that are to hold days, as both keys and values do. Called by ``reporting.py`` and ``plain.py``."""

from __future__ import annotations

from typing import Any

import pyarrow.compute as pc

from partner_exchange.readers.grid import TableFormat

_DATE_CELL = r"\A([0-9]{4}-[0-9]{2}-[0-9]{2}) [0-9]{2}:[0-9]{2}:[0-9]{2}\z"


def day_cells(cells: Any, table_format: TableFormat) -> Any:
    """Return the Arrow text without the time that a date cell of a workbook may hold and not show.

    In a CSV a time is there for all to see, so it stays and is a fault where only a day is asked for.
    """
    if table_format is TableFormat.CSV:
        return cells
    return pc.replace_substring_regex(cells, pattern=_DATE_CELL, replacement=r"\1")
