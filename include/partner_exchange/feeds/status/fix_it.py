"""The values to mend as a file of their own, ready to be dropped again (N01, K23)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from openpyxl import Workbook

from partner_exchange.feeds.base import AnswerFile, AnswerKind
from partner_exchange.feeds.status.sheet import HEADER, SheetCells, neutral_text, saved, set_widths
from partner_exchange.feeds.status.source import AS_SENT, HEADER_MARK, Source
from partner_exchange.readers.cells import (
    Cells,
    as_cells,
    csv_records,
    csv_text,
    joined,
    neutral,
    neutral_records,
)
from partner_exchange.readers.grid import TableFormat

SHEET = "Fix-it"


def fix_it_file(rejected: pd.DataFrame, *, format: TableFormat, newline: str) -> AnswerFile:
    """Return key columns and the columns with values to mend, cells neutral: a CSV, or an XLSX for workbooks.

    A blank cell changes nothing when the file is dropped again, so values that have loaded are left out. All
    cells of an XLSX are text: leading zeros stay. Records of a CSV that have no column form come as they were
    sent, and then the file has all columns of the drop, so that they fit when they are mended.

    :param rejected: one row with something to mend each, columns ``h:<header>`` as text, and ``as_sent``.
    :param newline: of a CSV, ``crlf`` or ``lf`` (K16).
    """
    as_sent = _as_sent(rejected)
    header, columns = _columns(rejected, is_whole=as_sent is not None)
    if format is TableFormat.CSV:
        content = _csv(header, columns, as_sent, end="\r\n" if newline == "crlf" else "\n")
        return AnswerFile(AnswerKind.FIX_IT, "csv", content)
    return AnswerFile(AnswerKind.FIX_IT, "xlsx", _xlsx(header, columns, as_sent))


def _as_sent(rejected: pd.DataFrame) -> Cells | None:
    if AS_SENT not in rejected:
        return None
    cells = as_cells(rejected[AS_SENT].fillna(""))
    return cells if pc.any(pc.greater(pc.binary_length(cells), 0)).as_py() else None


def _columns(rejected: pd.DataFrame, *, is_whole: bool) -> tuple[list[str], list[Cells]]:
    shown = [str(name) for name in rejected.columns if str(name).startswith(HEADER_MARK)]
    if is_whole:
        shown = [HEADER_MARK + text for text in Source.kept_in(rejected).header] or shown
    blank = pa.chunked_array([pa.repeat(pa.scalar("", pa.large_string()), len(rejected))])
    columns = [as_cells(rejected[name].fillna("")) if name in rejected else blank for name in shown]
    return [name.removeprefix(HEADER_MARK) for name in shown], columns


def _csv(header: Sequence[str], columns: Sequence[Cells], as_sent: Cells | None, *, end: str) -> bytes:
    first = csv_text([as_cells([text]) for text in header], newline=end)
    records = csv_records(columns)
    if as_sent is not None:
        has_cells = pc.equal(pc.binary_length(as_sent), 0)
        records = pc.if_else(has_cells, records, neutral_records(as_sent))
    return first + joined(records, newline=end)


def _xlsx(header: Sequence[str], columns: Sequence[Cells], as_sent: Cells | None) -> bytes:
    workbook = Workbook()
    sheet = workbook.active or workbook.create_sheet()
    sheet.title = SHEET
    sheet.freeze_panes = "A2"
    set_widths(sheet, header)
    cells = SheetCells(sheet)
    cells.add(1, [neutral_text(text) for text in header], look=HEADER)
    texts = [neutral(column).to_pylist() for column in columns]
    if as_sent is not None:
        texts[0] = [sent or cell for sent, cell in zip(neutral(as_sent).to_pylist(), texts[0], strict=True)]
    for number, values in enumerate(zip(*texts, strict=True), 2):
        cells.add(number, values)
    return saved(workbook, [cells])
