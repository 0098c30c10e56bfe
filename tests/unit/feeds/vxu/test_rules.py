"""The rules name only what there is (K23)."""

from __future__ import annotations

import pytest

from partner_exchange.feeds.vxu import rules, suite
from partner_exchange.feeds.vxu.code_sets import codes
from partner_exchange.feeds.vxu.measures import MEASURES
from partner_exchange.feeds.vxu.piece import table_of
from partner_exchange.feeds.vxu.predicates import CONDITIONS
from partner_exchange.feeds.vxu.profile import FIELDS, Level
from partner_exchange.feeds.vxu.rules import Comparison, Limit
from partner_exchange.validation.catalogue import CATALOGUE
from partner_exchange.validation.codes import vxu
from partner_exchange.validation.findings import Severity

COMPARISONS: tuple[Comparison, ...] = (
    *rules.HEADER,
    *rules.PARTS,
    *rules.BODY,
    *rules.CONTROL_IDS,
    *rules.REPEATED,
)
VALUES = (*rules.CODES, *rules.FIXED, *rules.DATES, *rules.NUMBERS)
DATED = {rule.place for rule in rules.DATES}
MADE_BY_VALUES = {
    suite.UNKNOWN,
    suite.NO_NUMBER,
    "value-unexpected",
    *(code for _, code in suite.STATES.values()),
    *suite.STAMP_CODES.values(),
}
MADE_ELSEWHERE = {"message-separators", "separators-unusual", "message-rejected", "dose-rejected"}
"""By the reader, which sees the separators, and by the cascade."""


@pytest.mark.parametrize("rule", [*COMPARISONS, *VALUES], ids=str)
def test_K23_a_rule_names_a_place_and_a_condition_that_there_are(rule: rules.Rule) -> None:
    assert table_of(rule.place)
    assert rule.when in ("", *CONDITIONS)


def test_K23_conditions_and_numbers_are_all_used_and_all_there() -> None:
    limits = [rule for rule in COMPARISONS if isinstance(rule, Limit)]
    named = {name for rule in limits for name in (rule.first, rule.second)}
    assert named <= {*MEASURES, *DATED}
    used = {rule.when for rule in (*COMPARISONS, *VALUES)} | {field.when for field in FIELDS}
    of_the_cascade = {"is_deletion"}
    assert (used - {""}) | of_the_cascade == set(CONDITIONS)


def test_K23_rules_and_catalogue_have_the_same_codes() -> None:
    made = {rule.code for rule in COMPARISONS} | MADE_BY_VALUES | MADE_ELSEWHERE
    assert made == {entry.code for entry in vxu.ENTRIES}


def test_K23_only_codes_that_may_be_lowered_are() -> None:
    for rule in COMPARISONS:
        assert CATALOGUE[rule.code].may_be_lowered or not rule.is_warning, rule


def test_T50_each_error_has_codes_of_hl7() -> None:
    for entry in vxu.ENTRIES:
        assert entry.hl7_error in {"100", "101", "102", "103", "200", "201", "202", "203", "204", "205"} or (
            not entry.hl7_error and entry.severity is Severity.INFO
        ), entry.code


def test_K23_code_sets_of_rules_exist() -> None:
    for rule in rules.CODES:
        assert codes(rule.set)


def test_T59_the_weights_of_the_report_are_those_of_the_registries() -> None:
    by_level = {
        level: sum(
            field.weight for field in FIELDS if field.level is level and field.place[:3] in ("PID", "NK1")
        )
        for level in Level
    }
    assert by_level == {Level.REQUIRED: 210, Level.EXPECTED: 60, Level.RECOMMENDED: 21, Level.OPTIONAL: 0}
    assert len({field.place for field in FIELDS}) == len(FIELDS)
