"""What the workbooks that partners get from us share: cells that are text, and the same bytes each time.

Called by ``workbook.py`` and ``data_map.py``.
"""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime
from typing import Any

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from partner_exchange.feeds.bulk_status.layout import AS_TEXT
from partner_exchange.readers.cells import as_cells, neutral

AUTHOR = "Partner Exchange"
_NO_DATE = datetime(2000, 1, 1)  # noqa: DTZ001 - openpyxl takes no time zone
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*")


def new_book(title: str) -> tuple[Workbook, Worksheet]:
    """Return a workbook with one sheet."""
    book = Workbook()
    book.properties.creator = AUTHOR
    book.properties.title = title
    book.properties.created = _NO_DATE
    return book, book.active


def write_text(sheet: Worksheet, row: int, column: int, text: str) -> Any:
    """Put text into a cell that stays text when somebody edits it, and return the cell."""
    cell = sheet.cell(row, column, text)
    cell.number_format = AS_TEXT
    return cell


def neutral_texts(texts: list[str]) -> list[str]:
    """Return the texts so that no spreadsheet runs one; what we read ourselves is as before (ADR 0006)."""
    found: list[str] = neutral(as_cells(texts)).to_pylist()
    return found


def saved(book: Workbook) -> bytes:
    """Return the workbook without a trace of when it was saved.

    So a partner sees by the checksum alone whether anything has changed (E31).
    """
    made, result = io.BytesIO(), io.BytesIO()
    book.save(made)
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(result, "w") as target:
        for name in source.namelist():
            content = _MODIFIED.sub(rb"\g<1>2000-01-01T00:00:00Z", source.read(name), count=1)
            target.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return result.getvalue()
