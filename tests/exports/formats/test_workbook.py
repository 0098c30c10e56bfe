"""XLSX: typed cells and a header that stays, as openpyxl and pandas see them."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from partner_exchange.errors import FileUnwritable
from partner_exchange.exports.columns import Kind
from partner_exchange.exports.formats import workbook
from support.outbound_files import CONTRACT, MADE_AT, a_column, facts, taken_back, written

COLUMNS = [
    a_column(name="name", header="Name", width=33),
    a_column(Kind.INTEGER, name="count", header="Count", width=9),
    a_column(Kind.DECIMAL, name="share", header="Share"),
    a_column(Kind.BOOLEAN, name="is_on", header="On"),
    a_column(Kind.DATE, name="day", header="Day", form="DD.MM.YYYY"),
    a_column(Kind.INSTANT, name="at", header="At", form="YYYY-MM-DD hh:mm A"),
    a_column(Kind.INSTANT, name="utc", header="Utc"),
]
AT = datetime(2026, 7, 4, 13, 5, 9, 999_999, tzinfo=UTC)
ROW = ("000417", -7, Decimal("1.50"), True, date(2026, 1, 2), AT, AT)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)


def opened(content: bytes) -> Worksheet:
    return load_workbook(io.BytesIO(content)).active


def test_M64_cells_are_typed_and_text_keeps_its_zeros() -> None:
    sheet = opened(
        written([ROW, (None,) * 7, ("=1+1", 0, Decimal(3), False, None, None, None)], COLUMNS, kind="xlsx")
    )

    values = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert values[0] == ["Name", "Count", "Share", "On", "Day", "At", "Utc"]
    assert values[1] == [
        "000417", -7, 1.5, True,
        local("2026-01-02"), local("2026-07-04 08:05:09"), local("2026-07-04 13:05:09"),
    ]  # fmt: skip
    assert values[2] == [None] * 7
    assert values[3] == ["'=1+1", 0, 3, False, None, None, None]
    assert [cell.data_type for cell in sheet[2]] == ["s", "n", "n", "b", "d", "d", "d"]
    assert [cell.number_format for cell in sheet[2]] == [
        "@", "0", "General", "General", "dd.mm.yyyy", "yyyy-mm-dd hh:mm AM/PM", 'yyyy-mm-dd"T"hh:mm:ss"Z"',
    ]  # fmt: skip


def test_M64_programs_that_read_row_by_row_find_all_rows() -> None:
    content = written([ROW] * 3, COLUMNS, kind="xlsx")

    sheet = load_workbook(io.BytesIO(content), read_only=True).active

    assert [len(row) for row in sheet.iter_rows()] == [7] * 4


def test_M64_header_is_bold_and_frozen_and_columns_have_their_widths() -> None:
    sheet = opened(written([ROW], COLUMNS, kind="xlsx"))

    assert sheet.title == "Verified students"
    assert sheet.freeze_panes == "A2"
    assert all(cell.font.bold for cell in sheet[1])
    assert not any(cell.font.bold for cell in sheet[2])
    assert (sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width) == (33, 9)


def test_M64_sheet_without_header_begins_with_the_rows() -> None:
    content = written([ROW], COLUMNS, kind="xlsx", header=False)

    assert opened(content).freeze_panes is None
    assert opened(content)["A1"].value == "000417"
    assert taken_back(content, COLUMNS, kind="xlsx", header=False)[0][:2] == ["000417", "-7"]


def test_M49_our_reader_finds_the_texts_that_a_csv_has() -> None:
    content = written([ROW], COLUMNS, kind="xlsx")

    csv_rows = taken_back(written([ROW], COLUMNS), COLUMNS)
    assert taken_back(content, COLUMNS, kind="xlsx") == [
        ["1.5" if cell == "1.50" else cell for cell in row] for row in csv_rows
    ]


def test_M64_pandas_reads_the_sheet() -> None:
    frame = pd.read_excel(io.BytesIO(written([ROW, ROW], COLUMNS, kind="xlsx")), engine="calamine")

    assert list(frame.columns) == [column.header for column in COLUMNS]
    assert frame["Day"].tolist() == [pd.Timestamp(2026, 1, 2)] * 2
    assert frame["Count"].tolist() == [-7, -7]


TINY = "0." + "0" * 330 + "1"


@pytest.mark.parametrize(
    "digits", ["123456789012345", "1234567890123456", "0.1234567890123456789", "1" * 400, TINY]
)
def test_M64_number_that_excel_would_round_stands_as_text(digits: str) -> None:
    content = written([(Decimal(digits),)], [a_column(Kind.DECIMAL)], kind="xlsx")

    assert opened(content)["A2"].data_type == ("n" if len(digits) == 15 else "s")
    assert taken_back(content, [a_column(Kind.DECIMAL)], kind="xlsx") == [[digits]]


@pytest.mark.parametrize(
    ("day", "kind"), [(date(1900, 2, 28), "s"), (date(1900, 3, 1), "d"), (date(9999, 12, 31), "d")]
)
def test_M64_days_that_excel_counts_wrongly_stand_as_text(day: date, kind: str) -> None:
    column = a_column(Kind.DATE, form="MM/DD/YYYY")

    content = written([(day,)], [column], kind="xlsx")

    assert opened(content)["A2"].data_type == kind
    assert taken_back(content, [column], kind="xlsx") == [[day.strftime("%m/%d/%Y")]]
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    instants = written([(at,)], [a_column(Kind.INSTANT)], kind="xlsx")
    assert opened(instants)["A2"].data_type == kind
    assert taken_back(instants, [a_column(Kind.INSTANT)], kind="xlsx") == [[f"{day}T12:00:00Z"]]


def test_M64_every_second_of_a_day_comes_back() -> None:
    column = a_column(Kind.INSTANT, form="YYYY-MM-DD HH:mm:ss")
    rows = [(MADE_AT + timedelta(seconds=at),) for at in range(0, 86_400, 7)]

    content = written(rows, [column], kind="xlsx", about=facts(zone=ZoneInfo("America/Chicago")))

    csv_rows = taken_back(written(rows, [column]), [column])
    assert taken_back(content, [column], kind="xlsx") == csv_rows


NASTY = [
    "a\x01b\x1fc", "x\r\ny\rz\n", " spaces ", "_x000D_", "_x0041_ & <b>", "\t=1", "'=1", "'t Hooft",
    "学生 🎓", "x" * 32_767,
]  # fmt: skip


def test_M64_no_sign_of_a_text_is_lost() -> None:
    rows = [(text,) for text in NASTY]

    content = written(rows, [a_column()], kind="xlsx")

    assert taken_back(content, [a_column()], kind="xlsx") == [[text] for text in NASTY]
    seen = [cell.value for (cell,) in opened(content).iter_rows(min_row=2)]
    assert seen[7:] == ["'t Hooft", "学生 🎓", "x" * 32_767]
    assert seen[5:7] == ["'\t=1", "''=1"]


def test_M64_text_longer_than_a_cell_is_no_file_or_cut() -> None:
    rows = [("🎓" * 16_384,), ("ok",)]

    with pytest.raises(FileUnwritable) as caught:
        written(rows, [a_column()], kind="xlsx")

    assert caught.value.code == "value-too-wide"
    assert caught.value.fields == {"column": "One", "width": 32_767, "count": 1, "longest": 32_768}
    content = written(rows, [a_column()], kind="xlsx", too_long="cut")
    assert taken_back(content, [a_column()], kind="xlsx") == [["🎓" * 16_383], ["ok"]]


def test_M64_more_rows_than_a_sheet_has_are_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "SHEET_ROWS", 4)
    rows = [("a", "1", None)] * 4

    assert len(taken_back(written(rows[:3], CONTRACT, kind="xlsx"), CONTRACT, kind="xlsx")) == 3
    with pytest.raises(FileUnwritable) as caught:
        written(rows, CONTRACT, kind="xlsx")
    assert caught.value.code == "too-many-rows"


def test_M64_sheet_that_no_program_opens_is_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "_SHEET_BYTES", 2_000)

    with pytest.raises(FileUnwritable) as caught:
        written([("a" * 100, "1", None)] * 40, CONTRACT, kind="xlsx", batch_rows=10)
    assert caught.value.code == "sheet-too-large"


def test_M64_workbook_says_when_it_was_made_and_not_when_it_was_saved() -> None:
    content = written([ROW], COLUMNS, kind="xlsx")

    with zipfile.ZipFile(io.BytesIO(content)) as package:
        core = package.read("docProps/core.xml").decode()
        assert {member.date_time for member in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert package.testzip() is None
    assert core.count("2026-11-21T07:47:12Z</dcterms:") == 2
