"""Files that LibreOffice wrote, read by the table reader (E02, E03, E04)."""

from __future__ import annotations

import datetime as dt
import subprocess
from pathlib import Path

import openpyxl
import pytest

from partner_exchange.readers.grid import TableFormat
from support.clients import require
from support.workbooks import HEADER, cells, grid, marks, read, refused, saved

FORMATS = {
    TableFormat.XLSX: "xlsx:Calc MS Excel 2007 XML",
    TableFormat.XLS: "xls:MS Excel 97",
    TableFormat.CSV: "csv:Text - txt - csv (StarCalc):44,34,76",
}
ROWS = [
    ["0012", 12, "Grüße, „Bett“"],
    [12.5, 0.1 + 0.2, True],
    [dt.date(2026, 11, 21), dt.datetime(2026, 11, 21, 16, 30), dt.time(16, 30)],  # noqa: DTZ001
    ["=1/0", "=B2*2", '=IF(B2>1,"","x")'],
    [None, None, None],
    ["'=a", 123456789012, "two\nlines"],
]
EXPECTED = [
    ["0012", "12", "Grüße, „Bett“"],
    ["12.5", "0.3", "TRUE"],
    ["2026-11-21", "2026-11-21 16:30:00", "16:30:00"],
    ["", "24", ""],
    ["=a", "123456789012", "two\nlines"],
]


def _workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Data"
    sheet.append(["Mercy Hospital"])
    sheet.append(HEADER)
    for row in ROWS:
        sheet.append(row)
    sheet["A6"] = "=1/0"
    sheet["B6"] = "=B3*2"
    sheet["C6"] = '=IF(B3>1,"","x")'
    for cell, look in (("A5", "yyyy-mm-dd"), ("B5", "yyyy-mm-dd hh:mm:ss"), ("C5", "hh:mm:ss")):
        sheet[cell].number_format = look
    sheet.append(["merged"])
    sheet.merge_cells("A9:B9")
    hidden = book.create_sheet("Lists")
    hidden.append(["x"])
    hidden.sheet_state = "hidden"
    book.create_sheet("Notes").append(["y"])
    return saved(book)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[TableFormat, bytes]:
    """Return what LibreOffice makes of one workbook, one start of the program for each format."""
    return {format: _converted(tmp_path_factory.mktemp("office"), format) for format in FORMATS}


def _converted(folder: Path, format: TableFormat) -> bytes:
    source = folder / "source.xlsx"
    source.write_bytes(_workbook())
    command = [
        require("soffice"),
        "--headless",
        f"-env:UserInstallation={(folder / 'profile').as_uri()}",
        "--convert-to",
        FORMATS[format],
        "--outdir",
        str(folder / "out"),
        str(source),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return (folder / "out" / f"source.{format}").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("format", [TableFormat.XLSX, TableFormat.XLS])
def test_E02_E03_workbooks_of_libreoffice_give_the_same_cells(
    written: dict[TableFormat, bytes], format: TableFormat
) -> None:
    found = grid(written[format])

    assert found.format is format
    assert found.header == HEADER
    assert found.header_row == 2
    assert cells(found) == [*EXPECTED, ["merged", "", ""]]
    assert found.rows.tolist() == [3, 4, 5, 6, 8, 9]
    assert [(mark.code, dict(mark.facts)) for mark in found.marks if not len(mark.rows)] == [
        ("rows-above-header", {"count": 1, "header_row": 2}),
        ("sheets-ignored", {"count": 1, "names": "Notes"}),
        ("sheets-hidden-ignored", {"count": 1, "names": "Lists"}),
        ("merged-cells", {"count": 1}),
    ]
    assert ("cell-error", "Resource ID", [6]) in marks(found)


@pytest.mark.slow
def test_E04_a_csv_of_libreoffice_is_read(written: dict[TableFormat, bytes]) -> None:
    found = grid(written[TableFormat.CSV])

    assert found.format is TableFormat.CSV
    assert found.header == HEADER
    assert found.rows.tolist() == [3, 4, 5, 6, 8, 9]
    assert cells(found)[0] == EXPECTED[0]
    assert cells(found)[2] == EXPECTED[2]
    assert cells(found)[4] == EXPECTED[4]
    assert ("blank-line", "", [7]) in marks(found)


@pytest.mark.slow
def test_E05_an_ods_of_libreoffice_is_refused_by_name(tmp_path: Path) -> None:
    source = tmp_path / "source.xlsx"
    source.write_bytes(_workbook())
    profile = (tmp_path / "profile").as_uri()
    for kind, name in (
        ("ods", "an OpenDocument spreadsheet (.ods)"),
        ("fods", "an OpenDocument file in flat XML"),
        ("html", "a web page (HTML)"),
        ("pdf", "a PDF document"),
    ):
        command = [require("soffice"), "--headless", f"-env:UserInstallation={profile}", "--convert-to", kind]
        subprocess.run(
            [*command, "--outdir", str(tmp_path), str(source)], check=True, capture_output=True, timeout=120
        )
        found = refused((tmp_path / f"source.{kind}").read_bytes())
        assert (found.code, dict(found.facts)) == ("file-not-a-table", {"kind": name})


def test_E03_the_workbook_itself_has_formulas_without_values() -> None:
    found = read(_workbook())

    assert [mark.code for mark in found.marks].count("formula-without-value") == 3
