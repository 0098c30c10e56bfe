"""Reading a file of consents: every line judged, the good ones taken (T62)."""

from __future__ import annotations

from datetime import date

import pytest

from partner_exchange.feeds.vxu.consent_file import COLUMNS, ConsentFile, read_consents

TODAY = date(2026, 11, 21)
HEADER = ",".join(column.title for column in COLUMNS)


def read(*lines: str, header: str = HEADER, name: str = "consents.csv") -> ConsentFile:
    return read_consents("\n".join((header, *lines)).encode(), file_name=name, today=TODAY)


def codes(found: ConsentFile) -> list[tuple[int, str, str]]:
    table = found.findings.table
    return list(zip(table["row"], table["column"], table["code"], strict=True))


def test_T62_a_line_is_taken_as_the_registry_keeps_it() -> None:
    found = read("7,CLINIC,Example,Ann,20200203,child,yes,2026-11-01")
    assert (found.is_refused, found.lines, found.rejected, found.findings.total) == (False, 1, 0, 0)
    assert found.records.to_dict("records") == [
        {
            "authority": "CLINIC",
            "identifier": "7",
            "last_name": "Example",
            "first_name": "Ann",
            "birth_on": "2020-02-03",
            "type": "CHILD",
            "status": "YES",
            "consented_on": "2026-11-01",
        }
    ]


@pytest.mark.parametrize(
    ("line", "code", "column"),
    [
        (",CLINIC,Example,,20200203,CHILD,YES,20261101", "consent-person-missing", ""),
        (",,Example,Ann,,CHILD,YES,20261101", "consent-person-missing", ""),
        ("7,,,,,MINOR,YES,20261101", "consent-type-unknown", "ConsentType"),
        ("7,,,,,,YES,20261101", "consent-type-unknown", "ConsentType"),
        ("7,,,,,CHILD,MAYBE,20261101", "consent-status-unknown", "ConsentStatus"),
        ("7,,,,,CHILD,YES,", "consent-date", "ConsentDate"),
        ("7,,,,,CHILD,YES,20260229", "consent-date", "ConsentDate"),
        ("7,,,,,CHILD,YES,11/01/2026", "consent-date", "ConsentDate"),
        ("7,,,,202002,CHILD,YES,20261101", "consent-date", "BirthDate"),
        ("7,,,,,CHILD,YES,20261122", "consent-date-in-future", "ConsentDate"),
        ("7,,,,20270101,CHILD,YES,20261101", "consent-date-in-future", "BirthDate"),
        (f"{'7' * 201},,,,,CHILD,YES,20261101", "consent-value-too-long", "PatientId"),
        ("7,,,,,CHILD,YES", "too-few-fields", ""),
    ],
)
def test_T62_a_bad_line_is_told_and_the_next_one_taken(line: str, code: str, column: str) -> None:
    found = read(line, "8,CLINIC,,,,ADULT,NO,20261101")
    assert (2, column, code) in codes(found)
    assert (found.lines, found.rejected, len(found.records)) == (2, 1, 1)
    assert "20270101" not in found.findings.table.to_string()


def test_T62_of_two_answers_of_one_day_the_later_line_counts() -> None:
    found = read(
        "7,CLINIC,,,,CHILD,YES,20261101",
        "7,CLINIC,,,,CHILD,YES,20261101",
        "7,CLINIC,,,,CHILD,NO,20261101",
        "7,CLINIC,,,,CHILD,YES,20261102",
    )
    assert found.records[["status", "consented_on"]].to_numpy().tolist() == [
        ["NO", "2026-11-01"],
        ["YES", "2026-11-02"],
    ]
    assert codes(found) == [(2, "", "consent-line-repeated"), (3, "", "consent-line-repeated")]
    assert found.rejected == 0


@pytest.mark.parametrize("header", ["a,b,c,d,e,f,g,h", HEADER.replace("PatientId", "Patient"), "x"])
def test_T62_another_header_is_refused(header: str) -> None:
    found = read("7,,,,,CHILD,YES,20261101", header=header)
    assert found.is_refused
    assert len(found.records) == 0
    assert found.findings.total == 1


def test_T62_titles_may_be_written_in_any_case_and_excel_may_add_commas() -> None:
    found = read("7,,,,,CHILD,YES,20261101,,", header=HEADER.lower())
    assert not found.is_refused
    assert len(found.records) == 1


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"PK\x03\x04", b"a\x00b"])
def test_T62_what_is_no_text_is_refused(content: bytes) -> None:
    assert read_consents(content, file_name="c.csv", today=TODAY).is_refused
