"""Write and read an outbound file of any kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from partner_exchange.exports.columns import FileColumn, Row
from partner_exchange.exports.formats.facts import FileFacts
from partner_exchange.tenants.exports import ExportFormat, FormatKind


class _Module(Protocol):
    """A module of this package that knows one kind or a family of them."""

    def write(
        self,
        file: BinaryIO,
        format: ExportFormat,
        columns: Sequence[FileColumn],
        batches: Iterable[Sequence[Row]],
        *,
        about: FileFacts,
    ) -> int: ...

    def read(
        self, content: bytes, format: ExportFormat, columns: Sequence[FileColumn]
    ) -> Iterator[list[str]]: ...


_ENDINGS: dict[FormatKind, str] = {
    "csv": "csv",
    "tsv": "tsv",
    "pipe": "txt",
    "fixed": "txt",
    "jsonl": "jsonl",
    "xml": "xml",
    "xlsx": "xlsx",
}


def ending(kind: FormatKind) -> str:
    """Return how names of such files end, without the dot."""
    return _ENDINGS[kind]


def write(
    file: BinaryIO,
    format: ExportFormat,
    columns: Sequence[FileColumn],
    batches: Iterable[Sequence[Row]],
    *,
    about: FileFacts,
) -> int:
    """Write the rows batch by batch and return how many they were; the same rows give the same bytes.

    No more than one batch is in memory. Options of the format that belong to other kinds are not looked at.
    Signs that the kind cannot hold, such as NUL, become U+FFFD, and the log counts them by column.

    :param file: open for writing; what stands in it after an error is no file to deliver.
    :param columns: one at least; each row has as many values.
    :raises FileUnwritable: the rows, the headers or the template do not fit the form; names the column only.
    """
    if not columns:
        raise ValueError("a file has one column at least")
    return _module(format.kind).write(file, format, columns, batches, about=about)


def read(source: Path | BinaryIO, format: ExportFormat, columns: Sequence[FileColumn]) -> Iterator[list[str]]:
    """Yield the texts of the cells of a file that ``write`` wrote, row by row, as a CSV has them (M49).

    Apostrophes that keep a cell neutral are taken off again; a missing value is "". What a kind does not keep
    is not there: spaces at the padded end of a fixed column, zeros at the end of a number in a workbook.

    :raises FileUnwritable: ``not-as-written``, the file does not have this form or these headers, or
        ``template-not-readable``, it was made by a template.
    """
    content = source.read_bytes() if isinstance(source, Path) else source.read()
    return _module(format.kind).read(content, format, columns)


def reads_back(source: Path | BinaryIO, format: ExportFormat, columns: Sequence[FileColumn]) -> int:
    """Return how many rows our own reader finds in a file.

    :raises FileUnwritable: see ``read``.
    """
    return sum(1 for _ in read(source, format, columns))


def _module(kind: FormatKind) -> _Module:
    """Return what knows the kind; loaded when it is asked for, as some are heavy."""
    match kind:
        case "csv" | "tsv" | "pipe":
            from partner_exchange.exports.formats import delimited

            return delimited
        case "fixed":
            from partner_exchange.exports.formats import fixed

            return fixed
        case "jsonl":
            from partner_exchange.exports.formats import json_lines

            return json_lines
        case "xml":
            from partner_exchange.exports.formats import xml

            return xml
        case "xlsx":
            from partner_exchange.exports.formats import workbook

            return workbook
