"""Marks become findings: grouped, ranged, capped."""

from __future__ import annotations

import numpy as np
import pytest

from partner_exchange.readers.marks import Mark
from partner_exchange.validation.catalogue import CATALOGUE
from partner_exchange.validation.findings import Severity
from partner_exchange.validation.wording import rejected_rows, row_ranges, word


def rows(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((), ""),
        ((2,), "2"),
        ((2, 3, 4, 9, 12, 13), "2-4, 9, 12-13"),
        (tuple(range(2, 60, 2)), ", ".join(map(str, range(2, 42, 2))) + ", ..."),
        (tuple(range(2, 42, 2)), ", ".join(map(str, range(2, 42, 2)))),
    ],
)
def test_X06_rows_are_said_as_ranges(numbers: tuple[int, ...], said: str) -> None:
    assert row_ranges(rows(*numbers)) == said


def test_X06_marks_of_one_code_are_one_group_with_the_exact_count() -> None:
    few = {"needed": 9}
    findings = word(
        [
            Mark("too-few-fields", rows=rows(7, 3), facts={"fields": 8, **few}),
            Mark("too-few-fields", rows=rows(5), facts={"fields": 2, **few}),
            Mark("no-rows"),
        ],
        columns=(),
        cap=10,
    )

    assert [(group.code, group.count, group.row_ranges) for group in findings.groups] == [
        ("no-rows", 1, ""),
        ("too-few-fields", 3, "3, 5, 7"),
    ]
    assert findings.groups[1].message == CATALOGUE["too-few-fields"].general
    assert findings.table["row"].to_list()[1:] == [3, 5, 7]
    assert findings.table["row"].isna().to_list() == [True, False, False, False]
    assert findings.table["message"].str.contains("has 2 fields").to_list() == [False, False, True, False]


def test_X07_policy_lowers_only_what_may_be_lowered() -> None:
    marks = [
        Mark("student-id-missing", "StudentId", rows(2), is_warning=True),
        Mark("stray-quote", rows=rows(3), is_warning=True),
    ]

    assert rejected_rows(marks).tolist() == [3]
    assert [group.severity for group in word(marks, columns=["StudentId"], cap=9).groups] == [
        Severity.ERROR,
        Severity.WARNING,
    ]


@pytest.mark.slow
def test_T43_the_place_of_a_finding_stays_with_its_row_when_the_cap_cuts() -> None:
    placed = Mark("student-id-missing", "StudentId", rows(9, 3, 5), places=["PID^1^3", "RXA^2^5", "OBX^1"])
    marks = [placed, Mark("stray-quote", rows=rows(4), is_warning=True), Mark("blank-line", rows=rows(1, 2))]

    table = word(marks, columns=("StudentId",), cap=3).table

    assert list(zip(table["row"], table["place"], strict=True)) == [(3, "RXA^2^5"), (4, ""), (5, "OBX^1")]
    assert table.dtypes["place"] == table.dtypes["code"]
    assert word(marks[1:], columns=(), cap=3).table["place"].to_list() == ["", "", ""]


def test_X06_nine_million_findings_stay_cheap() -> None:
    every = np.arange(2, 1_000_002, dtype=np.int64)
    titles = [str(at) for at in range(9)]

    findings = word([Mark("surrounding-space", title, every) for title in titles], columns=titles, cap=10_000)

    assert findings.total == 9_000_000
    assert findings.listed == 10_000
    assert findings.table["row"].iloc[-1] == 2 + 10_000 // 9
