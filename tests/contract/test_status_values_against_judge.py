"""The suites of status values and an independent judge must find the same faults in the same cells."""

from __future__ import annotations

from typing import Any

import pytest

from partner_exchange.validation.codes import status
from support.status_judge import Verdict, judge
from support.status_sheets import (
    Judged,
    a_policy,
    as_mappings,
    judge_table,
    random_bulk,
    random_respiratory,
)

pytestmark = pytest.mark.slow


def _agree(judged: Judged, verdict: Verdict, rows: int) -> None:
    assert judged.weighed == verdict.findings
    assert judged.mend == verdict.mend
    assert {
        key: (line["value"], line["reason"], line["comment"], line["level"], line["is_not_applicable"])
        for key, line in judged.taken.items()
    } == {
        key: (one.value, one.reason, one.comment, one.level, one.is_not_applicable)
        for key, one in verdict.taken.items()
    }


@pytest.mark.parametrize("seed", range(24))
def test_K23_suites_and_judge_agree_cell_by_cell(seed: int) -> None:
    header, rows = random_bulk(seed)
    policy = a_policy()

    judged = judge_table(header, rows, policy=policy)

    _agree(judged, judge(list(policy.catalogue), as_mappings(header, rows)), len(rows))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("above", ["warn", "reject"])
def test_E23_suites_and_judge_agree_on_cdc_templates(seed: int, above: Any) -> None:
    header, rows = random_respiratory(seed)
    policy = a_policy(status_types=(), catalogues=["cdc-hrd"], above_max_count=above)

    judged = judge_table(header, rows, policy=policy)

    verdict = judge(
        list(policy.catalogue), as_mappings(header, rows), is_cdc=True, doubt_is_error=above == "reject"
    )
    _agree(judged, verdict, len(rows))


def test_K23_the_generated_faults_reach_every_rule_of_a_value() -> None:
    said = {
        code
        for seed in range(24)
        for _, _, code, _ in judge(list(a_policy().catalogue), as_mappings(*random_bulk(seed))).findings
    }

    ours = {entry.code for entry in status.ENTRIES[_first_of_values() :]}
    assert said == (ours | {"formula-cell"}) - {"count-doubtful", "count-in-words"}, "of CDC templates"


def _first_of_values() -> int:
    return [entry.code for entry in status.ENTRIES].index("number-not-a-number")
