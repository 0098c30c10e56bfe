"""Top causes: dearest first, one per thing to change (T59)."""

from __future__ import annotations

from partner_exchange.feeds.vxu.report.document import Cause
from support.quality import TYPICAL, Case, Found, a_report


def told(case: Case) -> list[tuple[str, str, str, str]]:
    return [(one.kind, one.title, one.code, one.affected) for one in a_report(case).causes]


def cause(case: Case, code: str) -> Cause:
    return next(one for one in a_report(case).causes if one.code == code)


def test_T59_the_dearest_cause_comes_first() -> None:
    points = [one.points for one in a_report(TYPICAL).causes]

    assert points == sorted(points, reverse=True)
    assert points[0] > 4


def test_T59_a_missing_value_that_is_a_finding_too_is_one_cause() -> None:
    found = [Found("required-missing", "PID-7", 10)]
    bad = {"PID-7": {"missing": 10}}

    both = Case(found=found, bad_fields=bad)

    assert told(both) == [
        ("finding", "Birth date: a required value is missing", "required-missing", "10 messages")
    ]
    assert cause(both, "required-missing").points > cause(Case(found=found), "required-missing").points


def test_T59_a_field_without_a_finding_is_a_cause_of_its_own() -> None:
    assert told(Case(bad_fields={"PID-5.3": {"missing": 40}})) == [
        ("field", "Middle name is not always filled", "", "40 of 100 messages")
    ]


def test_T59_each_bad_state_of_a_field_goes_to_the_finding_about_it() -> None:
    found = [
        Found("code-unknown", "RXA-17", 6, is_warning=True),
        Found("code-deprecated", "RXA-17", 4),
    ]
    bad = {"RXA-17": {"missing": 20, "unrecognized": 6, "deprecated": 4}}

    assert sorted(told(Case(found=found, bad_fields=bad))) == [
        ("field", "Manufacturer is not always filled", "", "20 of 200 doses"),
        ("finding", "Manufacturer: the code is not known", "code-unknown", "6 doses"),
        ("finding", "Manufacturer: the code is out of date", "code-deprecated", "4 doses"),
    ]


def test_T59_a_component_goes_with_the_finding_about_its_field() -> None:
    bad = {"PID-5.1": {"missing": 3}, "PID-5.2": {"missing": 5}}

    assert told(Case(found=[Found("required-missing", "PID-5", 8, 5)], bad_fields=bad)) == [
        ("finding", "Patient name: a required value is missing", "required-missing", "5 messages")
    ]


def test_T59_a_missing_middle_name_is_not_what_a_missing_name_is_about() -> None:
    bad = {"PID-5.2": {"missing": 2}, "PID-5.3": {"missing": 60}}

    assert told(Case(found=[Found("required-missing", "PID-5", 2)], bad_fields=bad)) == [
        ("field", "Middle name is not always filled", "", "60 of 100 messages"),
        ("finding", "Patient name: a required value is missing", "required-missing", "2 messages"),
    ]


def test_T59_components_that_are_missing_together_are_one_cause() -> None:
    address = ("PID-11", "PID-11.1", "PID-11.3", "PID-11.4", "PID-11.5")

    causes = a_report(Case(bad_fields={place: {"missing": 30} for place in address})).causes

    assert [(one.title, one.place, one.affected) for one in causes] == [
        ("Address is not always filled", "PID-11", "30 of 100 messages")
    ]


def test_T59_components_that_are_missing_apart_are_causes_of_their_own() -> None:
    bad = {"PID-11.1": {"missing": 30}, "PID-11.5": {"missing": 40}}

    assert [one.label for one in a_report(Case(bad_fields=bad)).causes] == ["Zip code", "Street"]


def test_T59_missing_eligibilities_go_with_their_finding_but_no_other_observation() -> None:
    bad = {"OBX 64994-7": {"missing": 20}}
    found = [Found("observation-missing", "RXA", 20), Found("vis-missing", "RXA", 90)]

    by_code = {one.code: one.points for one in a_report(Case(found=found, bad_fields=bad)).causes}

    assert set(by_code) == {"observation-missing", "vis-missing"}
    assert by_code["vis-missing"] == 40 / 100 * 12 * 90 / 200


def test_T59_late_doses_are_a_cause() -> None:
    assert told(Case(lags={0: 6, 9: 2})) == [
        ("timeliness", "Doses are reported late", "", "2 of 8 doses given now")
    ]


def test_T59_consequences_are_no_causes() -> None:
    found = [Found("required-missing", "PID-7", 10), Found("message-rejected", "PID", 10)]

    document = a_report(Case(messages_rejected=10, found=found))

    assert [one.code for one in document.causes] == ["required-missing"]
    assert document.result is not None
    assert document.result.rejection_points > 0
