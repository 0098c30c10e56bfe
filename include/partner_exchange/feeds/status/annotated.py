"""A copy of an uploaded XLSX in which every finding is a coloured cell with a comment.

The copy has the values of the sheet that was taken, and nothing else of the workbook: no formula, macro, link
or merged cell can break it or come back to the partner, whatever program wrote the original. To put colours
into the original's own parts would be as fast, but has to cope with every way in which programs write them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.utils.exceptions import SheetTitleException
from openpyxl.worksheet.worksheet import Worksheet

from partner_exchange import log
from partner_exchange.feeds.status.sheet import (
    HEADER,
    LAST_COLUMN,
    LAST_ROW,
    CellValue,
    Look,
    SheetCells,
    neutral_text,
    saved,
    set_widths,
    without_controls,
)
from partner_exchange.readers.refused import Refused
from partner_exchange.readers.table import TablePolicy
from partner_exchange.readers.xlsx import XlsxBook
from partner_exchange.validation.findings import Findings, Severity

_logger = logging.getLogger(__name__)

FINDINGS_SHEET = "_exchange_findings"
"""Readers of ours pass over sheets whose name begins so, should the copy be dropped."""
COLOURS: Mapping[Severity, str] = {
    Severity.ERROR: "FFC7CE",
    Severity.WARNING: "FFEB9C",
    Severity.INFO: "DDEBF7",
}
COMMENTS_AT_MOST = 10_000
COMMENT_CHARACTERS = 2_000
_AUTHOR = "Partner Exchange"
_WEIGHT = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
_NUMBERED = re.compile(r"\Acolumn ([1-9][0-9]{0,4})\Z")
"""How ``column_title`` calls a column without a header."""
_FINDING_TITLES = ("Row", "Column", "Severity", "Code", "Message")
_FINDING_WIDTHS = (8, 32, 10, 28, 100)


@dataclass
class _Note:
    """What is said about one cell."""

    severity: Severity
    lines: list[str] = field(default_factory=list)

    def add(self, severity: Severity, line: str) -> None:
        self.severity = min(self.severity, severity, key=_WEIGHT.__getitem__)
        self.lines.append(line)


_Notes = dict[int, dict[int, _Note]]
"""By row number, then by position of the column from 0."""


def annotated_workbook(
    original: bytes,
    findings: Findings,
    *,
    sheet_name: str,
    sheet_at: int = 0,
    header_row: int,
    titles: Sequence[str],
) -> bytes:
    """Return the marked copy as XLSX: the values of the sheet, then a sheet with all listed findings.

    Errors are red, warnings yellow, infos blue; a cell with several has the colour of the gravest. A finding
    about a row is at the row's first cell, one about a column at its header; one about the whole file only in
    the list. Should the original not be readable any more, the marks are there without the values.

    :param sheet_name: the name of the sheet that was taken; the copy has it too.
    :param sheet_at: its position in the workbook, from 0.
    :param header_row: row number of the header, from 1.
    :param titles: what findings call the columns, by position.
    """
    notes = _notes(findings, header_row=header_row, titles=titles)
    workbook = Workbook()
    sheet = workbook.active or workbook.create_sheet()
    _name(sheet, sheet_name)
    sheet.freeze_panes = f"A{header_row + 1}"
    set_widths(sheet, titles)
    cells = SheetCells(sheet)
    _fill(cells, _values(original, sheet_at), notes, header_row)
    _comment(sheet, notes)
    listed = _listed(workbook.create_sheet(FINDINGS_SHEET), findings)
    return saved(workbook, [cells, listed])


def _name(sheet: Worksheet, title: str) -> None:
    try:
        sheet.title = title[:31] or "Sheet1"
    except (SheetTitleException, ValueError):
        sheet.title = "Sheet1"


def _values(original: bytes, sheet_at: int) -> Iterator[list[CellValue]]:
    """Yield the values of the sheet row by row from the first one on; formulas are their last results.

    The guards of the reader stand here too: a workbook may hold other sheets than the one that was taken.
    """
    try:
        cells = XlsxBook(original, max_cells=TablePolicy().max_cells).load(sheet_at)
        for block in cells.blocks() if cells is not None else ():
            yield from block
    except (Refused, IndexError) as error:
        # It was read when it was checked; the findings are worth more than the values beside them.
        log.event(_logger, "annotated.unreadable", error=type(error).__name__)


def _notes(findings: Findings, *, header_row: int, titles: Sequence[str]) -> _Notes:
    place: dict[str, int] = {}
    for position, title in enumerate(titles):
        place.setdefault(title, position)
    notes: _Notes = {}
    table = findings.table
    columns = (table[name].to_list() for name in ("row", "column", "severity", "code", "message"))
    for row, column, severity, code, message in zip(*columns, strict=True):
        number = _row_number(row, column, header_row)
        position = _position(column, place)
        if not 1 <= number <= LAST_ROW or position >= LAST_COLUMN:
            continue
        weight = Severity(severity)
        note = notes.setdefault(number, {}).setdefault(position, _Note(weight))
        note.add(weight, f"{code}: {message}")
    return notes


def _position(column: str, place: Mapping[str, int]) -> int:
    """Return where the column is; one without a header is called by its number, a row is its first cell."""
    if column in place or not column:
        return place.get(column, 0)
    number = _NUMBERED.match(column)
    return int(number[1]) - 1 if number else 0


def _row_number(row: object, column: str, header_row: int) -> int:
    """Return the row where a finding is shown; 0 for one about the whole file."""
    if isinstance(row, int):
        return row
    return header_row if column else 0


def _fill(cells: SheetCells, values: Iterable[list[CellValue]], notes: _Notes, header_row: int) -> None:
    looks = {severity: Look(colour) for severity, colour in COLOURS.items()}
    bold = {severity: Look(colour, is_bold=True) for severity, colour in COLOURS.items()}
    number = 0
    for number, row in enumerate(values, 1):
        safe = [neutral_text(value) if isinstance(value, str) else value for value in row]
        is_header = number == header_row
        marked = notes.get(number)
        if marked is None and not is_header:
            cells.add(number, safe)
            continue
        own = bold if is_header else looks
        cells.add(
            number,
            safe,
            look=HEADER if is_header else Look(),
            looks={position: own[note.severity] for position, note in (marked or {}).items()},
        )
    for beyond in sorted(noted for noted in notes if noted > number):
        marked = notes[beyond]
        cells.add(beyond, (), looks={position: looks[note.severity] for position, note in marked.items()})


def _comment(sheet: Worksheet, notes: _Notes) -> None:
    places = [(number, position) for number in notes for position in notes[number]]
    for number, position in places[:COMMENTS_AT_MOST]:
        lines = notes[number][position].lines
        text = without_controls("\n".join(lines))[:COMMENT_CHARACTERS]
        comment = Comment(text, _AUTHOR, height=40 + 40 * min(6, len(lines)), width=360)
        sheet.cell(row=number, column=position + 1).comment = comment


def _listed(sheet: Worksheet, findings: Findings) -> SheetCells:
    """Return the sheet that lists the findings as the result file does, those about the whole file too."""
    for letter, width in zip("ABCDE", _FINDING_WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
    cells = SheetCells(sheet)
    cells.add(1, _FINDING_TITLES, look=HEADER)
    table = findings.table
    columns = (table[name].to_list() for name in ("row", "column", "severity", "code", "message"))
    number = 1
    for number, (row, *texts) in enumerate(zip(*columns, strict=True), 2):
        looks = {2: Look(COLOURS[Severity(texts[1])])}
        cells.add(number, [row if isinstance(row, int) else "", *map(neutral_text, texts)], looks=looks)
    if findings.listed < findings.total:
        note = f"The first {findings.listed} of {findings.total} findings, errors first."
        cells.add(number + 1, ["", "", "", "", note])
    return cells
