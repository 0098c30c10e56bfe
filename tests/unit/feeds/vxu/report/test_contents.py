"""Head, verdict, counts, codes, coverage, trend and readiness of a report (T58, K7)."""

from __future__ import annotations

from typing import Any

import pytest

from partner_exchange.feeds.vxu.report.document import Coverage, CoverageCell, Document
from partner_exchange.feeds.vxu.report.rows import facts, glossary
from partner_exchange.ledger.states import Outcome
from support.quality import (
    TYPICAL,
    Case,
    Found,
    a_refused,
    a_report,
    a_tally,
    earlier,
    the_clinic,
    the_findings,
    the_submission,
)


def with_lines(*lines: tuple[str, str, str, int]) -> Document:
    return a_report(Case(more=lines))


def cell(coverage: Coverage | None, label: str, band: str) -> CoverageCell:
    assert coverage is not None
    at = [one.name for one in coverage.bands].index(band)
    return next(line.cells[at] for line in coverage.lines if line.label == label)


def test_T58_the_head_says_which_file_it_was_and_when_in_both_zones() -> None:
    head = a_report().head

    assert (head.file_name, head.import_code, head.mode) == ("AAA-SSL26325.hl7", "AAA-SSL", "production")
    assert (head.received.utc, head.received.local) == ("2026-11-21 07:40:03 UTC", "2026-11-21 01:40:03 CST")
    assert head.checked is not None
    assert head.checked.utc == "2026-11-21 07:40:07 UTC"
    assert (head.messages_declared, head.messages_found) == (100, 100)
    assert (head.first_message_on, head.last_message_on) == ("2026-11-14", "2026-11-20")


def test_T60_message_times_are_told_by_day_only() -> None:
    assert "13:02" not in str(a_report().as_json())


def test_T63_what_the_trailers_do_not_say_is_not_made_up() -> None:
    document = a_report(submission=the_submission(Case(), part_counts={"doses_total": 0, "found_batches": 0}))

    assert document.head.messages_declared is None
    assert document.head.batches_declared is None
    assert document.head.batches_found == 0


@pytest.mark.parametrize(
    ("case", "sentence", "turn"),
    [
        (
            Case(),
            "All 100 messages were accepted. 200 doses: 200 stored.",
            "Nothing is asked of you.",
        ),
        (
            Case(messages=1, doses=1, found=[Found("time-zone-missing", "MSH-7", 1)]),
            "The one message was accepted. 1 dose: 1 stored.",
            "Nothing has to be sent again. Please look at the causes below before your next file.",
        ),
        (
            Case(
                messages_rejected=99, doses_rejected=190, doses_held=4, found=[Found("expired-lot", "RXA", 1)]
            ),
            "1 of 100 messages was accepted, 99 were rejected. "
            "200 doses: 6 stored, 4 held until there is consent, 190 rejected.",
            "Your turn: mend the causes below in your system and send what was rejected again. "
            "4 doses wait for a consent: the consent notification (CNF) in Receive lists the patients. "
            "With the consent they are stored; what waits longer than 180 days is purged.",
        ),
        (
            Case(doses=0, lags={}, found=[Found("required-missing", "NK1-3", 2)]),
            "All 100 messages were accepted. There are no doses in it.",
            "Your turn: mend the causes below in your system; what is marked as error was left out.",
        ),
    ],
    ids=["clean", "warning", "rejected", "segment left out"],
)
def test_T58_the_verdict_says_what_became_of_it_and_whose_turn_it_is(
    case: Case, sentence: str, turn: str
) -> None:
    verdict = a_report(case).verdict

    assert (verdict.sentence, verdict.turn) == (sentence, turn)


WARNED, REJECTED = Found("time-zone-missing", "MSH-7", 1), Found("required-missing", "PID-7", 2)
BTS, FTS = (
    Found("batch-trailer-missing", "", 1, facts={"line": 2, "count": 1}),
    Found("file-trailer-missing", "", 1),
)
COMPARE = (
    "Compare the 100 messages found here with the number that your system sent, and send the whole file "
    "again if some are missing."
)


@pytest.mark.parametrize(
    ("case", "turn"),
    [
        (
            Case(found=[BTS, FTS, WARNED]),
            f"Your turn: the end of the file may be lost: BTS and FTS are missing. {COMPARE}",
        ),
        (Case(found=[FTS]), f"Your turn: the end of the file may be lost: FTS is missing. {COMPARE}"),
        (
            Case(messages_rejected=2, found=[FTS, REJECTED]),
            "Your turn: mend the causes below in your system and send what was rejected again. "
            f"The end of the file may be lost, too: FTS is missing. {COMPARE}",
        ),
    ],
    ids=["both", "all accepted", "rejected"],
)
def test_T63_a_file_whose_end_may_be_lost_is_the_partners_turn(case: Case, turn: str) -> None:
    assert a_report(case).verdict.turn == turn


@pytest.mark.parametrize(
    ("over", "held"),
    [
        (
            {},
            "61 doses of 40 patients wait for a consent: the consent notification (CNF) in Receive lists the "
            "patients. With the consent they are stored; what waits longer than 180 days is purged.",
        ),
        (
            {"vxu": {"held_days": None}},
            "61 doses of 40 patients wait for a consent: the consent notification (CNF) in Receive lists the "
            "patients. With the consent they are stored; nothing is purged meanwhile.",
        ),
        (
            {"mode": "test"},
            "In production 61 doses of 40 patients would wait for a consent, and be purged after 180 days "
            "without one; the consent notification (CNF) in Receive lists the patients.",
        ),
    ],
    ids=["production", "for ever", "test"],
)
def test_T61_who_has_held_doses_reads_where_the_patients_stand_and_how_long_it_lasts(
    over: dict[str, Any], held: str
) -> None:
    document = a_report(Case(doses_held=61), tenant=the_clinic(**over), patients_held=40)

    assert document.verdict.turn == f"Nothing has to be sent again. {held}"


def test_K7_test_mode_is_said_in_the_first_sentence() -> None:
    document = a_report(tenant=the_clinic(mode="test"))

    assert document.head.mode == "test"
    assert document.verdict.sentence.endswith(
        "Test mode: nothing entered the registry; this is what production would have made of it."
    )


def test_T58_a_refused_file_has_a_reason_and_nothing_else() -> None:
    document = a_refused("hl7-name-in-future", example="AAA-SSL26325.hl7")

    assert document.reason is not None
    assert document.reason.code == "hl7-name-in-future"
    assert document.reason.text.endswith(
        "today's name would be AAA-SSL26325.hl7. Rename the file and drop it again."
    )
    assert document.verdict.turn.startswith("Your turn:")
    assert (document.score, document.counts, document.findings, document.sections) == (None, None, (), ())


def test_T58_a_file_that_was_refused_unread_has_no_number_of_messages() -> None:
    document = a_refused()

    assert document.head.messages_found is None
    assert dict(facts(document.head))["Messages"] == "not read"


def test_T02_a_file_that_was_refused_after_it_was_read_has_one() -> None:
    submission = the_submission(Case(messages=3), outcome=Outcome.REFUSED)
    found = the_findings(Case(found=[Found("hl7-no-vxu", "", 1)]))

    head = a_report(submission=submission, findings=found).head

    assert head.messages_found == 3


def test_T58_a_refusal_without_its_finding_is_our_mistake() -> None:
    with pytest.raises(LookupError):
        a_report(submission=the_submission(Case(), outcome=Outcome.REFUSED))


def test_X04_the_doses_of_the_counts_add_up() -> None:
    counts = a_report(TYPICAL).counts

    assert counts is not None
    assert counts.doses == sum(
        getattr(counts, f"doses_{name}")
        for name in ("stored", "held", "unchanged", "deleted", "refused", "rejected")
    )


def test_T58_codes_that_should_not_be_sent_come_first_and_have_their_meaning() -> None:
    document = with_lines(("code", "sex", "F", 60), ("code", "sex", "O", 2), ("code", "sex", "M", 38))

    (sex,) = document.codes
    assert [(line.code, line.label, line.state, line.count) for line in sex.lines] == [
        ("O", "Other", "deprecated", 2),
        ("F", "Female", "valid", 60),
        ("M", "Male", "valid", 38),
    ]


def test_T60_a_code_that_no_set_knows_is_counted_and_never_shown() -> None:
    document = with_lines(
        ("code", "sex", "", 3),
        ("code", "sex", "MRS DOE", 2),
        ("code", "no-such-set", "DOE", 1),
    )

    assert {one.name: (one.count, one.unknown, one.lines) for one in document.codes} == {
        "no-such-set": (1, 1, ()),
        "sex": (5, 5, ()),
    }
    assert "DOE" not in str(document.as_json())


def test_T58_codes_of_vaccines_and_manufacturers_have_their_labels() -> None:
    document = with_lines(("code", "vaccine", "94", 1), ("code", "manufacturer", "MSD", 1))

    assert {one.label: one.lines[0].label for one in document.codes} == {
        "Manufacturer (MVX)": "Merck and Co., Inc.",
        "Vaccine (CVX)": "MMRV",
    }


@pytest.mark.parametrize(
    ("group", "label", "band", "doses", "verdict", "tone"),
    [
        ("influenza", "Influenza", "baby", 5, "as expected", "good"),
        ("influenza", "Influenza", "baby", 4, "less than expected", "note"),
        ("mmr", "MMR", "baby", 5, "often, never expected", "bad"),
        ("mmr", "MMR", "baby", 4, "never expected", "note"),
        ("mmr", "MMR", "adult", 5, "more than expected", "note"),
        ("mmr", "MMR", "adult", 4, "possible", "plain"),
    ],
)
def test_T59_a_group_is_present_from_5_percent_of_the_doses_of_the_band(
    group: str, label: str, band: str, doses: int, verdict: str, tone: str
) -> None:
    found = cell(
        with_lines(("vaccine", band, "", 100), ("vaccine", band, group, doses)).coverage, label, band
    )

    assert (found.doses, found.share, found.verdict, found.tone) == (doses, doses / 100, verdict, tone)


def test_T59_an_expected_group_that_is_absent_is_missing_only_where_the_band_has_doses() -> None:
    coverage = with_lines(("vaccine", "senior", "", 10), ("vaccine", "senior", "zoster", 10)).coverage

    assert cell(coverage, "Influenza", "senior").verdict == "missing"
    assert cell(coverage, "Influenza", "baby").verdict == ""


def test_T58_the_trend_compares_with_the_file_before_and_the_mean() -> None:
    trend = a_report(earlier=earlier(80, 90)).trend

    assert trend is not None
    assert [point.score for point in trend.points] == [80, 90, 100]
    assert trend.sentence == (
        "10.0 points better than the file before (90.0); the mean of the 2 earlier files shown is 85.0."
    )


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [
        ((), "This is the first file with a score; the next report compares itself with this one."),
        ((100,), "The same score as the file before."),
        ((99.5,), "0.5 points better than the file before (99.5)."),
    ],
)
def test_T58_the_trend_of_few_files(scores: tuple[float, ...], sentence: str) -> None:
    trend = a_report(earlier=earlier(*scores)).trend

    assert trend is not None
    assert trend.sentence == sentence


def test_T58_the_trend_shows_twelve_earlier_files() -> None:
    trend = a_report(earlier=earlier(*range(60, 80))).trend

    assert trend is not None
    assert len(trend.points) == 13


def test_T24_readiness_wants_51_messages_and_99_percent_of_each_required_field() -> None:
    ready = a_report(Case(messages=51), tenant=the_clinic(mode="test")).readiness
    small = a_report(Case(messages=50), tenant=the_clinic(mode="test")).readiness
    poor = a_report(
        Case(
            messages=100,
            bad_fields={"PID-7": {"missing": 2}, "PID-8": {"missing": 1}, "PID-6": {"missing": 90}},
        ),
        tenant=the_clinic(mode="test"),
    ).readiness

    assert ready is not None
    assert small is not None
    assert poor is not None
    assert (ready.is_ready, small.is_ready, poor.is_ready) == (True, False, False)
    assert small.checks[0].sentence == "50 messages, 1 more are needed"
    assert poor.checks[1].sentence == "1 of 14 fields below: Birth date (PID-7) 98.0%"


def test_T24_in_production_a_file_is_not_held_against_rules_for_test_files() -> None:
    case = Case(messages=12, doses=12, lags={}, found=[Found("required-missing", "NK1-3", 3)])
    poor = Case(bad_fields={"PID-7": {"missing": 2}})

    readiness, of_poor = a_report(case).readiness, a_report(poor).readiness

    assert readiness is not None
    assert of_poor is not None
    assert readiness.is_ready
    assert readiness.sentence == "You are in production; this file meets the measures for it."
    assert [check.label for check in readiness.checks] == ["Every required field right in at least 99%"]
    assert of_poor.sentence == "You are in production; this file does not meet the measures for it."


def test_T58_findings_and_causes_name_the_first_messages() -> None:
    document = a_report(Case(found=[Found("required-missing", "PID-7", 12)]))

    assert [line.first_messages for line in document.findings] == ["1, 2, 3, and 9 more"]
    assert [line.first_messages for line in document.causes if line.kind == "finding"] == [
        "1, 2, 3, and 9 more"
    ]


def test_T58_the_glossary_tells_each_code_of_the_file_once() -> None:
    found = [Found("required-missing", "PID-7", 12), Found("required-missing", "PID-3", 1), FTS]

    told = glossary(a_report(Case(found=found)))

    assert [code for code, _ in told] == ["file-trailer-missing", "required-missing"]
    assert told[1][1] == "A value that is required here is blank. Fill it in."


def test_T24_errors_do_not_keep_a_file_from_being_ready_but_are_told() -> None:
    case = Case(found=[Found("required-missing", "NK1-3", 3)])

    readiness = a_report(case, tenant=the_clinic(mode="test")).readiness

    assert readiness is not None
    assert readiness.is_ready
    assert readiness.sentence == (
        "Large and complete enough for production; the registry also wants files without errors."
    )
    assert (readiness.checks[2].is_met, readiness.checks[2].sentence) == (False, "3 errors")


def test_T24_the_measures_are_those_of_the_tenant() -> None:
    scoring = {"ready_messages": 10, "ready_required_percent": 50}
    case = Case(messages=10, bad_fields={"PID-7": {"missing": 5}})

    readiness = a_report(case, tenant=the_clinic(vxu={"scoring": scoring})).readiness

    assert readiness is not None
    assert readiness.is_ready


def test_T58_findings_of_the_store_are_in_the_report_without_a_line_in_the_tally() -> None:
    checked = Case()
    loaded = Case(found=[Found("expired-lot", "RXA-16", 20)])

    document = a_report(checked, findings=the_findings(loaded), tally=a_tally(checked))

    (line,) = document.findings
    assert (line.count, line.messages, line.share) == (20, None, 0.1)
