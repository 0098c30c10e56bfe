"""Clean one column of cells and mark what no cell may hold; the same for every format.

Called by the CSV reader and the workbook reader.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from partner_exchange.readers.cells import Cells, restored, trimmed
from partner_exchange.readers.marks import Mark, Rows

MAX_CELL_CHARACTERS = 1_000
# Words may hold a tab or a line break; a value that is looked up or computed with may not.
_CONTROL_IN_WORDS = "[\x01-\x08\x0b\x0c\x0e-\x1f\x7f\u0080-\u009f]"
_CONTROL_IN_VALUE = "[\x01-\x1f\x7f\u0080-\u009f]"


def cleaned(
    cells: Cells, *, title: str, rows: Rows, is_words: bool, may_hold_controls: bool
) -> tuple[Cells, list[Mark]]:
    """Return the cells without our own apostrophes and white space around them, and the marks of the column.

    :param rows: row numbers of the first cells; cells beyond them are cleaned but not judged.
    :param is_words: tabs and line breaks inside are nothing to complain about.
    :param may_hold_controls: whether a search for control characters is worth its time.
    """
    cells, is_trimmed = trimmed(restored(cells))
    judged = cells.slice(0, len(rows))
    marks: list[Mark] = []
    if is_trimmed is not None:
        marks.append(_mark("surrounding-space", title, rows, is_trimmed.slice(0, len(rows))))
    if (pc.max(pc.binary_length(cells)).as_py() or 0) > MAX_CELL_CHARACTERS:
        is_long = pc.greater(pc.utf8_length(judged), MAX_CELL_CHARACTERS)
        marks.append(_mark("cell-too-long", title, rows, is_long, limit=MAX_CELL_CHARACTERS))
    if may_hold_controls:
        pattern = _CONTROL_IN_WORDS if is_words else _CONTROL_IN_VALUE
        is_control = pc.match_substring_regex(judged, pattern)
        marks.append(_mark("control-character", title, rows, is_control))
    return cells, [mark for mark in marks if len(mark.rows)]


def _mark(code: str, title: str, rows: Rows, is_marked: Any, **facts: int) -> Mark:
    mask: npt.NDArray[np.bool_] = is_marked.to_numpy()
    return Mark(code, title, rows[mask], facts)
