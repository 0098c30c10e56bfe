"""Choose the sheet of a workbook and turn its cells into a grid (E02, E03).

Called by ``table.py`` with a workbook of either format.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from partner_exchange.readers.assembly import HEADER_WITHIN, Body, header_text, settled
from partner_exchange.readers.book import Book, Place, Row, SheetCells, Tab, guarded
from partner_exchange.readers.cells import Cells
from partner_exchange.readers.cleaning import cleaned
from partner_exchange.readers.csv import too_many_rows
from partner_exchange.readers.grid import Grid, KnowsHeader, column_title, printable
from partner_exchange.readers.marks import Mark, Refusal, Rows, no_rows
from partner_exchange.readers.refused import Refused, refuse
from partner_exchange.readers.values import column_text

_NAME_CHARACTERS = 60
_NAMES_SHOWN = 10
_KEEPS_ROW = ("cell-error", "formula-without-value")


@dataclass(frozen=True)
class _Header:
    cells: tuple[str, ...]
    """Trailing blank ones are cut off."""
    row: int
    above: tuple[tuple[str, ...], ...]
    """Filled rows above it."""
    is_known: bool


@dataclass(frozen=True)
class _Found:
    at: int
    tab: Tab
    cells: SheetCells
    header: _Header


@dataclass
class _Choice:
    """The sheet to take, and what is said of the others."""

    found: _Found | None = None
    filled: list[Tab] = field(default_factory=list)
    """Other visible sheets that hold something."""
    hidden: list[Tab] = field(default_factory=list)
    """Hidden ones that do."""
    texts: set[str] = field(default_factory=set)
    """What stands on other sheets, beside a known header."""

    @property
    def is_known(self) -> bool:
        """Tell whether the sheet has a header that the feed knows."""
        return self.found is not None and self.found.header.is_known


def read_workbook(book: Book, *, max_rows: int, max_columns: int, knows: KnowsHeader) -> Grid:
    """Return the grid of the first visible sheet with a known header, else of the first that holds anything.

    :raises Refused: no visible sheet holds rows, or the sheet is larger than allowed.
    """
    choice = _choose(book, knows)
    found = choice.found
    if found is None:
        if choice.hidden:
            refuse("sheets-all-hidden", count=len(choice.hidden))
        refuse("workbook-empty")
    if len(found.header.cells) > max_columns:
        refuse("columns-above-limit", count=len(found.header.cells), limit=max_columns)
    body = _body(found, max_rows=max_rows)
    marks = list(_sheet_marks(found.header, choice))
    titles = (text for row in found.header.above for text in row) if choice.is_known else ()
    return Grid(
        format=book.format,
        header=found.header.cells,
        header_row=found.header.row,
        rows=body.rows,
        columns=body.columns,
        sheet_name=found.tab.name,
        sheet_at=found.at,
        sheets=tuple(tab.name for tab in book.tabs if not tab.is_ours),
        aside=body.aside((*titles, *choice.texts)),
        marks=(*marks, *body.marks),
    )


def _choose(book: Book, knows: KnowsHeader) -> _Choice:
    choice = _Choice()
    for at, tab in enumerate(book.tabs):
        if not tab.is_visible or tab.is_ours:
            continue
        if choice.is_known:
            if _has_content(book, at):
                choice.filled.append(tab)
                choice.texts |= _texts_at(book, at)
            continue
        found = _look(book, at, knows)
        if found is None:
            continue
        other = found
        if choice.found is None or found.header.is_known:
            choice.found, other = found, choice.found
        if other is not None:
            choice.filled.append(other.tab)
            choice.texts |= _texts(other.cells)
    _add_hidden(book, choice)
    return choice


def _add_hidden(book: Book, choice: _Choice) -> None:
    for at, tab in enumerate(book.tabs):
        if not tab.is_visible and not tab.is_ours and _has_content(book, at):
            choice.hidden.append(tab)
            choice.texts |= _texts_at(book, at) if choice.is_known else set()


def _texts_at(book: Book, at: int) -> set[str]:
    """Return the texts of a sheet that is not taken; what cannot be read of it shall not refuse the file."""
    try:
        cells = guarded(lambda: book.load(at))
        return _texts(cells) if cells is not None else set()
    except Refused:
        return set()


def _texts(cells: SheetCells) -> set[str]:
    return {value for block in cells.blocks() for row in block for value in row if isinstance(value, str)}


def _look(book: Book, at: int, knows: KnowsHeader) -> _Found | None:
    cells = guarded(lambda: book.load(at))
    header = _find_header(cells, knows) if cells is not None else None
    return _Found(at, book.tabs[at], cells, header) if cells is not None and header is not None else None


def _find_header(cells: SheetCells, knows: KnowsHeader) -> _Header | None:
    above: list[tuple[str, ...]] = []
    first: _Header | None = None
    for number, row in _filled_rows(cells):
        header = _Header(row, number, tuple(above), knows(row))
        if header.is_known:
            return header
        first = first or header
        above.append(row)
        if len(above) == HEADER_WITHIN:
            break
    return first


def _filled_rows(cells: SheetCells) -> Iterator[tuple[int, tuple[str, ...]]]:
    number = 0
    for block in cells.blocks():
        for row in block:
            number += 1
            if row.count("") < len(row) and (texts := header_text(column_text(row).text.to_pylist())):
                yield number, texts


def _has_content(book: Book, at: int) -> bool:
    """Tell whether a sheet that is not read holds anything; a damaged one holds nothing to speak of."""
    try:
        return guarded(lambda: book.has_content(at))
    except Refused:
        return False


def _names(tabs: Sequence[Tab]) -> str:
    shown = [printable(tab.name, _NAME_CHARACTERS) for tab in tabs[:_NAMES_SHOWN]]
    more = len(tabs) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _sheet_marks(header: _Header, choice: _Choice) -> Iterator[Mark]:
    if header.is_known and header.above:
        yield Mark("rows-above-header", facts={"count": len(header.above), "header_row": header.row})
    for code, tabs in (("sheets-ignored", choice.filled), ("sheets-hidden-ignored", choice.hidden)):
        if tabs:
            yield Mark(code, facts={"count": len(tabs), "names": _names(tabs)})


def _body(found: _Found, *, max_rows: int) -> Body:
    """Return the rows below the header that hold anything, and the marks of their cells.

    :raises Refused: there is none, or there are more than allowed.
    """
    header, cells = found.header, found.cells
    errors, blank_formulas = _below(header, cells.errors), _below(header, cells.without_value)
    reading = _Reading(cells, header.row, always={row for row, _ in errors + blank_formulas})
    marks = list(_merged_marks(cells, header))
    marks += _place_marks("cell-error", errors + _below(header, reading.unusable), header)
    marks += _place_marks("formula-without-value", blank_formulas, header)
    columns = []
    for position, column in enumerate(reading.columns):
        text, cell_marks = column.cleaned(header, position, reading.rows)
        columns.append(text)
        marks += cell_marks
    always = np.unique(
        np.concatenate([mark.rows for mark in marks if mark.code in _KEEPS_ROW] or [no_rows()])
    )
    body = settled(header.cells, columns, reading.rows, marks, always=always)
    if not len(body.rows):
        raise Refused(Refusal("no-rows"))
    if len(body.rows) > max_rows:
        raise Refused(too_many_rows(len(body.rows), max_rows))
    return body


def _below(header: _Header, places: Sequence[Place]) -> list[Place]:
    """Return the places within the table."""
    return [place for place in places if place[0] > header.row and place[1] < len(header.cells)]


def _place_marks(code: str, places: Sequence[Place], header: _Header) -> Iterator[Mark]:
    by_column: dict[int, list[int]] = {}
    for row, position in places:
        by_column.setdefault(position, []).append(row)
    for position, rows in sorted(by_column.items()):
        title = column_title(header.cells[position], position)
        yield Mark(code, title, np.unique(np.array(rows, dtype=np.int64)))


def _merged_marks(cells: SheetCells, header: _Header) -> Iterator[Mark]:
    width = len(header.cells)
    count = sum(last[0] > header.row and first[1] < width for first, last in cells.merged)
    if count:
        yield Mark("merged-cells", facts={"count": count})


@dataclass
class _Column:
    """What was read of one column so far."""

    chunks: list[Any] = field(default_factory=list)
    has_words: bool = False

    def cleaned(self, header: _Header, position: int, rows: Rows) -> tuple[Cells, list[Mark]]:
        """Return the cells, trimmed and judged where some of them were text."""
        text = pa.chunked_array(self.chunks, pa.large_string())
        if not self.has_words:
            return text, []
        name = header.cells[position] if position < len(header.cells) else ""
        title = column_title(name, position)
        text, marks = cleaned(text, title=title, rows=rows, is_words=True, may_hold_controls=True)
        return text, marks if position < len(header.cells) else []


class _Reading:
    """The rows below a header, read block by block and kept column by column; blank ones are left out.

    :param always: rows to keep although blank, because something is stated about a cell of them.
    """

    def __init__(self, cells: SheetCells, header_row: int, *, always: set[int]) -> None:
        self.columns = [_Column() for _ in range(cells.width)]
        self.unusable: list[Place] = []
        rows: list[Rows] = [no_rows()]
        first = 1
        for block in cells.blocks():
            numbers = [
                number
                for number, row in enumerate(block, first)
                if number > header_row and (row.count("") < len(row) or number in always)
            ]
            rows.append(self._take([block[number - first] for number in numbers], numbers))
            first += len(block)
        # Below the last value there may be errors, which are no values here.
        numbers = sorted(number for number in always if number >= first)
        rows.append(self._take([[""] * cells.width] * len(numbers), numbers))
        self.rows: Rows = np.concatenate(rows)

    def _take(self, block: list[Row], numbers: list[int]) -> Rows:
        for position, (column, values) in enumerate(
            zip(self.columns, zip(*block, strict=True), strict=False)
        ):
            worded = column_text(values)
            column.chunks.append(worded.text)
            column.has_words |= worded.has_words
            self.unusable += [(numbers[at], position) for at in worded.unusable]
        return np.array(numbers, dtype=np.int64)
