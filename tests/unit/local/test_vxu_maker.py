"""Made-up VXU batches: what is in them, that codes fit together, and that counts and consents are right."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from partner_exchange.feeds.vxu import code_sets
from partner_exchange.feeds.vxu.code_sets import State, VaccineKind
from partner_exchange.local.vxu_doses import PRODUCTS, Product, age_in_months
from partner_exchange.local.vxu_faults import FAULTS, Fault, Reach
from partner_exchange.local.vxu_maker import CONSENT_COLUMNS, MadeBatch, consent_file, make_batch

AT = datetime(2026, 11, 20, 16, tzinfo=UTC)
CODE = "AAA-SSL"


def make(messages: int = 400, *, seed: int = 7, faulty: int | float = 0, at: datetime = AT) -> MadeBatch:
    return make_batch(messages=messages, seed=seed, import_code=CODE, at=at, faulty=faulty)


def segments_of(made: MadeBatch) -> list[list[str]]:
    """The segments as fields, as HL7 counts them: MSH-1 is the bar."""
    lines = made.content.decode().split("\r")[:-1]
    return [[line[:3], "|", *line.split("|")[1:]] if line[:3] == "MSH" else line.split("|") for line in lines]


def messages_of(made: MadeBatch) -> list[list[list[str]]]:
    found: list[list[list[str]]] = []
    for fields in segments_of(made):
        if fields[0] == "MSH":
            found.append([])
        if found and fields[0] not in {"BTS", "FTS"}:
            found[-1].append(fields)
    return found


def doses_of(message: list[list[str]]) -> Iterator[list[list[str]]]:
    starts = [at for at, fields in enumerate(message) if fields[0] == "ORC"]
    for start, end in zip(starts, [*starts[1:], len(message)], strict=True):
        yield message[start:end]


def day(text: str) -> date:
    return datetime.strptime(text[:8], "%Y%m%d").replace(tzinfo=UTC).date()


def of(message: list[list[str]], name: str) -> list[str]:
    return next(fields for fields in message if fields[0] == name)


def test_T63_the_envelope_counts_rightly() -> None:
    made = make()
    segments = segments_of(made)
    assert [fields[0] for fields in segments[:3]] == ["FHS", "BHS", "MSH"]
    assert segments[-2:] == [["BTS", "400"], ["FTS", "1"]]
    messages = messages_of(made)
    assert len(messages) == made.messages == 400
    assert sum(fields[0] == "ORC" for fields in segments) == made.doses
    assert len({of(message, "MSH")[10] for message in messages}) == 400


def test_T63_the_same_seed_makes_the_same_batch_and_another_one_other_people() -> None:
    assert make() == make()
    other = make(seed=8)
    assert {one.identifier for one in other.patients}.isdisjoint(one.identifier for one in make().patients)


def test_T63_a_batch_holds_what_clinics_send() -> None:
    messages = messages_of(make(2000))
    doses = [dose for message in messages for dose in doses_of(message)]
    assert 1.8 < len(doses) / len(messages) < 2.4
    shots = [of(dose, "RXA") for dose in doses]
    assert {shot[21] for shot in shots} == {"A", "U", "D"}
    assert {shot[20] for shot in shots} == {"CP", "RE"}
    assert {shot[5].split("^")[2] for shot in shots} == {"CVX", "NDC"}
    assert Counter(shot[9][:2] for shot in shots)["00"] > 0.7 * len(shots)
    given = [dose for dose, shot in zip(doses, shots, strict=True) if shot[9].startswith("00")]
    assert {sum(fields[0] == "OBX" for fields in dose) for dose in given} == {4}
    ages = [
        age_in_months(day(of(message, "PID")[7]), day(of(message, "MSH")[7])) // 12 for message in messages
    ]
    assert min(ages) == 0
    assert max(ages) > 75
    assert 0.55 < sum(age < 18 for age in ages) / len(ages) < 0.75


def test_T64_updates_and_deletes_name_a_dose_sent_before() -> None:
    sent: dict[str, str] = {}
    changed = Counter[str]()
    for message in messages_of(make(2000)):
        patient = of(message, "PID")[3]
        for dose in doses_of(message):
            order, action = of(dose, "ORC")[3], of(dose, "RXA")[21]
            if action == "A" and not order.startswith("9999"):
                assert order not in sent
                sent[order] = patient
            elif action != "A":
                assert sent[order] == patient
                changed[action] += 1
    assert changed["U"] > changed["D"] > 0


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.cvx)
def test_T64_a_product_fits_the_code_sets(product: Product) -> None:
    vaccine = code_sets.vaccines()[product.cvx]
    sold = code_sets.products()[code_sets.normalised_ndc(product.ndc)]
    assert vaccine.kind is VaccineKind.VACCINE
    assert (sold.cvx_codes, sold.mvx, sold.sold_until) == (
        (product.cvx,),
        product.mvx.split("^")[0],
        None,
    )
    assert "use" in sold.packages
    assert vaccine.licensed_until is None
    assert vaccine.expected_until is None
    assert (vaccine.age_from_months or 0) <= product.from_months
    assert vaccine.age_until_months is None or product.until_months <= vaccine.age_until_months
    assert code_sets.codes("vis-document")[product.document.split("^")[0]].state is State.VALID
    assert code_sets.codes("route")[product.route.split("^")[0]].state is State.VALID


CODED = [
    ("PID", 8, "sex"),
    ("PID", 10, "race"),
    ("PID", 22, "ethnicity"),
    ("PD1", 11, "publicity"),
    ("PD1", 12, "protection"),
    ("PD1", 16, "registry-status"),
    ("NK1", 3, "relationship"),
    ("RXA", 7, "unit"),
    ("RXA", 9, "information-source"),
    ("RXA", 17, "manufacturer"),
    ("RXA", 18, "refusal"),
    ("RXA", 20, "completion"),
    ("RXA", 21, "action"),
    ("RXR", 1, "route"),
    ("RXR", 2, "site"),
    ("OBX", 3, "observation"),
    ("OBX", 11, "observation-status"),
    ("OBX", 17, "eligibility-method"),
]
OBSERVED = {"64994-7": "eligibility", "30963-3": "funding-source", "69764-9": "vis-document"}


def test_T64_every_code_of_a_clean_batch_is_valid() -> None:
    wrong = Counter[tuple[str, str]]()
    for fields in segments_of(make(1500)):
        sent = [
            (set_name, fields[at]) for name, at, set_name in CODED if fields[0] == name and at < len(fields)
        ]
        if fields[0] == "OBX" and (set_name := OBSERVED.get(fields[3].split("^")[0])):
            sent.append((set_name, fields[5]))
        for set_name, text in sent:
            code = text.split("^")[0]
            known = code_sets.codes(set_name).get(code)
            if code and (known is None or known.state is not State.VALID):
                wrong[set_name, code] += 1
    assert wrong == Counter()


@pytest.mark.parametrize(
    "at",
    [AT, datetime(2026, 3, 1, 6, 30, tzinfo=UTC), datetime(2028, 2, 29, 12, tzinfo=UTC)],
    ids=["november", "after-midnight", "leap-day"],
)
def test_T64_dates_of_a_clean_batch_fit_together(at: datetime) -> None:
    seen: set[tuple[str, str, str]] = set()
    for message in messages_of(make(1500, at=at)):
        sent_at = datetime.strptime(of(message, "MSH")[7], "%Y%m%d%H%M%S%z")
        assert at - timedelta(hours=4, minutes=1) <= sent_at <= at
        born = day(of(message, "PID")[7])
        assert born <= sent_at.date()
        for dose in doses_of(message):
            shot = of(dose, "RXA")
            on = day(shot[3])
            assert born <= on <= sent_at.date()
            code, _, system, *other = shot[5].split("^")
            cvx = code if system == "CVX" else code_sets.products()[code_sets.normalised_ndc(code)].cvx
            assert other[:1] in ([], [cvx])
            vaccine = code_sets.vaccines()[cvx]
            age = age_in_months(born, on)
            assert (vaccine.age_from_months or 0) <= age
            assert vaccine.age_until_months is None or age <= vaccine.age_until_months
            if shot[20] != "RE":
                assert all(first <= on for first in (vaccine.licensed_from, vaccine.expected_from) if first)
            if shot[16:17] not in ([], [""]):
                assert day(shot[16]) > on
            if shot[21] == "A":
                key = (of(message, "PID")[3], cvx, shot[3])
                assert key not in seen
                seen.add(key)


def test_K23_faults_are_counted_with_what_they_cost() -> None:
    made = make(300, faulty=len(FAULTS))
    lost = [fault for fault in FAULTS if fault.reach is not Reach.NOTHING]
    rejecting = {"message-rejected", "dose-rejected"}
    assert made.codes - rejecting == {code for fault in FAULTS for code in fault.codes}
    assert rejecting & made.codes
    assert sum(fault.reach is Reach.MESSAGE for fault in FAULTS) <= made.rejected_messages <= len(lost)
    assert made.rejected_doses >= len(lost)
    assert make(300).codes == frozenset()


def test_K23_faults_come_in_order_and_the_first_message_is_clean() -> None:
    assert make(50, faulty=3).codes == {
        "required-segment-missing",
        "required-missing",
        "message-rejected",
    }
    assert make(500, faulty=0.02) == make(500, faulty=10)
    whole = make(3 * len(FAULTS), faulty=3 * len(FAULTS))
    assert of(messages_of(whole)[0], "MSH")[10] == f"{CODE}-7-0"
    assert make(1, faulty=1).rejected_messages == 1


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.about)
def test_K23_a_fault_changes_its_message(fault: Fault) -> None:
    place = FAULTS.index(fault)
    # As many faults as it takes, so that this one is the last, on the last message.
    clean = {tuple(map(tuple, message)) for message in messages_of(make(place + 2))}
    spoiled = messages_of(make(place + 2, faulty=place + 1))
    assert tuple(map(tuple, spoiled[-1])) not in clean


def test_T61_consents_name_the_patients_of_the_batch() -> None:
    made = make(1000)
    content = consent_file(made, share=0.8, at=AT)
    assert content == consent_file(made, share=0.8, at=AT)
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    assert tuple(rows[0]) == CONSENT_COLUMNS
    by_id = {one.identifier: one for one in made.patients}
    assert len(by_id) == len(made.patients)
    assert {row["PatientId"] for row in rows} <= set(by_id)
    statuses = Counter(row["ConsentStatus"] for row in rows)
    assert set(statuses) == {"YES", "NO", "PENDING", "WITHDRAWN"}
    assert 0.75 < statuses["YES"] / len(by_id) < 0.85
    assert len(rows) < len(by_id)
    for row in rows:
        patient = by_id[row["PatientId"]]
        assert row["BirthDate"] == patient.born_on.isoformat()
        signed = date.fromisoformat(row["ConsentDate"])
        assert patient.born_on <= signed <= AT.date()
        is_child = age_in_months(patient.born_on, AT.date()) < 216
        assert row["ConsentType"] == ("CHILD" if is_child else "ADULT")
        assert is_child or age_in_months(patient.born_on, signed) >= 216


def test_T61_all_or_none_may_have_said_yes() -> None:
    made = make(100)
    everyone = list(csv.DictReader(io.StringIO(consent_file(made, share=1, at=AT).decode(), newline="")))
    assert [row["ConsentStatus"] for row in everyone] == ["YES"] * len(made.patients)
    assert b"YES" not in consent_file(made, share=0, at=AT)
