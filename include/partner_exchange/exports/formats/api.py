"""Write and read an outbound file of any kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, Protocol, cast

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


@dataclass(frozen=True)
class _Form:
    module: str
    ending: str
    media_type: str


_FORMS: dict[FormatKind, _Form] = {
    "csv": _Form("delimited", "csv", "text/csv; charset=utf-8"),
    "tsv": _Form("delimited", "tsv", "text/tab-separated-values; charset=utf-8"),
    "pipe": _Form("delimited", "txt", "text/plain; charset=utf-8"),
    "fixed": _Form("fixed", "txt", "text/plain; charset=utf-8"),
    "jsonl": _Form("json_lines", "jsonl", "application/jsonl"),
    "xml": _Form("xml", "xml", "application/xml"),
    "xlsx": _Form("workbook", "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


def ending(kind: FormatKind) -> str:
    """Return how names of such files end, without the dot."""
    return _FORMS[kind].ending


def media_type(kind: FormatKind) -> str:
    """Return the media type that a browser is told."""
    return _FORMS[kind].media_type


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
    return cast(_Module, import_module(f"partner_exchange.exports.formats.{_FORMS[kind].module}"))
