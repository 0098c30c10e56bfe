"""Suite and independent judge must find the same faults in the same rows (issue point 8)."""

from __future__ import annotations

from collections import defaultdict

import pytest

from partner_exchange.validation.codes import reading, roster
from partner_exchange.validation.entry import Scope
from support.judge import judge
from support.rosters import PAIRS, TODAY, examine, faulty_rows, text

pytestmark = pytest.mark.slow


def _found(examination: object) -> dict[tuple[str, str, str], list[int]]:
    rows: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for found in examination.findings.table.itertuples():  # type: ignore[attr-defined]
        rows[found.code, found.column, found.severity].append(int(found.row))
    return rows


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(
    ("required", "pairs"),
    [((), PAIRS), (("email", "student_id", "on_campus"), [])],
    ids=["username only", "all required"],
)
def test_P8_suite_and_judge_agree_row_by_row(
    seed: int, required: tuple[str, ...], pairs: list[dict[str, str]]
) -> None:
    content = text(faulty_rows(seed, 150), newline="\n" if seed % 2 else "\r\n")

    examination = examine(content, required=required, requirement_terms=pairs, max_findings_listed=100_000)
    verdict = judge(content, today=TODAY, required=required, pairs=pairs)

    assert _found(examination) == {key: sorted(rows) for key, rows in verdict.rows.items()}
    assert set(examination.rejected["row"]) == verdict.rejected
    assert examination.rows_total == verdict.total
    assert examination.rows_rejected == len(verdict.rejected)
    assert examination.rows_accepted == examination.rows_total - examination.rows_rejected
    assert len(examination.accepted) + examination.accepted["repeats"].sum() == examination.rows_accepted


def test_P8_groups_count_what_the_judge_counts() -> None:
    content = text(faulty_rows(99, 400))

    examination = examine(content, requirement_terms=PAIRS, max_findings_listed=10)
    verdict = judge(content, today=TODAY, pairs=PAIRS)

    counted = {
        (group.code, group.column, str(group.severity)): group.count for group in examination.findings.groups
    }
    assert counted == {key: len(rows) for key, rows in verdict.rows.items()}
    assert examination.findings.listed == 10


def test_P8_the_generated_faults_reach_every_rule_of_a_row() -> None:
    said = {
        code
        for seed in range(12)
        for code, _, _ in judge(text(faulty_rows(seed, 150)), today=TODAY, pairs=PAIRS).rows
    }

    ours = (*reading.ENTRIES, *roster.ENTRIES)
    cells = {entry.code for entry in ours if entry.scope in (Scope.CELL, Scope.ROW)}
    by_policy_or_elsewhere = {
        "blank-line",
        "lone-carriage-return",
        "row-beyond-limit",
        "stray-quote",
        "surplus-blank-fields",
        "student-id-taken",
        "username-domain",
        "username-pattern",
    }
    assert said == cells - by_policy_or_elsewhere
