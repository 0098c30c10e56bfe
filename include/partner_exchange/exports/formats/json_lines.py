"""JSON lines: one object per row, its keys the headers, line feeds between (M73).

Numbers keep all their digits, truth is true or false, nothing is null; dates and instants are text in their
form.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import BinaryIO

from partner_exchange.exports.columns import FileColumn, Row, Value
from partner_exchange.exports.formats.facts import FileFacts
from partner_exchange.exports.formats.faults import headers_repeat, not_as_written
from partner_exchange.exports.formats.values import Cleaning, texts_of, transposed
from partner_exchange.tenants.exports import ExportFormat

_quoted: Callable[[object], str] = json.JSONEncoder(ensure_ascii=False).encode


def write(
    file: BinaryIO,
    format: ExportFormat,
    columns: Sequence[FileColumn],
    batches: Iterable[Sequence[Row]],
    *,
    about: FileFacts,
) -> int:
    """Write the rows; see ``api.write``.

    :raises FileUnwritable: ``headers-repeat``, two columns have the same header.
    """
    cleaning = Cleaning(columns)
    keys = [_key(at, column, cleaning) for at, column in enumerate(columns)]
    repeated = next((key for key in keys if keys.count(key) > 1), None)
    if repeated is not None:
        raise headers_repeat(columns[keys.index(repeated)].header)
    line = "{" + ",".join(f"{key.replace('%', '%%')}:%s" for key in keys) + "}\n"
    literals = [_literals(at, column, about, cleaning) for at, column in enumerate(columns)]
    count = 0
    for values in transposed(batches, len(columns)):
        written = [literals[at](column) for at, column in enumerate(values)]
        file.write("".join([line % row for row in zip(*written, strict=True)]).encode())
        count += len(values[0])
    cleaning.tell(about)
    return count


def _key(at: int, column: FileColumn, cleaning: Cleaning) -> str:
    return _quoted(cleaning.clean(at, [column.header])[0])


def _literals(
    at: int, column: FileColumn, about: FileFacts, cleaning: Cleaning
) -> Callable[[Sequence[Value]], list[str]]:
    texts = texts_of(column, about.zone)

    def literal(value: Value, word: str) -> str:
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "true" if value else "false"
        is_number = isinstance(value, int | Decimal)
        return word if is_number else _quoted(word)

    def literals(values: Sequence[Value]) -> list[str]:
        words = cleaning.clean(at, texts(values))
        return [
            _quoted(word) if value.__class__ is str else literal(value, word)
            for value, word in zip(values, words, strict=True)
        ]

    return literals


def read(content: bytes, format: ExportFormat, columns: Sequence[FileColumn]) -> Iterator[list[str]]:
    """Yield the rows of a file; see ``api.read``."""
    keys = [column.header for column in columns]
    *lines, rest = content.split(b"\n")
    if rest:
        raise not_as_written("jsonl", "its last line has no end")
    for number, line in enumerate(lines, 1):
        found = _object(line)
        if list(found) != keys:
            raise not_as_written("jsonl", f"line {number} is no object with these headers", line=number)
        yield [_text(value) for value in found.values()]


def _object(line: bytes) -> dict[str, object]:
    """Return the object of a line, an empty one where there is none."""
    try:
        found = json.loads(line, parse_int=str, parse_float=str)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return "" if value is None else str(value)
