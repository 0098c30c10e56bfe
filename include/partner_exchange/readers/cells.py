"""Whole columns of cells at once: trimming, neutral formula cells, CSV text without a loop over rows.

Spreadsheets run a cell that starts with ``= + - @``, tab or CR. Every CSV we write puts one apostrophe before
such a cell, also when apostrophes already stand there; the reader takes exactly one away again, so what we
write and a partner drops back is the same cell (docs/decisions/0006-neutral-cells.md). Called by the CSV
reader, the feeds' fix-it files and the result files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

Cells: TypeAlias = pa.ChunkedArray
"""One column of text, ``large_string``, without nulls."""

WHITE_SPACE = (
    " \t\n\r\v\f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What is trimmed from both ends of a cell: the white space of Unicode and two marks that show as nothing."""

FORMULA_START = r"^[=+\-@\t\r]"
_FIELD_START = r'(^|,)("?)([=+\-@\t\r])'
_TO_NEUTRAL = r"^('*[=+\-@\t\r])"
_FROM_NEUTRAL = r"^'('*[=+\-@\t\r])"


def as_cells(values: Any) -> Cells:
    """Return a pandas or Arrow column as cells, without a copy where the text is already Arrow."""
    if isinstance(values, pa.ChunkedArray):
        return values if values.type == pa.large_string() else values.cast(pa.large_string())
    array = pa.array(values, type=pa.large_string(), from_pandas=True)
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array], type=pa.large_string())


def neutral(cells: Cells) -> Cells:
    """Return the cells so that no spreadsheet runs one."""
    if not pc.any(pc.match_substring_regex(cells, _TO_NEUTRAL)).as_py():
        return cells
    return pc.replace_substring_regex(cells, pattern=_TO_NEUTRAL, replacement=r"'\1")


def restored(cells: Cells) -> Cells:
    """Return the cells as they were before ``neutral``."""
    if not pc.any(pc.starts_with(cells, "'")).as_py():
        return cells
    return pc.replace_substring_regex(cells, pattern=_FROM_NEUTRAL, replacement=r"\1")


def trimmed(cells: Cells) -> tuple[Cells, Any | None]:
    """Return the cells without white space around them, and where some was taken, or None where nowhere."""
    result = pc.utf8_trim(cells, characters=WHITE_SPACE)
    is_trimmed = pc.not_equal(pc.binary_length(cells), pc.binary_length(result))
    return (result, is_trimmed) if pc.any(is_trimmed).as_py() else (cells, None)


def csv_text(columns: Sequence[Cells], *, newline: str) -> bytes:
    """Return the rows of the columns as RFC 4180 text, cells neutral, quoted where needed; no header."""
    return joined(csv_records(columns), newline=newline) if columns else b""


def csv_records(columns: Sequence[Cells]) -> Cells:
    """Return one RFC 4180 record per row, without its line end, cells neutral and quoted where needed."""
    fields = [_quoted(neutral(cells)) for cells in columns]
    return pc.binary_join_element_wise(*fields, pa.scalar(",", pa.large_string()))


def neutral_records(records: Cells) -> Cells:
    """Return whole records that could not be taken apart so that no spreadsheet runs a field of them.

    A comma inside quotes is taken for the start of a field as well: one apostrophe too many in a record that
    has to be mended by hand does no harm, one too few would.
    """
    if not pc.any(pc.match_substring_regex(records, _FIELD_START)).as_py():
        return records
    return pc.replace_substring_regex(records, pattern=_FIELD_START, replacement=r"\1\2'\3")


def _quoted(cells: Cells) -> Cells:
    is_special = pc.match_substring_regex(cells, '[",\r\n]')
    if not pc.any(is_special).as_py():
        return cells
    doubled = pc.replace_substring(cells, pattern='"', replacement='""')
    mark, nothing = pa.scalar('"', pa.large_string()), pa.scalar("", pa.large_string())
    return pc.if_else(is_special, pc.binary_join_element_wise(mark, doubled, mark, nothing), cells)


def joined(records: Cells, *, newline: str) -> bytes:
    """Return the records one after another, each with ``newline`` behind it."""
    end, nothing = pa.scalar(newline, pa.large_string()), pa.scalar("", pa.large_string())
    lines = pc.binary_join_element_wise(records, end, nothing)
    return b"".join(_data(chunk) for chunk in lines.chunks if len(chunk))


def _data(chunk: Any) -> memoryview:
    """Return the bytes of all strings of an Arrow array in order, straight from its buffer."""
    _, offsets, data = chunk.buffers()
    positions = memoryview(offsets).cast("q")
    return memoryview(data)[positions[chunk.offset] : positions[chunk.offset + len(chunk)]]
