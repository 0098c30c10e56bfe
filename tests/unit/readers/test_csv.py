"""The strict reader: what it takes, what it refuses, and that no row ever vanishes."""

from __future__ import annotations

import zipfile
from io import BytesIO

import pytest

from partner_exchange.feeds.roster.contract import COLUMNS
from partner_exchange.readers.csv import ReadPolicy, Sheet, read_csv
from partner_exchange.readers.marks import Refusal
from support.rosters import HEADER, a_row, text

LINE = ",".join(a_row(1))


def read(content: bytes, *, file_name: str = "roster.csv", **policy: object) -> Sheet | Refusal:
    settings = ReadPolicy(**{"max_rows": 50_000, **policy})
    return read_csv(content, file_name=file_name, columns=COLUMNS, policy=settings)


def sheet(content: bytes, **policy: object) -> Sheet:
    found = read(content, **policy)
    assert isinstance(found, Sheet), found
    return found


def refused(content: bytes, **policy: object) -> Refusal:
    found = read(content, **policy)
    assert isinstance(found, Refusal)
    return found


def marks(found: Sheet) -> list[tuple[str, list[int]]]:
    return [(mark.code, mark.rows.tolist()) for mark in found.marks]


def lines(*records: str, end: str = "\r\n") -> bytes:
    return end.join([HEADER, *records, ""]).encode()


def an_xlsx() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "code", "facts"),
    [
        (b"", "file-empty", {"size": 0}),
        (b"\xef\xbb\xbf", "file-empty", {"size": 3}),
        (b"\r\n \r\n", "file-empty", {"size": 5}),
        (an_xlsx(), "file-not-text", {"kind": "a ZIP archive or an Excel workbook (.xlsx)"}),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "file-not-text", {}),
        (b"%PDF-1.7\n%\xe2\xe3", "file-not-text", {"kind": "a PDF document"}),
        (bytes(range(256)) * 8, "file-not-text", {"kind": "binary data"}),
        (LINE.encode("utf-16"), "file-not-utf-8-wide", {"encoding": "UTF-16"}),
        (LINE.encode("utf-16-le"), "file-not-utf-8-wide", {"encoding": "UTF-16"}),
        (LINE.encode("utf-16-be"), "file-not-utf-8-wide", {"encoding": "UTF-16"}),
        (LINE.encode("utf-32"), "file-not-utf-8-wide", {"encoding": "UTF-32"}),
        (LINE.encode("utf-32-be"), "file-not-utf-8-wide", {"encoding": "UTF-32"}),
        (lines(LINE, "a\0b,,,,,,,,"), "nul-bytes", {"count": 1, "line": 3}),
        (lines(LINE, LINE, end="\r"), "line-ends-cr-only", {"count": 3}),
        (lines(LINE).replace(b",", b";"), "delimiter-not-comma", {"delimiter": "semicolon (;)"}),
        (lines(LINE).replace(b",", b"\t"), "delimiter-not-comma", {"delimiter": "tab"}),
        (lines(LINE).replace(b",", b"|"), "delimiter-not-comma", {"delimiter": "vertical bar (|)"}),
        (HEADER.encode(), "no-rows", {}),
        (lines(), "no-rows", {}),
        (lines("", ""), "no-rows", {}),
    ],
)
def test_M16_refuses_what_is_no_roster_and_says_what_it_is(
    content: bytes, code: str, facts: dict[str, object]
) -> None:
    found = refused(content)

    assert found.code == code
    assert facts.items() <= found.facts.items()


def test_M06_names_the_first_bad_byte_by_line_column_and_value() -> None:
    content = lines(LINE) + "a@example.edu,1,Müller,é".encode() + b",\xfcber,,,,\r\n"

    found = refused(content)

    assert (found.code, dict(found.facts)) == ("file-not-utf-8", {"line": 3, "column": 26, "byte": "0xFC"})


def test_M06_names_a_bad_byte_far_into_the_file_and_a_letter_cut_off_at_its_end() -> None:
    rows = text([a_row(number, LastName="é" * 40) for number in range(20_000)])

    assert refused(rows + b"a,\xe9,,,,,,,\n").facts["line"] == 20_002
    assert refused(rows + "a,é".encode()[:-1]).facts == {"line": 20_002, "column": 3, "byte": "0xC3"}


def test_M06_takes_a_byte_order_mark() -> None:
    found = sheet(b"\xef\xbb\xbf" + lines(LINE))

    assert found.header[0] == "Username"
    assert found.rows.tolist() == [2]


@pytest.mark.parametrize(
    "name", ["roster.txt", "roster.csv.txt", "roster.xlsx", "rostercsv", "roster.csv.", ""]
)
def test_M15_refuses_other_extensions(name: str) -> None:
    assert refused(lines(LINE), file_name=name).code == "extension-not-csv"


def test_M15_takes_upper_case_as_the_policy_says() -> None:
    assert sheet(lines(LINE), file_name="ROSTER.CSV").rows_total == 1
    found = refused(lines(LINE), file_name="ROSTER.CSV", extension_case="lower")
    assert found.code == "extension-not-lower-case"


SEED_HEADERS = {
    "quoted": '"EmailAddressRequired","StudentId","LastName","FirstName","Telephone","Dob",'
    '"RequirementGroup","Term","OnCampus"',
    "own names": "Email,CWID,Surname,Givenname,Phone,Bob,RequirementGroup,Term,CampusResident",
    "blank names": "Email,StudentId,,,,,",
    "swapped": '"StudentId","EmailAddressRequired","LastName","FirstName","Telephone","Dob",'
    '"RequirementGroup","Term","OnCampus"',
    "one missing": "EmailAddressRequired,StudentId,LastName,FirstName,Telephone,Dob,RequirementGroup,Term",
    "too many": "Email,,,,,,,,,,,,,,,,,,,,,StudentId,OnCampus",
}


@pytest.mark.parametrize(
    ("header", "codes"),
    [("quoted", []), ("own names", []), ("blank names", ["header-short-blank"]), ("swapped", [])],
)
def test_M10_takes_the_good_headers_of_the_source(header: str, codes: list[str]) -> None:
    found = sheet(f"{SEED_HEADERS[header]}\n{LINE}\n".encode())

    assert [mark.code for mark in found.marks] == codes
    assert found.rows.tolist() == [2]


def test_M13_refuses_the_header_without_its_last_column_and_names_the_position() -> None:
    found = refused(f"{SEED_HEADERS['one missing']}\n{LINE}\n".encode())

    assert found.code == "header-too-narrow"
    assert dict(found.facts) == {"fields": 8, "needed": 9, "absent": "9 (OnCampus)"}
    assert found.rows_total == 1


def test_M14_refuses_the_header_with_too_many_columns() -> None:
    found = refused(f"{SEED_HEADERS['too many']}\n{LINE}\n".encode())

    assert found.code == "header-too-wide"
    assert dict(found.facts) == {"fields": 23, "needed": 9, "extra": 14}


def test_M09_skips_a_header_with_a_stray_quote_with_a_warning() -> None:
    found = sheet(('User"name' + HEADER[8:] + "\n" + LINE + "\n").encode())

    assert marks(found) == [("header-stray-quote", [])]
    assert found.rows.tolist() == [2]


def test_M09_an_unclosed_quote_in_the_header_takes_no_row_along() -> None:
    found = sheet(('"' + HEADER + "\n" + LINE + "\n" + LINE + "\n").encode())

    assert found.rows.tolist() == [2, 3]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("is_last_line_ended", [True, False])
def test_K16_takes_lf_and_crlf_and_a_last_line_without_end(end: str, is_last_line_ended: bool) -> None:
    content = lines(LINE, LINE, end=end)

    found = sheet(content if is_last_line_ended else content.rstrip())

    assert found.rows.tolist() == [2, 3]
    assert found.table.column("on_campus").to_pylist() == ["1", "1"]


def test_K16_takes_mixed_line_ends() -> None:
    assert sheet(f"{HEADER}\n{LINE}\r\n{LINE}\n".encode()).rows.tolist() == [2, 3]


def test_M07_row_numbers_are_those_of_a_spreadsheet() -> None:
    broken = ",".join(a_row(1)).replace("Last1", '"two\r\nlines, and ""quotes"""')

    found = sheet(lines(LINE, "", broken, ",,,,,,,,", "  ", LINE))

    assert found.rows.tolist() == [2, 4, 5, 7]
    assert found.table.column("last_name")[1].as_py() == 'two\r\nlines, and "quotes"'
    assert marks(found) == [("blank-line", [3, 6])]
    assert found.rows_total == 4


def test_M07_a_stray_quote_in_row_2_makes_no_row_vanish() -> None:
    stray = LINE.replace("Last1", 'La"st')

    found = sheet(lines(stray, LINE, LINE))

    assert found.rows.tolist() == [3, 4]
    assert marks(found) == [("stray-quote", [2])]
    assert found.faulty_text.to_pylist() == [stray]


@pytest.mark.parametrize("closing", ["", 'Last"', 'La"st', '"Last1"'])
@pytest.mark.parametrize("column", range(9))
def test_M07_an_unclosed_quote_never_swallows_following_rows(column: int, closing: str) -> None:
    opened = a_row(1)
    opened[column] = '"' + opened[column]
    later = a_row(9, LastName=closing or "Last9")

    found = sheet(
        lines(",".join(opened), *[",".join(a_row(number)) for number in (2, 3, 4)], ",".join(later))
    )

    assert found.rows_total == 5
    assert {3, 4, 5} <= set(found.rows.tolist())
    assert ("stray-quote", 2) in [(code, rows[0]) for code, rows in marks(found)]


@pytest.mark.parametrize("column", range(9))
def test_M07_two_unclosed_quotes_in_one_column_merge_no_rows(column: int) -> None:
    """By the letter of RFC 4180 the two are one record of nine fields; taken so, a student would be lost."""
    opened, closed = a_row(1), a_row(5)
    opened[column] = '"' + opened[column]
    closed[column] = closed[column] + '"'
    between = [",".join(a_row(number)) for number in (2, 3)]

    found = sheet(lines(",".join(opened), *between, ",".join(closed), LINE))

    assert found.rows.tolist() == [3, 4, 6]
    assert found.faulty_rows.tolist() == [2, 5]


def test_M07_a_wide_record_with_a_quoted_line_break_is_one_record() -> None:
    wide = LINE.replace("Last1", '"two\nlines"') + ",extra"

    found = sheet(lines(LINE, wide, LINE))

    assert found.rows.tolist() == [2, 4]
    assert marks(found) == [("too-many-fields", [3])]


def test_M13_M14_rows_of_another_width_are_set_apart_with_their_counts() -> None:
    found = sheet(lines("a,b", LINE, LINE + ",x", "a", LINE[:-2], "," * 500))

    widths = {(mark.code, mark.facts["fields"]): mark.rows.tolist() for mark in found.marks}
    assert widths == {
        ("too-few-fields", 1): [5],
        ("too-few-fields", 2): [2],
        ("too-few-fields", 8): [6],
        ("too-many-fields", 10): [4],
        ("too-many-fields", "100 or more"): [7],
    }
    assert found.rows.tolist() == [3]


def test_K16_a_carriage_return_alone_ends_a_faulty_row_and_the_next_one_counts() -> None:
    found = sheet((HEADER + "\n" + LINE + "\r" + LINE + "\n").encode())

    assert marks(found) == [("lone-carriage-return", [2])]
    assert found.rows.tolist() == [3]


def test_M37_counts_before_anything_else() -> None:
    content = lines(LINE, LINE, "", "a,b", LINE)

    assert sheet(content, max_rows=4).rows_total == 4
    found = refused(content, max_rows=3)
    assert (found.code, dict(found.facts)) == ("rows-above-limit", {"count": 4, "limit": 3, "files": 2})
    assert found.rows_total == 4


def test_K19_loads_the_first_rows_by_position_and_lists_the_rest() -> None:
    content = lines(LINE, "a,b", LINE, LINE, "c", LINE)

    found = sheet(content, max_rows=3, above_max_rows="load_first")

    assert found.rows.tolist() == [2, 4]
    assert found.rest_rows.tolist() == [5, 7]
    assert found.faulty_rows.tolist() == [3, 6]
    assert [(code, rows) for code, rows in marks(found)] == [
        ("rows-beyond-limit", []),
        ("row-beyond-limit", [5, 6, 7]),
        ("too-few-fields", [3]),
    ]
    assert found.rows_total == 6


def test_M07_cells_are_trimmed_kept_as_text_and_restored() -> None:
    row = a_row(1, StudentId="00123", LastName="  NA\u00a0", FirstName="null", Telephone="'+1 2", Term="''=x")

    found = sheet(text([row]))

    cells = {name: found.table.column(name)[0].as_py() for name in found.table.column_names}
    assert cells["student_id"] == "00123"
    assert cells["last_name"] == "NA"
    assert cells["first_name"] == "null"
    assert cells["telephone"] == "+1 2"
    assert cells["term"] == "'=x"
    assert marks(found) == [("surrounding-space", [2])]


def test_M07_a_cell_of_200_000_bytes_is_one_finding() -> None:
    found = sheet(text([a_row(1), a_row(2, LastName="x" * 200_000), a_row(3, FirstName="é" * 1000)]))

    assert marks(found) == [("cell-too-long", [3])]


def test_M07_a_record_larger_than_a_block_of_the_parser_is_read() -> None:
    found = sheet(text([a_row(1), a_row(2, LastName="x" * 20_000_000), a_row(3)]))

    assert found.rows.tolist() == [2, 3, 4]


def test_M07_control_characters_are_found_and_quoted_line_breaks_in_words_are_not() -> None:
    rows = [
        a_row(1, LastName="two\nlines"),
        a_row(2, LastName="bell\x07"),
        a_row(3, Username="a\nb@example.edu"),
        a_row(4, StudentId="1\t2"),
        a_row(5, FirstName="x\x9fy"),
        a_row(6, Telephone="1\t2"),
    ]

    found = sheet(text(rows))

    said = sorted((row, mark.column) for mark in found.marks for row in mark.rows.tolist())
    assert said == [(3, "LastName"), (4, "Username"), (5, "StudentId"), (6, "FirstName")]
