"""Lines of fixed width: each value padded with spaces to the characters of its column (M73).

A number or date is never cut: what is left of it would be another one.
A line break within a value becomes one space, because nothing could tell it from the end of the line. Padding
cannot be told from spaces of the value, so those at the padded end are not read back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from partner_exchange.exports.columns import FileColumn, Kind, Row
from partner_exchange.exports.formats.delimited import NEWLINES
from partner_exchange.exports.formats.facts import FileFacts
from partner_exchange.exports.formats.faults import not_as_written, too_wide
from partner_exchange.exports.formats.values import Cleaning, text_columns
from partner_exchange.tenants.exports import ExportFormat

_BOM = "\ufeff"
_BREAK = re.compile("\r\n|[\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")
"""Whatever some program takes for the end of a line."""


def write(
    file: BinaryIO,
    format: ExportFormat,
    columns: Sequence[FileColumn],
    batches: Iterable[Sequence[Row]],
    *,
    about: FileFacts,
) -> int:
    """Write the rows; see ``api.write``.

    :raises FileUnwritable: ``value-too-wide``, a value or header is wider than its column.
    """
    cleaning = Cleaning(columns)
    newline = NEWLINES[format.newline]
    may_cut = format.too_long == "cut"
    if format.byte_order_mark:
        file.write(_BOM.encode())
    if format.header:
        headers = [cleaning.clean(at, [column.header]) for at, column in enumerate(columns)]
        padded = [_padded(*each, may_cut) for each in zip(columns, headers, strict=True)]
        file.write(_lines(padded, newline))
    count = 0
    for texts in text_columns(columns, batches, cleaning, about.zone):
        padded = [
            _padded(column, each, may_cut and column.kind is Kind.TEXT)
            for column, each in zip(columns, texts, strict=True)
        ]
        file.write(_lines(padded, newline))
        count += len(texts[0])
    cleaning.tell(about)
    return count


def _padded(column: FileColumn, texts: list[str], may_cut: bool) -> list[str]:
    width = column.width
    if not "".join(texts).isprintable():
        texts = [_BREAK.sub(" ", text) for text in texts]
    longest = max(map(len, texts))
    if longest > width:
        if not may_cut:
            count = sum(len(text) > width for text in texts)
            remedy = (
                "Give it a larger `width`; `too_long: cut` (of a report by hand: `--too-long cut`) cuts "
                "texts and headers."
            )
            raise too_wide(column.header, width=width, count=count, longest=longest, remedy=remedy)
        texts = [text[:width] for text in texts]
    if column.align == "right":
        return [text.rjust(width) for text in texts]
    return [text.ljust(width) for text in texts]


def _lines(padded: Sequence[list[str]], newline: str) -> bytes:
    lines = map("".join, zip(*padded, strict=True))
    return (newline.join(lines) + newline).encode()


def read(content: bytes, format: ExportFormat, columns: Sequence[FileColumn]) -> Iterator[list[str]]:
    """Yield the rows of a file; see ``api.read``."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise not_as_written("fixed", "it is not UTF-8") from error
    if format.byte_order_mark:
        if not text.startswith(_BOM):
            raise not_as_written("fixed", "it does not begin with the mark of UTF-8")
        text = text[len(_BOM) :]
    newline = NEWLINES[format.newline]
    *lines, rest = text.split(newline)
    length = sum(column.width for column in columns)
    count = sum(len(line) != length for line in lines) + bool(rest)
    if count:
        raise not_as_written("fixed", f"{count} lines do not have {length} characters", count=count)
    rows = _rows(lines, columns)
    if format.header and next(rows, None) != [
        _bare(column.header[: column.width], column) for column in columns
    ]:
        raise not_as_written("fixed", "its first line does not hold the headers")
    yield from rows


def _rows(lines: Iterable[str], columns: Sequence[FileColumn]) -> Iterator[list[str]]:
    places, start = [], 0
    for column in columns:
        places.append((slice(start, start + column.width), column))
        start += column.width
    for line in lines:
        yield [_bare(line[place], column) for place, column in places]


def _bare(text: str, column: FileColumn) -> str:
    return text.lstrip(" ") if column.align == "right" else text.rstrip(" ")
