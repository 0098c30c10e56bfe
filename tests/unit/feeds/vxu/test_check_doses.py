"""Each rule about an order, a dose and its observations: what it says and where (T64, K23)."""

from __future__ import annotations

import pytest

from partner_exchange.feeds.vxu.check import FileMemory
from support import batches
from support.vxu import a_message, findings_of_each, judged, put, said, spoilt

pytestmark = pytest.mark.slow

Changes = list[tuple[str, str]]

FUTURE_OF_A_LOCAL_MESSAGE = ["MSH^1^7 time-zone-missing warning", "RXA^1^3 date-in-future error"]
DAY_ALONE = ["MSH^1^7 value-not-precise warning", "MSH^1^7 time-zone-missing warning"]
FUTURE_OF_DAY = [*DAY_ALONE, "RXA^1^3 date-in-future error"]

GIVEN: list[tuple[Changes, list[str]]] = [
    # Order.
    ([("ORC-1", "")], ["ORC^1^1 required-missing warning"]),
    ([("ORC-1", "NW")], ["ORC^1^1 value-unexpected warning"]),
    ([("ORC-3", "")], ["ORC^1^3 required-missing error"]),
    ([("ORC-9", "20261124")], ["ORC^1^9 date-in-future warning"]),
    ([("ORC-9", "yesterday")], ["ORC^1^9 value-not-of-type warning"]),
    # When.
    ([("RXA-1", "")], ["RXA^1^1 required-missing warning"]),
    ([("RXA-1", "1")], ["RXA^1^1 value-unexpected warning"]),
    ([("RXA-2", "999")], ["RXA^1^2 value-unexpected warning"]),
    ([("RXA-3", "202611")], ["RXA^1^3 value-not-precise error"]),
    ([("RXA-3", "20261131")], ["RXA^1^3 no-such-day error"]),
    ([("RXA-3", "20261123")], ["RXA^1^3 date-in-future error"]),
    ([("RXA-3", "20261122")], ["RXA^1^3 date-in-future error"]),
    ([("RXA-3", "20261122"), ("MSH-7", "20261122010000")], FUTURE_OF_A_LOCAL_MESSAGE),
    ([("RXA-3", "20261121")], ["RXA^1^3 date-after-message error"]),
    # With an offset of its own, a dose is of the day that it was where the message comes from.
    ([("RXA-3", "20261121003000+0000")], []),
    ([("RXA-3", "20261121055900+0000")], []),
    ([("RXA-3", "20261121060000+0000")], ["RXA^1^3 date-after-message error"]),
    ([("RXA-3", "20261121130000+1400")], []),
    ([("RXA-3", "20261121+1400")], []),
    ([("RXA-3", "20261120235900-1200")], []),
    ([("RXA-3", "20261121003000")], ["RXA^1^3 date-after-message error"]),
    ([("RXA-3", "20261122003000+0000"), ("MSH-7", "20261121")], DAY_ALONE),
    ([("RXA-3", "20261122060000+0000"), ("MSH-7", "20261121")], FUTURE_OF_DAY),
    ([("RXA-3", "20261120235900-0600")], []),
    ([("RXA-3", "20190724")], ["RXA^1^3 date-before-birth error"]),
    ([("RXA-3", "20190725"), ("RXA-5", "08^Hep B^CVX")], []),
    ([("PID-30", "Y"), ("PID-29", "20261119")], ["RXA^1^3 date-after-death error"]),
    ([("PID-30", "Y"), ("PID-29", "20261120")], []),
    ([("RXA-4", "20261120")], []),
    ([("RXA-4", "20261119")], ["RXA^1^4 end-differs warning"]),
    ([("RXA-4", "later")], ["RXA^1^4 value-not-of-type warning"]),
    # Which vaccine.
    ([("RXA-5", "94")], []),
    ([("RXA-5", "3^MMR^CVX")], []),
    ([("RXA-5", "94^MMRV^HL70292")], []),
    ([("RXA-5", "00006-4681-01^M-M-R II^NDC")], []),
    ([("RXA-5", "00006-4681-01")], []),
    ([("RXA-5", "90710^MMRV^C4")], ["RXA^1^5 code-unknown error"]),
    ([("RXA-5", "90710^MMRV^C4^94^MMRV^CVX")], []),
    ([("RXA-5", "^^^94^MMRV^CVX")], []),
    ([("RXA-5", "5000^Marsh fever^CVX^94^MMRV^CVX")], ["RXA^1^5 code-unknown warning"]),
    ([("RXA-5", "99999-9999-99^?^NDC")], ["RXA^1^5 code-unknown error"]),
    ([("RXA-5", "99999-9999-99^?^NDC^94^MMRV^CVX")], ["RXA^1^5 ndc-unknown warning"]),
    ([("RXA-5", "00006-4681-01^M-M-R II^NDC^94^MMRV^CVX")], ["RXA^1^5 ndc-cvx-differ warning"]),
    ([("RXA-5", "00006-4681-01^M-M-R II^NDC^03^MMR^CVX")], []),
    ([("RXA-5", "23^plague^CVX")], ["RXA^1^5 code-invalid error"]),
    ([("RXA-5", "88^Influenza, unspecified^CVX")], ["RXA^1^5 vaccine-unspecified info"]),
    ([("RXA-5", "16^Influenza, whole^CVX")], ["RXA^1^3 dose-outside-licence error"]),
    ([("RXA-5", "116^rotavirus^CVX")], ["RXA^1^5 dose-outside-age warning"]),
    ([("RXA-5", "998^none^CVX")], ["RXA^1^20 no-vaccine-mismatch error"]),
    # How much, from where.
    ([("RXA-6", "")], ["RXA^1^6 required-missing warning"]),
    ([("RXA-6", "a bit")], ["RXA^1^6 value-not-a-number warning"]),
    ([("RXA-6", "999"), ("RXA-7", "")], []),
    ([("RXA-6", ".5")], []),
    ([("RXA-6", "0")], ["RXA^1^6 amount-not-positive warning"]),
    ([("RXA-6", "-1")], ["RXA^1^6 amount-not-positive warning"]),
    ([("RXA-6", "0"), ("RXA-20", "RE"), ("RXA-18", "00^Parental decision^NIP002")], []),
    ([("RXA-6", "1234567890123456")], ["RXA^1^6 value-not-a-number warning"]),
    ([("RXA-7", "")], ["RXA^1^7 required-missing warning"]),
    ([("RXA-7", "drops")], ["RXA^1^7 code-unknown warning"]),
    ([("RXA-7", "ML")], ["RXA^1^7 code-deprecated warning"]),
    ([("RXA-9", "")], ["RXA^1^9 required-missing warning"]),
    ([("RXA-9", "99^?^NIP001")], ["RXA^1^9 code-unknown warning"]),
    ([("RXA-9", "00")], ["RXA^1^9^1^3 required-missing warning"]),
    ([("RXA-9", "00^New^NIP009")], ["RXA^1^9^1^3 value-unexpected warning"]),
    ([("RXA-15", "")], ["RXA^1^15 required-missing warning"]),
    ([("RXA-16", "20261119")], ["RXA^1^3 expired-lot warning"]),
    ([("RXA-16", "20261120")], []),
    ([("RXA-16", "202611")], ["RXA^1^16 value-not-precise warning"]),
    ([("RXA-17", "")], ["RXA^1^17 required-missing warning"]),
    ([("RXA-17", "QQQ")], ["RXA^1^17 code-unknown warning"]),
    # What became of it.
    ([("RXA-18", "00^Parental decision^NIP002")], ["RXA^1^18 refusal-inconsistent warning"]),
    ([("RXA-18", "99")], ["RXA^1^18 code-unknown warning", "RXA^1^18 refusal-inconsistent warning"]),
    ([("RXA-20", "XX")], ["RXA^1^20 code-unknown error"]),
    ([("RXA-20", "")], []),
    ([("RXA-20", "PA")], []),
    ([("RXA-20", "NA")], ["RXA^1^20 no-vaccine-mismatch warning"]),
    ([("RXA-20", "RE")], ["RXA^1^18 required-missing warning"]),
    ([("RXA-21", "")], ["RXA^1^21 action-assumed info"]),
    ([("RXA-21", "X")], ["RXA^1^21 code-unknown error"]),
    ([("RXA-21", "U")], []),
    ([("RXR-1", "")], ["RXR^1^1 required-missing warning"]),
    ([("RXR-1", "C99999^Through the ear^NCIT")], ["RXR^1^1 code-unknown warning"]),
    ([("RXR-1", "IN")], ["RXR^1^1 code-deprecated warning"]),
    ([("RXR-1", "SC")], []),
    ([("RXR-2", "QQ")], ["RXR^1^2 code-unknown warning"]),
    ([("RXR", "")], []),
    (
        [("RXA-15", ""), ("RXA-6", "999"), ("RXA-10", ""), ("RXR", "")],
        ["RXA^1 looks-historical info", "RXA^1^15 required-missing warning"],
    ),
    ([("RXA-9", "01^Historical^NIP001")], ["RXA^1 looks-given info"]),
]

ELIGIBILITY, DOCUMENT, PRESENTED = 2, 3, 4
OBSERVED: list[tuple[int, str, str, list[str]]] = [
    (ELIGIBILITY, "OBX", "", ["RXA^1 observation-missing warning"]),
    (ELIGIBILITY, "OBX-1", "", ["OBX^2^1 required-missing warning"]),
    (ELIGIBILITY, "OBX-1", "1", ["OBX^2^1 set-id-order warning"]),
    (ELIGIBILITY, "OBX-1", "two", ["OBX^2^1 value-not-a-number warning"]),
    (ELIGIBILITY, "OBX-2", "", ["OBX^2^2 required-missing error"]),
    (ELIGIBILITY, "OBX-2", "QQ", ["OBX^2^2 code-unknown error"]),
    (ELIGIBILITY, "OBX-2", "TX", ["OBX^2^2 code-ignored info"]),
    (ELIGIBILITY, "OBX-3", "", ["RXA^1 observation-missing warning", "OBX^2^3 required-missing error"]),
    (
        ELIGIBILITY,
        "OBX-3",
        "99999-9^?^LN",
        ["RXA^1 observation-missing warning", "OBX^2^3 code-unknown warning"],
    ),
    (ELIGIBILITY, "OBX-4", "", ["OBX^2^4 required-missing warning"]),
    (ELIGIBILITY, "OBX-5", "", ["RXA^1 observation-missing warning", "OBX^2^5 required-missing error"]),
    (ELIGIBILITY, "OBX-5", "V00^Unknown^HL70064", ["OBX^2^5 code-invalid warning"]),
    (ELIGIBILITY, "OBX-5", "V99^?^HL70064", ["OBX^2^5 code-unknown warning"]),
    (ELIGIBILITY, "OBX-11", "", ["OBX^2^11 required-missing warning"]),
    (ELIGIBILITY, "OBX-11", "P", ["OBX^2^11 value-unexpected warning"]),
    (ELIGIBILITY, "OBX-14", "20261124", ["OBX^2^14 date-in-future warning"]),
    (ELIGIBILITY, "OBX-14", "then", ["OBX^2^14 value-not-of-type warning"]),
    (ELIGIBILITY, "OBX-17", "", ["OBX^2^17 required-missing warning"]),
    (ELIGIBILITY, "OBX-17", "VXC99", ["OBX^2^17 code-unknown warning"]),
    (1, "OBX-5", "QQ", ["OBX^1^5 code-unknown warning"]),
    (1, "OBX-3", "64994-7^Eligibility^LN", []),
    (DOCUMENT, "OBX-5", "999^new statement^cdcgs1vis", ["OBX^3^5 code-unknown warning"]),
    (DOCUMENT, "OBX", "", ["RXA^1 vis-missing warning"]),
    (DOCUMENT, "OBX-4", "9", ["RXA^1 vis-missing warning"]),
    (PRESENTED, "OBX-5", "then", ["OBX^4^5 value-not-of-type error"]),
    (PRESENTED, "OBX-5", "20260230", ["OBX^4^5 no-such-day error"]),
    (PRESENTED, "OBX-2", "NM", ["OBX^4^6 required-missing warning"]),
]


@pytest.fixture(scope="module")
def found_of_doses() -> list[list[str]]:
    return findings_of_each(spoilt(*changes) for changes, _ in GIVEN)


@pytest.mark.parametrize("at", range(len(GIVEN)), ids=lambda at: " ".join(map(str, GIVEN[at][0][0])))
def test_T64_a_dose_is_judged_by_its_rules(at: int, found_of_doses: list[list[str]]) -> None:
    assert found_of_doses[at] == GIVEN[at][1]


@pytest.fixture(scope="module")
def found_of_observations() -> list[list[str]]:
    return findings_of_each(put(a_message(), place, value, nth=nth) for nth, place, value, _ in OBSERVED)


@pytest.mark.parametrize("at", range(len(OBSERVED)), ids=lambda at: " ".join(map(str, OBSERVED[at][:3])))
def test_T64_an_observation_is_judged_by_its_rules(at: int, found_of_observations: list[list[str]]) -> None:
    if OBSERVED[at][:2] == (1, "OBX-3"):
        assert "RXA^1 eligibility-repeated warning" in found_of_observations[at]
    else:
        assert found_of_observations[at] == OBSERVED[at][3]


def test_T64_a_statement_may_be_told_by_vaccine_and_edition() -> None:
    told = [
        "OBX|3|CE|30956-7^vaccine type^LN|2|94^MMRV^CVX||||||F",
        "OBX|4|TS|29768-9^published^LN|2|20100521||||||F",
        "OBX|5|TS|29769-7^presented^LN|2|20261120||||||F",
    ]
    dose = batches.dose("D1")[:-2]
    assert said(judged(a_message("C1", [*dose, *told]))) == []
    assert said(judged(a_message("C1", [*dose, *told[::2]]))) == ["RXA^1 vis-missing warning"]


def test_T64_an_eligibility_of_the_visit_stands_for_all_its_doses() -> None:
    first, second = batches.dose("D1"), batches.dose("D2", cvx="83")
    visit = [one.replace("VXC40", "VXC41") for one in first]
    without = [one for one in second if "64994-7" not in one]
    assert said(judged(a_message("C1", visit, without))) == []
    assert said(judged(a_message("C1", first, without))) == ["RXA^2 observation-missing warning"]


@pytest.mark.parametrize("status", ["D", "W", "X"])
def test_T64_an_observation_that_was_withdrawn_does_not_count(status: str) -> None:
    checked = judged(put(a_message(), "OBX-11", status, nth=ELIGIBILITY))
    assert said(checked) == ["RXA^1 observation-missing warning", "OBX^2^11 observation-withdrawn error"]
    assert checked.flat.observations["sequence"].to_list() == [1, 3, 4]
    assert not checked.is_dose_rejected.any()


def test_T64_an_amount_that_cannot_be_counts_as_blank() -> None:
    for amount in ("0", "-0.5", "9" * 20):
        assert judged(spoilt(("RXA-6", amount))).flat.doses["RXA-6"].to_list() == [""]


def test_T64_set_ids_may_begin_anew_with_each_dose() -> None:
    first, second = batches.dose("D1"), batches.dose("D2", cvx="83")
    assert said(judged(a_message("C1", first, second))) == []
    risen = [one.replace("OBX|", "OBX|1") for one in second]
    assert said(judged(a_message("C1", first, risen))) == []


def test_T64_doses_of_others_need_no_more_than_they_can_have() -> None:
    old = batches.historical("D1", on="20250101", cvx="140")
    assert said(judged(a_message("C1", old, batches.refusal()))) == []


def test_T64_a_historical_dose_outside_the_licence_is_told_and_taken() -> None:
    checked = judged(a_message("C1", batches.historical("D1", on="20200301", cvx="16")))
    assert said(checked) == ["RXA^1^3 dose-outside-licence warning"]
    assert not checked.is_dose_rejected.any()


def test_T64_no_vaccine_administered_is_a_completion_of_its_own() -> None:
    dose = batches.historical("D1", on="20261120", cvx="998")
    not_given = [dose[0], "RXA|0|1|20261120||998^No vaccine^CVX|999||||||||||||||NA|A"]
    blank = [dose[0], not_given[1].replace("|NA|", "||")]
    assert said(judged(a_message("C1", not_given))) == []
    checked = judged(a_message("C1", blank))
    assert said(checked) == ["RXA^1^20 no-vaccine-mismatch warning"]
    assert checked.flat.doses["RXA-20"].to_list() == ["NA"]


def test_T64_a_deletion_needs_the_key_and_no_more() -> None:
    gone = ["ORC|RE||D1^CLINIC", "RXA|0|1|20261120||94^MMRV^CVX|||||||||||||||CP|D"]
    assert said(judged(a_message("C1", gone))) == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("RXA-3", "20190101"),
        ("RXA-3", "20301231"),
        ("RXA-3", "SHOT DATE"),
        ("RXA-3", ""),
        ("RXA-5", "5000^Marsh fever^CVX"),
        ("RXA-5", "16^Influenza, whole^CVX"),
        ("RXA-5", ""),
        ("RXA-9", "99^?^NIP001"),
        ("RXA-20", "XX"),
        ("RXR-1", ""),
        ("ORC-9", "later"),
        ("OBX-5", ""),
        ("OBX-1", "x"),
    ],
)
def test_T64_of_a_deletion_only_the_order_number_is_judged(place: str, value: str) -> None:
    checked = judged(put(a_message("C1", batches.dose("D1", action="D")), place, value))
    assert said(checked) == []
    assert not checked.is_dose_rejected.any()


def test_T64_a_deletion_needs_an_order_number() -> None:
    gone = batches.dose("D1", action="D")
    assert said(judged(a_message("C1", [gone[0].replace("D1^CLINIC", ""), *gone[1:]]))) == [
        "ORC^1^3 required-missing error",
        "RXA^1 message-rejected error",
    ]
    assert said(judged(a_message("C1", gone[1:])))[0] == "ORC required-segment-missing error"


def test_T64_what_is_blank_and_what_it_comes_to_is_told_with_the_dose() -> None:
    dose = judged(
        spoilt(("RXA-20", ""), ("RXA-21", ""), ("RXA-5", "00006468101^^NDC"), ("RXA-17", ""))
    ).flat.doses
    told = dose[["RXA-20", "RXA-21", "cvx", "ndc", "mvx", "is_given"]]
    assert told.to_numpy().tolist() == [["CP", "A", "03", "00006-4681-01", "MSD", True]]


def test_T64_the_same_dose_twice_in_a_file_is_told_at_the_later_one() -> None:
    again = batches.historical("D9", on="20261120", cvx="94")
    memory = FileMemory()
    both = judged(a_message("C1", batches.dose("D1"), again), memory=memory)
    later = judged(
        a_message("C2", batches.dose("D3")),
        a_message("C3", batches.dose("D4"), patient="P2"),
        a_message("C4", batches.dose("D5", action="U")),
        memory=memory,
    )
    assert said(both) == ["RXA^2 dose-repeated warning"]
    assert said(later) == ["1 RXA^1 dose-repeated warning"]


def test_T64_several_immunities_of_a_day_are_no_repetition() -> None:
    lines = ["ORC|RE||9999^CLINIC", "RXA|0|1|20261120||998^No vaccine^CVX|999||||||||||||||NA|A"]
    immunity = "OBX|1|CE|59784-9^Disease with presumed immunity^LN|1|{}^^SCT||||||F|||20261120"
    both = [[*lines, immunity.format(code)] for code in ("38907003", "14189004")]
    assert said(judged(a_message("C1", *both))) == []


def test_T64_a_rejected_dose_makes_no_other_a_repetition() -> None:
    twice = a_message("C1", batches.dose("D1"), batches.dose("D2"))
    assert "RXA^2 dose-repeated warning" not in said(judged(put(twice, "RXA-21", "X")))


def test_T64_different_doses_under_one_order_number_are_kept_apart() -> None:
    checked = judged(a_message("C1", batches.dose("D1"), batches.dose("D1", cvx="83")))
    assert said(checked) == ["ORC^1^3 order-number-shared warning", "ORC^2^3 order-number-shared warning"]
    assert checked.flat.doses["ORC-3"].to_list() == ["9999", "9999"]

    corrected = judged(a_message("C1", batches.dose("D1"), batches.dose("D1", cvx="83", action="U")))
    assert said(corrected) == []
    assert corrected.flat.doses["ORC-3"].to_list() == ["D1", "D1"]


def test_T64_a_dose_before_a_wrong_birth_date_is_not_judged_by_it() -> None:
    assert said(judged(spoilt(("PID-7", "20261121")))) == [
        "PID^1^7 date-in-future error",
        "PID^1 message-rejected error",
    ]
