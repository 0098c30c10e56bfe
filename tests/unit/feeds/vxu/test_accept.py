"""What the store gets of messages: keys, dates, amounts (T64)."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest

from partner_exchange.feeds.vxu.accept import accept
from partner_exchange.feeds.vxu.check import CheckContext, FileMemory, check
from partner_exchange.feeds.vxu.flatten import flatten
from partner_exchange.readers.hl7 import read_stream
from partner_exchange.readers.marks import Refusal
from partner_exchange.stores.immunization_frames import (
    DEMOGRAPHICS,
    DOSE_TEXTS,
    IDENTIFIER_TEXTS,
    OBSERVATION_TEXTS,
    Accepted,
)
from support.immunizations import a_registry_tenant

pytestmark = pytest.mark.slow

MSH = "MSH|^~\\&|APP|AAA-SSL|IIS|TX|{at}||VXU^V04^VXU_V04|{control}|P|2.5.1|||ER|AL|||||Z22^CDCPHINVS"
PID = "PID|1||{ids}||Example^Ann^B^Jr^^^L|Maiden^Eve^^^^^M|20200203|F||2106-3|1 Main^^Austin^TX^78701^USA"
ORC = "ORC|RE||{number}"
RXA = (
    "RXA|0|1|{on}||{vaccine}|{amount}|mL^^UCUM||00^^NIP001|7^Doe"
    "|^^^Clinic||||L7|20270501|SKB^^MVX|{reason}||{done}|{action}"
)
RXR = "RXR|C28161^^NCIT|LT^^HL70163"
OBX = "OBX|1|CE|64994-7^^LN|1|V01^^HL70064||||||F|||20261101|||VXC40^^CDCPHINVS"
PHONES = "||^PRN^PH^^^512^5550101~^NET^X.400^ann@example.org"
DOSE = {"number": "D1^APP", "on": "20261101", "vaccine": "20^^CVX", "amount": "0.5"}


def a_message(
    *doses: dict[str, str], ids: str = "7^^^CLINIC^MR", at: str = "20261120100000-0600", control: str = "M1"
) -> str:
    lines = [MSH.format(at=at, control=control), PID.format(ids=ids) + PHONES]
    for dose in doses:
        values = {**DOSE, "reason": "", "done": "CP", "action": "A", **dose}
        lines += [ORC.format(**values), RXA.format(**values)]
        lines += [] if values["done"] == "RE" else [RXR, OBX]
    return "\r".join(lines) + "\r"


def accepted(*messages: str, zone: str = "UTC") -> Accepted:
    stream = read_stream("".join(messages).encode(), max_messages=1000)
    assert not isinstance(stream, Refusal)
    (piece,) = stream.pieces(1000)
    context = CheckContext(
        tenant=a_registry_tenant(), arrived_at=datetime(2026, 11, 21, tzinfo=UTC), memory=FileMemory()
    )
    return accept(check(flatten(piece), context), zone=zone)


def one(frame: pd.DataFrame) -> dict[str, object]:
    assert len(frame) == 1
    return dict(frame.iloc[0])


def assert_has(line: dict[str, object], expected: dict[str, object]) -> None:
    assert {name: line[name] for name in expected} == expected


def keys(*doses: dict[str, str]) -> list[str]:
    return accepted(a_message(*doses)).doses["dose_key"].tolist()


def test_T64_a_message_becomes_patient_identifiers_dose_and_observations() -> None:
    found = accepted(a_message({}))
    patient = one(found.patients)
    assert_has(
        patient,
        {
            "row": 1,
            "patient_key": "CLINIC|7|MR",
            "authority": "CLINIC",
            "identifier": "7",
            "last_name": "Example",
            "first_name": "Ann",
            "middle_name": "B",
            "suffix": "Jr",
            "mother_maiden_name": "Maiden",
            "birth_on": "2020-02-03",
            "street": "1 Main",
            "city": "Austin",
            "zip": "78701",
            "phone": "5125550101",
            "email": "ann@example.org",
            "died_on": "",
            "reported_at": "2026-11-20T16:00:00Z",
        },
    )
    own = {"row": 1, "authority": "CLINIC", "identifier": "7", "type": "MR", "is_primary": True}
    assert one(found.identifiers) == own
    dose = one(found.doses)
    assert_has(
        dose,
        {
            "row": 1,
            "dose": 1,
            "rxa": 1,
            "dose_key": "D1|APP",
            "action": "A",
            "completion": "CP",
            "cvx": "20",
            "mvx": "SKB",
            "administered_on": "2026-11-01",
            "expires_on": "2027-05-01",
            "amount": "0.5",
            "unit": "mL",
            "lot": "L7",
            "route": "C28161",
            "site": "LT",
            "location": "Clinic",
            "given": True,
        },
    )
    observation = one(found.observations)
    assert_has(
        observation,
        {
            "row": 1,
            "dose": 1,
            "ordinal": 1,
            "observation": "64994-7",
            "type": "CE",
            "value": "V01",
            "method": "VXC40",
            "observed_on": "2026-11-01",
        },
    )


def test_T64_the_frames_have_the_form_of_the_store() -> None:
    found = accepted(a_message({}))
    forms = {
        "patients": ("patient_key", *DEMOGRAPHICS, "reported_at"),
        "identifiers": IDENTIFIER_TEXTS,
        "doses": ("dose_key", "action", *DOSE_TEXTS),
        "observations": OBSERVATION_TEXTS,
    }
    for name, texts in forms.items():
        frame = getattr(found, name)
        assert {column: str(frame[column].dtype) for column in texts} == dict.fromkeys(texts, "str")
        assert frame["row"].dtype == "int64"
    assert found.doses["given"].dtype == "bool"
    assert found.observations["ordinal"].dtype == "int64"


def test_T64_a_dose_is_known_by_its_number_and_namespace() -> None:
    assert keys({}, {"number": "D1", "on": "20261102"}) == ["D1|APP", "D1|"]


@pytest.mark.parametrize("number", ["9999^APP", "9999"])
def test_T64_a_placeholder_is_no_number(number: str) -> None:
    assert keys({"number": number}) == ["~20|2026-11-01"]


def test_T64_a_refusal_is_known_by_its_number_or_else_by_vaccine_and_day() -> None:
    refusal = {"done": "RE", "reason": "00^^NIP002", "amount": "999", "vaccine": "03^^CVX"}
    found = keys({}, {**refusal, "number": "D2^APP"}, {**refusal, "number": "9999"})
    assert found == ["D1|APP", "D2|APP", "!03|2026-11-01"]


def immunity(*said: str) -> list[str]:
    """The keys of groups that say of a disease that no vaccine is needed."""
    none = {"number": "9999", "vaccine": "998^^CVX", "amount": "999", "done": "NA"}
    message = a_message(*[none] * len(said)).replace(RXR + "\r", "")
    for code in said:
        disease = f"OBX|1|CE|59784-9^^LN|1|{code}^^SCT||||||F" if code else "NTE|1"
        message = message.replace(OBX, disease, 1)
    return accepted(message).doses["dose_key"].tolist()


def test_T64_two_statements_of_immunity_of_one_day_have_two_keys() -> None:
    own = "~998|2026-11-01|59784-9|"
    assert immunity("38907003", "14189004") == [f"{own}38907003", f"{own}14189004"]
    assert immunity("38907003", "38907003") == [f"{own}38907003", f"{own}38907003|2"]


def test_T64_keys_of_different_parts_never_meet() -> None:
    patients = {
        one(accepted(a_message({}, ids=ids)).patients)["patient_key"]
        for ids in ("c\\F\\d^^^b^MR", "d^^^b\\F\\c^MR", "c^^^b\\F\\d^MR", "d^^^b\\E\\\\F\\c^MR")
    }
    assert len(patients) == 4
    named = {"number": "\\R\\20^2026-11-01"}
    assert keys(named, {"number": "9999", "on": "20261102"})[0] == "\\~20|2026-11-01"


@pytest.mark.parametrize(
    ("day", "indicator", "expected"),
    [("20261101", "Y", "Y"), ("", "N", "N"), ("", "", "")],
)
def test_T64_a_death_or_that_there_was_none_is_told(day: str, indicator: str, expected: str) -> None:
    before, after = PHONES, f"{PHONES}{'|' * 16}{day}|{indicator}"
    found = one(accepted(a_message({"on": "20261020"}).replace(before, after)).patients)
    assert found["death_indicator"] == expected


@pytest.mark.parametrize("at", ["00010101000000+2300", "99991231235959-2300"])
def test_T64_a_time_at_the_end_of_the_calendar_stays_inside_it(at: str) -> None:
    from partner_exchange.feeds.vxu.accept import _instants

    (instant,) = _instants(pd.Series([at], dtype="str"), "UTC")
    assert "0001-01-02" <= instant <= "9999-12-31"


def test_T64_the_vaccine_is_the_one_that_an_ndc_stands_for() -> None:
    dose = one(accepted(a_message({"vaccine": "58160-0810-52^^NDC"})).doses)
    assert (dose["cvx"], dose["ndc"]) == ("20", "58160-0810-52")


def test_T64_an_unknown_amount_is_left_out_with_its_unit() -> None:
    dose = one(accepted(a_message({"amount": "999"})).doses)
    assert (dose["amount"], dose["unit"]) == ("", "")


@pytest.mark.parametrize(
    ("ids", "key"),
    [
        ("1^^^SSA^SS~7^^^CLINIC^MR", "CLINIC|7|MR"),
        ("1^^^SSA^SS~7^^^CLINIC^PI", "SSA|1|SS"),
        ("7^^^^MR", "|7|MR"),
    ],
)
def test_T64_the_patient_is_known_by_the_medical_record_number_first(ids: str, key: str) -> None:
    found = accepted(a_message({}, ids=ids))
    assert one(found.patients)["patient_key"] == key
    assert len(found.identifiers) == ids.count("~") + 1


def test_T64_a_time_without_an_offset_is_local() -> None:
    message = a_message({}, at="20261120100000")
    assert one(accepted(message, zone="America/Chicago").patients)["reported_at"] == "2026-11-20T16:00:00Z"


def test_T64_only_accepted_messages_and_doses_are_given() -> None:
    found = accepted(
        a_message({}, {"on": "", "number": "D2"}),
        a_message({}, ids="", control="M2"),
        a_message({"number": "D3"}, control="M3"),
    )
    assert found.patients["row"].tolist() == [1, 3]
    assert found.identifiers["row"].tolist() == [1, 3]
    assert found.doses[["row", "dose"]].to_numpy().tolist() == [[1, 1], [3, 1]]
    assert found.observations["row"].tolist() == [1, 3]


def test_T64_keys_fit_into_an_index_whatever_is_sent() -> None:
    long, other = "9" * 5000, "9" * 4999 + "8"
    found = accepted(
        a_message(
            {"number": f"{long}^APP"},
            {"number": f"{other}^APP", "vaccine": "03^^CVX"},
            ids=f"{long}^^^CLINIC^MR",
        )
    )
    assert found.doses["dose_key"].nunique() == 2
    assert found.doses["dose_key"].str.len().max() <= 200
    assert found.identifiers["identifier"].str.len().max() <= 200
    assert found.patients["patient_key"].str.len().max() <= 200


def test_T64_a_nul_that_an_escape_brings_in_is_left_out() -> None:
    message = a_message({}).replace("|L7|", "|L\\X00\\7|")
    assert "\0" not in str(one(accepted(message).doses)["lot"])


def test_T64_a_file_without_accepted_messages_gives_empty_frames() -> None:
    found = accepted(a_message({}, ids=""))
    assert [len(frame) for frame in vars(found).values()] == [0, 0, 0, 0]
