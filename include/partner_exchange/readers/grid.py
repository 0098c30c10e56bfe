"""A table that is found by its header: what every table reader gives, whatever the file's format.

Made by ``table.py`` from CSV, XLS or XLSX; feeds look for their columns in ``header``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import pyarrow as pa

from partner_exchange.readers.cells import Cells
from partner_exchange.readers.marks import Mark, Rows, no_rows


class TableFormat(StrEnum):
    """What a file is, told by its content."""

    CSV = "csv"
    XLS = "xls"
    XLSX = "xlsx"


TITLE_CHARACTERS = 60

KnowsHeader = Callable[[Sequence[str]], bool]
"""Says whether a header is one that the feed knows; picks the sheet of a workbook."""


@dataclass(frozen=True)
class Grid:
    """A table that was taken: header, and cells as text, column by column.

    Cells are canonical text whatever the format was: trimmed, blank as ``""``, whole numbers without a point
    (``12``), other numbers in plain digits (``12.5``), dates as ``2026-11-21``, date-times as
    ``2026-11-21 16:30:00``, times as ``16:30:00``, booleans as ``TRUE`` and ``FALSE``.
    """

    format: TableFormat
    header: tuple[str, ...]
    """Header cells, trimmed, line breaks as one space; trailing blank ones are cut off."""
    header_row: int
    rows: Rows
    """Row numbers as a spreadsheet shows them, ascending; rows without any filled cell are left out."""
    columns: tuple[Cells, ...]
    """As many as header cells, each as long as ``rows``."""
    sheet_name: str = ""
    """Name of the sheet taken; "" for a CSV."""
    sheet_at: int = 0
    """Position of the sheet in the workbook, from 0: names may stand twice."""
    sheets: tuple[str, ...] = ()
    """Names of all sheets of the workbook that are not ours; none for a CSV."""
    aside: Cells = field(default_factory=lambda: pa.chunked_array([], pa.large_string()))
    """Texts outside of the table, each once: rows above the header, cells below none, cells of other sheets.

    For a guard only; nothing of them is taken. Sheets that are damaged or too large are not among them.
    """
    faulty_rows: Rows = field(default_factory=no_rows)
    """Records of a CSV that have no column form (too few, too many fields, a stray quote)."""
    faulty_text: Cells = field(default_factory=lambda: pa.chunked_array([], pa.large_string()))
    marks: tuple[Mark, ...] = ()

    @property
    def rows_total(self) -> int:
        """Return the number of records, with those that have no column form."""
        return len(self.rows) + len(self.faulty_rows)


def column_title(header: str, position: int) -> str:
    """Return what findings call the column at ``position`` (from 0): its header, cut, or its number."""
    return printable(header, TITLE_CHARACTERS) or f"column {position + 1}"


def printable(text: str, limit: int) -> str:
    """Return the text in one line, without signs that cannot be seen, cut to ``limit`` characters."""
    shown = " ".join("".join(sign if sign.isprintable() else " " for sign in text[: 4 * limit]).split())
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."
