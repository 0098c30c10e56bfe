"""NEDOCS: formula, rounding and the edges of the levels (format page "EMResource")."""

from __future__ import annotations

import numpy as np
import pytest

from partner_exchange.feeds.status.nedocs import COLOURS, LEVELS, NedocsInput, levels, scores
from support.status_sheets import Judged, judge_rows_of

SOUND = dict(zip(NedocsInput, ("10", "20", "3", "200", "1", "2.5", "1"), strict=True))
"""Gives -20 + 42.9 + 9 + 13.4 + 2.325 + 5.64 = 53.265."""


def _inputs(**over: str) -> dict[str, str]:
    """Return the cells of the seven inputs; ``over`` sets some by name."""
    return {f"NEDOCS {one.label}": over.get(one.value, cell) for one, cell in SOUND.items()}


def _line(judged: Judged, row: int = 2) -> tuple[str, str, str, str]:
    line = judged.taken[row, "NEDOCS"]
    return line["value"], line["level"], line["colour"], line["column"]


@pytest.mark.parametrize(
    ("inputs", "score"),
    [
        ((10, 20, 3, 200, 1, 2.5, 1), 53.3),
        ((20, 20, 0, 100, 0, 0, 0), 65.8),
        ((0, 20, 0, 100, 0, 0, 0), 0.0),
        ((0, 1, 0, 1, 3, 0.25, 0), 20.4),
        ((50, 20, 10, 100, 4, 10, 4), 340.0),
        ((0, 1, 0, 1, 0, 0, 4.0514), 2.8),
        ((0, 1, 0, 1, 3, 0, 0.0443262411), 20.5),
    ],
    ids=["all parts", "as many patients as beds", "below 0", "rounded", "above 200", "up", "half up"],
)
def test_E15_the_formula_is_that_of_the_page(inputs: tuple[float, ...], score: float) -> None:
    assert scores(np.array([inputs], dtype=np.float64)).tolist() == [score]


@pytest.mark.parametrize(
    ("score", "level"),
    [
        *((0, 0), (20, 0), (20.4, 0), (20.5, 1), (21, 1), (60, 1), (60.49, 1), (60.5, 2), (61, 2)),
        *((100, 2), (101, 3), (140, 3), (140.5, 4), (141, 4), (180, 4), (181, 5), (200, 5), (1e9, 5)),
    ],
)
def test_E15_levels_begin_and_end_where_the_page_says(score: float, level: int) -> None:
    assert levels(np.array([score])).tolist() == [level]
    assert len(LEVELS) == len(COLOURS) == 6


def test_E15_seven_inputs_give_score_level_and_colour() -> None:
    judged = judge_rows_of(_inputs())

    assert _line(judged) == ("53.3", "busy", "yellowgreen", "NEDOCS ED Patients")
    assert judged.taken[2, "NEDOCS"]["number"] == 53.3
    assert judged.findings == []
    assert judged.mend == set()


@pytest.mark.parametrize(
    ("sent", "value", "level"),
    [
        ("0", "0", "not busy"),
        ("20.4", "20.4", "not busy"),
        ("20.50", "20.5", "busy"),
        ("87.654321", "87.654321", "extremely busy"),
        ("200", "200", "dangerously overcrowded / disaster"),
    ],
)
def test_E15_a_finished_score_is_kept_as_sent(sent: str, value: str, level: str) -> None:
    judged = judge_rows_of({"NEDOCS": sent})

    assert _line(judged)[:2] == (value, level)
    assert judged.findings == []


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("200.1", "nedocs-above-200"),
        ("-1", "number-below-minimum"),
        ("busy", "number-not-a-number"),
        ("9999", "nines-in-bulk"),
        ("1.1234567", "number-too-precise"),
    ],
)
def test_E15_what_is_no_finished_score_is_to_be_mended(sent: str, code: str) -> None:
    judged = judge_rows_of({"NEDOCS": sent, "Beds": "3"})

    assert judged.findings == [(2, "NEDOCS", code)]
    assert judged.mend == {(2, "NEDOCS")}
    assert [*judged.taken] == [(2, "Beds")]


def test_E15_missing_inputs_are_named_at_the_first_of_them() -> None:
    judged = judge_rows_of(_inputs(ed_beds="", hospital_beds=""), _inputs(), {"Beds": "1"})

    assert judged.findings == [(2, "NEDOCS ED Beds", "nedocs-inputs-incomplete")]
    assert "no column of the file: ED Beds, Hospital Beds. So" in judged.said
    assert judged.mend == {(2, column) for column in _inputs()}, (
        "with the blank ones, so that they can be filled"
    )
    assert [*judged.taken] == [(3, "NEDOCS"), (4, "Beds")]


def test_E15_an_input_without_a_column_is_named_at_the_first_that_is_there() -> None:
    cells = _inputs()
    del cells["NEDOCS ED Patients"], cells["NEDOCS Hospital Beds"]

    judged = judge_rows_of(cells)

    assert judged.findings == [(2, "NEDOCS ED Beds", "nedocs-inputs-incomplete")]
    assert ": ED Patients, Hospital Beds." in judged.said
    assert judged.mend == {(2, column) for column in cells}


@pytest.mark.parametrize(
    ("over", "column", "code"),
    [
        ({"ed_beds": "0"}, "ED Beds", "nedocs-zero-beds"),
        ({"hospital_beds": "0.0"}, "Hospital Beds", "nedocs-zero-beds"),
        ({"ed_patients": "-1"}, "ED Patients", "number-below-minimum"),
        ({"ventilated_patients": "1.5"}, "Ventilated Patients", "number-not-whole"),
        ({"longest_admit_wait_h": "2h"}, "Longest Admit Wait", "number-not-a-number"),
        ({"last_door_to_bed_wait_h": "-0.5"}, "Last Door to Bed Wait", "number-below-minimum"),
        ({"admitted_patients": "9999"}, "Admitted Patients", "nines-in-bulk"),
    ],
)
def test_E15_a_faulty_input_gives_no_score(over: dict[str, str], column: str, code: str) -> None:
    judged = judge_rows_of(_inputs(**over))

    assert judged.findings == [(2, f"NEDOCS {column}", code)]
    assert judged.taken == {}
    assert judged.mend == {(2, each) for each in _inputs()}


def test_E15_zero_patients_and_waits_count_as_filled() -> None:
    none = dict.fromkeys(("ed_patients", "admitted_patients", "ventilated_patients"), "0")
    waits = dict.fromkeys(("longest_admit_wait_h", "last_door_to_bed_wait_h"), "0")

    judged = judge_rows_of(_inputs(**none, **waits))

    assert _line(judged)[:2] == ("0", "not busy")
    assert judged.findings == []


def test_E15_of_score_and_inputs_the_inputs_count() -> None:
    near, far = {"NEDOCS": "54.3", **_inputs()}, {"NEDOCS": "54.4", **_inputs()}

    judged = judge_rows_of(near, far, {"NEDOCS": "10"})

    assert judged.findings == [(3, "NEDOCS", "nedocs-score-differs")]
    assert [judged.taken[row, "NEDOCS"]["value"] for row in (2, 3, 4)] == ["53.3", "53.3", "10"]
    assert judged.mend == set()


def test_K23_faulty_inputs_leave_a_sound_score_and_the_other_way_round() -> None:
    judged = judge_rows_of(
        {"NEDOCS": "77", **_inputs(ed_beds="0")},
        {"NEDOCS": "777", **_inputs()},
        {"NEDOCS": "77", "NEDOCS ED Beds": "4"},
    )

    assert [judged.taken[row, "NEDOCS"]["value"] for row in (2, 3, 4)] == ["77", "53.3", "77"]
    assert (2, "NEDOCS") not in judged.mend
    assert {column for row, column in judged.mend if row == 3} == {"NEDOCS"}
    assert {column for row, column in judged.mend if row == 4} == {*_inputs()}
    assert {code for _, _, code in judged.findings} == {
        "nedocs-zero-beds",
        "nedocs-above-200",
        "nedocs-inputs-incomplete",
    }
