"""CSV whose columns are found by the header: as strict as a roster, and the same answers as a workbook."""

from __future__ import annotations

import pytest

from partner_exchange.readers.grid import Grid, TableFormat
from partner_exchange.settings import PROJECT_DIR
from support.workbooks import cells, grid, marks, read, refused

SAMPLES = PROJECT_DIR.parent / "shared" / "samples" / "hospital"
HEAD = "Resource ID,Beds,Note"


def lines(*records: str) -> bytes:
    return "\r\n".join([*records, ""]).encode()


def test_E04_reads_text_as_it_stands_trimmed_and_restored() -> None:
    found = grid(b"\xef\xbb\xbf" + lines(HEAD, '0012, 12 ,"two\nlines"', "'=a,1e5,12.50"))

    assert found.format is TableFormat.CSV
    assert found.header == ("Resource ID", "Beds", "Note")
    assert cells(found) == [["0012", "12", "two\nlines"], ["=a", "1e5", "12.50"]]
    assert found.rows.tolist() == [2, 3]
    assert marks(found) == [("surrounding-space", "Beds", [2])]


def test_E08_texts_beside_the_table_are_handed_on_for_the_guard() -> None:
    found = grid(lines("Title,,", ",Date 1,", HEAD + ",", "a,1,x,stray", ",,,alone", "b,1,y,"))

    assert sorted(found.aside.to_pylist()) == ["Date 1", "Title", "alone", "stray"]
    assert cells(found) == [["a", "1", "x"], ["b", "1", "y"]]


def test_E04_faulty_records_are_named_by_row_and_none_vanishes() -> None:
    found = grid(lines(HEAD, "a,1,x", "b,1", "c,1,x,y", 'd"d,1,x', "", ",,", "e,1,x"))

    assert found.rows.tolist() == [2, 8]
    assert found.faulty_rows.tolist() == [3, 4, 5]
    assert found.faulty_text.to_pylist() == ["b,1", "c,1,x,y", 'd"d,1,x']
    assert found.rows_total == 5
    assert marks(found) == [
        ("stray-quote", "", [5]),
        ("too-few-fields", "", [3]),
        ("too-many-fields", "", [4]),
        ("blank-line", "", [6, 7]),
    ]


def test_E04_blank_fields_beyond_the_header_are_left_out_and_told() -> None:
    found = grid(lines(HEAD, "a,1,x,", 'b,1,"y,z",, ,""', ",,,,", "c,1,x,z,", 'd,"1",,', "e,1,x"))

    assert cells(found) == [["a", "1", "x"], ["b", "1", "y,z"], ["d", "1", ""], ["e", "1", "x"]]
    assert found.rows.tolist() == [2, 3, 6, 7]
    assert found.faulty_text.to_pylist() == ["c,1,x,z,"]
    assert found.rows_total == 5
    assert marks(found) == [
        ("too-many-fields", "", [5]),
        ("surplus-blank-fields", "", [2, 3, 6]),
        ("blank-line", "", [4]),
    ]


def test_E04_titles_above_a_known_header_are_skipped_and_told() -> None:
    found = grid(lines("sep=,", "", "Mercy Hospital,,", ",,", HEAD, "a,1,x"))

    assert (found.header_row, found.rows.tolist()) == (5, [6])
    assert [(mark.code, dict(mark.facts)) for mark in found.marks] == [
        ("rows-above-header", {"count": 2, "header_row": 5})
    ]


def test_E04_without_a_known_header_the_first_record_counts() -> None:
    found = grid(lines("", "Hospital,Beds", "a,1"))

    assert found.header == ("Hospital", "Beds")
    assert (found.header_row, found.rows.tolist()) == (2, [3])


@pytest.mark.parametrize(("sign", "name"), [(";", "semicolon (;)"), ("\t", "tab"), ("|", "vertical bar (|)")])
@pytest.mark.parametrize("title", ["", "Mercy Hospital\r\n"])
def test_E04_another_delimiter_is_named(sign: str, name: str, title: str) -> None:
    found = refused(title.encode() + lines(HEAD, "a,1,x").replace(b",", sign.encode()))

    assert (found.code, dict(found.facts)) == ("delimiter-not-comma", {"delimiter": name})


def test_E04_blank_header_cells_keep_their_place_and_data_below_is_told() -> None:
    found = grid(lines("Resource ID,,Beds,,", "a,?,1,,far", "b,,2,,", ",only,,,"))

    assert found.header == ("Resource ID", "", "Beds")
    assert cells(found) == [["a", "?", "1"], ["b", "", "2"]]
    assert [(*mark, dict(fact.facts)) for mark, fact in zip(marks(found), found.marks, strict=True)] == [
        ("column-without-header", "column 2", [2, 4], {"letter": "B"}),
        ("column-without-header", "column 5", [2], {"letter": "E"}),
    ]


def test_E04_headers_may_repeat_and_titles_of_columns_are_cut() -> None:
    found = grid(lines('Resource ID,Beds,Beds,"Long\n' + "x" * 80 + '"', "a, 1, 2, 3"))

    assert found.header == ("Resource ID", "Beds", "Beds", "Long " + "x" * 80)
    assert [mark.column for mark in found.marks] == ["Beds", "Beds", "Long " + "x" * 52 + "..."]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file-empty"),
        (b"\r\n \r\n", "file-empty"),
        (HEAD.encode(), "no-rows"),
        (lines(HEAD, "a,1,x").replace(b"\r\n", b"\r"), "line-ends-cr-only"),
        (HEAD.encode() + b"\ra,1,x\r\nb,1,x\r\n", "line-ends-cr-only"),
        (lines(HEAD, "a,1,x").decode().encode("utf-16"), "file-not-utf-8-wide"),
        (lines(HEAD, "a,1,\0"), "nul-bytes"),
        (HEAD.encode() + b"\na,1,\xfc\n", "file-not-utf-8"),
    ],
)
def test_E04_refuses_what_a_roster_refuses(content: bytes, code: str) -> None:
    assert refused(content).code == code


def test_E04_limits_of_rows_and_columns() -> None:
    content = lines(HEAD, "a,1,x", "b,1", "c,1,x")

    assert grid(content, max_rows=3).rows_total == 3
    assert refused(content, max_rows=2).facts == {"count": 3, "limit": 2, "files": 2}
    found = refused(content, max_columns=2)
    assert (found.code, dict(found.facts)) == ("columns-above-limit", {"count": 3, "limit": 2})


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("nhsn_2020_covid19-test-csv-import.csv", 14),
        ("nhsn_hrd_weekly_newadm_by_jurisdiction_2024-11_2025-02.csv", 40),
        ("wa_health_2025.10.21.Test.Facility.BedCapacity.csv", 60),
    ],
)
def test_E04_public_files_of_hospitals_are_read(name: str, columns: int) -> None:
    path = SAMPLES / name
    if not path.exists():
        pytest.skip("the samples are not part of a clone")

    found = read(path.read_bytes(), file_name=name)

    assert isinstance(found, Grid)
    assert len(found.header) >= min(columns, 14)
    assert len(found.faulty_rows) == 0
    assert found.marks == ()
