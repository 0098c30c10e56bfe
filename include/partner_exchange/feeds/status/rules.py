"""Judge the rules between columns of a CDC template: totals and parts, patients and beds (E16, E17).

Called by the feed after the single values are judged. The rules themselves are data of the template.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from partner_exchange.feeds.status.template import Rule, Template
from partner_exchange.readers.marks import Mark, Rows
from partner_exchange.validation.findings import Severity
from partner_exchange.validation.runner import Stated, failed_rows, quiet
from partner_exchange.validation.wording import severity_of

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation


@dataclass(frozen=True)
class RuleVerdict:
    """What holds between columns, or of the period of values, and is broken; and what is not taken for it."""

    marks: tuple[Mark, ...]
    """One per broken rule, in the order of the template; its column is the left one of the rule. After them
    one per column of values of another period."""
    rejected: pd.DataFrame
    """Columns ``at`` (int64, position in the rows) and ``status_type_id`` (int32): every filled value of a
    broken rule that is an error, and of another period. Values of a broken rule contradict each other, and
    nobody can tell which is wrong (K23)."""


def judge_rules(
    template: Template,
    numbers: pd.DataFrame,
    *,
    rows: Rows,
    titles: Mapping[int, str],
    rejected: pd.DataFrame | None = None,
) -> RuleVerdict:
    """Return which rules of the template the numbers break.

    A rule is judged in a row where all its numbers are there; only a part that may be blank counts as 0 when
    it is blank, not applicable or no column of the file.

    :param numbers: float64, one column per status type id of the file; NaN where blank, not applicable or
        rejected.
    :param rows: the row number of each row of ``numbers``, ascending.
    :param titles: title of the file's column by status type id.
    :param rejected: values that were filled but not taken, in the form of ``RuleVerdict.rejected``: unlike a
        blank, such a value never counts as 0.
    :raises SuiteBroken: a rule could not be applied.
    """
    rules = list(_rules_of(template, numbers))
    expectations = [_expectation(rule, titles) for rule in rules]
    positions = np.arange(len(numbers), dtype=np.int64)
    found = failed_rows(_frame(numbers, rules, rejected), expectations, rows=positions)
    broken = [(rule, failed) for rule, failed in zip(rules, found, strict=True) if len(failed)]
    marks = tuple(
        Mark(rule.code, titles[rule.left], rows[failed], _facts(rule, titles)) for rule, failed in broken
    )
    wrong = [
        (rule, failed)
        for (rule, failed), mark in zip(broken, marks, strict=True)
        if severity_of(mark) is Severity.ERROR
    ]
    return RuleVerdict(marks, _values_of(wrong, numbers))


def _rules_of(template: Template, numbers: pd.DataFrame) -> Iterator[Rule]:
    """Return the rules whose columns the file has, without parts that it may leave out."""
    present = {int(status_type_id) for status_type_id in numbers.columns}
    for rule in template.rules:
        if {rule.left, *rule.right} - rule.blank_is_zero <= present:
            yield replace(rule, right=tuple(part for part in rule.right if part in present))


def _expectation(rule: Rule, titles: Mapping[int, str]) -> Expectation:
    quiet()
    from partner_exchange.validation.comparison_expectations import ExpectFirstAgainstSum

    facts = tuple(_facts(rule, titles).items())
    return ExpectFirstAgainstSum(
        column_list=[str(rule.left), *map(str, rule.right)],
        relation=rule.relation.value,
        blank_is_zero=[str(part) for part in rule.right if part in rule.blank_is_zero],
        meta=Stated(rule.code, titles[rule.left], facts=facts).meta,
    )


def _facts(rule: Rule, titles: Mapping[int, str]) -> dict[str, str]:
    return {"left": titles[rule.left], "right": " + ".join(titles[part] for part in rule.right)}


def _frame(numbers: pd.DataFrame, rules: Sequence[Rule], rejected: pd.DataFrame | None) -> pd.DataFrame:
    """Return the numbers with names that GX takes; an infinite one was rejected, so it is no blank."""
    columns = {int(status_type_id): numbers[status_type_id].to_numpy() for status_type_id in numbers.columns}
    if rejected is not None:
        for part in {part for rule in rules for part in rule.blank_is_zero} & set(columns):
            at = rejected["at"][rejected["status_type_id"] == part].to_numpy()
            column = columns[part].copy()
            column[at] = np.where(np.isnan(column[at]), np.inf, column[at])
            columns[part] = column
    return pd.DataFrame({str(status_type_id): column for status_type_id, column in columns.items()})


def _values_of(wrong: Sequence[tuple[Rule, Rows]], numbers: pd.DataFrame) -> pd.DataFrame:
    ats, status_type_ids = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int32)]
    for rule, failed in wrong:
        for part in (rule.left, *rule.right):
            filled = failed[numbers[part].notna().to_numpy()[failed]]
            ats.append(filled)
            status_type_ids.append(np.full(len(filled), part, dtype=np.int32))
    table = pd.DataFrame({"at": np.concatenate(ats), "status_type_id": np.concatenate(status_type_ids)})
    return table.drop_duplicates().sort_values(["at", "status_type_id"], ignore_index=True)
