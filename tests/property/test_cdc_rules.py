"""What holds for the rules of the CDC templates whatever the numbers and the order of columns and rows."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from partner_exchange.feeds.status.rules import RuleVerdict, judge_rules
from partner_exchange.feeds.status.template import Relation, Rule, Template, templates
from partner_exchange.validation.catalogue import CATALOGUE

pytestmark = pytest.mark.slow

FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CDC = [template for template in templates() if template.rules]
every_template = pytest.mark.parametrize("template", CDC, ids=lambda template: template.name)
counts = st.one_of(st.just(math.nan), st.integers(0, 6).map(float))

Broken = set[tuple[str, str, str, int]]


@st.composite
def _numbers(draw: st.DrawFn, template: Template) -> pd.DataFrame:
    """Some columns of the template in some order, some cells without a number."""
    ids = [element.status_type_id for element in template.elements]
    columns = draw(st.permutations(ids))[: draw(st.integers(1, len(ids)))]
    seed = draw(st.integers(0, 2**32 - 1))
    cells = np.random.default_rng(seed).integers(-1, 7, size=(draw(st.integers(1, 6)), len(columns)))
    table = pd.DataFrame(np.where(cells < 0, np.nan, cells), columns=columns)
    table.iloc[0, 0] = draw(counts)
    return table


def _judge(template: Template, numbers: pd.DataFrame) -> RuleVerdict:
    titles = {element.status_type_id: element.header for element in template.elements}
    return judge_rules(template, numbers, rows=np.arange(2, len(numbers) + 2), titles=titles)


def _broken(verdict: RuleVerdict) -> Broken:
    return {
        (mark.code, mark.column, str(mark.facts["right"]), int(row))
        for mark in verdict.marks
        for row in mark.rows
    }


def _rejected(verdict: RuleVerdict) -> set[tuple[int, int]]:
    return set(verdict.rejected.itertuples(index=False, name=None))


def _expected(template: Template, numbers: pd.DataFrame) -> Iterator[tuple[Rule, list[int], int]]:
    """Judge row by row in plain Python: the rule, its filled columns, and the position of the row."""
    for at, row in enumerate(numbers.to_dict("records")):
        known = {key: value for key, value in row.items() if not math.isnan(value)}
        for rule in template.rules:
            if not {rule.left, *rule.right} - rule.blank_is_zero <= set(known):
                continue
            left, right = known[rule.left], sum(known.get(part, 0.0) for part in rule.right)
            is_met = {
                Relation.AT_LEAST: left >= right,
                Relation.AT_MOST: left <= right,
                Relation.EQUAL: left == right,
            }
            if not is_met[rule.relation]:
                yield rule, [part for part in (rule.left, *rule.right) if part in known], at


@every_template
@FEW
@given(data=st.data())
def test_E16_E17_the_verdict_is_that_of_plain_arithmetic(template: Template, data: st.DataObject) -> None:
    numbers = data.draw(_numbers(template))
    verdict = _judge(template, numbers)

    expected = list(_expected(template, numbers))
    names = {element.status_type_id: element.header for element in template.elements}
    assert _broken(verdict) == {
        (
            rule.code,
            names[rule.left],
            " + ".join(names[part] for part in rule.right if part in numbers),
            at + 2,
        )
        for rule, _, at in expected
    }
    assert _rejected(verdict) == {
        (at, part)
        for rule, filled, at in expected
        if CATALOGUE[rule.code].severity == "error"
        for part in filled
    }


@every_template
@FEW
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_E16_E17_findings_never_depend_on_the_order_of_columns(
    template: Template, data: st.DataObject, seed: int
) -> None:
    numbers = data.draw(_numbers(template))
    shuffled = numbers[random.Random(seed).sample(list(numbers.columns), len(numbers.columns))]

    verdict, again = _judge(template, numbers), _judge(template, shuffled)

    assert _broken(verdict) == _broken(again)
    assert [mark.column for mark in verdict.marks] == [mark.column for mark in again.marks]
    pd.testing.assert_frame_equal(verdict.rejected, again.rejected)


@every_template
@FEW
@given(data=st.data(), seed=st.integers(0, 2**32 - 1))
def test_E16_E17_findings_never_depend_on_the_order_of_rows(
    template: Template, data: st.DataObject, seed: int
) -> None:
    numbers = data.draw(_numbers(template))
    order = random.Random(seed).sample(range(len(numbers)), len(numbers))

    verdict, again = _judge(template, numbers), _judge(template, numbers.iloc[order].reset_index(drop=True))

    assert _broken(verdict) == {(*rule, order[row - 2] + 2) for *rule, row in _broken(again)}
    assert _rejected(verdict) == {(order[at], part) for at, part in _rejected(again)}
