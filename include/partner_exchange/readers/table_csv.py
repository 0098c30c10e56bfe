"""Read a CSV whose columns are found by its header, as strictly as a roster (E04).

Called by ``table.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from partner_exchange.readers.assembly import HEADER_WITHIN, Body, header_text, settled
from partner_exchange.readers.csv import CsvColumn, ReadPolicy, Sheet, other_delimiter, read_records
from partner_exchange.readers.grid import Grid, KnowsHeader, TableFormat, column_title
from partner_exchange.readers.guards import DELIMITERS, check_text, text_start
from partner_exchange.readers.marks import Mark, Refusal, no_rows
from partner_exchange.readers.refused import NO_TABLE
from partner_exchange.readers.scan import HeaderLine, read_header


def read_csv_table(content: bytes, *, max_rows: int, max_columns: int, knows: KnowsHeader) -> Grid | Refusal:
    """Return the grid below the first record that ``knows``, else below the first with content.

    :raises CountsDoNotReconcile: scan and parser disagree about the number of records, which is our fault.
    """
    refusal = check_text(content)
    if refusal:
        return replace(refusal, code=NO_TABLE) if refusal.code == "file-not-text" else refusal
    header, above, is_known = _choose(content, knows)
    names = header_text(header.cells)
    refusal = _check_header(content, header, is_known, max_columns)
    if refusal:
        return refusal
    columns = [
        CsvColumn(
            str(position), column_title(names[position] if position < len(names) else "", position), True
        )
        for position in range(len(header.cells))
    ]
    policy = ReadPolicy(max_rows, takes_blank_surplus=True)
    sheet = read_records(content, header=header, columns=columns, policy=policy)
    if isinstance(sheet, Refusal):
        return sheet
    marks = (
        [Mark("rows-above-header", facts={"count": len(above), "header_row": header.row})] if above else []
    )
    return _grid(sheet, names, marks, above)


def _choose(content: bytes, knows: KnowsHeader) -> tuple[HeaderLine, list[HeaderLine], bool]:
    """Return the header, the records with content above it, and whether it is known."""
    above: list[HeaderLine] = []
    for header in _filled_records(content):
        if knows(header_text(header.cells)):
            return header, above, True
        above.append(header)
        if len(above) == HEADER_WITHIN:
            break
    return above[0] if above else read_header(content, text_start(content)), [], False


def _filled_records(content: bytes) -> Iterator[HeaderLine]:
    start, row = text_start(content), 0
    while start < len(content):
        header = read_header(content, start)
        header = replace(header, row=row + header.row)
        if header_text(header.cells):
            yield header
        start, row = header.end, header.row


def _check_header(content: bytes, header: HeaderLine, is_known: bool, max_columns: int) -> Refusal | None:
    if header.ends_with_cr:
        return Refusal("line-ends-cr-only", {"count": content.count(b"\r")})
    delimiter = None if is_known else _delimiter(content)
    if delimiter:
        return Refusal("delimiter-not-comma", {"delimiter": delimiter})
    if len(header.cells) > max_columns:
        return Refusal("columns-above-limit", {"count": len(header.cells), "limit": max_columns})
    return None


def _delimiter(content: bytes) -> str | None:
    """Return the sign that separates the columns, if it is another one; titles above a header have none."""
    for _, record in zip(range(HEADER_WITHIN), _filled_records(content), strict=False):
        text = ",".join(record.cells)
        if any(sign in text for sign in DELIMITERS):
            return other_delimiter(text)
    return None


def _grid(sheet: Sheet, names: tuple[str, ...], marks: list[Mark], above: Sequence[HeaderLine]) -> Grid:
    body = settled(names, sheet.table.columns, sheet.rows, sheet.marks, always=no_rows())
    return Grid(
        format=TableFormat.CSV,
        header=names,
        header_row=sheet.header_row,
        rows=body.rows,
        columns=body.columns,
        aside=body.aside(text for record in above for text in record.cells),
        faulty_rows=sheet.faulty_rows,
        faulty_text=sheet.faulty_text,
        marks=(*marks, *_with_blank_lines(body)),
    )


def _with_blank_lines(body: Body) -> Iterator[Mark]:
    """Count records of nothing but commas, or of cells without header, among the blank lines."""
    blank = [mark.rows for mark in body.marks if mark.code == "blank-line"]
    strays = [mark.rows for mark in body.marks if mark.code == "column-without-header"]
    dropped = np.setdiff1d(body.dropped, np.concatenate([no_rows(), *strays]))
    yield from (mark for mark in body.marks if mark.code != "blank-line")
    rows = np.union1d(dropped, np.concatenate([no_rows(), *blank]))
    if len(rows):
        yield Mark("blank-line", rows=rows)
