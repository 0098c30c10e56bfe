"""CSV by RFC 4180, and the same with tabs or vertical bars (M47, M49, K16).

Cells that a spreadsheet would run get an apostrophe (docs/decisions/0006-neutral-cells.md). Numbers keep
their minus: what we count ourselves is no formula. The CSV is read back with the rules for partners' files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from partner_exchange.exports.columns import FileColumn, Kind, Row
from partner_exchange.exports.formats.facts import FileFacts
from partner_exchange.exports.formats.faults import not_as_written
from partner_exchange.exports.formats.values import Cleaning, text_columns
from partner_exchange.readers.cells import Cells, as_cells, joined, neutral, restored
from partner_exchange.readers.guards import UTF8_BOM, check_encoding
from partner_exchange.readers.scan import scan
from partner_exchange.tenants.exports import ExportFormat

DELIMITERS = {"csv": ",", "tsv": "\t", "pipe": "|"}
NEWLINES = {"crlf": "\r\n", "lf": "\n"}

_NEVER_RUN = (Kind.INTEGER, Kind.DECIMAL, Kind.BOOLEAN)
_READ_ROWS = 10_000


def write(
    file: BinaryIO,
    format: ExportFormat,
    columns: Sequence[FileColumn],
    batches: Iterable[Sequence[Row]],
    *,
    about: FileFacts,
) -> int:
    """Write the rows; see ``api.write``."""
    cleaning = Cleaning(columns)
    form = _Records(format, columns)
    if format.byte_order_mark:
        file.write(UTF8_BOM)
    if format.header:
        headers = [cleaning.clean(at, [column.header]) for at, column in enumerate(columns)]
        file.write(form.lines(headers, is_header=True))
    count = 0
    for texts in text_columns(columns, batches, cleaning, about.zone):
        file.write(form.lines(texts))
        count += len(texts[0])
    cleaning.tell(about)
    return count


class _Records:
    """Turns columns of text into lines."""

    def __init__(self, format: ExportFormat, columns: Sequence[FileColumn]) -> None:
        self._delimiter = DELIMITERS[format.kind]
        self._newline = NEWLINES[format.newline]
        self._quotes_all = format.quoting == "all"
        self._is_neutral = format.formulas == "neutral"
        self._may_run = [column.kind not in _NEVER_RUN for column in columns]
        # A mark of UTF-8 at the start of a value could be taken for that of the file.
        self._special = f'[{self._delimiter}"\r\n]|^\ufeff'

    def lines(self, texts: Sequence[list[str]], *, is_header: bool = False) -> bytes:
        fields = [
            self._quoted(self._neutral(as_cells(column), is_header or may_run))
            for column, may_run in zip(texts, self._may_run, strict=True)
        ]
        if len(fields) == 1:
            # An empty line would be a blank one, not a record of one empty field.
            fields = [pc.if_else(pc.equal(fields[0], ""), _text('""'), fields[0])]
        records = pc.binary_join_element_wise(*fields, _text(self._delimiter))
        return joined(records, newline=self._newline)

    def _neutral(self, cells: Cells, may_run: bool) -> Cells:
        return neutral(cells) if self._is_neutral and may_run else cells

    def _quoted(self, cells: Cells) -> Cells:
        is_special = pc.match_substring_regex(cells, self._special)
        if not self._quotes_all and not pc.any(is_special).as_py():
            return cells
        doubled = pc.replace_substring(cells, pattern='"', replacement='""')
        quoted = pc.binary_join_element_wise(_text('"'), doubled, _text('"'), _text(""))
        return quoted if self._quotes_all else pc.if_else(is_special, quoted, cells)


def _text(value: str) -> pa.Scalar:
    return pa.scalar(value, pa.large_string())


def read(content: bytes, format: ExportFormat, columns: Sequence[FileColumn]) -> Iterator[list[str]]:
    """Yield the rows of a file; see ``api.read``."""
    start = len(UTF8_BOM) if format.byte_order_mark else 0
    if content[:start] != UTF8_BOM[:start]:
        raise not_as_written(format.kind, "it does not begin with the mark of UTF-8")
    if check_encoding(content) is not None:
        raise not_as_written(format.kind, "it is not UTF-8")
    width = len(columns)
    if format.kind == "csv":
        found = scan(content, start, first_row=1, width=width)
        if found.fault_rows or found.blank_rows:
            count = len(found.fault_rows) + len(found.blank_rows)
            raise not_as_written("csv", f"{count} records break the rules or have another width", count=count)
    table = _parsed(content[start:], format, width)
    cells = [_taken_back(table.column(at), format) for at in range(width)]
    first = 0
    if format.header:
        first = 1
        headers = [column.slice(0, 1).to_pylist() for column in cells]
        if headers != [[column.header] for column in columns]:
            raise not_as_written(format.kind, "its first line does not hold the headers")
    for position in range(first, table.num_rows, _READ_ROWS):
        pieces = [column.slice(position, _READ_ROWS).to_pylist() for column in cells]
        yield from map(list, zip(*pieces, strict=True))


def _parsed(content: bytes, format: ExportFormat, width: int) -> pa.Table:
    schema = pa.schema([(str(at), pa.large_string()) for at in range(width)])
    if not content:
        return schema.empty_table()
    try:
        return arrow_csv.read_csv(
            pa.BufferReader(content),
            # One block: a record that does not fit into a block cannot be read.
            read_options=arrow_csv.ReadOptions(column_names=schema.names, block_size=len(content) + 1),
            parse_options=arrow_csv.ParseOptions(
                delimiter=DELIMITERS[format.kind], newlines_in_values=True, ignore_empty_lines=False
            ),
            convert_options=arrow_csv.ConvertOptions(column_types=schema, strings_can_be_null=False),
        )
    except pa.ArrowInvalid:
        # Not chained: the message of the parser quotes a record.
        problem = "a record has another number of fields"
    raise not_as_written(format.kind, problem)


def _taken_back(cells: Cells, format: ExportFormat) -> Cells:
    return restored(as_cells(cells)) if format.formulas == "neutral" else as_cells(cells)
