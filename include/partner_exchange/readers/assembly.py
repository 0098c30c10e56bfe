"""The last steps to a grid that all formats share: rows without content, columns without a header.

Called by the workbook reader and the CSV reader.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from partner_exchange.readers.cells import WHITE_SPACE, Cells
from partner_exchange.readers.grid import column_title
from partner_exchange.readers.marks import Mark, Rows

HEADER_WITHIN = 20
"""So many filled rows are looked at for a known header; titles may stand above it."""


@dataclass(frozen=True)
class Body:
    """Rows, columns and marks as a grid has them."""

    rows: Rows
    columns: tuple[Cells, ...]
    marks: tuple[Mark, ...]
    dropped: Rows
    """Rows without content below any header cell."""
    strays: tuple[Cells, ...]
    """Cells that are left out of ``columns`` although some are filled: they stand below no header cell."""

    def aside(self, texts: Iterable[str]) -> Cells:
        """Return the stray cells and these texts as ``Grid.aside`` has them."""
        distinct = sorted({" ".join(text.split()) for text in texts})
        chunks = [chunk for cells in self.strays for chunk in cells.chunks]
        found = pa.chunked_array([*chunks, pa.array(distinct, pa.large_string())]).unique()
        return pa.chunked_array([found.filter(pc.not_equal(found, ""))])


def header_text(cells: Sequence[str]) -> tuple[str, ...]:
    """Return header cells trimmed, line breaks as one space, without the blank ones at the end."""
    texts = [" ".join(cell.strip(WHITE_SPACE).split()) for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    return tuple(texts)


def settled(
    header: Sequence[str], columns: Sequence[Cells], rows: Rows, marks: Sequence[Mark], *, always: Rows
) -> Body:
    """Return the rows that hold anything below a header cell; what stands elsewhere is marked.

    :param columns: trimmed; more of them than header cells, if more were found.
    :param always: rows to keep although blank, because something is stated about a cell of them.
    """
    filled = np.isin(rows, always)
    for name, cells in zip(header, columns, strict=False):
        if name:
            filled |= _is_filled(cells)
    kept = tuple(columns[: len(header)])
    strays = tuple(_stray_marks(header, columns, rows))
    if filled.all():
        return Body(rows, kept, (*marks, *strays), rows[:0], tuple(columns[len(header) :]))
    dropped = rows[~filled]
    mask = pa.array(filled)
    left = tuple(each for mark in marks if (each := _without(mark, dropped)) is not None)
    return Body(
        rows[filled],
        tuple(cells.filter(mask) for cells in kept),
        (*left, *strays),
        dropped,
        (*columns[len(header) :], *(cells.filter(pc.invert(mask)) for cells in kept)),
    )


def _is_filled(cells: Cells) -> npt.NDArray[np.bool_]:
    is_filled: npt.NDArray[np.bool_] = pc.greater(pc.binary_length(cells), 0).to_numpy()
    return is_filled


def _without(mark: Mark, dropped: Rows) -> Mark | None:
    """Return the mark without rows that are no rows any more, None where no other is left."""
    is_left = np.isin(mark.rows, dropped, invert=True)
    if is_left.all():
        return mark
    return replace(mark, rows=mark.rows[is_left]) if is_left.any() else None


def _stray_marks(header: Sequence[str], columns: Sequence[Cells], rows: Rows) -> Iterator[Mark]:
    for position, cells in enumerate(columns):
        if position < len(header) and header[position]:
            continue
        found = rows[_is_filled(cells)]
        if len(found):
            facts = {"letter": column_letters(position)}
            yield Mark("column-without-header", column_title("", position), found, facts)


def column_letters(position: int) -> str:
    """Return what a spreadsheet calls the column at ``position`` (from 0): A to Z, AA and so on."""
    letters = ""
    number = position + 1
    while number:
        number, letter = divmod(number - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters
