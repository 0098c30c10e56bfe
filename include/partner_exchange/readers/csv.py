"""Read a CSV strictly (RFC 4180) into columns of text, with marks for all faults and no row left out (M06).

Called by the feeds. The scan tells sound records from faulty ones, Arrow parses the sound ones, and the two
must count the same. Row numbers are those a spreadsheet shows: the header is row 1, blank lines count, a
quoted line break does not.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from partner_exchange.errors import CountsDoNotReconcile
from partner_exchange.readers.cells import Cells, as_cells
from partner_exchange.readers.cleaning import cleaned
from partner_exchange.readers.guards import check_name, check_text, text_start
from partner_exchange.readers.marks import Mark, Refusal, Rows
from partner_exchange.readers.scan import (
    FAULT_CODES,
    HeaderLine,
    Scan,
    count_records,
    read_header,
    scan,
    width_facts,
)
from partner_exchange.readers.surplus import blank_surplus

_BLOCK_BYTES = 8 * 1024 * 1024
_DELIMITERS = {";": "semicolon (;)", "\t": "tab", "|": "vertical bar (|)"}
_CONTROLS = bytes(set(range(0x20)) - set(b"\r\n") | {0x7F})


@dataclass(frozen=True)
class CsvColumn:
    """One position of a contract; the header's own name for it does not matter (M10)."""

    key: str
    title: str
    is_words: bool = False
    """Free words: tabs and line breaks inside are nothing to complain about."""


@dataclass(frozen=True)
class ReadPolicy:
    """What a tenant's policy says about the file as such."""

    max_rows: int
    above_max_rows: Literal["refuse", "load_first"] = "refuse"
    extension_case: Literal["any", "lower"] = "any"
    takes_blank_surplus: bool = False
    """Whether a record may have more fields than the header, if those are blank."""


@dataclass(frozen=True)
class Sheet:
    """A file that was taken: sound records as text, everything else accounted for.

    ``rows_total == len(rows) + len(rest_rows) + len(faulty_rows)`` always holds.
    """

    header: tuple[str, ...]
    header_row: int
    rows: Rows
    table: pa.Table
    """The sound records to judge, as many as ``rows``: a column per ``CsvColumn.key``, cells trimmed."""
    faulty_rows: Rows
    faulty_text: Cells
    """Records without a column form, as sent, without their line end."""
    rest_rows: Rows
    rest_table: pa.Table
    """Sound records above the limit of rows when the policy is to load the first ones (K19)."""
    marks: tuple[Mark, ...]

    @property
    def rows_total(self) -> int:
        """Return the number of records; blank lines are none."""
        return len(self.rows) + len(self.rest_rows) + len(self.faulty_rows)


def read_csv(
    content: bytes, *, file_name: str, columns: Sequence[CsvColumn], policy: ReadPolicy
) -> Sheet | Refusal:
    """Return the sheet, or why the whole file cannot be taken; never raises for what the file holds.

    :raises CountsDoNotReconcile: scan and parser disagree about the number of records, which is our fault.
    """
    refusal = check_name(file_name, extension_case=policy.extension_case) or check_text(content)
    if refusal:
        return refusal
    header = read_header(content, text_start(content))
    return _check_header(content, header, columns) or read_records(
        content, header=header, columns=columns, policy=policy
    )


def read_records(
    content: bytes, *, header: HeaderLine, columns: Sequence[CsvColumn], policy: ReadPolicy
) -> Sheet | Refusal:
    """Return the sheet below a header that was found, whatever the file is called (E04).

    :raises CountsDoNotReconcile: scan and parser disagree about the number of records, which is our fault.
    """
    found, table = _scan_and_parse(content, header, columns)
    surplus = blank_surplus(content, found, len(columns) if policy.takes_blank_surplus else 0)
    if len(surplus.rows):
        content = surplus.cut_from(content)
        found, table = _scan_and_parse(content, header, columns)
    if not found.record_count:
        return Refusal("no-rows")
    if found.record_count > policy.max_rows and policy.above_max_rows == "refuse":
        return too_many_rows(found.record_count, policy.max_rows)
    if table is None:
        table = _parse(content, found, columns)
    # Out of this frame's hands, so that each column as sent can go as soon as the cleaned one is there.
    as_parsed = table.columns
    del table
    sheet = _sheet(content, header, found, as_parsed, columns, policy)
    return replace(sheet, marks=(*sheet.marks, *surplus.marks()))


def _check_header(content: bytes, header: HeaderLine, columns: Sequence[CsvColumn]) -> Refusal | None:
    """Apply K2: the width decides, the names do not."""
    width, names = len(header.cells), header.cells
    rows_total = count_records(content, header.end, len(content.rstrip(b"\r\n")))
    if header.ends_with_cr:
        return Refusal("line-ends-cr-only", {"count": content.count(b"\r")}, rows_total)
    if width == len(columns):
        return None
    delimiter = other_delimiter(",".join(names))
    if delimiter:
        return Refusal("delimiter-not-comma", {"delimiter": delimiter}, rows_total)
    if width > len(columns):
        facts = {"fields": width, "needed": len(columns), "extra": width - len(columns)}
        return Refusal("header-too-wide", facts, rows_total)
    if names[-1].strip():
        absent = ", ".join(f"{at} ({columns[at - 1].title})" for at in range(width + 1, len(columns) + 1))
        return Refusal(
            "header-too-narrow", {"fields": width, "needed": len(columns), "absent": absent}, rows_total
        )
    return None


def other_delimiter(text: str) -> str | None:
    """Return the name of the sign that separates the columns of ``text`` more often than commas do."""
    most = max(_DELIMITERS, key=text.count)
    return _DELIMITERS[most] if text.count(most) > text.count(",") else None


def too_many_rows(count: int, limit: int) -> Refusal:
    """Return the refusal of a file with ``count`` rows where ``limit`` may be."""
    files = -(-count // limit)
    return Refusal("rows-above-limit", {"count": count, "limit": limit, "files": files}, count)


def _scan_and_parse(
    content: bytes, header: HeaderLine, columns: Sequence[CsvColumn]
) -> tuple[Scan, pa.Table | None]:
    """Scan; where quoted line breaks are about, also parse, and scan again if one swallowed rows."""
    first_row, width = header.row + 1, len(columns)
    found = scan(content, header.end, first_row=first_row, width=width)
    if content.find(b'"', header.end) < 0 or not _may_span_lines(content, found):
        return found, None
    table = _parse(content, found, columns)
    if not _swallowed_rows(table):
        return found, table
    return scan(content, header.end, first_row=first_row, width=width, is_careful=True), None


def _may_span_lines(content: bytes, found: Scan) -> bool:
    """Tell whether some sound record holds a line break: then there are more line feeds than records."""
    spans = zip(found.span_starts, found.span_ends, found.span_counts, strict=True)
    return any(content.count(b"\n", start, end) > count for start, end, count in spans)


def _swallowed_rows(table: pa.Table) -> bool:
    """Tell whether a cell holds a line break and as many commas as a row: a quote was left open there."""
    for cells in table.columns:
        broken = pc.filter(cells, pc.match_substring(cells, "\n"))
        if len(broken) and pc.max(pc.count_substring(broken, ",")).as_py() >= table.num_columns - 1:
            return True
    return False


def _parse(content: bytes, found: Scan, columns: Sequence[CsvColumn]) -> pa.Table:
    names = [column.key for column in columns]
    schema = pa.schema([(name, pa.large_string()) for name in names])
    data = _sound_bytes(content, found)
    if not len(data):
        return schema.empty_table()
    try:
        table = _parse_blocks(data, schema, _BLOCK_BYTES)
    except pa.ArrowInvalid:
        # A record longer than a block cannot be cut; only a file with such a record pays for one huge block.
        table = _parse_blocks(data, schema, len(data) + 1)
    if table.num_rows != found.sound_count:
        message = (
            f"Reading stopped: the scan counts {found.sound_count} records, the parser {table.num_rows}. "
            "Nothing was loaded; the file and this count belong in a report to us."
        )
        raise CountsDoNotReconcile(
            "reader-counts-differ", message, scan=found.sound_count, parser=table.num_rows
        )
    return table


def _parse_blocks(data: pa.Buffer, schema: pa.Schema, block_size: int) -> pa.Table:
    return arrow_csv.read_csv(
        pa.BufferReader(data),
        read_options=arrow_csv.ReadOptions(column_names=schema.names, block_size=block_size),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=arrow_csv.ConvertOptions(
            column_types=schema, strings_can_be_null=False, check_utf8=False
        ),
    )


def _sound_bytes(content: bytes, found: Scan) -> pa.Buffer:
    if len(found.span_starts) == 1:
        start, end = found.span_starts[0], found.span_ends[0]
        return pa.py_buffer(content).slice(start, end - start)
    pieces = io.BytesIO()
    view = memoryview(content)
    for start, end in zip(found.span_starts, found.span_ends, strict=True):
        pieces.write(view[start:end])
    return pa.py_buffer(pieces.getbuffer())


def _sheet(
    content: bytes,
    header: HeaderLine,
    found: Scan,
    as_parsed: list[Cells],
    columns: Sequence[CsvColumn],
    policy: ReadPolicy,
) -> Sheet:
    rows = _sound_rows(found)
    faulty_rows = _int64(found.fault_rows)
    last_row = _last_row(rows, faulty_rows, policy.max_rows)
    taken = int(np.searchsorted(rows, last_row, side="right"))
    marks = [
        *_header_marks(header, len(columns)),
        *_limit_marks(found, rows, faulty_rows, last_row, policy),
        *_fault_marks(found, last_row, len(columns)),
    ]
    if found.blank_rows:
        marks.append(Mark("blank-line", rows=_int64(found.blank_rows)))
    table, cell_marks = _clean(content, as_parsed, rows, taken, columns)
    return Sheet(
        header=header.cells,
        header_row=header.row,
        rows=rows[:taken],
        table=table.slice(0, taken),
        faulty_rows=faulty_rows,
        faulty_text=_as_sent(content, found),
        rest_rows=rows[taken:],
        rest_table=table.slice(taken),
        marks=(*marks, *cell_marks),
    )


def _int64(values: Any) -> Rows:
    return np.frombuffer(values, dtype=np.int64) if len(values) else np.empty(0, dtype=np.int64)


def _sound_rows(found: Scan) -> Rows:
    """Return the row number of each sound record."""
    counts = _int64(found.span_counts)
    before = np.cumsum(counts) - counts
    shift = np.repeat(_int64(found.span_rows) - before, counts)
    rows: Rows = np.arange(int(counts.sum()), dtype=np.int64) + shift
    return rows


def _last_row(rows: Rows, faulty_rows: Rows, limit: int) -> int:
    """Return the row number of the last record within the limit, by position in the file."""
    if len(rows) + len(faulty_rows) <= limit:
        return int(max(rows[-1:].max(initial=0), faulty_rows[-1:].max(initial=0)))
    every = np.concatenate([rows, faulty_rows])
    return int(np.partition(every, limit - 1)[limit - 1])


def _header_marks(header: HeaderLine, width: int) -> Iterator[Mark]:
    if not header.is_sound:
        yield Mark("header-stray-quote")
    if len(header.cells) < width:
        yield Mark("header-short-blank", facts={"fields": len(header.cells), "needed": width})


def _limit_marks(
    found: Scan, rows: Rows, faulty_rows: Rows, last_row: int, policy: ReadPolicy
) -> Iterator[Mark]:
    if found.record_count <= policy.max_rows:
        return
    rest = np.sort(np.concatenate([rows[rows > last_row], faulty_rows[faulty_rows > last_row]]))
    yield Mark(
        "rows-beyond-limit", facts={"limit": policy.max_rows, "count": len(rest), "last_row": last_row}
    )
    yield Mark("row-beyond-limit", rows=rest, facts={"limit": policy.max_rows})


def _fault_marks(found: Scan, last_row: int, width: int) -> Iterator[Mark]:
    rows, kinds, widths = _int64(found.fault_rows), _int64(found.fault_kinds), _int64(found.fault_widths)
    within = rows <= last_row
    for kind, code in enumerate(FAULT_CODES):
        is_kind = within & (kinds == kind)
        if not code.endswith("-fields"):
            if is_kind.any():
                yield Mark(code, rows=rows[is_kind])
            continue
        for fields in np.unique(widths[is_kind]):
            facts = {**width_facts(int(fields)), "needed": width}
            yield Mark(code, rows=rows[is_kind & (widths == fields)], facts=facts)


def _as_sent(content: bytes, found: Scan) -> Cells:
    """Return the faulty records as one Arrow column, without a Python string for each."""
    starts, ends = _int64(found.fault_starts), _int64(found.fault_ends)
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(ends - starts)])
    text = io.BytesIO()
    view = memoryview(content)
    for start, end in zip(found.fault_starts, found.fault_ends, strict=True):
        text.write(view[start:end])
    data = pa.py_buffer(text.getvalue())
    return pa.chunked_array([pa.LargeStringArray.from_buffers(len(starts), pa.py_buffer(offsets), data)])


def _clean(
    content: bytes, as_parsed: list[Cells], rows: Rows, taken: int, columns: Sequence[CsvColumn]
) -> tuple[pa.Table, list[Mark]]:
    """Take our own apostrophes and white space off the cells, column by column; mark what no cell may hold.

    ``as_parsed`` is empty afterwards.
    """
    table: list[Cells] = []
    marks: list[Mark] = []
    may_hold_controls = _may_hold_controls(content)
    for column in columns:
        cells, column_marks = cleaned(
            as_cells(as_parsed.pop(0)),
            title=column.title,
            rows=rows[:taken],
            is_words=column.is_words,
            may_hold_controls=may_hold_controls,
        )
        table.append(cells)
        marks += column_marks
    return pa.table(table, names=[column.key for column in columns]), marks


def _may_hold_controls(content: bytes) -> bool:
    """Tell whether a search in the cells is worth its time: hardly any file holds such bytes."""
    # Controls of one byte, the second block of controls (U+0080-U+009F), and line breaks that must be quoted
    # ones.
    if b"\xc2" in content or b'"' in content:
        return True
    if content.count(b"\r") != content.count(b"\r\n"):
        return True
    step = 1024 * 1024
    pieces = (content[start : start + step] for start in range(0, len(content), step))
    return any(len(piece.translate(None, _CONTROLS)) != len(piece) for piece in pieces)
