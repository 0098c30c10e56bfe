"""Workbooks made in memory by other programs than the reader's, and by hand where no program makes such."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import openpyxl
import xlwt
from xlwt.CompoundDoc import XlsDoc

from partner_exchange.readers.grid import Grid
from partner_exchange.readers.marks import Refusal
from partner_exchange.readers.table import TablePolicy, read_table

HEADER = ("Resource ID", "Beds", "Note")
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
NO_FORMAT = "General"


def knows(header: Sequence[str]) -> bool:
    """Say what the feeds say: a header is known by its first column."""
    return bool(header) and header[0] == HEADER[0]


def read(content: bytes, *, file_name: str = "", known: Callable[..., bool] = knows, **policy: int) -> Any:
    return read_table(content, file_name=file_name, policy=TablePolicy(**policy), knows=known)


def grid(content: bytes, **settings: Any) -> Grid:
    found = read(content, **settings)
    assert isinstance(found, Grid), found
    return found


def refused(content: bytes, **settings: Any) -> Refusal:
    found = read(content, **settings)
    assert isinstance(found, Refusal), found
    return found


def cells(found: Grid) -> list[list[str]]:
    """Return the rows of a grid as lists."""
    return [list(row) for row in zip(*(column.to_pylist() for column in found.columns), strict=True)]


def marks(found: Grid) -> list[tuple[str, str, list[int]]]:
    return [(mark.code, mark.column, mark.rows.tolist()) for mark in found.marks]


def xlsx(*rows: Sequence[Any], **sheets: Sequence[Sequence[Any]]) -> bytes:
    """Return a workbook of openpyxl with ``rows`` on sheet "Data" and further sheets behind it."""
    book = openpyxl.Workbook()
    book.active.title = "Data"
    for row in rows:
        book.active.append(row)
    for name, lines in sheets.items():
        sheet = book.create_sheet(name)
        for row in lines:
            sheet.append(row)
    return saved(book)


def saved(book: Any) -> bytes:
    """Return the bytes of a workbook of openpyxl or xlwt."""
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def xls(*rows: Sequence[Any], **sheets: Sequence[Sequence[Any]]) -> bytes:
    """Return a workbook of xlwt with ``rows`` on sheet "Data" and further sheets behind it."""
    book = xlwt.Workbook()
    for name, lines in {"Data": rows, **sheets}.items():
        sheet = book.add_sheet(name)
        for at, row in enumerate(lines):
            for column, value in enumerate(row):
                if value is not None:
                    sheet.write(at, column, value)
    return saved(book)


def members(content: bytes) -> dict[str, bytes]:
    """Return the parts of a package."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def package(parts: Mapping[str, bytes | str], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


def with_part(content: bytes, name: str, data: bytes | str) -> bytes:
    """Return a package with one part added or replaced."""
    return package({**members(content), name: data})


def sheet_of(rows: str | bytes, *, strings: str | None = None, before: str = "", after: str = "") -> bytes:
    """Return a workbook whose one sheet holds this XML."""
    data = rows.encode() if isinstance(rows, str) else rows
    links = [("worksheet", "worksheets/sheet1.xml")] + ([("sharedStrings", "strings.xml")] if strings else [])
    relations = "".join(
        f'<Relationship Id="r{at}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for at, (kind, target) in enumerate(links)
    )
    parts: dict[str, bytes | str] = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="a" '
        f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
        '<sheet name="Data" sheetId="1" r:id="r0"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f"{relations}</Relationships>",
        "xl/worksheets/sheet1.xml": before.encode()
        + f'<worksheet xmlns="{MAIN}"><sheetData>'.encode()
        + data
        + f"</sheetData>{after}</worksheet>".encode(),
    }
    if strings:
        parts["xl/strings.xml"] = f'<sst xmlns="{MAIN}">{strings}</sst>'
    return package(parts)


def text_cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


HEADER_XML = f'<row r="1">{text_cell("A1", HEADER[0])}{text_cell("B1", "Beds")}</row>'


def record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def biff(sheet: Sequence[bytes], *, extra: Sequence[bytes] = (), state: int = 0, kind: int = 0) -> bytes:
    """Return an XLS file whose one sheet holds these records."""
    bof = record(0x0809, struct.pack("<HHHHII", 0x0600, 5, 0, 0, 0, 0))
    name = b"\x04\x00Data"
    start = len(bof) + sum(map(len, extra)) + 4 + 6 + len(name) + 4
    stream = b"".join(
        [
            bof,
            *extra,
            record(0x0085, struct.pack("<IBB", start, state, kind) + name),
            record(0x000A),
            record(0x0809, struct.pack("<HHHHII", 0x0600, 0x10, 0, 0, 0, 0)),
            *sheet,
            record(0x000A),
        ]
    )
    out = io.BytesIO()
    XlsDoc().save(out, stream)
    return out.getvalue()


def label(row: int, column: int, text: str) -> bytes:
    data = struct.pack("<HHHHB", row, column, 0, len(text), 0) + text.encode("latin-1")
    return record(0x0204, data)


def number(row: int, column: int, value: float) -> bytes:
    return record(0x0203, struct.pack("<HHHd", row, column, 0, value))
