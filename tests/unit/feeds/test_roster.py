"""The roster feed from bytes to findings: flattened findings as tables, one per rule."""

from __future__ import annotations

import pytest

from partner_exchange.errors import UnknownFeed
from partner_exchange.feeds.registry import get_feed
from partner_exchange.readers.cells import csv_text
from support.rosters import HEADER, PAIRS, a_row, codes, examine, flat, many, text


def about(*cells: dict[str, str], **policy: object) -> list[tuple[int | None, str, str, str]]:
    """Return the findings about rows 2, 3, ... that differ from sound ones by ``cells``."""
    return flat(examine(text([a_row(number, **over) for number, over in enumerate(cells, 1)]), **policy))


def test_M18_a_sound_roster_has_no_findings() -> None:
    examination = examine(many(500), requirement_terms=PAIRS, required=["email", "student_id", "on_campus"])

    assert (examination.is_refused, examination.rows_total, examination.rows_rejected) == (False, 500, 0)
    assert flat(examination) == []
    assert examination.rejected.empty
    assert examination.accepted.columns.to_list() == [
        "row",
        "username",
        "student_id",
        "last_name",
        "first_name",
        "telephone",
        "dob",
        "requirement_group",
        "term",
        "on_campus",
        "repeats",
    ]
    assert examination.accepted.iloc[0].to_list()[:3] == [2, "student0@example.edu", "S0000000"]


def test_K1_username_alone_is_required_by_default_and_the_rest_warns() -> None:
    blank = {"Username": "login", "StudentId": "", "OnCampus": ""}

    assert about(blank) == [
        (2, "Username", "warning", "username-not-email"),
        (2, "StudentId", "warning", "student-id-missing"),
        (2, "OnCampus", "warning", "on-campus-missing"),
    ]
    assert {
        severity for _, _, severity, _ in about(blank, required=["email", "student_id", "on_campus"])
    } == {"error"}
    assert about({"Username": " "}) == [
        (2, "Username", "info", "surrounding-space"),
        (2, "Username", "error", "username-missing"),
    ]


def test_M21_a_pattern_and_domains_of_the_tenant_hold() -> None:
    cells = ({"Username": "ab123"}, {"Username": "CD123"}, {"Username": "ab1234"}, {"Username": "ab12\n3"})

    assert about(*cells, username_pattern=r"[a-z]{2}\d{3}") == [
        (3, "Username", "error", "username-pattern"),
        (4, "Username", "error", "username-pattern"),
        (5, "Username", "error", "control-character"),
        (5, "Username", "error", "username-pattern"),
    ]
    domains = about(
        {"Username": "a@uni.example"},
        {"Username": "B@UNI.EXAMPLE"},
        {"Username": "c@uniXexample"},
        {"Username": "d@mail.uni.example"},
        username_domains=["uni.example"],
    )
    assert [found for found in domains if found[3] == "username-domain"] == [
        (4, "Username", "error", "username-domain"),
        (5, "Username", "error", "username-domain"),
    ]


DATES = (
    ("02/29/2004", None),
    ("11/21/2026", None),
    ("01/01/1900", None),
    ("", None),
    ("02/30/2004", "dob-no-such-day"),
    ("02/29/2003", "dob-no-such-day"),
    ("04/31/2003", "dob-no-such-day"),
    ("01/00/2003", "dob-no-such-day"),
    ("13/01/2003", "dob-month-out-of-range"),
    ("00/01/2003", "dob-month-out-of-range"),
    ("01/02/03", "dob-two-digit-year"),
    ("1/2/03", "dob-two-digit-year"),
    ("11/22/2026", "dob-in-future"),
    ("12/31/1899", "dob-before-1900"),
    ("1/2/2003", "dob-format"),
    ("2003-01-02", "dob-format"),
    ("01/02/2003x", "dob-format"),
    ("01-02-2003", "dob-format"),
    ("\u0661\u0662/02/2003", "dob-format"),
    ("\uff10\uff11/02/2003", "dob-format"),
    ("01/02/2003 00:00", "dob-format"),
)


def test_M27_each_fault_of_a_date_has_a_code_of_its_own() -> None:
    expected = [(row, "Dob", "error", code) for row, (_, code) in enumerate(DATES, 2) if code]

    assert about(*({"Dob": dob} for dob, _ in DATES)) == expected


def test_M28_half_a_pair_warns_and_the_row_is_accepted() -> None:
    examination = examine(text([a_row(1, Term=""), a_row(2, RequirementGroup="")]), requirement_terms=PAIRS)

    assert flat(examination) == [
        (2, "RequirementGroup", "warning", "pair-incomplete"),
        (3, "RequirementGroup", "warning", "pair-incomplete"),
    ]
    assert examination.rows_accepted == 2


def test_M29_unknown_values_are_told_apart_and_the_nearest_known_one_is_suggested() -> None:
    rows = [
        a_row(1, RequirementGroup="Helth sciences"),
        a_row(2, RequirementGroup="Zoo"),
        a_row(3, Term="Fall 2062"),
        a_row(4, RequirementGroup="Engineering", Term="Spring 2027"),
        a_row(5, RequirementGroup="enginering"),
    ]

    examination = examine(text(rows), requirement_terms=PAIRS)

    assert flat(examination) == [
        (2, "RequirementGroup", "error", "requirement-group-unknown"),
        (3, "RequirementGroup", "error", "requirement-group-unknown"),
        (4, "Term", "error", "term-unknown"),
        (5, "Term", "error", "pair-unknown"),
        (6, "RequirementGroup", "error", "requirement-group-unknown"),
    ]
    messages = dict(
        zip(examination.findings.table["row"], examination.findings.table["message"], strict=True)
    )
    assert 'nearest is "Health Sciences"' in messages[2]
    assert "nearest" not in messages[3]
    assert 'nearest is "Fall 2026"' in messages[4]
    assert 'nearest is "Engineering"' in messages[6]
    assert about({"RequirementGroup": "Anything", "Term": "Whenever"}) == []


def test_M20_identical_rows_are_taken_once_and_rows_that_disagree_are_all_rejected() -> None:
    rows = [
        a_row(1),
        a_row(2),
        a_row(1, LastName=" Last1 "),
        a_row(2, Username="STUDENT2@example.edu"),
        a_row(3),
        a_row(1),
    ]

    examination = examine(text(rows))

    assert flat(examination) == [
        (3, "Username", "error", "username-conflict"),
        (4, "", "warning", "row-repeated"),
        (4, "LastName", "info", "surrounding-space"),
        (5, "Username", "error", "username-conflict"),
        (7, "", "warning", "row-repeated"),
    ]
    assert examination.accepted[["row", "repeats"]].to_numpy().tolist() == [[2, 2], [6, 0]]
    assert (examination.rows_total, examination.rows_accepted, examination.rows_rejected) == (6, 4, 2)


def test_M20_rows_with_other_errors_still_count_as_duplicates() -> None:
    examination = examine(text([a_row(1), a_row(1, Dob="never")]))

    assert examination.rejected["row"].to_list() == [2, 3]


def test_M23_a_student_id_of_two_students_rejects_both_and_ids_stay_text() -> None:
    rows = [
        a_row(1, StudentId="00123"),
        a_row(2, StudentId="123"),
        a_row(3, StudentId="NA"),
        a_row(4, StudentId="NA"),
    ]

    examination = examine(text(rows))

    assert flat(examination) == [
        (4, "StudentId", "error", "student-id-duplicate"),
        (5, "StudentId", "error", "student-id-duplicate"),
    ]
    assert examination.accepted["student_id"].to_list() == ["00123", "123"]


def test_M31_on_campus_is_0_or_1_and_nothing_else() -> None:
    values = ["true", "yes", "2", "01", "1.0", "\u0661", "TRUE"]

    assert about(*({"OnCampus": value} for value in values)) == [
        (row, "OnCampus", "error", "on-campus-not-0-or-1") for row in range(2, 2 + len(values))
    ]


def test_K3_warns_when_the_first_two_columns_look_swapped() -> None:
    rows = [a_row(n, Username=f"S{n}", StudentId=f"student{n}@example.edu") for n in range(3)]

    examination = examine(text(rows))

    assert "columns-look-swapped" in codes(examination)
    assert "columns-look-swapped" not in codes(examine(many(3)))
    assert flat(examination)[0] == (None, "", "warning", "columns-look-swapped")


@pytest.mark.parametrize("over", [{}, {"Username": "login"}, {"OnCampus": "x", "Username": "login"}])
def test_M09_a_header_that_looks_like_data_is_skipped_with_a_warning(over: dict[str, str]) -> None:
    examination = examine(text([a_row(1)], header=",".join(a_row(7, **over))))

    assert flat(examination) == [(None, "", "warning", "header-looks-like-data")]
    assert examination.rows_total == 1


def test_M07_formula_cells_warn_and_are_kept() -> None:
    rows = [
        a_row(1, LastName="=cmd|' /C calc'!A0", Telephone="+1 (512) 555-0100 x12"),
        a_row(2, FirstName="@SUM(1)", Telephone="+SUM(A1)"),
        a_row(3, FirstName="-", LastName="'t Hooft"),
    ]

    examination = examine(text(rows))

    assert flat(examination) == [
        (2, "LastName", "warning", "formula-cell"),
        (3, "FirstName", "warning", "formula-cell"),
        (3, "Telephone", "warning", "formula-cell"),
        (4, "FirstName", "warning", "formula-cell"),
    ]
    assert examination.accepted["last_name"].to_list()[::2] == ["=cmd|' /C calc'!A0", "'t Hooft"]


def test_M37_50_000_rows_pass_and_50_001_are_refused() -> None:
    assert examine(many(50_000)).rows_accepted == 50_000

    refused = examine(many(50_001))
    assert (refused.is_refused, refused.rows_total, refused.rows_accepted, refused.rows_rejected) == (
        True,
        50_001,
        0,
        50_001,
    )
    assert "50001 rows" in refused.findings.table["message"][0]


def test_K19_the_first_rows_are_loaded_and_the_rest_comes_back_as_a_file() -> None:
    examination = examine(many(7), max_rows=4, above_max_rows="load_first")

    assert flat(examination) == [
        (None, "", "warning", "rows-beyond-limit"),
        (6, "", "error", "row-beyond-limit"),
        (7, "", "error", "row-beyond-limit"),
        (8, "", "error", "row-beyond-limit"),
    ]
    assert examination.accepted["row"].to_list() == [2, 3, 4, 5]
    assert (examination.rows_total, examination.rows_accepted, examination.rows_rejected) == (7, 4, 3)


def test_M16_every_row_may_be_bad() -> None:
    examination = examine(text([a_row(n, OnCampus="maybe") for n in range(300)]))

    assert (examination.is_refused, examination.rows_accepted, examination.rows_rejected) == (False, 0, 300)
    assert examination.accepted.empty
    assert examination.accepted.columns.to_list()[-1] == "repeats"


def test_M16_every_record_may_be_broken() -> None:
    examination = examine((HEADER + "\n" + 'a"b\n' * 300).encode())

    assert (examination.rows_total, examination.rows_rejected) == (300, 300)
    assert examination.rejected["as_sent"].to_list() == ['a"b'] * 300


def test_M27_no_message_holds_a_cell_value() -> None:
    secret = "Zaphod"
    row = a_row(
        1, **dict.fromkeys(["Username", "LastName", "Term", "RequirementGroup", "Dob", "OnCampus"], secret)
    )
    row[1] = secret + "-1"
    content = text([row, row[:5], [*row, secret]])

    examination = examine(content, requirement_terms=PAIRS, username_pattern="[0-9]+")

    said = " ".join(
        [*examination.findings.table["message"], *(group.message for group in examination.findings.groups)]
    )
    assert len(codes(examination)) >= 8
    assert secret not in said


def test_M17_an_unknown_feed_is_named() -> None:
    with pytest.raises(UnknownFeed, match="roster"):
        get_feed("hl7")


def test_M07_written_text_is_empty_without_rows() -> None:
    assert csv_text([], newline="\n") == b""
