"""XML made by a Jinja template of an operator: row by row, in a sandbox, checked to be XML (M73).

The template is given ``rows`` (each a mapping by the name of the report's column; texts as in a CSV, but a
missing value is none and truth is true or false), ``columns`` (``name`` and ``header`` of each), ``tenant``,
``tenant_name``, ``export``, ``report``, ``title`` and ``made_at`` (ISO, UTC). It must take all rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from typing import BinaryIO
from xml.parsers import expat

from jinja2 import StrictUndefined, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from partner_exchange.errors import FileUnwritable
from partner_exchange.exports.columns import FileColumn, Kind, Row
from partner_exchange.exports.formats.facts import FileFacts
from partner_exchange.exports.formats.values import Cleaning, texts_of, transposed

_TEMPLATE_FILE = "<template>"
_PIECES = 1_000

TemplateRow = dict[str, str | bool | None]


def write(
    file: BinaryIO,
    template: str,
    columns: Sequence[FileColumn],
    batches: Iterable[Sequence[Row]],
    *,
    about: FileFacts,
    cleaning: Cleaning,
) -> int:
    """Write what the template makes of the rows, and return how many rows it took.

    :raises FileUnwritable: ``template-broken``, with the line; never with a value.
    """
    source = _Source(_template_rows(columns, batches, about, cleaning))
    check = expat.ParserCreate("UTF-8", " ")
    for text in _pieces(_generated(template, columns, about, source)):
        # A parser takes a bare carriage return for a line feed. The template has none: Jinja sees to that.
        data = text.replace("\r", "&#13;").encode()
        _feed(check, data, is_end=False)
        file.write(data)
    _feed(check, b"", is_end=True)
    if next(source, None) is not None:
        raise _broken(
            f"it took {source.count - 1} rows and left others; go over `rows` once, to the end", line=None
        )
    return source.count


class _Source:
    """The rows for the template: counts them, and remembers a failure that is not the template's."""

    def __init__(self, rows: Iterator[TemplateRow]) -> None:
        self._rows = rows
        self.count = 0
        self.failure: BaseException | None = None

    def __iter__(self) -> Iterator[TemplateRow]:
        return self

    def __next__(self) -> TemplateRow:
        try:
            row = next(self._rows)
        except StopIteration:
            raise
        except Exception as error:
            self.failure = error
            raise
        self.count += 1
        return row


def _template_rows(
    columns: Sequence[FileColumn], batches: Iterable[Sequence[Row]], about: FileFacts, cleaning: Cleaning
) -> Iterator[TemplateRow]:
    names = [column.name for column in columns]
    words = [texts_of(column, about.zone) for column in columns]
    for values in transposed(batches, len(columns)):
        given = [
            _given(column, values[at], cleaning.clean(at, words[at](values[at])))
            for at, column in enumerate(columns)
        ]
        for row in zip(*given, strict=True):
            yield dict(zip(names, row, strict=True))


def _given(column: FileColumn, values: Sequence[object], texts: list[str]) -> Sequence[str | bool | None]:
    if column.kind is Kind.BOOLEAN:
        return [None if value is None else bool(value) for value in values]
    return [None if value is None else text for value, text in zip(values, texts, strict=True)]


def _shown(value: object) -> object:
    """Return what stands in the file for a value: nothing for none, 1 and 0 for truth."""
    if value is None:
        return ""
    return int(value) if isinstance(value, bool) else value


def _generated(
    template: str, columns: Sequence[FileColumn], about: FileFacts, source: _Source
) -> Iterator[str]:
    environment = SandboxedEnvironment(
        autoescape=True, undefined=StrictUndefined, finalize=_shown, trim_blocks=True, lstrip_blocks=True
    )
    try:
        yield from environment.from_string(template).generate(
            rows=source,
            columns=[{"name": column.name, "header": column.header} for column in columns],
            tenant=about.tenant_code,
            tenant_name=about.tenant_name,
            export=about.export,
            report=about.report,
            title=about.title,
            made_at=about.made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
    except Exception as error:
        # Whatever a template does wrong (its author's fault), but not what the rows' own source raises.
        if error is source.failure:
            raise
        broken = _broken(_reason(error), line=_line(error))
    else:
        return
    # Outside of the handler, so that no message with a value hangs on to the error.
    raise broken


def _reason(error: Exception) -> str:
    # Jinja's words for wrong syntax speak of the template alone; all others may quote a value.
    if isinstance(error, TemplateSyntaxError) and error.message:
        return error.message.rstrip(".")
    return type(error).__name__


def _line(error: Exception) -> int | None:
    """Return the line of the template at which it failed."""
    if isinstance(error, TemplateSyntaxError):
        return error.lineno
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == _TEMPLATE_FILE:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _broken(reason: str, *, line: int | None) -> FileUnwritable:
    where = f", line {line}" if line else ""
    message = (
        f"The template of the XML file is broken{where}: {reason}. The file was not made. "
        "Correct the template, then run the export again."
    )
    return FileUnwritable("template-broken", message, line=line)


def _pieces(texts: Iterator[str]) -> Iterator[str]:
    """Yield the texts some at a time: a template makes very many, most of them very short."""
    kept: list[str] = []
    for text in texts:
        kept.append(text)
        if len(kept) == _PIECES:
            yield "".join(kept)
            kept.clear()
    yield "".join(kept)


def _feed(check: expat.XMLParserType, data: bytes, *, is_end: bool) -> None:
    try:
        check.Parse(data, is_end)
    except expat.ExpatError as error:
        problem, line = expat.ErrorString(error.code), error.lineno
    else:
        return
    raise _broken(f"line {line} of what it makes is no XML ({problem})", line=None)
