"""The marked copy of an XLSX: findings as coloured cells with comments, values as they were (E36, N01)."""

from __future__ import annotations

import csv
import io
import subprocess
import zipfile
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from partner_exchange.feeds.status.annotated import COLOURS, FINDINGS_SHEET, annotated_workbook
from partner_exchange.validation.findings import FindingGroup, Findings, Severity, empty_table
from support.clients import require

TITLES = ("Resource ID", "Beds", "Note", "When")


def findings(*said: tuple[int | None, str, str, str, str], total: int | None = None) -> Findings:
    """Findings as (row, column, severity, code, message)."""
    names = empty_table().columns
    rows = [(row, column, "", *rest) for row, column, *rest in said]
    table = pd.DataFrame(rows, columns=names).astype({"row": "Int64"}) if said else empty_table()
    count = len(said) if total is None else total
    return Findings((FindingGroup("a-code", Severity.ERROR, "", count, "", ""),) if said else (), table)


def workbook(*rows: tuple[Any, ...], title: str = "Bulk") -> bytes:
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    return written(book)


def written(book: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def annotate(original: bytes, said: Findings, **over: Any) -> openpyxl.Workbook:
    facts: dict[str, Any] = {"sheet_name": "Bulk", "header_row": 1, "titles": TITLES, **over}
    return openpyxl.load_workbook(io.BytesIO(annotated_workbook(original, said, **facts)))


def values(content: bytes, sheet: int = 0) -> list[list[Any]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return book.get_sheet_by_index(sheet).to_python(skip_empty_area=False)


SHEET = (TITLES, ("007", 12, "fine", date(2026, 11, 21)), ("008", "x", "", date(2026, 11, 22)))
SAID = findings(
    (None, "", "info", "sheets-ignored", "Other sheets were left out."),
    (None, "Note", "warning", "column-unknown", "Nobody knows this column."),
    (2, "", "warning", "row-odd", "The row is odd."),
    (3, "Beds", "error", "number-not-a-number", "Not a number."),
    (3, "Beds", "info", "number-seen", "Seen."),
)


def test_E30_findings_are_coloured_cells_with_comments() -> None:
    book = annotate(workbook(*SHEET), SAID)

    sheet = book["Bulk"]
    marked = {
        cell.coordinate: (cell.fill.fgColor.rgb[2:], cell.comment.text)
        for row in sheet.iter_rows()
        for cell in row
        if cell.comment
    }
    assert marked == {
        "A2": (COLOURS[Severity.WARNING], "row-odd: The row is odd."),
        "B3": (COLOURS[Severity.ERROR], "number-not-a-number: Not a number.\nnumber-seen: Seen."),
        "C1": (COLOURS[Severity.WARNING], "column-unknown: Nobody knows this column."),
    }
    plain = {cell.coordinate for row in sheet.iter_rows() for cell in row if cell.fill.fill_type is None}
    assert {"A1", "B2", "A3"} <= plain
    assert sheet["A1"].font.b
    assert sheet.freeze_panes == "A2"


def test_E30_all_findings_stand_on_a_sheet_of_their_own_at_the_end() -> None:
    book = annotate(workbook(*SHEET), SAID)

    assert book.sheetnames == ["Bulk", FINDINGS_SHEET]
    rows = [list(row) for row in book[FINDINGS_SHEET].iter_rows(values_only=True)]
    assert rows[0] == ["Row", "Column", "Severity", "Code", "Message"]
    assert rows[1] == [None, None, "info", "sheets-ignored", "Other sheets were left out."]
    assert rows[4] == [3, "Beds", "error", "number-not-a-number", "Not a number."]
    assert len(rows) == 6


def test_X06_a_list_that_was_cut_says_so() -> None:
    book = annotate(workbook(*SHEET), findings((3, "Beds", "error", "a-code", "Bad."), total=7))
    last = [cell.value for cell in book[FINDINGS_SHEET][3]]
    assert last[4] == "The first 1 of 7 findings, errors first."


def test_E30_values_stay_what_they_were() -> None:
    rows = (
        TITLES,
        ("007", 12.5, " two  spaces ", datetime(2026, 11, 21, 16, 30)),  # noqa: DTZ001 - as a sheet has it
        ("<&>\"'", -3, "a\nb\tc", time(16, 30)),
        ("", True, "_x0041_", date(2026, 11, 21)),
        ("1" * 300, 0.1, "\u96c6\U0001f3e5", 1e-7),
    )
    original = workbook(*rows)
    assert values(annotated_workbook(original, SAID, sheet_name="Bulk", header_row=1, titles=TITLES)) == (
        values(original)
    )


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
            st.floats(allow_nan=False, allow_infinity=False),
            st.integers(-(2**53), 2**53),
            st.booleans(),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_E30_any_values_come_through(rows: list[tuple[Any, ...]]) -> None:
    once = annotated_workbook(
        workbook(("a", "b", "c", "d"), title="Bulk"), findings(), sheet_name="Bulk", header_row=1, titles=()
    )
    assert values(once) == [["a", "b", "c", "d"]]
    sound = [[_writable(row[0]), *row[1:]] for row in rows]
    original = workbook(*[tuple(row) for row in sound])
    copy = annotated_workbook(original, SAID, sheet_name="Bulk", header_row=1, titles=TITLES)
    expected = [[_neutral(cell) for cell in row] for row in values(original)]
    found = values(copy)[: len(expected)]
    assert [row[: len(expected[0])] for row in found] == expected


def _writable(text: str) -> str:
    text = openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.sub("", text)
    return "".join(sign for sign in text if sign not in "\ufffe\uffff") or "x"


def _neutral(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in tuple("=+-@\t\r") and cell else cell


def test_E03_formulas_become_their_values_and_formula_text_is_neutral() -> None:
    book = openpyxl.Workbook()
    book.active.title = "Bulk"
    book.active["A1"] = "Resource ID"
    book.active["A2"] = "=1+1"
    book.active["B2"] = "-5 apples"
    book.active["B2"].data_type = "s"
    book.active["C2"] = "@SUM(A1)"
    made = annotate(written(book), SAID)

    cells = {cell.coordinate: cell for row in made["Bulk"].iter_rows() for cell in row}
    assert cells["A2"].value is None, "a formula without a cached result"
    assert (cells["B2"].value, cells["B2"].data_type) == ("'-5 apples", "s")
    assert cells["C2"].value == "'@SUM(A1)"
    assert not [cell for cell in cells.values() if cell.data_type == "f"]


def test_E03_a_complicated_workbook_leaves_its_values_only() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Bulk"
    for row in SHEET:
        sheet.append(row)
    sheet.merge_cells("B2:C3")
    sheet.auto_filter.ref = "A1:D3"
    sheet.add_data_validation(openpyxl.worksheet.datavalidation.DataValidation("list", formula1='"a,b"'))
    sheet.protection.sheet = True
    sheet["A2"].hyperlink = "https://example.org"
    sheet["A2"].comment = openpyxl.comments.Comment("old", "somebody")
    book.create_sheet("Other").append(["not ours"])
    book.create_sheet("Hidden").sheet_state = "hidden"

    made = annotate(written(book), SAID)

    assert made.sheetnames == ["Bulk", FINDINGS_SHEET]
    copy = made["Bulk"]
    assert (copy["A3"].value, copy["B2"].value) == ("008", 12)
    assert not copy.merged_cells.ranges
    assert copy["A2"].comment.text == "row-odd: The row is odd."
    assert copy["A2"].hyperlink is None


def test_E30_the_sheet_is_found_at_its_place_and_the_header_where_it_is() -> None:
    book = openpyxl.Workbook()
    book.active.append(["cover"])
    data = book.create_sheet("Bulk")
    for row in (("Hospital",), (), *SHEET):
        data.append(row)
    said = findings((5, "When", "error", "date-format", "No."), (None, "Beds", "info", "x-y", "Hm."))

    made = annotate(written(book), said, header_row=3, sheet_at=1)["Bulk"]

    assert made["A1"].value == "Hospital"
    assert made["D5"].comment
    assert made["B3"].comment
    assert made.freeze_panes == "A4"


def test_X15_another_sheet_of_the_same_name_is_neither_taken_nor_unpacked() -> None:
    book = openpyxl.Workbook()
    book.active["XFD100000"] = "far away"
    data = book.create_sheet("Bulk")
    for row in SHEET:
        data.append(row)
    source = zipfile.ZipFile(io.BytesIO(written(book)))
    doubled = io.BytesIO()
    with zipfile.ZipFile(doubled, "w") as target:
        for name in source.namelist():
            part = source.read(name)
            target.writestr(name, part.replace(b'name="Sheet"', b'name="Bulk"'))

    marked = annotate(doubled.getvalue(), SAID, sheet_at=1)["Bulk"]
    assert marked["A1"].value == TITLES[0]
    # Where the place itself is not what was checked, the marks are there without values.
    assert annotate(doubled.getvalue(), SAID, sheet_at=0)["Bulk"]["A1"].value is None
    assert annotate(doubled.getvalue(), SAID, sheet_at=7)["Bulk"]["A1"].value is None


def test_E30_columns_without_a_header_and_places_without_a_cell_are_marked_too() -> None:
    said = findings(
        (2, "column 7", "warning", "column-without-header", "Data under no header."),
        (9, "Beds", "error", "a-code", "Bad."),
        (2, "column 99999", "info", "a-code", "Nowhere."),
        (2, "never heard of", "info", "a-code", "At the first cell."),
    )
    made = annotate(workbook(*SHEET), said)["Bulk"]
    assert made["G2"].comment
    assert made["B9"].comment
    assert made["B9"].fill.fgColor.rgb[2:] == COLOURS[Severity.ERROR]
    assert made["A2"].comment.text == "a-code: At the first cell."


def test_E30_an_unreadable_original_still_has_its_marks() -> None:
    made = annotate(b"PK no longer a workbook", SAID)
    assert made["Bulk"]["B3"].comment
    assert made[FINDINGS_SHEET].max_row == 6


@pytest.mark.parametrize("name", ["", "a/b", "x" * 40, FINDINGS_SHEET, "'quoted'", "History"])
def test_E30_any_sheet_name_gives_a_workbook(name: str) -> None:
    book = annotate(workbook(*SHEET), SAID, sheet_name=name)
    assert len(book.sheetnames) == 2
    assert book.worksheets[0]["B3"].comment


def test_E30_what_a_finding_quotes_cannot_break_the_copy() -> None:
    said = findings(
        (3, "Be\x07ds", "error", "a-code", "Bad \x00\ufffe<&> ]]> =1+1"), (2, "=1", "info", "a", "=2")
    )
    book = annotate(workbook(*SHEET), said, titles=("Resource ID", "Be\x07ds"))
    assert "<&>" in book["Bulk"]["B3"].comment.text
    assert book[FINDINGS_SHEET]["B3"].value == "'=1"
    assert book[FINDINGS_SHEET]["E3"].value == "'=2"


def test_E30_every_part_is_sound_xml_and_the_extent_is_stated() -> None:
    import xml.etree.ElementTree as ElementTree

    content = annotated_workbook(workbook(*SHEET), SAID, sheet_name="Bulk", header_row=1, titles=TITLES)
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        assert parts.testzip() is None
        assert len(set(parts.namelist())) == len(parts.namelist())
        for name in parts.namelist():
            ElementTree.fromstring(parts.read(name))  # noqa: S314 - our own file
        assert b'<dimension ref="A1:D3"' in parts.read("xl/worksheets/sheet1.xml")


def test_N01_the_copy_dropped_again_gives_the_same_table() -> None:
    from partner_exchange.readers.grid import Grid
    from partner_exchange.readers.table import TablePolicy, read_table

    def read(content: bytes) -> Grid:
        found = read_table(
            content,
            file_name="a.xlsx",
            policy=TablePolicy(),
            knows=lambda cells: cells[:1] == ["Resource ID"],
        )
        assert isinstance(found, Grid)
        return found

    original = workbook(*SHEET, ("'=x", "+1", "-", "@"), ("=", "''=y", "", ""))
    one = read(original)
    other = read(annotated_workbook(original, SAID, sheet_name="Bulk", header_row=1, titles=TITLES))
    assert [column.to_pylist() for column in other.columns] == [column.to_pylist() for column in one.columns]
    assert other.header == one.header
    assert [mark.code for mark in other.marks] == [mark.code for mark in one.marks], (
        "our sheet is passed over"
    )


@pytest.mark.slow
def test_E30_libreoffice_opens_the_copy_with_values_and_comments(tmp_path: Path) -> None:
    content = annotated_workbook(workbook(*SHEET), SAID, sheet_name="Bulk", header_row=1, titles=TITLES)
    (tmp_path / "marked.xlsx").write_bytes(content)
    for kind in ("csv", "fods"):
        profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
        command = [require("soffice"), profile, "--headless", "--convert-to", kind, "--outdir", str(tmp_path)]
        subprocess.run(
            [*command, str(tmp_path / "marked.xlsx")], check=True, capture_output=True, timeout=120
        )  # noqa: S603
    rows = list(csv.reader((tmp_path / "marked.csv").read_text().splitlines()))
    assert rows[:2] == [[*TITLES], ["007", "12", "fine", "2026-11-21"]]
    document = (tmp_path / "marked.fods").read_text()
    assert "number-not-a-number: Not a number." in document
    assert "#ffc7ce" in document.casefold()
