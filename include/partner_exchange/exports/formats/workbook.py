"""XLSX with one sheet: typed cells, the header bold and frozen, columns as wide as asked (M64).

openpyxl makes the workbook and its styles; only the cells are written here, as they come, so a million rows
take no more memory than a batch. Text stays text, with its leading zeros. What Excel would change stands as
text: numbers of more than 15 digits and days before 1 March 1900. Instants stand as a clock of their zone
shows them. Control characters are escaped as Excel does, so none is lost; U+FFFE and U+FFFF become U+FFFD.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import IO, BinaryIO

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from partner_exchange.errors import FileUnwritable
from partner_exchange.exports.columns import FileColumn, Kind, Row, Value
from partner_exchange.exports.formats.facts import FileFacts
from partner_exchange.exports.formats.faults import not_as_written, too_wide
from partner_exchange.exports.formats.values import (
    Cleaning,
    Wording,
    is_date_like,
    number_text,
    texts_of,
    transposed,
    utc_day,
    wording,
)
from partner_exchange.readers.cells import as_cells, neutral, restored
from partner_exchange.tenants.exports import ExportFormat
from partner_exchange.tenants.forms import DATE_PARTS

SHEET_ROWS = 1_048_576
CELL_CHARACTERS = 32_767
_SHEET_BYTES = 2**31 - 2**24
"""Larger members of a ZIP need an extension that makes Excel ask whether to repair the file."""

_SHEET = "xl/worksheets/sheet1.xml"
_COMPRESSION = 1
_MAX_DIGITS = 15
_MAX_SIGNS = 40
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - Excel knows no zones
_FIRST_DAY = date(1900, 3, 1)
"""Excel has a 29 February 1900; all days from here on are numbered alike everywhere."""

_DATA = re.compile(rb"<sheetData\s*/>|<sheetData>.*?</sheetData>", re.S)
_DIMENSION = re.compile(rb'<dimension ref="[^"]*"\s*/>')
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*")
_NO_TITLE = re.compile(r"[\[\]:*?/\\\x00-\x1f']")
# White space at an end and line breaks would be lost without a note; what looks like an escape is one.
_SPECIAL = re.compile(r"[&<>\x00-\x1f\x7f]|^\s|\s$|_x[0-9A-Fa-f]{4}_")
_NO_CELL = re.compile("[\0\ud800-\udfff\ufffe\uffff]")
_ESCAPE_LOOK = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_EXCEL_PARTS = {"HH": "hh", "hh": "hh", "mm": "mm", "ss": "ss", "A": "AM/PM"}
_PLAIN_SIGNS = frozenset("-/:., ")

Contents = Callable[[Sequence[Value]], list[str]]
"""What stands in the cells of a column behind their place, "" for an empty one."""


def write(
    file: BinaryIO,
    format: ExportFormat,
    columns: Sequence[FileColumn],
    batches: Iterable[Sequence[Row]],
    *,
    about: FileFacts,
) -> int:
    """Write the rows; see ``api.write``.

    :raises FileUnwritable: ``too-many-rows`` or ``sheet-too-large``, one sheet cannot hold them;
        ``value-too-wide``, a text is longer than a cell may be.
    """
    parts, styles = _frame(format, columns, about)
    place = _DATA.search(parts[_SHEET])
    if place is None:
        raise ValueError("openpyxl wrote a sheet without sheetData")
    cleaning = Cleaning(columns, _NO_CELL)
    # Members are opened by their name alone: then they carry no time, and the same rows give the same bytes.
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION) as target:
        with target.open(_SHEET, "w") as part:
            part.write(parts[_SHEET][: place.start()] + b"<sheetData>")
            count = _Sheet(part, format, columns, styles, about, cleaning).add(batches)
            part.write(b"</sheetData>" + parts[_SHEET][place.end() :])
        for name, content in parts.items():
            if name != _SHEET:
                with target.open(name, "w") as part:
                    part.write(content)
    cleaning.tell(about)
    return count


def _frame(
    format: ExportFormat, columns: Sequence[FileColumn], about: FileFacts
) -> tuple[dict[str, bytes], list[int]]:
    """Return the parts of the workbook without its cells, and the styles: of the header, then by column."""
    book = Workbook()
    sheet = book.active
    sheet.title = _NO_TITLE.sub(" ", about.title).strip()[:31] or "Rows"
    made_at = about.made_at.astimezone(UTC)
    book.properties.creator = "Partner Exchange"
    book.properties.title = sheet.title
    book.properties.created = made_at.replace(tzinfo=None, microsecond=0)
    if format.header:
        sheet.freeze_panes = "A2"
    header = Cell(sheet, row=1, column=1)
    header.font = Font(bold=True)
    header.number_format = "@"
    styles = [header.style_id]
    for at, column in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(at)].width = min(max(column.width, 1), 255)
        cell = Cell(sheet, row=1, column=at)
        cell.number_format = _number_format(column, about)
        styles.append(cell.style_id)
    made = io.BytesIO()
    book.save(made)
    modified = made_at.strftime(r"\g<1>%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(made) as source:
        parts = {name: _MODIFIED.sub(modified, source.read(name), count=1) for name in source.namelist()}
    parts[_SHEET] = _DIMENSION.sub(b"", parts[_SHEET], count=1)
    return parts, styles


def _number_format(column: FileColumn, about: FileFacts) -> str:
    if is_date_like(column):
        return "".join(map(_excel_part, wording(column, about.zone).parts))
    return {Kind.TEXT: "@", Kind.INTEGER: "0"}.get(column.kind, "General")


def _excel_part(part: str) -> str:
    if part in DATE_PARTS:
        return part.lower()
    quoted = '"' + part.replace('"', '""') + '"'
    return _EXCEL_PARTS.get(part) or (part if set(part) <= _PLAIN_SIGNS else quoted)


class _Sheet:
    """The cells of the sheet, written as they come."""

    def __init__(
        self,
        part: IO[bytes],
        format: ExportFormat,
        columns: Sequence[FileColumn],
        styles: Sequence[int],
        about: FileFacts,
        cleaning: Cleaning,
    ) -> None:
        self._part = part
        self._row = 1
        self._size_bytes = 0
        self._letters = [get_column_letter(at) for at in range(1, len(columns) + 1)]
        self._styles = styles[1:]
        self._texts = [_Texts(at, column, format, cleaning) for at, column in enumerate(columns)]
        if format.header:
            headers = [self._texts[at]([column.header]) for at, column in enumerate(columns)]
            self._write(headers, [styles[0]] * len(columns))
        self._contents = [
            _contents(column, about, texts) for column, texts in zip(columns, self._texts, strict=True)
        ]

    def add(self, batches: Iterable[Sequence[Row]]) -> int:
        """Write the rows and return how many they are."""
        first = self._row
        for values in transposed(batches, len(self._letters)):
            self._write([self._contents[at](column) for at, column in enumerate(values)], self._styles)
        return self._row - first

    def _write(self, contents: Sequence[list[str]], styles: Sequence[int]) -> None:
        numbers = range(self._row, self._row + len(contents[0]))
        if numbers.stop - 1 > SHEET_ROWS:
            message = (
                f"A sheet of XLSX holds {SHEET_ROWS} rows with its header, and there are more, so the "
                "file was not made. Choose another kind such as csv, or parameters that leave rows out."
            )
            raise FileUnwritable("too-many-rows", message, limit=SHEET_ROWS)
        cells = [
            [f'<c r="{letter}{number}" s="{style}"{content}' if content else "" for number, content in here]
            for letter, style, here in zip(
                self._letters, styles, (zip(numbers, each, strict=True) for each in contents), strict=True
            )
        ]
        rows = [
            f'<row r="{number}">{"".join(row)}</row>'
            for number, row in zip(numbers, zip(*cells, strict=True), strict=True)
        ]
        data = "".join(rows).encode()
        self._size_bytes += len(data)
        if self._size_bytes > _SHEET_BYTES:
            message = (
                "The sheet is larger than 2 GB, which no spreadsheet opens. The file was not made. "
                "Choose another kind such as csv, or fewer columns."
            )
            raise FileUnwritable("sheet-too-large", message, limit_bytes=_SHEET_BYTES)
        self._part.write(data)
        self._row = numbers.stop


class _Texts:
    """Turns the texts of one column into the contents of cells."""

    def __init__(self, at: int, column: FileColumn, format: ExportFormat, cleaning: Cleaning) -> None:
        self._at = at
        self._header = column.header
        self._is_neutral = format.formulas == "neutral"
        self._may_cut = format.too_long == "cut"
        self._cleaning = cleaning

    def __call__(self, texts: list[str]) -> list[str]:
        texts = self._cleaning.clean(self._at, texts)
        if self._is_neutral:
            texts = neutral(as_cells(texts)).to_pylist()
        if 2 * max(map(len, texts)) > CELL_CHARACTERS:
            texts = self._short(texts)
        return [f' t="inlineStr"><is>{_text(text)}</is></c>' if text else "" for text in texts]

    def _short(self, texts: list[str]) -> list[str]:
        # Excel counts in halves of UTF-16.
        sizes = [len(text.encode("utf-16-le")) // 2 for text in texts]
        count = sum(size > CELL_CHARACTERS for size in sizes)
        if count and not self._may_cut:
            remedy = "Choose another kind such as csv, or write `too_long: cut`."
            raise too_wide(
                self._header, width=CELL_CHARACTERS, count=count, longest=max(sizes), remedy=remedy
            )
        kept = 2 * CELL_CHARACTERS
        return [
            text if size <= CELL_CHARACTERS else text.encode("utf-16-le")[:kept].decode("utf-16-le", "ignore")
            for text, size in zip(texts, sizes, strict=True)
        ]


def _text(value: str) -> str:
    if _SPECIAL.search(value) is None:
        return f"<t>{value}</t>"
    text = _ESCAPE_LOOK.sub("_x005F_", value)
    text = _CONTROL.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f'<t xml:space="preserve">{text}</t>'


def _contents(column: FileColumn, about: FileFacts, texts: _Texts) -> Contents:
    how = wording(column, about.zone)
    words = texts_of(column, about.zone)

    def typed(value: Value) -> str | None:
        """Return the content of a typed cell, None where the value has to stand as text."""
        if isinstance(value, bool):
            return f' t="b"><v>{int(value)}</v></c>'
        if isinstance(value, int | Decimal):
            number = number_text(value, column.header)
            return f"><v>{number}</v></c>" if _is_exact(number) else None
        if isinstance(value, date):
            serial = _serial(value, column.kind, how)
            return f"><v>{serial}</v></c>" if serial else None
        return None

    def contents(values: Sequence[Value]) -> list[str]:
        if column.kind is Kind.TEXT:
            return texts(words(values))
        cells = [typed(value) for value in values]
        others = [value if cell is None else None for value, cell in zip(values, cells, strict=True)]
        if not any(value is not None for value in others):
            return [cell or "" for cell in cells]
        worded = texts(words(others))
        return [word if cell is None else cell for cell, word in zip(cells, worded, strict=True)]

    return contents


def _is_exact(number: str) -> bool:
    digits = number.lstrip("-0.").replace(".", "")
    return len(digits) <= _MAX_DIGITS and len(number) <= _MAX_SIGNS


def _serial(value: date, kind: Kind, how: Wording) -> str:
    """Return the number that is the day or moment in a workbook, "" where there is none."""
    if kind is not Kind.INSTANT or not isinstance(value, datetime):
        day = utc_day(value)
        return str((day - _EPOCH.date()).days) if day >= _FIRST_DAY else ""
    local = how.local(value).replace(tzinfo=None)
    since = local - _EPOCH
    return repr(since.days + since.seconds / 86_400) if local.date() >= _FIRST_DAY else ""


def read(content: bytes, format: ExportFormat, columns: Sequence[FileColumn]) -> Iterator[list[str]]:
    """Yield the rows of a file; see ``api.read``. A row without any value at the end is not there."""
    # Not at the top: who only writes does without the reader's libraries.
    from partner_exchange.readers.refused import Refused
    from partner_exchange.readers.xlsx import XlsxBook

    try:
        sheet = XlsxBook(content, max_cells=SHEET_ROWS * len(columns)).load(0)
        rows = _rows(sheet.blocks(), columns, format) if sheet is not None else iter(())
        if format.header and next(rows, None) != [column.header for column in columns]:
            raise not_as_written("xlsx", "its first row does not hold the headers")
        yield from rows
    except Refused as refused:
        raise not_as_written("xlsx", f"our reader refuses it with {refused.refusal.code}") from None


def _rows(
    blocks: Iterable[list[list[object]]], columns: Sequence[FileColumn], format: ExportFormat
) -> Iterator[list[str]]:
    forms = [wording(column, UTC) if is_date_like(column) else None for column in columns]
    for block in blocks:
        if block and len(block[0]) > len(columns):
            raise not_as_written("xlsx", "it has more columns")
        texts = [
            [_cell_text(row[at] if at < len(row) else "", form) for row in block]
            for at, form in enumerate(forms)
        ]
        if format.formulas == "neutral":
            texts = [restored(as_cells(each)).to_pylist() for each in texts]
        yield from map(list, zip(*texts, strict=True))


def _cell_text(value: object, form: Wording | None) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    if isinstance(value, date) and form is not None:
        moment = value if isinstance(value, datetime) else datetime.combine(value, time.min)
        return form.moment_text(moment)
    return str(value)
