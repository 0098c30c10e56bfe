"""Each rule about a value of the header, the patient, the relatives: what it says and where (T43, K23)."""

from __future__ import annotations

import pytest

from support.vxu import findings_of_each, judged, spoilt

Changes = list[tuple[str, str]]

CASES: list[tuple[Changes, list[str]]] = [
    # Header.
    ([("MSH-10", "M" * 200)], ["MSH^1^10 control-id-too-long warning"]),
    ([("MSH-10", "M" * 199)], []),
    ([("MSH-11", "")], ["MSH^1^11 required-missing warning"]),
    ([("MSH-15", "")], ["MSH^1^15 required-missing warning"]),
    ([("MSH-15", "XX")], ["MSH^1^15 code-unknown warning"]),
    ([("MSH-16", "")], ["MSH^1^16 required-missing warning"]),
    ([("MSH-16", "XX")], ["MSH^1^16 code-unknown warning"]),
    ([("MSH-21", "")], ["MSH^1^21 required-missing warning"]),
    ([("MSH-21", "Z44^CDCPHINVS")], ["MSH^1^21 value-unexpected warning"]),
    # Identifiers.
    ([("PID-1", "")], ["PID^1^1 required-missing warning"]),
    ([("PID-1", "2")], ["PID^1^1 value-unexpected warning"]),
    ([("PID-3", "P1^^^^MR")], ["PID^1^3^1^4 required-missing warning"]),
    ([("PID-3", "P1^^^CLINIC")], ["PID^1^3^1^5 required-missing warning"]),
    ([("PID-3", "P1^^^CLINIC^QQ")], ["PID^1^3^1^5 code-unknown warning"]),
    ([("PID-3", "P1^^^CLINIC^MR~P2^^^CLINIC")], ["PID^1^3^2^5 required-missing error"]),
    ([("PID-3", "P1^^^CLINIC^MR~P2^^^CLINIC^QQ")], ["PID^1^3^2^5 code-unknown error"]),
    (
        [("PID-3", "P1^^^CLINIC~P2^^^STATE")],
        ["PID^1^3^1^5 required-missing warning", "PID^1^3^2^5 required-missing error"],
    ),
    (
        [("PID-3", "^^^CLINIC^MR~P1^^^CLINIC^QQ~P2^^^STATE")],
        [
            "PID^1^3^1^1 required-missing warning",
            "PID^1^3^2^5 code-unknown warning",
            "PID^1^3^3^5 required-missing error",
        ],
    ),
    ([("PID-3", "P1^^^CLINIC^MR~^^^CLINIC^SS")], ["PID^1^3^2^1 required-missing warning"]),
    (
        [("PID-3", "^^^CLINIC^MR")],
        ["PID^1^3 required-missing error", "PID^1^3^1^1 required-missing warning"],
    ),
    ([("PID-3", "P1^^^CLINIC^MR~184-25-4562^^^MAA^SS")], []),
    # Name.
    ([("PID-5", "^Sawyer^^^^^L")], ["PID^1^5^1^1 required-missing error"]),
    ([("PID-5", "Pecos^^^^^^L")], ["PID^1^5^1^2 required-missing error"]),
    ([("PID-5", '""^""')], ["PID^1^5 required-missing error"]),
    ([("PID-5", "Pecos^Sawyer^^^^^A")], ["PID^1^5^1^7 name-not-legal warning"]),
    ([("PID-5", "Pecos^Sawyer^^^^^?")], ["PID^1^5^1^7 code-unknown warning"]),
    ([("PID-5", "Pecos^Sawyer")], []),
    *(
        ([("PID-5", f"{family}^{given}^^^^^L")], ["PID^1^5 name-looks-temporary info"])
        for family, given in (
            ("Test", "Sawyer"),
            ("Pecos", "BABY BOY"),
            ("Pecos", "babygirl"),
            ("Pecos", "Newborn"),
            ("ZZTest", "Sawyer"),
            ("Pecos", "Unknown"),
            ("Pecos", "Boy A"),
        )
    ),
    *(
        ([("PID-5", f"{family}^{given}^^^^^L")], [])
        for family, given in (("Testa", "Boyd"), ("Babyak", "Nab"))
    ),
    # Birth, sex, death.
    ([("PID-7", "2019")], ["PID^1^7 value-not-precise error"]),
    ([("PID-7", "201907")], ["PID^1^7 value-not-precise error"]),
    ([("PID-7", "20190230")], ["PID^1^7 no-such-day error"]),
    ([("PID-7", "20190229")], ["PID^1^7 no-such-day error"]),
    ([("PID-7", "2019-07-25")], ["PID^1^7 value-not-of-type error"]),
    ([("PID-7", "20261121")], ["PID^1^7 date-in-future error"]),
    ([("PID-7", "20190725083000-0500")], []),
    ([("PID-7", "18961119")], ["PID^1^7 birth-too-long-ago error"]),
    ([("PID-7", "00010101")], ["PID^1^7 birth-too-long-ago error"]),
    ([("PID-7", "00000101")], ["PID^1^7 no-such-day error"]),
    ([("PID-8", "")], ["PID^1^8 required-missing warning"]),
    ([("PID-8", "X")], ["PID^1^8 code-unknown warning"]),
    ([("PID-8", "O")], ["PID^1^8 code-deprecated warning"]),
    ([("PID-10", "0000-0^?^CDCREC")], ["PID^1^10 code-unknown warning"]),
    ([("PID-22", "U")], ["PID^1^22 code-deprecated warning"]),
    ([("PID-22", "0")], ["PID^1^22 code-unknown warning"]),
    ([("PID-24", "1")], ["PID^1^24 code-unknown warning"]),
    ([("PID-25", "second")], ["PID^1^25 value-not-a-number warning"]),
    ([("PID-24", "Y"), ("PID-25", "2")], []),
    ([("PID-29", "20261120")], ["PID^1^29 value-not-allowed warning"]),
    ([("PID-29", "20261120"), ("PID-30", "Y")], []),
    ([("PID-29", "20261124"), ("PID-30", "Y")], ["PID^1^29 date-in-future warning"]),
    ([("PID-29", "dead"), ("PID-30", "Y")], ["PID^1^29 value-not-of-type warning"]),
    ([("PID-30", "X")], ["PID^1^30 code-unknown warning"]),
    # What the registry asks of the patient.
    ([("PD1-11", "99"), ("PD1-18", "")], ["PD1^1^11 code-unknown warning"]),
    ([("PD1-11", "")], ["PD1^1^18 value-not-allowed warning"]),
    ([("PD1-12", "")], ["PD1^1^13 value-not-allowed warning"]),
    ([("PD1-12", "X")], ["PD1^1^12 code-unknown warning"]),
    ([("PD1-12", "Y")], ["PD1^1^12 protection-claimed info"]),
    ([("PD1-13", "201611")], ["PD1^1^13 value-not-precise warning"]),
    ([("PD1-16", "")], ["PD1^1^17 value-not-allowed warning"]),
    ([("PD1-16", "X")], ["PD1^1^16 code-unknown warning"]),
    ([("PD1-16", "O")], ["PD1^1^16 code-invalid warning"]),
    ([("PD1-18", "20261124")], ["PD1^1^18 date-in-future warning"]),
    ([("PD1", "")], []),
    # Relatives.
    ([("NK1-1", "")], ["NK1^1^1 required-missing warning"]),
    ([("NK1-1", "x")], ["NK1^1^1 value-not-a-number warning"]),
    ([("NK1-2", "")], ["NK1^1^2 required-missing error"]),
    ([("NK1-2", "Pecos")], []),
    ([("NK1-3", "")], ["NK1^1^3 required-missing error"]),
    ([("NK1-3", "QQQ")], ["NK1^1^3 code-unknown error"]),
    ([("NK1", "")], []),
]


@pytest.fixture(scope="module")
def found() -> list[list[str]]:
    return findings_of_each(spoilt(*changes) for changes, _ in CASES)


@pytest.mark.parametrize("at", range(len(CASES)), ids=lambda at: " ".join(map(str, CASES[at][0][0])))
def test_K23_a_value_is_judged_by_its_rule(at: int, found: list[list[str]]) -> None:
    assert found[at] == CASES[at][1]


def test_K23_what_must_not_be_there_is_left_out() -> None:
    patients = judged(spoilt(("PD1-12", ""), ("PID-29", "20261120"))).flat.patients
    assert patients[["PD1-13", "PID-29"]].to_numpy().tolist() == [["", ""]]


def test_T64_a_patient_keeps_an_identifier_whose_type_says_nothing() -> None:
    for sent in ("P1^^^CLINIC~P2^^^STATE", "P1^^^CLINIC^QQ~P2^^^STATE^QQ"):
        checked = judged(spoilt(("PID-3", sent)))
        assert checked.flat.identifiers["PID-3.1"].to_list() == ["P1"]
        assert not checked.is_message_rejected.any()


def test_T62_the_protection_flag_stays_as_sent() -> None:
    assert judged(spoilt(("PD1-12", "Y"))).flat.patients["PD1-12"].to_list() == ["Y"]
