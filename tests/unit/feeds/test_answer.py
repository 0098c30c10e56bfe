"""The result file and its JSON twin."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from partner_exchange.feeds.answer import (
    Totals,
    all_columns,
    columns_json,
    mapping_json,
    result_file,
    result_json,
    value_counts,
)
from partner_exchange.feeds.base import MappedColumn
from partner_exchange.ledger.columns import ColumnOutcome
from partner_exchange.ledger.states import Outcome
from partner_exchange.readers.marks import Mark
from partner_exchange.validation.findings import Findings
from partner_exchange.validation.wording import word
from support.rosters import a_row, examine, text


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))


def an_answer(newline: str = "crlf", support: str = "", **policy: object) -> bytes:
    rows = [a_row(1, OnCampus="x"), a_row(2, OnCampus="y", Dob="1/1/01"), a_row(3, LastName=" Doe"), a_row(4)]
    examination = examine(text(rows), **policy)
    totals = Totals(
        Outcome.ACCEPTED_WITH_FINDINGS,
        rows_total=4,
        rows_accepted=2,
        rows_rejected=2,
        rows_created=1,
        rows_unchanged=1,
    )
    return result_file(
        file_name="roster.csv", totals=totals, findings=examination.findings, newline=newline, support=support
    )


def test_K17_the_first_line_states_the_totals_then_header_kinds_and_findings_follow() -> None:
    lines = read(an_answer(support="Help Desk\nhelp@example.org"))

    assert lines[0][:4] == ["Totals", "", "warning", "accepted_with_findings"]
    assert lines[0][4] == (
        "roster.csv: 4 rows: 2 accepted (created 1, updated 0, unchanged 1), 2 rejected; "
        "4 findings (error 3, info 1), all listed. Questions: Help Desk help@example.org"
    )
    assert lines[1] == ["Row", "Column", "Severity", "Code", "Message"]
    assert lines[2][:4] == ["Summary", "OnCampus", "error", "on-campus-not-0-or-1"]
    assert lines[2][4].startswith("2 times in rows 2-3: OnCampus is neither 0 nor 1.")
    assert [line[:4] for line in lines[3:]] == [
        ["2", "OnCampus", "error", "on-campus-not-0-or-1"],
        ["3", "Dob", "error", "dob-two-digit-year"],
        ["3", "OnCampus", "error", "on-campus-not-0-or-1"],
        ["4", "LastName", "info", "surrounding-space"],
    ]
    assert {len(line) for line in lines} == {5}


@pytest.mark.parametrize(("newline", "end"), [("crlf", b"\r\n"), ("lf", b"\n")])
def test_K16_line_ends_are_those_of_the_policy(newline: str, end: bytes) -> None:
    content = an_answer(newline)

    assert content.endswith(end)
    assert content.count(b"\r") == (content.count(b"\n") if newline == "crlf" else 0)


def test_X06_the_cap_is_stated_with_exact_totals_and_keeps_errors() -> None:
    lines = read(an_answer(max_findings_listed=2))

    assert "4 findings (error 3, info 1), the first 2 listed, errors first." in lines[0][4]
    assert [line[3] for line in lines[3:]] == ["on-campus-not-0-or-1", "dob-two-digit-year"]


def test_K17_a_clean_file_has_an_answer_too() -> None:
    totals = Totals(Outcome.ACCEPTED, rows_total=1, rows_accepted=1, rows_created=1)

    lines = read(
        result_file(file_name="=a.csv", totals=totals, findings=Findings(), newline="lf", support="")
    )

    assert len(lines) == 2
    assert lines[0][4].startswith("'=a.csv: 1 rows: 1 accepted"), (
        "a file name is the partner's own text as well"
    )
    assert lines[0][4].endswith("no findings.")


def test_K17_a_refused_file_says_that_nothing_was_loaded() -> None:
    examination = examine(b"")
    totals = Totals(Outcome.REFUSED)

    lines = read(
        result_file(file_name="a.csv", totals=totals, findings=examination.findings, newline="lf", support="")
    )

    assert lines[0][2:4] == ["error", "refused"]
    assert "nothing was loaded" in lines[0][4]
    assert [line[:4] for line in lines[2:]] == [["", "", "error", "file-empty"]]


def test_K17_our_failure_asks_nothing_of_the_partner() -> None:
    content = result_file(
        file_name="a.csv",
        totals=Totals(None, is_failed=True),
        findings=Findings(),
        newline="lf",
        support="Desk",
    )

    lines = read(content)
    assert lines[0][:4] == ["Totals", "", "info", "failed"]
    assert "nothing is asked of you" in lines[0][4]
    assert lines[0][4].endswith("Questions: Desk")


def test_M34_the_json_twin_says_the_same() -> None:
    examination = examine(text([a_row(1, OnCampus="x"), a_row(2), a_row(2)]), max_rows=5)

    document = result_json(
        file_name="roster.csv",
        feed="roster",
        outcome=Outcome.ACCEPTED_WITH_FINDINGS,
        rows_total=examination.rows_total,
        rows_accepted=examination.rows_accepted,
        rows_rejected=examination.rows_rejected,
        findings=examination.findings,
    )

    assert document["rows"] == {"total": 3, "accepted": 2, "rejected": 1}
    assert document["outcome"] == "accepted_with_findings"
    assert [list(found.values())[:4] for found in document["findings"]] == [
        [2, "OnCampus", "error", "on-campus-not-0-or-1"],
        [4, None, "warning", "row-repeated"],
    ]
    assert (
        result_json(
            file_name="a",
            feed="roster",
            outcome="refused",
            rows_total=0,
            rows_accepted=0,
            rows_rejected=0,
            findings=examine(b"").findings,
        )["findings"][0]["row"]
        is None
    )


def test_X06_the_json_twin_says_where_in_a_row_only_when_rows_have_parts() -> None:
    marks = [
        Mark("row-repeated", rows=np.array([3])),
        Mark("row-repeated", "RXA-5", np.array([2, 7]), places=["RXA^2^5", ""]),
    ]
    findings = word(marks, columns=["RXA-5"], cap=10)

    document = result_json(
        file_name="a.hl7",
        feed="vxu",
        outcome=Outcome.ACCEPTED_WITH_FINDINGS,
        rows_total=7,
        rows_accepted=7,
        rows_rejected=0,
        findings=findings,
    )

    found = document["findings"]
    assert [(one["row"], one.get("place")) for one in found] == [(2, "RXA^2^5"), (3, None), (7, None)]
    assert list(found[0]) == ["row", "column", "place", "severity", "code", "message"]
    assert list(found[1]) == ["row", "column", "severity", "code", "message"]


COLUMNS = (
    ColumnOutcome("Beds", set=3, unchanged=1, rejected=2),
    ColumnOutcome("=Fuel", late=2, skipped=4),
)


def test_E21_the_result_file_says_what_became_of_the_values() -> None:
    totals = Totals(Outcome.ACCEPTED_WITH_FINDINGS, rows_total=6, rows_accepted=6, rows_updated=6)
    examination = examine(text([a_row(1, OnCampus="x"), a_row(2, OnCampus="x")]))

    lines = read(
        result_file(
            file_name="bulk.csv",
            totals=totals,
            findings=examination.findings,
            newline="lf",
            support="",
            columns=COLUMNS,
        )
    )

    assert (
        "0 rejected; 8 values: 3 set, 1 unchanged, 2 late, 2 rejected; 4 cells without a value to load; "
        "2 findings" in lines[0][4]
    )
    assert [line[0] for line in lines[1:]] == ["Row", "Summary", "Values", "Values", "2", "3"]
    assert lines[3] == [
        "Values",
        "Beds",
        "info",
        "values",
        "6 values: 3 set, 1 unchanged, 0 late, 2 rejected",
    ]
    assert lines[4][1] == "'=Fuel", "a header is the partner's own text as well"


def test_E21_a_refused_file_has_no_values() -> None:
    content = result_file(
        file_name="a", totals=Totals(Outcome.REFUSED), findings=Findings(), newline="lf", support=""
    )
    assert "values" not in content.decode()


def test_E34_the_json_twin_has_template_columns_and_values_also_for_feeds_without() -> None:
    facts = {
        "file_name": "a",
        "feed": "status",
        "outcome": Outcome.ACCEPTED,
        "rows_total": 6,
        "rows_accepted": 6,
        "rows_rejected": 0,
        "findings": Findings(),
    }
    plain = result_json(**facts)
    assert (plain["template"], plain["columns"], plain["values"]) == (None, [], None)

    mapping = [MappedColumn("Beds", "Beds (12002)"), MappedColumn("Extra", "")]
    full = result_json(
        **facts,
        template="bulk_status",
        columns=mapping_json(mapping),
        values=value_counts(all_columns(COLUMNS)),
    )
    assert full["template"] == "bulk_status"
    assert full["columns"] == [
        {"column": "Beds", "target": "Beds (12002)"},
        {"column": "Extra", "target": ""},
    ]
    assert full["values"] == {"set": 3, "unchanged": 1, "late": 2, "skipped": 4, "rejected": 2}
    assert columns_json(COLUMNS)[0] == {
        "column": "Beds",
        "set": 3,
        "unchanged": 1,
        "late": 0,
        "skipped": 0,
        "rejected": 2,
    }
