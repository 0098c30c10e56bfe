# ruff: noqa: DTZ001 - cells of a spreadsheet know no time zone
"""Workbooks by other writers than the reader's: cells, headers, sheets, and what is said about them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path

import openpyxl
import pytest
import xlwt

from partner_exchange.readers.grid import Grid, TableFormat
from partner_exchange.readers.values import number_text
from partner_exchange.settings import PROJECT_DIR
from support.workbooks import (
    HEADER,
    HEADER_XML,
    biff,
    cells,
    grid,
    label,
    marks,
    members,
    number,
    read,
    record,
    refused,
    saved,
    sheet_of,
    text_cell,
    with_part,
    xls,
    xlsx,
)

BOTH = pytest.mark.parametrize("make", [xlsx, xls])
SAMPLES = PROJECT_DIR.parent / "shared" / "samples"


@BOTH
def test_E02_E03_cells_become_canonical_text(make: Callable[..., bytes]) -> None:
    content = make(
        HEADER,
        ["0012", 12, 12.50],
        [True, False, 1e16],
        [" x ", "'=a", 0.1 + 0.2],
        ["-", -0.0, 1e-7],
    )

    found = grid(content)

    assert cells(found) == [
        ["0012", "12", "12.5"],
        ["TRUE", "FALSE", "10000000000000000"],
        ["x", "=a", "0.3"],
        ["-", "0", "0.0000001"],
    ]
    assert found.header == HEADER
    assert found.header_row == 1
    assert found.rows.tolist() == [2, 3, 4, 5]
    assert found.sheet_name == "Data"
    assert marks(found) == [("surrounding-space", "Resource ID", [4])]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (123456789012345678.0, "123456789012345680"),
        (9007199254740992.0, "9007199254740992"),
        (1e22, "10000000000000000000000"),
        (2.9999999999999996, "3"),
        (-0.1, "-0.1"),
        (1.1000000000000001, "1.1"),
        (123456.789, "123456.789"),
        (5e-324, "0." + "0" * 323 + "5"),
        (float("nan"), ""),
        (float("-inf"), ""),
    ],
)
def test_E02_numbers_have_no_exponent_and_no_dust_of_binary_arithmetic(number: float, text: str) -> None:
    assert number_text(number) == text


MOMENTS = (
    (dt.date(2026, 11, 21), "yyyy-mm-dd", "2026-11-21"),
    (dt.datetime(2026, 11, 21, 16, 30), "yyyy-mm-dd hh:mm", "2026-11-21 16:30:00"),
    (dt.datetime(2026, 11, 21), "m/d/yy h:mm", "2026-11-21"),
    (dt.datetime(2026, 11, 21, 16, 30, 1), "yyyy-mm-dd hh:mm:ss", "2026-11-21 16:30:01"),
    (dt.time(16, 30), "h:mm", "16:30:00"),
    (dt.time(0, 0, 1), "h:mm:ss", "00:00:01"),
    (dt.timedelta(hours=30, minutes=1), "[h]:mm:ss", "30:01:00"),
)


@pytest.mark.parametrize("is_1904", [False, True])
def test_E03_dates_and_times_in_either_calendar_of_a_workbook(is_1904: bool) -> None:
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904 if is_1904 else book.epoch
    book.active.append(HEADER)
    for row, (moment, look, _) in enumerate(MOMENTS, 2):
        book.active.cell(row, 1, moment).number_format = look

    assert [row[0] for row in cells(grid(saved(book)))] == [text for _, _, text in MOMENTS]


@pytest.mark.parametrize("is_1904", [False, True])
def test_E02_dates_and_times_in_either_calendar_of_an_xls(is_1904: bool) -> None:
    book = xlwt.Workbook()
    book.dates_1904 = is_1904
    sheet = book.add_sheet("Data")
    sheet.write(0, 0, HEADER[0])
    moments = [each for each in MOMENTS if not isinstance(each[0], dt.timedelta)]
    for row, (moment, look, _) in enumerate(moments, 1):
        sheet.write(row, 0, moment, xlwt.easyxf(num_format_str=look))

    assert [row[0] for row in cells(grid(saved(book)))] == [text for _, _, text in moments]


def test_E03_dates_written_as_iso_text_and_seconds_that_a_fraction_misses() -> None:
    rows = (
        '<row r="2"><c r="A2" t="d"><v>2026-11-21T16:30:00</v></c><c r="B2" t="d"><v>2026-11-21</v></c></row>'
    )
    assert cells(grid(sheet_of(HEADER_XML + rows))) == [["2026-11-21 16:30:00", "2026-11-21"]]

    book = openpyxl.Workbook()
    book.active.append(HEADER)
    book.active.append([dt.datetime(2026, 11, 20, 23, 59, 59, 999_700), dt.time(23, 59, 59, 900_000)])
    assert cells(grid(saved(book))) == [["2026-11-21", "23:59:59", ""]]


def test_E03_error_cells_are_errors_and_blank_also_those_newer_than_the_library() -> None:
    rows = "".join(
        f'<row r="{row}">{text_cell(f"A{row}", "x")}<c r="B{row}" t="e">{inner}</c></row>'
        for row, inner in enumerate(
            ("<v>#DIV/0!</v>", "<f>1/0</f><v>#N/A</v>", "<v>#SPILL!</v>", "<v></v>"), 2
        )
    )

    found = grid(sheet_of(HEADER_XML + rows))

    assert cells(found) == [["x", ""]] * 4
    assert marks(found) == [("cell-error", "Beds", [2, 3, 4, 5])]


def test_E03_numbers_that_are_none_are_errors() -> None:
    rows = (
        '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>nan</v></c></row>'
        '<row r="4"><c r="B4"><v>1e999</v></c></row>'
    )

    found = grid(sheet_of(HEADER_XML + rows))

    assert cells(found) == [["1", ""], ["", ""]]
    assert marks(found) == [("cell-error", "Beds", [2, 4])]


def test_E02_error_cells_of_an_xls_are_errors_and_blank() -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Data")
    sheet.write(0, 0, HEADER[0])
    sheet.write(0, 1, "Beds")
    sheet.write(1, 0, "x")
    sheet.row(1).set_cell_error(1, "#DIV/0!")
    sheet.row(2).set_cell_error(1, "#REF!")

    found = grid(saved(book))

    assert cells(found) == [["x", ""], ["", ""]]
    assert marks(found) == [("cell-error", "Beds", [2, 3])]


def test_E03_formulas_give_their_stored_value_and_are_never_silent_without_one() -> None:
    rows = (
        '<row r="2"><c r="A2"><f>1+1</f><v>2</v></c><c r="B2" t="str"><f>"a"&amp;"b"</f><v>ab</v></c></row>'
        '<row r="3"><c r="A3"><v>1</v></c><c r="B3" t="str"><f>IF(1,"","")</f><v></v></c></row>'
        '<row r="4"><c r="A4"><v>1</v></c><c r="B4"><f>1+1</f><v/></c></row>'
        '<row r="5"><c r="B5"><f t="shared" si="0"/></c></row>'
        '<row r="6"><c r="A6"><v>7</v></c><c r="B6"><f t="shared" si="0"/><v>8</v></c></row>'
    )

    found = grid(sheet_of(HEADER_XML + rows))

    assert cells(found) == [["2", "ab"], ["1", ""], ["1", ""], ["", ""], ["7", "8"]]
    assert marks(found) == [("formula-without-value", "Beds", [4, 5])]


def test_E03_formulas_that_openpyxl_wrote_have_no_value() -> None:
    found = grid(xlsx(HEADER, ["a", "=1+1", "=B2"]))

    assert marks(found) == [("formula-without-value", "Beds", [2]), ("formula-without-value", "Note", [2])]


def test_E02_formulas_that_xlwt_wrote_have_no_value() -> None:
    found = grid(xls(HEADER, ["a", xlwt.Formula("1+1"), "x"]))

    assert cells(found) == [["a", "", "x"]]
    assert marks(found) == [("formula-without-value", "Beds", [2])]


def _formula(row: int, column: int, value: bytes) -> bytes:
    return record(0x0006, bytes([row, 0, column, 0, 0, 0]) + value + bytes(6) + b"\x03\x00\x1e\x01\x00")


def test_E02_formulas_of_an_xls_give_their_stored_value() -> None:
    head = [label(0, column, name) for column, name in enumerate(HEADER)]
    of = 255
    text = "".join(map(chr, range(65, 91)))
    rows = [
        _formula(1, 0, b"\0\0\0\0\0\0\x28\x40"),
        _formula(1, 1, bytes([1, 0, 1, 0, 0, 0, of, of])),
        _formula(1, 2, bytes([0, 0, 0, 0, 0, 0, of, of])),
        record(0x0207, bytes([len(text), 0, 0]) + text.encode()),
        _formula(2, 0, bytes([3, 0, 0, 0, 0, 0, of, of])),
        _formula(2, 1, bytes([2, 0, 7, 0, 0, 0, of, of])),
        _formula(2, 2, bytes([0, 0, 0, 0, 0, 0, of, of])),
        record(0x0221, bytes(12)),
        record(0x0207, bytes([2, 0, 1]) + "é→".encode("utf-16-le")),
    ]

    found = grid(biff([*head, *rows]))

    assert cells(found) == [["12", "TRUE", text], ["", "", "é→"]]
    assert marks(found) == [("cell-error", "Beds", [3])]


def test_E02_rich_text_many_numbers_in_one_record_and_embedded_charts_of_an_xls() -> None:
    bof, eof = record(0x0809, bytes(16)), record(0x000A)
    rich = label(1, 0, "rich")
    found = grid(
        biff(
            [
                *(label(0, column, name) for column, name in enumerate(HEADER)),
                b"\xd6\x00" + rich[2:],
                bof,
                number(5, 5, 1),
                eof,
                record(
                    0x00BD, bytes([1, 0, 1, 0]) + bytes(2) + b"\x02\0\0\0" + bytes(2) + b"\x32\0\0\0\x02\0"
                ),
            ]
        )
    )

    assert cells(found) == [["rich", "0", "12"]]


@BOTH
def test_E02_E03_empty_rows_and_columns_are_left_out_and_keep_the_numbers(make: Callable[..., bytes]) -> None:
    found = grid(
        make([], [None, *HEADER], [], [None, "a", 1, None, None], [" "], [None, None, "2"]), known=any
    )

    assert found.header == ("", *HEADER)
    assert found.header_row == 2
    assert found.rows.tolist() == [4, 6]
    assert cells(found) == [["", "a", "1", ""], ["", "", "2", ""]]
    assert marks(found) == []


@BOTH
def test_E02_E03_data_under_no_header_is_told_with_its_column(make: Callable[..., bytes]) -> None:
    found = grid(
        make(["Resource ID", None, "Beds"], ["a", "?", 1, None, "far"], ["b", None, 2], ["", "only"])
    )

    assert found.header == ("Resource ID", "", "Beds")
    assert found.rows.tolist() == [2, 3]
    assert [(*mark, dict(fact.facts)) for mark, fact in zip(marks(found), found.marks, strict=True)] == [
        ("column-without-header", "column 2", [2, 4], {"letter": "B"}),
        ("column-without-header", "column 5", [2], {"letter": "E"}),
    ]


@BOTH
def test_E02_E03_titles_above_a_known_header_are_skipped_and_told(make: Callable[..., bytes]) -> None:
    found = grid(make(["Mercy Hospital"], [], ["As of", "today"], HEADER, ["a", 1]))

    assert found.header == HEADER
    assert (found.header_row, found.rows.tolist()) == (4, [5])
    assert [(mark.code, dict(mark.facts)) for mark in found.marks] == [
        ("rows-above-header", {"count": 2, "header_row": 4})
    ]


@pytest.mark.parametrize(("titles", "is_found"), [(19, True), (20, False)])
def test_E03_a_header_is_looked_for_in_the_first_20_filled_rows(titles: int, is_found: bool) -> None:
    found = grid(xlsx(*([f"title {at}"] for at in range(titles)), HEADER, ["a"]))

    assert (found.header == HEADER) is is_found
    assert found.header_row == (20 if is_found else 1)


def test_E03_header_cells_are_one_line_and_titles_of_columns_are_cut() -> None:
    found = grid(xlsx(["Resource ID", "Beds \n in\tuse ", "x" * 100], ["a", " 1 ", " 2 "]))

    assert found.header[1] == "Beds in use"
    assert [mark.column for mark in found.marks] == ["Beds in use", "x" * 57 + "..."]


@BOTH
def test_E03_the_first_visible_sheet_with_a_known_header_is_taken(make: Callable[..., bytes]) -> None:
    found = grid(make(["Read me"], Empty=[], Second=[HEADER, ["a"]], Third=[HEADER, ["b"]]))

    assert found.sheet_name == "Second"
    assert cells(found) == [["a", "", ""]]
    assert [(mark.code, dict(mark.facts)) for mark in found.marks] == [
        ("sheets-ignored", {"count": 2, "names": "Data, Third"})
    ]


def _hidden(states: dict[str, str], rows: Mapping[str, list[list[str]]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, lines in rows.items():
        sheet = book.create_sheet(name)
        sheet.sheet_state = states.get(name, "visible")
        for row in lines:
            sheet.append(row)
    return saved(book)


def test_E03_hidden_sheets_are_never_read() -> None:
    known = [list(HEADER), ["a"]]
    states = {"Lists": "hidden", "Deep": "veryHidden", "_exchange_codes": "veryHidden"}
    hidden = {"Lists": known, "Deep": known, "_exchange_codes": known}

    found = grid(_hidden(states, {**hidden, "Data": known}))
    assert found.sheet_name == "Data"
    assert [(mark.code, dict(mark.facts)) for mark in found.marks] == [
        ("sheets-hidden-ignored", {"count": 2, "names": "Lists, Deep"})
    ]

    found = grid(_hidden(states, {**hidden, "Data": [["Other"], ["x"]]}))
    assert found.header == ("Other",)
    assert [(mark.code, dict(mark.facts)) for mark in found.marks] == [
        ("sheets-hidden-ignored", {"count": 2, "names": "Lists, Deep"})
    ]

    nothing = refused(_hidden(states, {**hidden, "Data": []}))
    assert (nothing.code, dict(nothing.facts)) == ("sheets-all-hidden", {"count": 2})


@BOTH
def test_E08_texts_beside_the_table_are_handed_on_for_the_guard(make: Callable[..., bytes]) -> None:
    content = make(
        ["Title", 7], HEADER, ["a", 1, "note", "stray"], ["", "", "", " far "], Other=[["x", 5], ["Title"]]
    )

    found = grid(content)

    assert sorted(found.aside.to_pylist()) == ["7", "Title", "far", "stray", "x"]
    assert found.sheets == ("Data", "Other")


def test_E08_hidden_sheets_are_handed_on_and_ours_are_not() -> None:
    rows = {"Data": [list(HEADER), ["a"]], "Census": [["Patient"]], "_exchange": [["ours"]]}

    found = grid(_hidden({"Census": "hidden", "_exchange": "hidden"}, rows))

    assert found.aside.to_pylist() == ["Patient"]
    assert found.sheets == ("Data", "Census")


def test_E08_sheets_before_the_known_one_are_handed_on() -> None:
    found = grid(xlsx(["one"], Second=[["two"]], Third=[HEADER, ["a"]], Fourth=[["four"]]))

    assert found.sheet_name == "Third"
    assert sorted(found.aside.to_pylist()) == ["four", "one", "two"]


def test_E08_another_sheet_that_is_too_large_does_not_refuse_the_file() -> None:
    content = xlsx(HEADER, ["a"], Large=[["x"] * 50] * 50)

    assert grid(content, max_cells=100).aside.to_pylist() == []


def test_E02_hidden_sheets_of_an_xls_are_never_read() -> None:
    book = xlwt.Workbook()
    for name, state in (("Secret", 1), ("_exchange", 2), ("Data", 0)):
        sheet = book.add_sheet(name)
        sheet.visibility = state
        sheet.write(0, 0, "Resource ID" if state else "Other")
        sheet.write(1, 0, "a")
    book.set_active_sheet(2)

    found = grid(saved(book))

    assert found.sheet_name == "Data"
    assert [dict(mark.facts) for mark in found.marks] == [{"count": 1, "names": "Secret"}]


def test_E03_many_and_long_names_of_sheets_are_cut() -> None:
    content = xlsx(HEADER, ["a"], **{f"Sheet {at:02} " + "x" * 20: [["y"]] for at in range(12)})

    (mark,) = grid(content).marks

    assert mark.facts["count"] == 12
    assert str(mark.facts["names"]).endswith(" and 2 more")


def test_E03_no_known_header_gives_the_first_sheet_that_holds_anything() -> None:
    found = grid(xlsx(Empty=[], Other=[["Bed count", "Name"], [1, 2]], Third=[["x"]]))

    assert found.sheet_name == "Other"
    assert found.header == ("Bed count", "Name")
    assert [mark.code for mark in found.marks] == ["sheets-ignored"]


@BOTH
def test_E02_E03_a_workbook_without_rows_is_refused(make: Callable[..., bytes]) -> None:
    assert refused(make()).code == "workbook-empty"
    assert refused(make([" "])).code == "workbook-empty"
    assert refused(make(HEADER)).code == "no-rows"


def test_E03_merged_cells_are_told_once_when_inside_the_table() -> None:
    book = openpyxl.Workbook()
    for row in (["Title"], HEADER, ["a", 1], ["b", 2], ["c", 3]):
        book.active.append(row)
    for area in ("A1:C1", "A3:A4", "B4:C5", "G1:H9"):
        book.active.merge_cells(area)

    found = grid(saved(book))

    assert cells(found) == [["a", "1", ""], ["", "2", ""], ["c", "", ""]]
    assert [(mark.code, dict(mark.facts)) for mark in found.marks if mark.code == "merged-cells"] == [
        ("merged-cells", {"count": 2})
    ]


def test_E02_merged_cells_of_an_xls_are_told() -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Data")
    for column, name in enumerate(HEADER):
        sheet.write(0, column, name)
    sheet.write_merge(1, 2, 0, 0, "a")

    assert [dict(mark.facts) for mark in grid(saved(book)).marks] == [{"count": 1}]


@BOTH
def test_E02_E03_cells_are_judged_as_those_of_a_csv(make: Callable[..., bytes]) -> None:
    found = grid(make(HEADER, ["a", "x" * 1001, "two\nlines"], ["b\x7f", "c", "d\x85e"]))

    assert marks(found) == [
        ("control-character", "Resource ID", [3]),
        ("cell-too-long", "Beds", [2]),
        ("control-character", "Note", [3]),
    ]


@BOTH
def test_E02_E03_limits_of_rows_columns_and_cells(make: Callable[..., bytes]) -> None:
    content = make(HEADER, *[[f"r{at}", at] for at in range(10)])

    assert len(grid(content, max_rows=10).rows) == 10
    found = refused(content, max_rows=9)
    assert (found.code, dict(found.facts), found.rows_total) == (
        "rows-above-limit",
        {"count": 10, "limit": 9, "files": 2},
        10,
    )
    assert refused(content, max_columns=2).facts == {"count": 3, "limit": 2}
    assert refused(content, max_cells=32).facts == {"rows": 11, "columns": 3, "limit": 32}
    assert len(grid(content, max_cells=33).rows) == 10


def test_E03_writers_with_other_habits_are_read_alike() -> None:
    """Prefixes, single quotes, cells without a position, comments, CDATA, blanks between tags."""
    habits = (
        "<row><c t='inlineStr'><is><t>Resource ID</t></is></c><c t='inlineStr'><is><t>Beds</t></is></c></row>"
        "<row><c><v>1</v></c><c t='e'><v>#N/A</v></c></row>"
        "<row r='9'><c><v>2</v></c><c r='C9'><v>3</v></c><c><v>4</v></c></row>"
        "<row><c><v>5</v></c><c><f>1</f></c></row>",
        HEADER_XML
        + '<!-- <c r=\'ZZ9\'> --><row r="2">\n <c r="A2">\n<v>1</v>\n</c>\n'
        + '<c r="B2" t="e">\n<v>#N/A</v>\n</c>\n</row>'
        + '<row r="9"><c r="A9" t="str"><v><![CDATA[2]]></v></c>'
        + '<c r="C9"><v>3</v></c><c r="D9"><v>4</v></c></row>'
        + '<row r="10"><c r="A10"><v>5</v></c>\n<c r="B10"><f>1</f>\n<v/>\n</c></row>',
    )
    for rows in habits:
        found = grid(sheet_of(rows))

        assert cells(found) == [["1", ""], ["2", ""], ["5", ""]]
        assert found.rows.tolist() == [2, 9, 10]
        assert sorted(marks(found)) == [
            ("cell-error", "Beds", [2]),
            ("column-without-header", "column 3", [9]),
            ("column-without-header", "column 4", [9]),
            ("formula-without-value", "Beds", [10]),
        ]


def test_E03_a_prefixed_sheet_and_absolute_targets_are_read() -> None:
    content = sheet_of(
        HEADER_XML + '<row r="2"><c r="A2" t="s"><v>1</v></c></row>', strings="<si/><si><t>a</t></si>"
    )
    rels = "xl/_rels/workbook.xml.rels"
    parts = members(content)
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    for tag in ("worksheet", "sheetData", "row", "c", "v", "is", "t"):
        for end in " >":
            sheet = sheet.replace(f"<{tag}{end}", f"<x:{tag}{end}").replace(
                f"</{tag}{end}", f"</x:{tag}{end}"
            )
    content = with_part(content, "xl/worksheets/sheet1.xml", sheet.replace("xmlns=", "xmlns:x="))
    content = with_part(content, rels, parts[rels].replace(b'Target="', b'Target="/xl/'))

    assert cells(grid(content)) == [["a", ""]]


@pytest.mark.parametrize("name", ["MQE_Report_Card.xlsx", "MQE_VaccineCodeReport.xlsx"])
def test_E03_public_workbooks_are_read(name: str) -> None:
    path = Path(SAMPLES / "reports" / name)
    if not path.exists():
        pytest.skip("the samples are not part of a clone")

    found = read(path.read_bytes(), file_name=name)

    assert isinstance(found, Grid)
    assert found.format is TableFormat.XLSX
    assert len(found.rows) > 10
