"""Columns and parameters are made sure of before anything runs, and what is wrong is named."""

from __future__ import annotations

from datetime import date

import pytest

from partner_exchange.errors import ReportRefused
from partner_exchange.exports.reports.catalogue import REPORTS
from partner_exchange.exports.reports.report import Report
from partner_exchange.exports.reports.settling import columns, settle

NEW = REPORTS["new_students"]
BEDS = REPORTS["bed_totals"]
OVERDUE = REPORTS["overdue_statuses"]
ROSTER = REPORTS["student_roster"]


def test_M50_columns_come_in_the_order_asked_for_and_else_as_the_report_says() -> None:
    assert [one.name for one in columns(ROSTER, ["term", "username"])] == ["term", "username"]
    assert tuple(one.name for one in columns(ROSTER)) == ROSTER.default_columns


def test_M50_an_unknown_column_is_refused_with_the_nearest() -> None:
    with pytest.raises(ReportRefused, match="Did you mean 'student_id'") as refused:
        columns(ROSTER, ["username", "studentid"])
    assert refused.value.code == "report-column-unknown"


def test_M73_what_is_not_given_is_the_default() -> None:
    assert settle(NEW, {}) == {"days": 30, "from": None, "until": None}
    assert settle(NEW, {"days": None})["days"] == 30


@pytest.mark.parametrize(("given", "is_told"), [(True, True), ("no", False), ("TRUE", True), (0, False)])
def test_M73_a_truth_is_taken_from_yaml_and_from_a_command_line(given: object, is_told: bool) -> None:
    assert settle(OVERDUE, {"never_reported": given}) == {"never_reported": is_told}


@pytest.mark.parametrize("given", ["2026-11-21", date(2026, 11, 21)])
def test_M73_a_day_is_taken_as_text_and_as_yaml_reads_it(given: object) -> None:
    assert settle(NEW, {"from": given})["from"] == date(2026, 11, 21)


def test_M73_whole_numbers_and_texts_are_taken_in_both_forms() -> None:
    assert settle(NEW, {"days": "7"})["days"] == 7
    assert settle(ROSTER, {"term": 2026, "requirement_group": "Nursing"}) == {
        "requirement_group": "Nursing",
        "term": "2026",
    }


@pytest.mark.parametrize(
    ("report", "given", "says"),
    [
        (NEW, {"days": "seven"}, "a whole number"),
        (NEW, {"days": 0}, "from 1 to 3660"),
        (NEW, {"days": 99_999}, "from 1 to 3660"),
        (NEW, {"days": True}, "a whole number"),
        (NEW, {"days": "٧"}, "a whole number"),
        (NEW, {"days": "--7"}, "a whole number"),
        (NEW, {"from": "21.11.2026"}, "2026-11-21"),
        (NEW, {"from": "2026-02-30"}, "2026-11-21"),
        (NEW, {"from": 20261121}, "2026-11-21"),
        (BEDS, {"which": "Beds"}, "one of beds, numbers"),
        (OVERDUE, {"never_reported": "maybe"}, "true or false"),
        (ROSTER, {"term": ["Fall"]}, "a text"),
        (ROSTER, {"term": False}, "a text"),
    ],
)
def test_M73_a_wrong_value_is_refused_without_being_repeated(
    report: Report, given: dict[str, object], says: str
) -> None:
    with pytest.raises(ReportRefused, match=says) as refused:
        settle(report, given)
    assert refused.value.code == "report-parameter-wrong"
    value = str(next(iter(given.values())))
    assert value not in refused.value.message.replace(says, "") or value == "0"


def test_M73_an_unknown_parameter_is_refused_with_the_nearest() -> None:
    with pytest.raises(ReportRefused, match="Did you mean 'days'") as refused:
        settle(NEW, {"day": 7})
    assert refused.value.code == "report-parameter-unknown"
    with pytest.raises(ReportRefused, match="takes none"):
        settle(REPORTS["verified_students"], {"days": 7})
