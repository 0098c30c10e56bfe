"""Values of a status file, one by one: what is taken, what is to be mended, what is said (E21-E23, K23)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from partner_exchange.feeds.status.values import judge_values
from partner_exchange.readers.marks import Mark
from partner_exchange.validation.numbers import parse_numbers
from support.status_sheets import Judged, a_policy, judge_rows_of, judge_table


def _one(column: str, cell: str, **beside: str) -> Judged:
    """Return one row with a cell, and others beside it by the last word of their header."""
    return judge_rows_of(
        {column: cell, **{f"{column} {word.title()}": each for word, each in beside.items()}}
    )


def _codes(judged: Judged) -> list[str]:
    return [code for _, _, code in judged.findings]


# ---- numbers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("12", "12"),
        ("12.0", "12"),
        ("+7", "7"),
        ("007", "7"),
        ("0", "0"),
        ("-0", "0"),
        ("00", "0"),
        ("1,234", "1234"),
        ("1,234,567.00", "1234567"),
        ("999999999999999", "999999999999999"),
    ],
)
def test_E15_whole_numbers_are_taken_in_plain_digits(sent: str, stored: str) -> None:
    judged = judge_rows_of({"Parts": sent})

    line = judged.taken[2, "Parts"]
    assert (line["value"], line["number"]) == (stored, float(stored))
    assert judged.findings == []


@pytest.mark.parametrize(
    ("sent", "stored"), [("12.5", "12.5"), ("-12.50", "-12.5"), (".25", "0.25"), ("-.5", "-0.5"), ("3", "3")]
)
def test_E15_decimals_are_taken_as_configured(sent: str, stored: str) -> None:
    judged = judge_rows_of({"Level": sent})

    assert judged.taken[2, "Level"]["value"] == stored
    assert judged.findings == []


@pytest.mark.parametrize(
    ("column", "sent", "code"),
    [
        *(
            ("Beds", sent, "number-with-blanks")
            for sent in ("1 234", "1\u00a0234", "1\u202f234\u202f567", "1'234", "1 234,5", "12 345.0")
        ),
        *(("Beds", sent, "number-decimal-comma") for sent in ("1,23", "12,3456", "2,5", "-2,5", "1.234,5")),
        *(
            ("Beds", sent, "number-not-a-number")
            for sent in (
                *("abc", "1e5", "NaN", "inf", "-Infinity", "0x1F", "12.", ",123", "12 14", "N/A", "-"),
                *(
                    "12 beds",
                    "\u0661\u0662",
                    "1.2.3",
                    "--1",
                    "\u22125",
                    "5%",
                    "TRUE",
                    "2026-11-21",
                    "-",
                    ".",
                    "1_000",
                ),
            )
        ),
        ("Beds", "12.5", "number-not-whole"),
        ("Level", "12.125", "number-too-precise"),
        ("Beds", "-1", "number-below-minimum"),
        ("Load", "0", "number-below-minimum"),
        ("Beds", "501", "number-above-maximum"),
        ("Parts", "1000000000000000", "number-too-long"),
        ("Parts", "9" * 400, "number-too-long"),
        ("Beds", "9999", "nines-in-bulk"),
        ("Beds", "9,999.0", "nines-in-bulk"),
        ("Score", "9999", "nines-in-bulk"),
    ],
)
def test_E15_what_is_no_such_number_is_to_be_mended(column: str, sent: str, code: str) -> None:
    comment = {"Load Comment": "x"} if column == "Load" else {}

    judged = judge_rows_of({column: sent, "Note": "kept", **comment})

    assert judged.findings == [(2, column, code)]
    assert (2, column) in judged.mend
    assert [*judged.taken] == [(2, "Note")], "the other values of the row load (K23)"


def test_E15_all_that_is_wrong_with_a_number_is_said_at_once() -> None:
    assert _codes(_one("Beds", "-1.5")) == ["number-below-minimum", "number-not-whole"]


def test_E15_limits_are_named_as_configured_and_may_only_warn() -> None:
    judged = judge_rows_of({"Load": "101", "Load Comment": "busy", "Beds": "501", "Level": "0.125"})

    assert {(column, severity) for _, column, _, severity in judged.weighed} == {
        ("Load", "warning"),
        ("Beds", "error"),
        ("Level", "error"),
    }
    assert judged.taken[2, "Load"]["value"] == "101"
    for said in ("above 500,", "above 100,", "takes, which is 2."):
        assert said in judged.said


def test_E23_9999_is_a_count_where_the_status_type_says_so() -> None:
    judged = judge_rows_of({"Parts": "9,999"})

    assert judged.taken[2, "Parts"]["value"] == "9999"
    assert not judged.taken[2, "Parts"]["is_not_applicable"]
    assert judged.findings == []


def _cdc(*rows: dict[str, str], **policy: Any) -> Judged:
    header = [
        "orgID",
        "reportingContext",
        "collectionDate",
        *dict.fromkeys(name for row in rows for name in row),
    ]
    table = [["12345", "HOSP", "11/18/2026", *(row.get(name, "") for name in header[3:])] for row in rows]
    return judge_table(header, table, policy=a_policy(status_types=(), catalogues=["cdc-hrd"], **policy))


def test_E23_9999_is_not_applicable_in_cdc_templates_and_never_a_number() -> None:
    judged = _cdc(
        {"numInPtBeds": "9999", "numICUBeds": "9,999", "N95MaskSupplyDays": "9999"}, {"numInPtBeds": "3"}
    )

    lines = [judged.taken[2, name] for name in ("numInPtBeds", "numICUBeds", "N95MaskSupplyDays")]
    assert [(line["value"], line["is_not_applicable"]) for line in lines] == [("", True)] * 3
    assert np.isnan([line["number"] for line in lines]).all()
    assert not judged.taken[3, "numInPtBeds"]["is_not_applicable"]
    assert judged.findings == []


@pytest.mark.parametrize(("above", "is_taken"), [("warn", True), ("reject", False)])
def test_E16_a_doubtful_count_warns_or_is_rejected(above: str, is_taken: bool) -> None:
    judged = _cdc({"numInPtBeds": "6001"}, {"numInPtBeds": "6000"}, above_max_count=above)

    assert judged.findings == [(2, "numInPtBeds", "count-doubtful")]
    assert ((2, "numInPtBeds") in judged.taken) is is_taken
    assert "above 6000," in judged.said


@pytest.mark.parametrize("sent", ["N/A", "NA", "-", "unknown", "none"])
def test_E16_a_word_in_the_place_of_a_count_is_told_what_to_write(sent: str) -> None:
    header = ["orgID", "reportingContext", "collectionDate", "numInPtBeds", "numICUBeds"]
    policy = a_policy(status_types=(), catalogues=["cdc-hrd"])
    judged = judge_table(header, [["12345", "HOSP", "11/18/2026", sent, "7 beds"]], policy=policy)

    assert judged.findings == [
        (2, "numICUBeds", "number-not-a-number"),
        (2, "numInPtBeds", "count-in-words"),
    ]
    assert "9999" in judged.said


def test_E16_a_count_in_a_bulk_file_is_not_doubted() -> None:
    assert judge_rows_of({"Parts": "70000"}).findings == []


# ---- statuses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", ["Open", "open", "OPEN", "  Open "])
def test_E15_a_status_is_taken_in_any_case_and_stored_as_spelled(sent: str) -> None:
    judged = judge_rows_of({"ED": sent})

    assert (judged.taken[2, "ED"]["value"], judged.taken[2, "ED"]["colour"]) == ("Open", "green")
    assert judged.findings == []


@pytest.mark.parametrize(
    ("sent", "code", "said"),
    [
        ("Openn", "status-unknown", 'the nearest is "Open"'),
        ("Byppas", "status-unknown", "none of the statuses"),
        ("zzzzz", "status-unknown", "none of the statuses"),
        ("Open; Closed", "status-two-values", "more than one"),
        ("open/closed", "status-two-values", "more than one"),
        ("Open, Open", "status-two-values", "more than one"),
        ("Open; zzzzz", "status-unknown", ""),
        ("bypass", "status-inactive", "switched off"),
    ],
)
def test_E15_what_is_not_one_status_is_to_be_mended(sent: str, code: str, said: str) -> None:
    judged = judge_rows_of({"ED": sent, "Beds": "1"})

    assert judged.findings == [(2, "ED", code)]
    assert judged.mend == {(2, "ED")}
    assert [*judged.taken] == [(2, "Beds")]
    assert said in judged.said
    assert sent not in judged.said
    assert "Bypass" not in judged.said, "what is switched off is not suggested"


def test_E15_a_status_may_hold_a_sign_that_stands_between_two() -> None:
    assert judge_rows_of({"ED": "n/a"}).taken[2, "ED"]["value"] == "N/A"


def test_E15_suggestions_follow_what_each_cell_says() -> None:
    judged = judge_rows_of({"ED": "Openn"}, {"ED": "Closd"}, {"ED": "openn"}, {"ED": "zzzzz"})

    nearest = {mark.facts.get("nearest", ""): mark.rows.tolist() for mark in judged.values.marks}
    assert nearest == {"Open": [2, 4], "Closed": [3], "": [5]}


# ---- reasons and comments ---------------------------------------------------------------------------------


def test_K23_a_status_with_reason_and_comment_is_taken_with_them() -> None:
    judged = _one("ED", "divert", reason="STAFFING", comment="Nights only")

    line = judged.taken[2, "ED"]
    assert (line["value"], line["reason"], line["comment"]) == ("Divert", "Staffing", "Nights only")
    assert judged.findings == []


def test_K23_a_missing_reason_and_comment_keep_the_status_from_being_set() -> None:
    judged = _one("ED", "Divert", reason="", comment="")

    assert judged.findings == [(2, "ED Comment", "comment-missing"), (2, "ED Reason", "reason-missing")]
    assert judged.taken == {}
    assert judged.mend == {(2, "ED"), (2, "ED Comment"), (2, "ED Reason")}, (
        "blank ones too: they are to be filled"
    )


def test_K23_what_is_missing_without_a_column_is_said_at_the_value() -> None:
    judged = _one("ED", "Divert")

    assert judged.findings == [(2, "ED", "comment-missing"), (2, "ED", "reason-missing")]
    assert "add the column" in judged.said
    assert judged.mend == {(2, "ED")}


def test_K23_an_unknown_reason_keeps_the_status_from_being_set() -> None:
    judged = _one("ED", "Divert", reason="Stafing", comment="x")

    assert judged.findings == [(2, "ED Reason", "reason-unknown")]
    assert 'the nearest is "Staffing"' in judged.said
    assert judged.mend == {(2, "ED"), (2, "ED Comment"), (2, "ED Reason")}, (
        "what goes with it is sent again too"
    )


def test_K23_without_a_list_any_reason_is_taken() -> None:
    judged = _one("ED", "Closed", reason="Flood in the cellar")

    assert judged.taken[2, "ED"]["reason"] == "Flood in the cellar"
    assert judged.findings == []


def test_K23_a_list_of_reasons_counts_also_where_none_is_needed() -> None:
    assert _codes(_one("ED", "N/A", reason="because")) == ["reason-unknown"]
    assert _codes(_one("ED", "N/A")) == []


@pytest.mark.parametrize(
    ("column", "sent", "codes"),
    [
        ("Load", "5", ["comment-missing"]),
        ("Load", "x", ["comment-missing", "number-not-a-number"]),
        ("Remark", "words", ["comment-missing"]),
        ("Beds", "5", []),
        ("Level", "5", []),
        ("Load", "", []),
    ],
)
def test_K23_the_comment_rule_of_the_status_type_holds(column: str, sent: str, codes: list[str]) -> None:
    judged = judge_rows_of({column: sent, f"{column} Comment": "", "Note": "row is there"})

    assert sorted(_codes(judged)) == codes


@pytest.mark.parametrize("column", ["Level", "ED"])
def test_K23_a_comment_where_none_belongs_is_left_out(column: str) -> None:
    judged = judge_rows_of(
        {column: {"Level": "5", "ED": "Closed"}[column], f"{column} Comment": "chatty", "ED Reason": ""}
        | ({"ED Reason": "Flood"} if column == "ED" else {})
    )

    assert judged.findings == [(2, f"{column} Comment", "comment-not-taken")]
    assert judged.taken[2, column]["comment"] == ""
    assert judged.mend == set()


def test_K23_a_comment_or_reason_without_its_value_is_left_out() -> None:
    judged = judge_rows_of(
        {"ED": "", "ED Comment": "x", "ED Reason": "Staffing", "Beds": "1", "Beds Comment": "y"}
    )

    assert judged.findings == [
        (2, "ED Comment", "companion-without-value"),
        (2, "ED Reason", "companion-without-value"),
    ]
    assert {severity for *_, severity in judged.weighed} == {"warning"}
    assert judged.mend == set()
    assert judged.taken[2, "Beds"]["comment"] == "y"


def test_K23_what_goes_with_a_value_to_mend_is_sent_again_with_it() -> None:
    judged = _one("Beds", "x", comment="why")

    assert judged.findings == [(2, "Beds", "number-not-a-number")]
    assert judged.mend == {(2, "Beds"), (2, "Beds Comment")}


def test_K23_a_comment_goes_with_a_score_worked_out_from_inputs() -> None:
    inputs = ("ED Patients", "ED Beds", "Admitted Patients", "Hospital Beds", "Ventilated Patients")
    waits = ("Longest Admit Wait", "Last Door to Bed Wait")
    cells = {f"NEDOCS {label}": "1" for label in (*inputs, *waits)}

    judged = judge_rows_of({**cells, "NEDOCS Comment": "holiday"})

    assert judged.taken[2, "NEDOCS"]["comment"] == "holiday"
    assert judged.findings == []


def test_E16_cdc_templates_have_no_columns_for_comments_so_none_is_asked_for() -> None:
    beds = {"id": 55001, "name": "numInPtBeds", "kind": "number", "comment": "mandatory"}
    policy = a_policy(status_types=[beds], catalogues=["cdc-hrd"])
    header = ["orgID", "reportingContext", "collectionDate", "numInPtBeds"]

    judged = judge_table(header, [["12345", "HOSP", "11/18/2026", "3"]], policy=policy)

    assert judged.findings == []
    assert judged.taken[2, "numInPtBeds"]["value"] == "3"


# ---- text and dates ---------------------------------------------------------------------------------------


def test_E15_text_is_taken_as_it_is_up_to_its_length() -> None:
    judged = judge_rows_of({"Note": "\u00e9" * 20}, {"Note": "x" * 21}, {"Note": "9999"})

    assert judged.findings == [(3, "Note", "text-too-long")]
    assert "more than 20 characters" in judged.said
    assert [judged.taken[row, "Note"]["value"] for row in (2, 4)] == ["\u00e9" * 20, "9999"]


def test_K23_words_that_look_like_a_formula_are_taken_and_named() -> None:
    judged = judge_rows_of(
        {"Note": "=1+1", "ED": "Closed", "ED Reason": "@flood", "Beds": "5", "Beds Comment": "-none"},
        {"Beds": "+5", "Level": "-5"},
    )

    assert judged.findings == [
        (2, "Beds Comment", "formula-cell"),
        (2, "ED Reason", "formula-cell"),
        (2, "Note", "formula-cell"),
    ]
    assert judged.taken[2, "Note"]["value"] == "=1+1"
    assert judged.taken[2, "ED"]["reason"] == "@flood"


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2/3/2026", "2026-02-03"),
        ("02/03/2026", "2026-02-03"),
        ("12/9/2026", "2026-12-09"),
        ("2026-02-03", "2026-02-03"),
        ("2/29/2024", "2024-02-29"),
    ],
)
def test_E15_dates_are_stored_as_iso(sent: str, stored: str) -> None:
    judged = judge_rows_of({"Tested": sent})

    assert judged.taken[2, "Tested"]["value"] == stored
    assert judged.findings == []


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("2/3/26", "date-format"),
        ("2026-2-3", "date-format"),
        ("3.2.2026", "date-format"),
        ("2026-02-03 10:00:00", "date-format"),
        ("46000", "date-format"),
        ("\u0662/3/2026", "date-format"),
        ("2/30/2026", "date-no-such-day"),
        ("13/1/2026", "date-no-such-day"),
        ("2025-02-29", "date-no-such-day"),
        ("0/1/2026", "date-no-such-day"),
    ],
)
def test_E15_what_is_no_date_is_to_be_mended(sent: str, code: str) -> None:
    judged = judge_rows_of({"Tested": sent})

    assert judged.findings == [(2, "Tested", code)]
    assert judged.mend == {(2, "Tested")}


# ---- the file as a whole ----------------------------------------------------------------------------------


def test_E22_blank_cells_have_no_line() -> None:
    judged = judge_rows_of({"Beds": "1", "ED": ""}, {"ED": "Open"}, {"Beds": "2"})

    assert sorted(judged.taken) == [(2, "Beds"), (3, "ED"), (4, "Beds")]


def test_E21_lines_are_ordered_and_typed() -> None:
    judged = judge_rows_of({"Tested": "2/3/2026", "Beds": "1", "ED": "Open", "Note": "n", "NEDOCS": "1"})

    table = judged.values.table
    assert table["element"].tolist() == [0, 1, 2, 3, 4]
    assert table.dtypes.astype(str).to_dict() == {
        **{"at": "int64", "element": "int64", "value": "str", "number": "float64", "colour": "str"},
        **{"level": "str", "reason": "str", "comment": "str", "is_not_applicable": "bool"},
    }
    assert judged.values.rejected.dtypes.astype(str).to_dict() == {
        **{"at": "int64", "element": "int64", "is_blank": "bool"}
    }


def test_K23_cells_that_the_reader_found_faulty_are_not_taken_and_not_judged_again() -> None:
    judged = judge_rows_of(
        {"Note": "a\x07b", "Remark": "ok", "Remark Comment": "c\x07d", "Beds": "1", "Beds Comment": "e\x07f"},
        {
            "Note": "fine",
            "Beds": "x" * 1001,
            "Beds Comment": "goes with it",
            "ED": "Divert",
            "ED Comment": "x",
        },
    )

    assert judged.findings == [(3, "ED", "reason-missing")]
    assert sorted(judged.taken) == [(2, "Beds"), (3, "Note")]
    assert judged.taken[2, "Beds"]["comment"] == "", (
        "an optional comment does not keep the value from being set"
    )
    assert judged.mend == {
        *((2, "Note"), (2, "Remark"), (2, "Remark Comment"), (2, "Beds Comment")),
        *((3, "Beds"), (3, "Beds Comment"), (3, "ED"), (3, "ED Comment")),
    }


def test_K23_a_blank_cell_of_which_the_reader_stated_an_error_is_to_be_mended() -> None:
    judged = judge_rows_of(
        {"Beds": "1", "ED": "Open", "ED Comment": "x"}, {"Beds": "2", "ED": "", "ED Comment": "y"}
    )
    stated = (
        Mark("cell-error", "ED", np.array([3], dtype=np.int64)),
        Mark("surrounding-space", "Beds", np.array([2], dtype=np.int64)),
    )

    values = judge_values(
        replace(judged.grid, marks=stated),
        judged.recognised,
        policy=a_policy(),
    )

    again = replace(judged, values=values)
    assert sorted(again.taken) == [(2, "Beds"), (2, "ED"), (3, "Beds")]
    assert again.mend == {(3, "ED"), (3, "ED Comment")}
    assert again.findings == []


def test_K23_a_file_without_any_filled_value_gives_nothing() -> None:
    judged = judge_table(["Resource ID", "Beds", "ED", "NEDOCS ED Beds"], [["R1", "", "", ""]])

    assert judged.values.marks == ()


def test_T60_no_cell_value_is_in_what_is_said() -> None:
    secrets = {
        "Beds": "Zq1",
        "ED": "Zq2",
        "Note": "=Zq3" + "x" * 30,
        "Tested": "Zq4",
        "Score": "Zq5",
        "NEDOCS": "Zq6",
    }
    more = {"ED Reason": "Zq7", "Beds Comment": "=Zq8", "NEDOCS ED Beds": "Zq9"}

    judged = judge_rows_of({**secrets, **more}, {"ED": "Divert", "ED Reason": "Zq10"})

    assert len(judged.findings) > 8
    assert "zq" not in judged.said.casefold()


def test_P8_numbers_are_read_alike_alone_and_in_company() -> None:
    texts = ["1,234", "-5", "12.50", ".5", "007", "-0.0", "x", "12", "1234567890123456", "0"]
    together = parse_numbers(pa.array(texts, pa.large_string()))

    for at, each in enumerate(texts):
        alone = parse_numbers(pa.array([each], pa.large_string()))
        assert alone.value[0] == together.value[at]
        found = np.array([alone.number, alone.decimals, alone.digits])[:, 0]
        np.testing.assert_array_equal(
            found, [together.number[at], together.decimals[at], together.digits[at]]
        )
    assert isinstance(judge_rows_of({"Beds": "1"}).values.table, pd.DataFrame)
