"""The error cascade and the header: what takes down a value, a segment, a dose, a message (T43, K23)."""

from __future__ import annotations

from typing import Any

import pytest

from partner_exchange.feeds.vxu.check import FileMemory
from partner_exchange.validation.catalogue import CATALOGUE
from support import batches
from support.vxu import a_message, a_registry, count, judged, put, said, spoilt

pytestmark = pytest.mark.slow

CLEAN = a_message()
TWO = a_message("C1", batches.dose("D1"), batches.dose("D2", cvx="83"))


def test_T43_a_clean_message_draws_nothing_and_is_taken_whole() -> None:
    checked = judged(TWO)
    assert said(checked) == []
    assert not checked.is_message_rejected.any()
    assert not checked.is_dose_rejected.any()


CATALOGUE_OF_REJECTS = [
    ("K.01.01", [("PID", "PID|")], ["PID^1 required-segment-missing error"], "PID^1"),
    ("K.01.02", [("PID-3", "")], ["PID^1^3 required-missing error"], "PID^1"),
    ("K.01.03", [("PID-5", "")], ["PID^1^5 required-missing error"], "PID^1"),
    ("K.01.04", [("PID-7", "")], ["PID^1^7 required-missing error"], "PID^1"),
    ("K.01.05", [("PID-7", "DOB")], ["PID^1^7 value-not-of-type error"], "PID^1"),
    ("K.01.06", [("PID-7", "20300101")], ["PID^1^7 date-in-future error"], "PID^1"),
    ("K.01.07", [("RXA", "")], ["RXA required-segment-missing error"], ""),
    ("K.01.08", [("RXA-3", "")], ["RXA^1^3 required-missing error"], ""),
    ("K.01.09", [("RXA-3", "SHOT DATE")], ["RXA^1^3 value-not-of-type error"], ""),
    ("K.01.10", [("RXA-3", "20300101")], ["RXA^1^3 date-in-future error"], ""),
    ("K.01.11", [("RXA-5", "")], ["RXA^1^5 required-missing error"], ""),
    ("K.01.12", [("RXA-5", "5000^Marsh fever^CVX")], ["RXA^1^5 code-unknown error"], ""),
]


@pytest.mark.parametrize(("name", "changes", "errors", "falls_at"), CATALOGUE_OF_REJECTS)
def test_K23_each_defect_of_the_reject_catalogue_rejects_what_it_should(
    name: str, changes: list[tuple[str, str]], errors: list[str], falls_at: str
) -> None:
    alone, beside = judged(spoilt(*changes)), judged(spoilt(*changes, message=TWO))

    assert alone.is_message_rejected.tolist() == [True]
    falls = falls_at or ("RXA" if "RXA required" in errors[0] else "RXA^1")
    assert said(alone) == [*errors, f"{falls} message-rejected error"]
    if falls_at:
        assert beside.is_message_rejected.tolist() == [True]
        assert said(beside) == [*errors, f"{falls_at} message-rejected error"]
    else:
        at = "ORC^1" if "RXA required" in errors[0] else "RXA^1"
        assert beside.is_message_rejected.tolist() == [False]
        assert beside.is_dose_rejected.tolist() == [True, False]
        assert sorted(said(beside)) == sorted([*errors, f"{at} dose-rejected error"])


HEADER = [
    ([("MSH-9", "ADT^A04^ADT_A01")], "MSH^1^9 message-type-unsupported error", "200"),
    ([("MSH-9", "")], "MSH^1^9 message-type-unsupported error", "200"),
    ([("MSH-9", "QBP^Q11^QBP_Q11")], "MSH^1^9 query-not-answered error", "200"),
    ([("MSH-9", "VXQ^V01")], "MSH^1^9 query-not-answered error", "200"),
    ([("MSH-9", "VXU^V03^VXU_V04")], "MSH^1^9 event-unsupported error", "201"),
    ([("MSH-12", "2.3.1")], "MSH^1^12 version-unsupported error", "203"),
    ([("MSH-12", "2.4")], "MSH^1^12 version-unsupported error", "203"),
    ([("MSH-12", "")], "MSH^1^12 version-unsupported error", "203"),
    ([("MSH-11", "X")], "MSH^1^11 processing-id-unsupported error", "202"),
    ([("MSH-11", "T")], "MSH^1^11 processing-id-not-production error", "202"),
]


@pytest.mark.parametrize(("changes", "finding", "hl7_error"), HEADER)
def test_T43_a_message_of_another_kind_is_rejected_and_not_read_further(
    changes: list[tuple[str, str]], finding: str, hl7_error: str
) -> None:
    spoiled = put(spoilt(*changes, ("PID-7", "DOB")), "MSH-10", "")
    checked = judged(spoiled)
    assert said(checked) == [finding, "MSH^1 message-rejected error"]
    assert CATALOGUE[finding.split()[1]].hl7_error == hl7_error
    assert checked.is_dose_rejected.tolist() == [True]
    assert count(checked, "field", "PID-7", "expected") == 0


def test_T02_only_a_file_with_a_vxu_has_one() -> None:
    memory = FileMemory()
    judged(spoilt(("MSH-9", "QBP^Q11^QBP_Q11")), memory=memory)
    assert not memory.has_vxu
    judged(spoilt(("MSH-12", "2.4")), memory=memory)
    assert memory.has_vxu


@pytest.mark.parametrize("mode", ["P", "D", "T"])
def test_K7_a_tenant_in_test_may_send_any_processing_id(mode: str) -> None:
    assert said(judged(spoilt(("MSH-11", mode)), tenant=a_registry(mode="test"))) == []


@pytest.mark.parametrize("version", ["2.5.1", "2.5.1^USA"])
def test_T43_version_2_5_1_is_read(version: str) -> None:
    assert said(judged(spoilt(("MSH-12", version)))) == []


@pytest.mark.parametrize("structure", ["VXU^V04", "VXU^V04^VXU_V03"])
def test_T43_another_structure_is_told_and_taken(structure: str) -> None:
    checked = judged(spoilt(("MSH-9", structure)))
    assert said(checked) == ["MSH^1^9 message-structure warning"]
    assert not checked.is_message_rejected.any()


def test_T43_unusable_separators_reject_and_unusual_ones_warn() -> None:
    unusable = CLEAN.replace("MSH|^~\\&|", "MSH|^^\\&|")
    unusual = CLEAN.replace("^", "$").replace("MSH|$~", "MSH|$~")
    assert said(judged(unusable)) == ["MSH^1^2 message-separators error", "MSH^1 message-rejected error"]
    assert said(judged(unusual)) == ["MSH^1^2 separators-unusual warning"]


def test_T43_control_ids_are_needed_and_used_once_in_a_file() -> None:
    blank = judged(spoilt(("MSH-10", "")))
    assert said(blank) == ["MSH^1^10 control-id-missing error", "MSH^1 message-rejected error"]

    memory = FileMemory()
    first = judged(a_message("A"), a_message("B", patient="P2"), a_message("A", patient="P3"), memory=memory)
    later = judged(a_message("B", patient="P4"), a_message("C", patient="P5"), memory=memory)
    assert said(first) == ["3 MSH^1^10 control-id-repeated error", "3 MSH^1 message-rejected error"]
    assert later.is_message_rejected.tolist() == [True, False]
    assert count(first, "count", "duplicate_control_ids") == 1


def test_T43_the_control_id_of_a_message_that_was_rejected_may_be_used_again() -> None:
    old = spoilt(("MSH-12", "2.3.1"), message=a_message("A"))
    bad = put(a_message("B", patient="P2"), "PID-7", "")
    memory = FileMemory()
    first = judged(old, a_message("A"), bad, a_message("A", patient="P3"), memory=memory)
    later = judged(a_message("B", patient="P2"), a_message("A", patient="P4"), memory=memory)
    assert first.is_message_rejected.tolist() == [True, False, True, True]
    assert "4 MSH^1^10 control-id-repeated error" in said(first)
    assert later.is_message_rejected.tolist() == [False, True]
    assert [line for line in said(first) if line.startswith("2")] == []


MESSAGE_TIMES = [
    ("", ["MSH^1^7 required-missing error", "MSH^1 message-rejected error"]),
    ("now", ["MSH^1^7 value-not-of-type error", "MSH^1 message-rejected error"]),
    ("202611", ["MSH^1^7 value-not-precise error", "MSH^1 message-rejected error"]),
    ("20261131101500-0600", ["MSH^1^7 no-such-day error", "MSH^1 message-rejected error"]),
    ("20261120", ["MSH^1^7 value-not-precise warning", "MSH^1^7 time-zone-missing warning"]),
    ("20261120101500", ["MSH^1^7 time-zone-missing warning"]),
    ("20261120101500-600", ["MSH^1^7 time-zone-unusual warning"]),
    ("20261121070000-0600", []),
    ("20261121070001-0600", ["MSH^1^7 date-in-future error", "MSH^1 message-rejected error"]),
    ("20261122060000", ["MSH^1^7 time-zone-missing warning"]),
    (
        "20261122060001",
        [
            "MSH^1^7 date-in-future error",
            "MSH^1^7 time-zone-missing warning",
            "MSH^1 message-rejected error",
        ],
    ),
    ("00010101000000+2300", ["MSH^1^7 date-too-long-ago error", "MSH^1 message-rejected error"]),
    ("18991231235959-0600", ["MSH^1^7 date-too-long-ago error", "MSH^1 message-rejected error"]),
]


@pytest.mark.parametrize(("time", "findings"), MESSAGE_TIMES)
def test_T43_the_message_time_is_needed_to_the_minute_with_a_zone(time: str, findings: list[str]) -> None:
    assert sorted(said(judged(spoilt(("MSH-7", time))))) == sorted(findings)


def test_T43_no_instant_is_made_of_a_message_time_that_cannot_be() -> None:
    checked = judged(spoilt(("MSH-7", "00010101000000+2300")))
    assert checked.flat.messages["MSH-7"].to_list() == [""]
    assert not (checked.tally["what"] == "time").any()


def test_T43_a_message_without_doses_stands_and_one_of_bad_doses_only_falls() -> None:
    patient_alone = batches.message("C1")
    assert said(judged(patient_alone)) == []
    assert not judged(patient_alone).is_message_rejected.any()

    both_bad = put(put(TWO, "RXA-3", "", nth=1), "RXA-5", "", nth=2)
    checked = judged(both_bad)
    assert said(checked) == [
        "RXA^1^3 required-missing error",
        "RXA^2^5 required-missing error",
        "RXA^1 message-rejected error",
    ]
    assert checked.issues.iloc[-1]["dose"] == 0


def test_K23_one_bad_message_leaves_the_others_alone() -> None:
    checked = judged(
        a_message("A"), put(a_message("B", patient="P2"), "PID-7", ""), a_message("C", patient="P3")
    )
    assert checked.is_message_rejected.tolist() == [False, True, False]
    assert checked.is_dose_rejected.tolist() == [False, True, False]


def test_K23_errors_of_a_part_leave_out_the_part_only() -> None:
    spoiled = put(put(put(CLEAN, "NK1-3", ""), "OBX-5", "", nth=1), "PID-3", "P1^^^CLINIC^MR~P9^^^CLINIC^NO")
    checked = judged(spoiled)
    assert said(checked) == [
        "PID^1^3^2^5 code-unknown error",
        "NK1^1^3 required-missing error",
        "OBX^1^5 required-missing error",
    ]
    assert not checked.is_message_rejected.any()
    assert checked.flat.identifiers["PID-3.1"].to_list() == ["P1"]
    assert checked.flat.relatives.empty
    assert checked.flat.observations["sequence"].to_list() == [2, 3, 4]


def test_K23_a_lowered_value_counts_as_empty() -> None:
    checked = judged(spoilt(("PID-8", "X"), ("RXA-16", "soon"), ("RXA-6", "much"), ("RXR-1", "EAR")))
    assert sorted(said(checked)) == [
        "PID^1^8 code-unknown warning",
        "RXA^1^16 value-not-of-type warning",
        "RXA^1^6 value-not-a-number warning",
        "RXR^1^1 code-unknown warning",
    ]
    assert checked.flat.patients["PID-8"].to_list() == [""]
    dose = checked.flat.doses.iloc[0]
    assert (dose["RXA-16"], dose["RXA-6"], dose["RXR-1"]) == ("", "", "")


def test_T43_orders_need_both_of_their_segments() -> None:
    checked = judged(put(TWO, "ORC", "", nth=1))
    assert said(checked) == ["ORC required-segment-missing error", "RXA^1 dose-rejected error"]
    without_number = judged(put(TWO, "ORC-3", ""))
    assert said(without_number) == ["ORC^1^3 required-missing error", "RXA^1 dose-rejected error"]


def test_T43_issues_of_the_structure_stand_among_the_others() -> None:
    checked = judged(CLEAN.replace("ORC|", "PD1|\rORC|", 1))
    assert said(checked) == ["PD1^2 segment-repeated warning"]


@pytest.mark.parametrize("header", ["", "msh|", '"MSH|', "MS H|"])
def test_T43_a_message_whose_successor_lost_its_header_is_not_taken(header: str) -> None:
    other = a_message("C2", batches.dose("D2", cvx="83"), patient="P2")
    lost = other.replace("MSH|", header, 1) if header else other.partition("\r")[2]
    checked = judged(CLEAN + lost, a_message("C3", patient="P3"))
    found = said(checked, but=["line-not-a-segment", "segment-repeated", "segment-out-of-order"])
    assert found == ["1 PID^2 patient-repeated error", "1 PID^1 message-rejected error"]
    assert checked.is_message_rejected.tolist() == [True, False]
    assert checked.is_dose_rejected.tolist() == [True, True, False]


def test_T43_a_header_glued_to_the_line_before_rejects_both_messages() -> None:
    checked = judged(CLEAN.removesuffix("\r") + a_message("C2", patient="P2"))
    assert "PID^2 patient-repeated error" in said(checked)
    assert checked.is_message_rejected.tolist() == [True]


def test_N02_nothing_at_all_is_a_piece_too() -> None:
    flat = judged(CLEAN).flat
    empty: dict[str, Any] = {name: frame.iloc[:0] for name, frame in vars(flat).items()}
    from partner_exchange.feeds.vxu.check import CheckContext, check
    from partner_exchange.feeds.vxu.tables import Flat
    from support.vxu import ARRIVED_AT

    checked = check(Flat(**empty), CheckContext(tenant=a_registry(), arrived_at=ARRIVED_AT))
    assert checked.issues.empty
    assert count(checked, "count", "messages") == 0
