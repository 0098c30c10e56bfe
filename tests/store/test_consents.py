"""Consents on a real PostgreSQL: what they mean on a day, and that the store follows them (T61, T62)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from partner_exchange.ledger import audit
from partner_exchange.ledger.database import transaction
from partner_exchange.stores import consent_registry, consents, immunizations
from partner_exchange.stores.consent_registry import OTHER, RECORD_TEXTS, SURE, WEAK, Person
from partner_exchange.stores.immunizations import ImmunizationMerge
from support.immunizations import AMessage, a_dose, a_message, a_registry_tenant, accepted

pytestmark = pytest.mark.service

AT = datetime(2026, 11, 21, 7, 47, 12, tzinfo=UTC)
LATER = AT + timedelta(days=7)
TENANT = a_registry_tenant(consent="required")
STORED = ("patient", "patient_identifier", "dose", "observation", "refusal")
HELD = ("held_dose", "held_identifier")


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with transaction() as open_connection:
        yield open_connection


def a_record(**over: str) -> dict[str, str]:
    by_id = {"authority": "CLINIC", "identifier": "1"}
    return {**by_id, "type": "CHILD", "status": "YES", "consented_on": "2026-01-02", **over}


BY_NAME = {
    "authority": "",
    "identifier": "",
    "last_name": "Example",
    "first_name": "Ann",
    "birth_on": "2020-02-03",
}


def record(
    connection: Connection, *records: dict[str, str], code: str = TENANT.code, at: datetime = AT
) -> int:
    blank = dict.fromkeys(RECORD_TEXTS, "")
    frame = pd.DataFrame([{**blank, **one} for one in records], columns=list(RECORD_TEXTS)).astype("str")
    return consents.record(connection, frame, tenant_code=code, source="consents.csv", actor="ann", now=at)


def status(
    connection: Connection,
    *,
    on: str = "2026-11-21",
    ids: tuple[tuple[str, str], ...] = (("CLINIC", "1"),),
    weight: str = SURE,
    **over: str,
) -> tuple[str, ...]:
    who = {"last_name": "Example", "first_name": "Ann", "birth_on": "2020-02-03", **over}
    person = Person(
        pd.DataFrame([who], dtype="str"),
        pd.DataFrame(
            [(0, *one, weight) for one in ids], columns=["n", "authority", "identifier", "weight"]
        ).astype({"n": "int64", "authority": "str", "identifier": "str", "weight": "str"}),
    )
    found = consent_registry.statuses(
        connection, person, tenant_code=TENANT.code, adult_age_y=18, on=date.fromisoformat(on)
    )
    return tuple(found.iloc[0])


def merge(connection: Connection, *sent: AMessage, **over: Any) -> ImmunizationMerge:
    values = {"tenant": TENANT, "submission_id": "first", "now": AT}
    return immunizations.merge(connection, accepted(*sent), **{**values, **over})


def sizes(connection: Connection, tables: tuple[str, ...]) -> list[int]:
    return [connection.execute(text(f"select count(*) from store.{one}")).scalar_one() for one in tables]


NOTHING = ("NOT_FOUND", "", "", "")


def test_T61_without_a_record_nothing_is_found(connection: Connection) -> None:
    assert status(connection) == NOTHING


def test_T61_a_childs_consent_counts_until_the_birthday(connection: Connection) -> None:
    record(connection, a_record())
    assert status(connection) == ("YES", "CHILD", "2026-01-02", "2038-02-03")
    assert status(connection, on="2038-02-02")[0] == "YES"
    assert status(connection, on="2038-02-03") == ("NO", "CHILD", "2026-01-02", "2038-02-03")


def test_T61_who_is_born_on_february_29_grows_up_on_march_1(connection: Connection) -> None:
    record(connection, a_record())
    assert status(connection, on="2026-02-28", birth_on="2008-02-29")[0] == "YES"
    assert status(connection, on="2026-03-01", birth_on="2008-02-29") == (
        "NO",
        "CHILD",
        "2026-01-02",
        "2026-03-01",
    )


def test_T61_an_adult_needs_an_own_consent_and_a_child_none(connection: Connection) -> None:
    record(connection, a_record(type="ADULT"))
    assert status(connection, birth_on="1990-05-05") == ("YES", "ADULT", "2026-01-02", "")
    assert status(connection) == NOTHING


@pytest.mark.parametrize(
    ("word", "expected"), [("NO", "NO"), ("PENDING", "PENDING"), ("WITHDRAWN", "NO"), ("YES", "YES")]
)
def test_T61_the_newest_record_decides(connection: Connection, word: str, expected: str) -> None:
    record(connection, a_record(status=word, consented_on="2026-03-01"))
    record(connection, a_record(status="NO", consented_on="2026-02-01"), a_record(consented_on="2025-01-01"))
    found = status(connection)
    assert found[:3] == (expected, "CHILD", "2026-03-01")
    assert found[3] == ("2038-02-03" if expected == "YES" else "")


def test_T61_of_one_day_what_was_recorded_last_counts(connection: Connection) -> None:
    record(connection, a_record(status="WITHDRAWN"))
    record(connection, a_record())
    assert status(connection)[0] == "YES"


def test_T61_a_record_of_a_later_day_does_not_count_yet(connection: Connection) -> None:
    record(connection, a_record(consented_on="2026-11-22"))
    assert status(connection) == NOTHING
    assert status(connection, on="2026-11-22")[0] == "YES"


def test_T61_without_an_identifier_names_and_birth_date_count_folded(connection: Connection) -> None:
    record(connection, a_record(**{**BY_NAME, "last_name": "Núñez  Łee", "first_name": "ANN"}))
    assert status(connection, last_name="NUN\u0303EZ łee", first_name="ann")[0] == "YES"
    assert status(connection, last_name="Nunez Lee", first_name="ann") == NOTHING
    assert status(connection, last_name="nunez łee", first_name="ann")[0] == "YES"
    assert status(connection, last_name="nunez łee", first_name="ann", birth_on="2020-02-04") == NOTHING


def test_T61_what_is_known_by_identifier_goes_before_what_is_known_by_name(connection: Connection) -> None:
    record(connection, a_record(status="NO"), a_record(**BY_NAME, consented_on="2026-05-05"))
    assert status(connection)[0] == "NO"
    assert status(connection, ids=(("OTHER", "9"),))[0] == "YES"


def test_T61_a_namesake_with_another_identifier_of_the_authority_is_another_person(
    connection: Connection,
) -> None:
    record(connection, a_record(**{**BY_NAME, "authority": "CLINIC", "identifier": "8"}))
    assert status(connection) == NOTHING
    assert status(connection, ids=(("OTHER", "1"),))[0] == "YES"


@pytest.mark.parametrize("weight", [OTHER, WEAK])
def test_T61_by_a_further_number_only_a_consent_of_the_same_name_opens(
    connection: Connection, weight: str
) -> None:
    record(connection, a_record())
    assert status(connection, weight=weight) == NOTHING
    record(connection, a_record(**{**BY_NAME, "authority": "CLINIC", "identifier": "1"}))
    assert status(connection, weight=weight)[0] == "YES"
    assert status(connection, weight=weight, first_name="Bob") == NOTHING


@pytest.mark.parametrize("word", ["NO", "WITHDRAWN"])
def test_T61_a_newer_refusal_counts_whatever_way_it_is_found(connection: Connection, word: str) -> None:
    record(connection, a_record(consented_on="2026-03-03"))
    record(connection, a_record(**BY_NAME, status=word, consented_on="2026-02-02"))
    assert status(connection)[0] == "YES"
    record(connection, a_record(**BY_NAME, status=word, consented_on="2026-03-03"))
    assert status(connection)[:3] == ("NO", "CHILD", "2026-03-03")
    record(connection, a_record(consented_on="2026-04-04"))
    assert status(connection)[0] == "YES"
    record(connection, a_record(identifier="77", status=word, consented_on="2026-05-05"))
    assert status(connection)[0] == "YES"
    merge(connection, a_message("1", "77:MA", doses=[a_dose("A1|X")]))
    assert sizes(connection, ("dose", "held_dose")) == [0, 1]


def test_T61_a_refusal_by_a_placeholder_number_is_nobodys(connection: Connection) -> None:
    record(connection, a_record(), a_record(identifier="9999", status="NO", consented_on="2026-05-05"))
    merge(connection, a_message("1", "9999:SS", doses=[a_dose("A1|X")]))
    assert sizes(connection, ("dose", "held_dose")) == [1, 0]


def test_T61_many_namesakes_with_many_consents_are_told_apart(connection: Connection) -> None:
    numbered = {**BY_NAME, "authority": "CLINIC"}
    record(connection, *(a_record(**{**numbered, "identifier": str(n)}) for n in range(300)))
    sent = [a_message(f"{n}", doses=[a_dose("A1|X")]) for n in range(150, 450)]
    assert merge(connection, *sent).messages["consent_status"].value_counts().to_dict() == {
        "YES": 150,
        "NOT_FOUND": 150,
    }


@pytest.mark.parametrize("shared", ["999999999:SS", "123-45-6789:SS", "4711:MA", "4711:MR"])
def test_T62_a_shared_further_number_lends_no_consent(connection: Connection, shared: str) -> None:
    record(connection, a_record(), a_record(identifier=shared.partition(":")[0]))
    ann = a_message("1", shared, doses=[a_dose("A1|X")])
    bob = a_message("2", shared, first_name="Bob", birth_on="2018-01-01", doses=[a_dose("B1|X")])
    for sent in ((ann, bob), (bob, ann)):
        with connection.begin_nested() as work:
            found = merge(connection, *sent)
            assert sorted(found.doses["outcome"]) == ["held", "stored"]
            assert found.findings["code"].tolist() == ["identifier-of-another-patient"]
            assert found.findings["row"].tolist() == [2]
            query = "select patient_key from store.dose"
            assert connection.execute(text(query)).scalars().all() == ["CLINIC|1"]
            assert consents.release(connection, TENANT, now=AT, actor="a").taken_out == 0
            work.rollback()


def test_T61_the_same_identifier_of_another_authority_or_tenant_is_another_person(
    connection: Connection,
) -> None:
    record(connection, a_record(authority="OTHER"))
    record(connection, a_record(), code="other-clinic")
    assert status(connection) == NOTHING


def test_T61_a_record_that_says_what_is_known_is_left_out(connection: Connection) -> None:
    assert record(connection, a_record(), a_record(type="ADULT")) == 2
    assert record(connection, a_record(), a_record(status="NO")) == 1
    # Not what was said of that day last: said again, it counts again.
    assert record(connection, a_record()) == 1
    assert sizes(connection, ("consent",)) == [4]


def test_T61_a_record_without_any_person_is_refused_by_the_database(connection: Connection) -> None:
    with pytest.raises(DBAPIError, match="consent_key_check"), connection.begin_nested():
        record(connection, a_record(identifier=""))


def test_T62_without_consent_nothing_enters_the_store(connection: Connection) -> None:
    refusal = a_dose("!20|2026-11-01", given=False, completion="RE", cvx="20", refusal_reason="00")
    result = merge(connection, a_message("1", "7", doses=[a_dose("A1|X"), refusal]), a_message("2"))
    assert result.doses["outcome"].tolist() == ["held", "held"]
    assert result.messages["outcome"].tolist() == ["created", "unchanged"]
    assert sizes(connection, STORED) == [0, 0, 0, 0, 0]
    assert sizes(connection, HELD) == [2, 2]


@pytest.mark.parametrize("word", ["NO", "PENDING", "WITHDRAWN"])
def test_T62_only_yes_opens_the_store(connection: Connection, word: str) -> None:
    record(connection, a_record(status=word))
    sent = a_message("1", doses=[a_dose("A1|X")])
    assert merge(connection, sent).doses["outcome"].tolist() == ["held"]
    record(connection, a_record(consented_on="2026-02-02"))
    assert merge(connection, a_message("1", doses=[a_dose("A2|X", cvx="20")])).doses["outcome"].tolist() == [
        "stored"
    ]
    # The held one came along.
    assert sizes(connection, (*STORED, *HELD)) == [1, 1, 2, 2, 0, 0, 0]


def test_T62_the_day_of_the_tenant_decides(connection: Connection) -> None:
    record(connection, a_record(consented_on="2026-11-21"))
    texas = TENANT.model_copy(update={"time_zone": "America/Chicago"})
    sent = a_message("1", doses=[a_dose("A1|X")])
    early = datetime(2026, 11, 21, 5, 59, tzinfo=UTC)
    assert merge(connection, sent, tenant=texas, now=early).doses["outcome"].tolist() == ["held"]
    late = early + timedelta(minutes=1)
    merge(connection, a_message("1"), tenant=texas, now=late)
    assert sizes(connection, ("dose", "held_dose")) == [1, 0]


def test_T62_held_doses_know_actions_as_stored_ones_do(connection: Connection) -> None:
    def outcomes(*doses: Any) -> tuple[list[str], list[str]]:
        found = merge(connection, a_message("1", doses=doses), now=LATER).doses
        return found["outcome"].tolist(), found["code"].tolist()

    merge(connection, a_message("1", doses=[a_dose("A1|X"), a_dose("A2|X", cvx="20")]))
    assert outcomes(a_dose("A1|X")) == (["unchanged"], [""])
    assert outcomes(a_dose("A1|X", "U", lot="L8")) == (["held"], [""])
    assert outcomes(a_dose("A3|X", "U", cvx="21")) == (["held"], ["update-of-unknown-dose"])
    assert outcomes(a_dose("B9|Y")) == (["unchanged"], ["dose-already-reported"])
    assert outcomes(a_dose("A2|X", "D")) == (["deleted"], [""])
    assert outcomes(a_dose("A2|X", "D")) == (["unchanged"], ["delete-of-unknown-dose"])
    assert sizes(connection, HELD) == [2, 1]
    assert outcomes(a_dose("A1|X", "D"), a_dose("A3|X", "D"))[0] == ["deleted", "deleted"]
    assert sizes(connection, HELD) == [0, 0]


def test_T62_held_doses_are_found_by_any_identifier(connection: Connection) -> None:
    merge(connection, a_message("1", "77", doses=[a_dose("A1|X")]))
    result = merge(connection, a_message("5", "77", doses=[a_dose("A1|X")]))
    assert result.doses["outcome"].tolist() == ["unchanged"]
    assert result.messages["outcome"].tolist() == ["unchanged"]


def test_T62_consent_releases_what_was_held_as_it_was_told_last(connection: Connection) -> None:
    held = [a_dose("A1|X", lot="L1"), a_dose("A2|X", cvx="20")]
    merge(connection, a_message("1", doses=held, city="Austin"))
    newer = a_message("1", doses=[a_dose("A2|X", cvx="20")], city="Waco", at="2026-11-22T10:00:00Z")
    merge(connection, newer, submission_id="second", now=LATER)
    record(connection, a_record())
    moved = consents.release(connection, TENANT, now=LATER)
    assert (moved.released, moved.taken_out) == (2, 0)
    found = connection.execute(
        text("select dose_key, lot, created_by_submission, created_at from store.dose order by 1")
    )
    assert [tuple(row) for row in found] == [
        ("A1|X", "L1", "first", LATER),
        ("A2|X", None, "second", LATER),
    ]
    assert connection.execute(text("select city from store.patient")).scalar_one() == "Waco"
    assert sizes(connection, (*STORED, *HELD)) == [1, 1, 2, 2, 0, 0, 0]
    again = merge(connection, a_message("1", doses=held, city="Austin"), newer)
    assert set(again.doses["outcome"]) == {"unchanged"}
    assert set(again.messages["outcome"]) == {"unchanged"}


def test_T62_consent_that_is_gone_takes_all_out_and_another_one_brings_it_back(
    connection: Connection,
) -> None:
    record(connection, a_record())
    refusal = a_dose("!20|2026-11-01", given=False, completion="RE", cvx="20", refusal_reason="00")
    sent = a_message("1", "77", doses=[a_dose("A1|X", lot="L1"), refusal], street="1 Main")
    merge(connection, sent, a_message("2"))
    record(connection, a_record(status="WITHDRAWN", consented_on="2026-05-05"))
    moved = consents.release(connection, TENANT, now=AT)
    assert (moved.released, moved.taken_out) == (0, 2)
    assert sizes(connection, STORED) == [0, 0, 0, 0, 0]
    assert sizes(connection, HELD) == [2, 2]
    assert set(merge(connection, sent).doses["outcome"]) == {"unchanged"}
    record(connection, a_record(consented_on="2026-06-06"))
    assert consents.release(connection, TENANT, now=AT).released == 2
    again = merge(connection, sent)
    assert set(again.doses["outcome"]) == {"unchanged"}
    assert set(again.messages["outcome"]) == {"unchanged"}
    assert sizes(connection, (*STORED, *HELD)) == [1, 2, 1, 2, 1, 0, 0]


def test_T62_the_birthday_takes_out_what_only_the_parents_allowed(connection: Connection) -> None:
    record(connection, a_record())
    born = {"birth_on": "2008-11-25"}
    merge(connection, a_message("1", doses=[a_dose("A1|X")], **born))
    assert consents.release(connection, TENANT, now=AT).taken_out == 0
    # The next file about the patient sees to it, without anybody's order.
    sent = a_message("1", doses=[a_dose("A1|X", "D")], **born)
    result = merge(connection, sent, now=AT + timedelta(days=4))
    assert result.doses["outcome"].tolist() == ["deleted"]
    assert result.messages["consent_status"].tolist() == ["NO"]
    assert sizes(connection, (*STORED, *HELD)) == [0] * 7


def test_T62_where_no_consent_is_needed_all_is_stored_and_told(connection: Connection) -> None:
    open_tenant = a_registry_tenant()
    merge(connection, a_message("1", doses=[a_dose("A1|X")]))
    result = merge(connection, a_message("2", doses=[a_dose("B1|X")]), tenant=open_tenant)
    assert result.doses["outcome"].tolist() == ["stored"]
    assert result.messages["consent_status"].tolist() == ["NOT_FOUND"]
    assert consents.release(connection, open_tenant, now=AT).released == 1
    assert sizes(connection, ("dose", "held_dose")) == [2, 0]


def test_T61_messages_tell_the_consent_of_their_patient(connection: Connection) -> None:
    record(connection, a_record())
    found = merge(connection, a_message("1"), a_message("2")).messages
    columns = ["consent_status", "consent_type", "consent_on", "consent_expires_on"]
    assert found[columns].to_numpy().tolist() == [
        ["YES", "CHILD", "2026-01-02", "2038-02-03"],
        ["NOT_FOUND", "", "", ""],
    ]


def test_T61_an_identifier_known_from_before_finds_the_consent(connection: Connection) -> None:
    record(connection, a_record(**{**BY_NAME, "authority": "CLINIC", "identifier": "77"}))
    merge(connection, a_message("1", "77", doses=[a_dose("A1|X")]))
    result = merge(connection, a_message("1", doses=[a_dose("A2|X", cvx="20")]))
    assert result.messages["consent_status"].tolist() == ["YES"]


def test_T62_held_doses_go_after_the_days_of_the_policy(connection: Connection) -> None:
    tenant = a_registry_tenant(consent="required", held_days=10)
    merge(connection, a_message("1", doses=[a_dose("A1|X")]), tenant=tenant)
    merge(connection, a_message("2", doses=[a_dose("B1|X")]), tenant=tenant, now=AT + timedelta(days=5))
    # Said again, in other words: held since it came first all the same.
    changed = a_message("1", doses=[a_dose("A1|X", "U", lot="L2")])
    merge(connection, changed, tenant=tenant, now=AT + timedelta(days=9))
    at = AT + timedelta(days=10, seconds=1)
    assert consents.held(connection, tenant.code) == consents.Held(2, 2, AT)
    assert consents.held_expired(connection, tenant, now=at) == 1
    assert consents.purge_held(connection, tenant, now=at) == 1
    assert consents.held_expired(connection, tenant, now=at) == 0
    assert sizes(connection, HELD) == [1, 1]
    assert consents.purge_held(connection, tenant, now=at) == 0
    (entry,) = audit.entries(connection, tenant.code)
    assert (entry.action, entry.actor, entry.facts["removed"]) == ("consent.purge", "pipeline", 1)


@pytest.mark.parametrize("over", [{"held_days": None}, {"legal_hold": True}])
def test_T62_without_a_limit_or_under_a_legal_hold_nothing_goes(
    connection: Connection, over: dict[str, Any]
) -> None:
    tenant = a_registry_tenant(consent="required", held_days=over.get("held_days", 10))
    if "legal_hold" in over:
        held = tenant.retention.model_copy(update=over)
        tenant = tenant.model_copy(update={"retention": held})
    merge(connection, a_message("1", doses=[a_dose("A1|X")]), tenant=tenant)
    at = AT + timedelta(days=4000)
    assert consents.held_expired(connection, tenant, now=at) == 0
    assert consents.purge_held(connection, tenant, now=at) == 0
    assert sizes(connection, HELD) == [1, 1]


def test_T62_what_is_done_with_consents_is_audited_without_names(connection: Connection) -> None:
    merge(connection, a_message("1", doses=[a_dose("A1|X")]))
    record(connection, a_record())
    consents.release(connection, TENANT, now=AT, actor="ann")
    consents.release(connection, TENANT, now=AT, actor="ann")
    told = [(one.action, one.actor, one.facts) for one in audit.entries(connection, TENANT.code)]
    assert told == [
        ("consent.release", "ann", {"released": 1, "taken_out": 0}),
        ("consent.import", "ann", {"taken": 1, "recorded": 1}),
    ]


def test_T61_records_are_counted_and_listed_without_names(connection: Connection) -> None:
    record(connection, a_record(), a_record(**BY_NAME, status="NO"))
    told = [(one.type, one.status, one.count) for one in consents.counts(connection, TENANT.code)]
    assert told == [("CHILD", "NO", 1), ("CHILD", "YES", 1)]
    first, second = consents.listed(connection, TENANT.code)
    assert (first.identifier, first.consented_on, first.source) == ("1", date(2026, 1, 2), "consents.csv")
    assert second.identifier == ""
    assert "Example" not in repr(second)
