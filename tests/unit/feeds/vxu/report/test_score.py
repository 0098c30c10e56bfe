"""The score, its parts and what each thing costs (T59)."""

from __future__ import annotations

import pytest

from partner_exchange.feeds.vxu.report.document import Document, FieldLine, FindingLine
from partner_exchange.feeds.vxu.report.score import band
from support.quality import TYPICAL, Case, Found, a_report, the_clinic, the_submission


def part(document: Document, name: str) -> float | None:
    assert document.result is not None
    return next(one.percent for one in document.result.parts if one.name == name)


def field(document: Document, place: str) -> FieldLine:
    return next(line for section in document.sections for line in section.fields if line.place == place)


def finding(document: Document, code: str) -> FindingLine:
    return next(line for line in document.findings if line.code == code)


def test_T59_a_file_without_faults_has_all_points() -> None:
    document = a_report()

    assert document.result is not None
    assert (document.score, document.result.band, document.causes) == (100.0, "A", ())
    assert [(one.name, one.points) for one in document.result.parts] == [
        ("completeness", 50),
        ("quality", 40),
        ("timeliness", 10),
    ]


def test_T59_weights_are_those_of_the_tenant() -> None:
    scoring = {"weights": {"completeness": 20, "quality": 30, "timeliness": 50}}
    case = Case(lags={10: 50})

    document = a_report(case, tenant=the_clinic(vxu={"scoring": scoring}))

    assert document.score == 20 + 30 + 50 * 0.7


@pytest.mark.parametrize(
    ("total", "letter"),
    [(100, "A"), (90, "A"), (89.9, "B"), (80, "B"), (70, "C"), (60, "D"), (59.9, "F"), (0, "F")],
)
def test_T59_bands_begin_at_their_least_score(total: float, letter: str) -> None:
    assert band(total, (90, 80, 70, 60)) == letter


def test_T59_the_band_is_that_of_the_score_one_reads() -> None:
    document = a_report(tenant=the_clinic(vxu={"scoring": {"bands": (100, 99.5, 50, 1)}}))
    nearly = a_report(
        Case(messages=100_000, bad_fields={"PID-3": {"missing": 5}}),
        tenant=the_clinic(vxu={"scoring": {"bands": (100, 99.5, 50, 1)}}),
    )

    assert document.result is not None
    assert nearly.result is not None
    assert (document.result.band, nearly.score, nearly.result.band) == ("A", 100.0, "A")


def test_T59_a_field_counts_what_is_there_and_right() -> None:
    bad = {"missing": 10, "invalid": 4, "unrecognized": 3, "deprecated": 3}

    document = a_report(Case(bad_fields={"PID-8": bad}))

    line = field(document, "PID-8")
    assert (line.expected, line.present, line.good) == (100, 90, 0.8)
    potential = sum(section.potential for section in document.sections)
    assert line.points == pytest.approx(50 * 20 * 0.2 / potential)
    assert document.score == round(100 - line.points, 1)


def test_T59_fields_that_nobody_should_have_leave_the_sum() -> None:
    document = a_report(Case(doses=0, lags={}))

    assert [section.name for section in document.sections] == ["Patient", "Message header"]
    assert part(document, "completeness") == 100


def test_T59_optional_fields_are_counted_and_cost_nothing() -> None:
    document = a_report(Case(bad_fields={"PID-24": {"missing": 100}}))

    assert field(document, "PID-24").good == 0
    assert document.score == 100


def test_T59_an_error_in_every_message_costs_40_of_quality_and_a_warning_12() -> None:
    error = a_report(Case(found=[Found("required-missing", "MSH-16", 100)]))
    warning = a_report(Case(found=[Found("required-missing", "MSH-16", 100, is_warning=True)]))

    assert (part(error, "quality"), part(warning, "quality")) == (60, 88)
    assert finding(error, "required-missing").points == pytest.approx(16)


def test_T59_a_finding_in_a_dose_counts_by_doses_any_other_by_messages() -> None:
    found = [Found("expired-lot", "RXA-16", 50, 5), Found("time-zone-missing", "MSH-7", 50, 50)]

    document = a_report(Case(messages=100, doses=200, found=found))

    assert finding(document, "expired-lot").share == 0.25
    assert finding(document, "time-zone-missing").share == 0.5
    assert part(document, "quality") == 100 - 12 * 0.25 - 12 * 0.5


def test_T59_a_message_that_fell_with_its_doses_counts_as_a_message() -> None:
    found = [Found("message-rejected", "RXA", 50)]

    document = a_report(Case(messages=100, doses=200, messages_rejected=50, found=found))

    assert finding(document, "message-rejected").share == 0.5


def test_T59_several_findings_in_a_message_are_one_message() -> None:
    document = a_report(Case(found=[Found("code-unknown", "PID-10", 300, 100, is_warning=True)]))

    assert (finding(document, "code-unknown").messages, part(document, "quality")) == (100, 88)


def test_T59_notes_and_findings_about_the_whole_file_cost_nothing() -> None:
    found = [Found("looks-historical", "RXA", 200), Found("file-trailer-missing", "", 1)]

    document = a_report(Case(found=found))

    assert document.score == 100
    assert [(line.severity, line.label) for line in document.findings] == [
        ("warning", "Whole file"),
        ("info", "Vaccination"),
    ]


def test_T59_nothing_taken_is_no_quality_at_all() -> None:
    found = [Found("required-missing", "PID-7", 100), Found("message-rejected", "PID", 100)]

    document = a_report(Case(messages_rejected=100, doses_rejected=200, found=found, lags={}))

    assert document.result is not None
    assert part(document, "quality") == 0
    assert document.result.rejection_points == pytest.approx(24 / 0.9)


def test_T59_quality_never_falls_below_0_and_points_stay_within_its_worth() -> None:
    places = ["MSH-7", "PID-1", "PID-8", "PID-10", "PID-11"]

    document = a_report(Case(found=[Found("required-missing", place, 100) for place in places]))

    assert part(document, "quality") == 0
    assert sum(line.points for line in document.findings) == pytest.approx(40)


def test_T59_timeliness_gives_each_dose_its_credit() -> None:
    document = a_report(Case(lags={0: 10, 3: 10, 4: 10, 14: 10, 15: 10, 30: 10, 31: 10, 400: 10}))

    assert document.timeliness is not None
    assert [band.doses for band in document.timeliness.bands] == [20, 20, 20, 20]
    assert part(document, "timeliness") == (100 + 70 + 40 + 0) / 4
    assert (document.timeliness.median_days, document.timeliness.worst_days) == (14.5, 400)
    assert document.timeliness.is_worst_capped


def test_T59_a_part_that_is_not_judged_leaves_its_weight_to_the_others() -> None:
    document = a_report(Case(lags={}))

    assert document.result is not None
    assert document.score == 100
    timeliness = document.result.parts[2]
    assert (timeliness.percent, timeliness.worth, timeliness.points) == (None, 0, 0)
    assert timeliness.sentence == (
        "Not judged, because no dose given now was accepted; its weight went to the other parts."
    )
    assert [round(one.worth, 2) for one in document.result.parts] == [55.56, 44.44, 0]


def test_T59_a_file_in_which_nothing_is_judged_has_no_score() -> None:
    case = Case(messages=0, doses=0, lags={})

    document = a_report(case, submission=the_submission(case))

    assert (document.score, document.trend, document.causes) == (None, None, ())


@pytest.mark.parametrize(
    "case",
    [
        TYPICAL,
        Case(lags={}, bad_fields={"PID-6": {"missing": 7}}, found=[Found("expired-lot", "RXA-16", 3)]),
        Case(found=[Found("required-missing", f"PID-{at}", 100) for at in range(1, 9)], lags={90: 4}),
    ],
    ids=["typical", "without timeliness", "worst quality"],
)
def test_T59_every_lost_point_has_its_cause(case: Case) -> None:
    document = a_report(case)

    assert document.result is not None
    lost = sum(cause.points for cause in document.causes) + document.result.rejection_points
    assert lost == pytest.approx(100 - sum(one.points for one in document.result.parts))
    assert document.score == pytest.approx(100 - lost, abs=0.05)
