"""The merge of immunizations on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Connection, text

from partner_exchange.ledger import messages
from partner_exchange.ledger.database import transaction
from partner_exchange.stores import immunizations
from partner_exchange.stores.immunizations import ImmunizationMerge
from support.builders import a_submission
from support.immunizations import AMessage, a_dose, a_message, a_registry_tenant, accepted

pytestmark = pytest.mark.service

AT = datetime(2026, 11, 21, 7, 47, 12, tzinfo=UTC)
LATER = AT + timedelta(days=7)
TENANT = a_registry_tenant()
PLACES = ("patient", "patient_identifier", "dose", "observation", "refusal", "held_dose", "held_identifier")


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with transaction() as open_connection:
        yield open_connection


def merge(connection: Connection, *sent: AMessage, **over: Any) -> ImmunizationMerge:
    values = {"tenant": TENANT, "submission_id": "first", "now": AT}
    return immunizations.merge(connection, accepted(*sent), **{**values, **over})


def later(connection: Connection, *sent: AMessage, **over: Any) -> ImmunizationMerge:
    return merge(connection, *sent, submission_id="second", now=LATER, **over)


def outcomes(result: ImmunizationMerge) -> list[str]:
    return result.doses["outcome"].tolist()


def codes(result: ImmunizationMerge) -> list[str]:
    return result.doses["code"].tolist()


def rows(connection: Connection, table: str, columns: str, order: str = "1") -> list[tuple[Any, ...]]:
    return [
        tuple(row)
        for row in connection.execute(text(f"select {columns} from store.{table} order by {order}"))
    ]


def sizes(connection: Connection) -> dict[str, int]:
    return {name: rows(connection, name, "count(*)")[0][0] for name in PLACES}


def test_T64_a_new_dose_is_stored_with_patient_identifiers_and_observations(connection: Connection) -> None:
    dose = a_dose("A1|X", lot="L7", expires_on="2027-05-01", route="IM", site="LT", mvx="SKB")
    result = merge(connection, a_message("1", "2", doses=[dose], street="1 Main", phone="5125550101"))
    assert (outcomes(result), codes(result)) == (["stored"], [""])
    assert result.messages["outcome"].tolist() == ["created"]
    assert rows(connection, "patient", "patient_key, last_name, birth_on::text, street, city, phone") == [
        ("CLINIC|1", "Example", "2020-02-03", "1 Main", None, "5125550101")
    ]
    assert rows(connection, "patient_identifier", "identifier, patient_key") == [
        ("1", "CLINIC|1"),
        ("2", "CLINIC|1"),
    ]
    columns = "dose_key, cvx, administered_on::text, amount::text, unit, lot, expires_on::text, is_given"
    assert rows(connection, "dose", columns) == [
        ("A1|X", "03", "2026-11-01", "0.5", "mL", "L7", "2027-05-01", True)
    ]
    origin = "created_at, updated_at, created_by_submission, changed_by_submission"
    assert rows(connection, "dose", origin) == [(AT, AT, "first", "first")]
    assert rows(connection, "observation", "dose_key, ordinal, observation, value") == [
        ("A1|X", 1, "64994-7", "V01")
    ]


def test_T64_the_same_dose_again_is_unchanged_and_untouched(connection: Connection) -> None:
    sent = a_message("1", doses=[a_dose("A1|X")])
    merge(connection, sent)
    result = later(connection, sent)
    assert (outcomes(result), codes(result)) == (["unchanged"], [""])
    assert result.messages["outcome"].tolist() == ["unchanged"]
    assert rows(connection, "dose", "updated_at, changed_by_submission") == [(AT, "first")]
    assert rows(connection, "patient", "updated_at, changed_by_submission") == [(AT, "first")]


@pytest.mark.parametrize("action", ["A", "U"])
def test_T64_another_content_replaces_dose_and_observations(connection: Connection, action: str) -> None:
    merge(connection, a_message("1", doses=[a_dose("A1|X"), a_dose("A2|X", cvx="20")]))
    changed = a_dose("A1|X", action, lot="L8")
    result = later(connection, a_message("1", doses=[changed]))
    assert (outcomes(result), codes(result)) == (["stored"], [""])
    assert result.messages["outcome"].tolist() == ["updated"]
    columns = "dose_key, lot, created_at, updated_at, created_by_submission, changed_by_submission"
    assert rows(connection, "dose", columns) == [
        ("A1|X", "L8", AT, LATER, "first", "second"),
        ("A2|X", None, AT, AT, "first", "first"),
    ]
    assert sizes(connection)["observation"] == 2


def test_T64_only_another_observation_is_another_content(connection: Connection) -> None:
    merge(connection, a_message("1", doses=[a_dose("A1|X")]))
    dose = a_dose("A1|X")
    other = type(dose)(dose.key, dose.action, dose.values, dose.given, ("V02", "VXC40"))
    assert outcomes(later(connection, a_message("1", doses=[other]))) == ["stored"]
    assert rows(connection, "observation", "ordinal, value") == [(1, "V02"), (2, "VXC40")]


def test_T64_an_update_of_an_unknown_dose_is_stored_and_told(connection: Connection) -> None:
    result = merge(connection, a_message("1", doses=[a_dose("A1|X", "U")]))
    assert (outcomes(result), codes(result)) == (["stored"], ["update-of-unknown-dose"])
    assert codes(later(connection, a_message("1", doses=[a_dose("A1|X", "U")]))) == [""]


def test_T64_a_deletion_removes_dose_and_observations(connection: Connection) -> None:
    merge(connection, a_message("1", doses=[a_dose("A1|X"), a_dose("A2|X", cvx="20")]))
    result = later(connection, a_message("1", doses=[a_dose("A1|X", "D")]))
    assert (outcomes(result), codes(result)) == (["deleted"], [""])
    assert result.messages["outcome"].tolist() == ["updated"]
    assert rows(connection, "dose", "dose_key") == [("A2|X",)]
    assert rows(connection, "observation", "dose_key") == [("A2|X",)]


def test_T64_a_deletion_of_an_unknown_dose_changes_nothing_and_is_told(connection: Connection) -> None:
    merge(connection, a_message("1", doses=[a_dose("A1|X")]))
    result = later(connection, a_message("1", doses=[a_dose("A9|X", "D")]))
    assert (outcomes(result), codes(result)) == (["unchanged"], ["delete-of-unknown-dose"])
    assert sizes(connection)["dose"] == 1


def test_T64_refusals_have_their_own_table_and_life(connection: Connection) -> None:
    refusal = {"completion": "RE", "refusal_reason": "00"}
    sent = a_message("1", doses=[a_dose("!03|2026-11-01", given=False, **refusal)])
    assert outcomes(merge(connection, sent)) == ["refused"]
    assert rows(connection, "refusal", "dose_key, cvx, refused_on::text, refusal_reason") == [
        ("!03|2026-11-01", "03", "2026-11-01", "00")
    ]
    assert sizes(connection)["dose"] == 0
    assert outcomes(later(connection, sent)) == ["unchanged"]
    gone = a_message("1", doses=[a_dose("!03|2026-11-01", "D", given=False, **refusal)])
    assert outcomes(later(connection, gone)) == ["deleted"]
    assert sizes(connection)["refusal"] == 0


def test_T64_no_vaccine_given_is_a_dose_that_is_not_given(connection: Connection) -> None:
    dose = a_dose("~998|2026-11-01", given=False, completion="NA", cvx="998")
    assert outcomes(merge(connection, a_message("1", doses=[dose]))) == ["stored"]
    assert rows(connection, "dose", "completion, is_given") == [("NA", False)]


def test_T64_the_same_given_dose_under_another_number_is_not_stored_twice(connection: Connection) -> None:
    merge(connection, a_message("1", doses=[a_dose("A1|X")]))
    result = later(connection, a_message("1", doses=[a_dose("B7|Y")]))
    assert (outcomes(result), codes(result)) == (["unchanged"], ["dose-already-reported"])
    assert rows(connection, "dose", "dose_key") == [("A1|X",)]


def test_T64_a_dose_learnt_from_elsewhere_is_not_stored_beside_the_given_one(connection: Connection) -> None:
    merge(connection, a_message("1", doses=[a_dose("A1|X")]))
    result = later(connection, a_message("1", doses=[a_dose("B7|Y", given=False)]))
    assert (outcomes(result), codes(result)) == (["unchanged"], ["dose-already-reported"])
    assert rows(connection, "dose", "dose_key") == [("A1|X",)]


def test_T64_the_given_dose_takes_the_place_of_what_was_learnt_of_it(connection: Connection) -> None:
    learnt, given = (a_message("1", doses=[a_dose(key, given=key == "A1|X")]) for key in ("B7|Y", "A1|X"))
    merge(connection, learnt)
    result = later(connection, given)
    assert (outcomes(result), codes(result)) == (["stored"], [""])
    assert rows(connection, "dose", "dose_key, is_given, created_at, updated_at") == [
        ("A1|X", True, AT, LATER)
    ]
    assert codes(later(connection, learnt)) == ["dose-already-reported"]


@pytest.mark.parametrize("is_known", [False, True])
def test_T64_given_goes_before_learnt_within_a_file_too(connection: Connection, is_known: bool) -> None:
    learnt = a_dose("B7|Y", given=False)
    if is_known:
        merge(connection, a_message("1", doses=[learnt]))
    result = later(connection, a_message("1", doses=[learnt, a_dose("C8|Y", given=False), a_dose("A1|X")]))
    assert outcomes(result) == ["unchanged", "unchanged", "stored"]
    assert codes(result) == ["dose-already-reported", "dose-already-reported", ""]
    assert result.messages["doses_present"].tolist() == [1]
    assert rows(connection, "dose", "dose_key") == [("A1|X",)]


def test_T64_two_statements_of_immunity_of_one_day_are_both_kept(connection: Connection) -> None:
    keys = [f"~998|2026-11-01|{one}" for one in "ab"]
    doses = [a_dose(key, given=False, completion="NA", cvx="998") for key in keys]
    assert outcomes(merge(connection, a_message("1", doses=doses))) == ["stored", "stored"]
    assert outcomes(later(connection, a_message("1", doses=doses))) == ["unchanged", "unchanged"]


@pytest.mark.parametrize("action", ["A", "U"])
def test_T64_a_dose_without_a_number_takes_the_one_that_it_is_told_with(
    connection: Connection, action: str
) -> None:
    first = a_message("1", doses=[a_dose("~03|2026-11-01"), a_dose("~20|2026-11-01", cvx="20")])
    merge(connection, first)
    result = later(connection, a_message("1", doses=[a_dose("V1|X", action, lot="FIX")]))
    assert (outcomes(result), codes(result)) == (["stored"], [""])
    kept = [("V1|X", "FIX", AT, LATER), ("~20|2026-11-01", None, AT, AT)]
    assert rows(connection, "dose", "dose_key, lot, created_at, updated_at") == kept
    assert codes(later(connection, first)) == ["dose-already-reported", ""]
    assert rows(connection, "dose", "dose_key, lot, created_at, updated_at") == kept


def test_T64_a_dose_without_a_number_is_deleted_by_the_one_it_was_sent_with(connection: Connection) -> None:
    merge(connection, a_message("1", doses=[a_dose("~03|2026-11-01"), a_dose("~20|2026-11-01", cvx="20")]))
    result = later(connection, a_message("1", doses=[a_dose("V1|X", "D")]))
    assert (outcomes(result), codes(result)) == (["deleted"], [""])
    assert rows(connection, "dose", "dose_key") == [("~20|2026-11-01",)]


def test_T64_an_added_dose_under_the_number_of_another_one_is_told(connection: Connection) -> None:
    merge(connection, a_message("1", doses=[a_dose("A1|X")]))
    result = later(connection, a_message("1", doses=[a_dose("A1|X", cvx="21", lot="L2")]))
    assert (outcomes(result), codes(result)) == (["stored"], ["dose-replaced"])
    result = later(connection, a_message("1", doses=[a_dose("A1|X", "U", cvx="03")]))
    assert (outcomes(result), codes(result)) == (["stored"], [""])
    sent = [
        a_message("1", doses=[a_dose("D7|X", cvx=cvx, administered_on="2026-10-01")]) for cvx in ("94", "10")
    ]
    assert codes(later(connection, *sent)) == ["dose-superseded", "dose-replaced"]
    assert codes(later(connection, *sent)) == ["dose-superseded", ""]


EARLY, NOON, LATE = (f"2026-11-20T{hour}:00:00Z" for hour in ("08", "12", "16"))


def test_T64_an_older_message_changes_no_dose_and_is_told(connection: Connection) -> None:
    old, new = a_message("1", at=EARLY, doses=[a_dose("A1|X")]), [a_dose("A1|X", "U", lot="NEW")]
    merge(connection, old)
    assert outcomes(later(connection, a_message("1", at=NOON, doses=new))) == ["stored"]
    for sent in (old, a_message("1", at=EARLY, doses=[a_dose("A1|X", "D")])):
        result = later(connection, sent)
        assert (outcomes(result), codes(result)) == (["unchanged"], ["dose-newer-on-record"])
        assert result.messages["doses_present"].tolist() == [int(sent is old)]
    assert rows(connection, "dose", "lot") == [("NEW",)]
    assert codes(later(connection, a_message("1", at=EARLY, doses=new))) == [""]


def test_T64_the_same_dose_told_again_is_on_record_since_then(connection: Connection) -> None:
    first = [a_dose("A1|X", lot="L1")]
    merge(connection, a_message("1", at=EARLY, doses=first))
    assert outcomes(later(connection, a_message("1", at=LATE, doses=first))) == ["unchanged"]
    between = a_message("1", at=NOON, doses=[a_dose("A1|X", "U", lot="L2")])
    assert codes(later(connection, between)) == ["dose-newer-on-record"]
    assert rows(connection, "dose", "lot, updated_at") == [("L1", AT)]


def test_T64_an_older_message_does_not_bring_a_deleted_dose_back(connection: Connection) -> None:
    old = a_message("1", at=EARLY, doses=[a_dose("A1|X")])
    merge(connection, old)
    later(connection, a_message("1", at=NOON, doses=[a_dose("A1|X", "D")]))
    result = later(connection, old)
    assert (outcomes(result), codes(result)) == (["unchanged"], ["dose-newer-on-record"])
    assert result.messages["doses_present"].tolist() == [0]
    assert (sizes(connection)["dose"], len(rows(connection, "dose_deletion", "dose_key"))) == (0, 1)
    result = later(connection, a_message("1", at=NOON, doses=[a_dose("A1|X")]))
    assert (outcomes(result), codes(result)) == (["stored"], [""])
    assert rows(connection, "dose_deletion", "dose_key") == []


def test_T64_within_a_file_the_newest_message_decides(connection: Connection) -> None:
    sent = [
        a_message("1", at=at, doses=[a_dose("A1|X", lot=lot)]) for at, lot in ((LATE, "L2"), (EARLY, "L1"))
    ]
    result = merge(connection, *sent)
    assert (outcomes(result), codes(result)) == (["stored", "unchanged"], ["", "dose-superseded"])
    assert rows(connection, "dose", "lot") == [("L2",)]


@pytest.mark.parametrize("action", ["A", "U"])
def test_T64_a_dose_becomes_a_refusal_and_back(connection: Connection, action: str) -> None:
    merge(connection, a_message("1", doses=[a_dose("A1|X")]))
    refusal = a_dose("A1|X", action, given=False, completion="RE", refusal_reason="00")
    assert outcomes(later(connection, a_message("1", doses=[refusal]))) == ["refused"]
    assert (sizes(connection)["dose"], sizes(connection)["observation"]) == (0, 1)
    assert rows(connection, "refusal", "dose_key, created_at") == [("A1|X", AT)]
    assert outcomes(later(connection, a_message("1", doses=[a_dose("A1|X", action)]))) == ["stored"]
    assert (sizes(connection)["dose"], sizes(connection)["refusal"]) == (1, 0)


@pytest.mark.parametrize("completion", ["CP", "RE"])
@pytest.mark.parametrize("before", ["CP", "RE"])
def test_T64_a_deletion_removes_dose_or_refusal(connection: Connection, before: str, completion: str) -> None:
    merge(connection, a_message("1", doses=[a_dose("A1|X", completion=before, given=before == "CP")]))
    gone = a_dose("A1|X", "D", completion=completion, given=False)
    assert outcomes(later(connection, a_message("1", doses=[gone]))) == ["deleted"]
    assert (sizes(connection)["dose"], sizes(connection)["refusal"]) == (0, 0)


def test_T61_each_dose_that_is_there_counts_once_and_refusals_do_not(connection: Connection) -> None:
    refusal = a_dose("R1|X", given=False, completion="RE", cvx="20")
    doses = [a_dose("A1|X"), a_dose("B1|X"), a_dose("A9|X", "D", cvx="21"), refusal]

    def present(*sent: AMessage, **over: Any) -> list[int]:
        found: list[int] = later(connection, *sent, **over).messages["doses_present"].tolist()
        return found

    for _ in range(2):
        assert present(a_message("1", doses=doses), a_message("1", doses=[a_dose("A1|X")])) == [0, 1]
    assert present(a_message("1", doses=[a_dose("C1|X", cvx="21"), a_dose("C1|X", "D", cvx="21")])) == [0]
    assert present(a_message("2", doses=[a_dose("A1|X")]), tenant=a_registry_tenant(mode="test")) == [0]
    assert present(a_message("3", doses=doses), tenant=a_registry_tenant(consent="required")) == [0]


def test_T64_who_is_told_to_be_alive_has_not_died(connection: Connection) -> None:
    died = a_message("1", at=EARLY, died_on="2026-11-01", death_indicator="Y")
    merge(connection, died)
    later(connection, a_message("1", at=NOON, death_indicator="N"))
    for sent in (died, a_message("1", at=NOON)):
        later(connection, sent)
        assert rows(connection, "patient", "died_on") == [(None,)]
    later(connection, a_message("1", at=LATE, died_on="2026-11-02", death_indicator="Y"))
    assert rows(connection, "patient", "died_on::text") == [("2026-11-02",)]


def test_T64_a_dose_may_take_a_new_number_in_one_file_in_any_order(connection: Connection) -> None:
    merge(connection, a_message("1", doses=[a_dose("A1|X")]))
    result = later(connection, a_message("1", doses=[a_dose("B7|Y"), a_dose("A1|X", "D")]))
    assert outcomes(result) == ["stored", "deleted"]
    assert rows(connection, "dose", "dose_key") == [("B7|Y",)]


def test_T64_of_several_lines_about_a_dose_the_last_one_decides(connection: Connection) -> None:
    first, second = a_dose("A1|X", lot="L1"), a_dose("A1|X", "U", lot="L2")
    sent = (a_message("1", doses=[first]), a_message("1", doses=[second]))
    result = merge(connection, *sent)
    assert outcomes(result) == ["unchanged", "stored"]
    assert codes(result) == ["dose-superseded", ""]
    assert result.messages["outcome"].tolist() == ["created", "updated"]
    assert rows(connection, "dose", "lot") == [("L2",)]
    assert outcomes(later(connection, *sent)) == ["unchanged", "unchanged"]


def test_T64_the_same_line_twice_in_a_file_is_no_contradiction(connection: Connection) -> None:
    result = merge(connection, a_message("1", doses=[a_dose("A1|X"), a_dose("A1|X")]))
    assert (outcomes(result), codes(result)) == (["unchanged", "stored"], ["", ""])


def test_T64_added_and_deleted_in_one_file_leaves_nothing(connection: Connection) -> None:
    result = merge(connection, a_message("1", doses=[a_dose("A1|X"), a_dose("A1|X", "D")]))
    assert (outcomes(result), codes(result)) == (["unchanged", "unchanged"], ["dose-superseded", ""])
    assert sizes(connection)["dose"] == 0


def test_T64_a_patient_is_found_by_any_identifier(connection: Connection) -> None:
    merge(connection, a_message("1", "77", doses=[a_dose("A1|X")]))
    result = later(connection, a_message("5", "77", doses=[a_dose("A2|X", cvx="20")]))
    assert result.messages["outcome"].tolist() == ["updated"]
    assert rows(connection, "patient", "patient_key") == [("CLINIC|1",)]
    assert rows(connection, "patient_identifier", "identifier, patient_key") == [
        (one, "CLINIC|1") for one in ("1", "5", "77")
    ]
    # Known by the number that came last, too.
    assert outcomes(later(connection, a_message("5", doses=[a_dose("A1|X")]))) == ["unchanged"]


def test_T64_the_primary_identifier_decides_whatever_the_others_say(connection: Connection) -> None:
    merge(connection, a_message("2"), a_message("1"), a_message("3", "77:MA", first_name="Bob"))
    result = later(connection, a_message("1", "2", "77:MA", doses=[a_dose("A1|X")]))
    assert rows(connection, "dose", "patient_key") == [("CLINIC|1",)]
    assert result.findings.to_numpy().tolist() == [[1, "identifier-of-another-patient"]]
    assert ("77", "CLINIC|3") in rows(connection, "patient_identifier", "identifier, patient_key")


@pytest.mark.parametrize("other", [{"first_name": "Bob"}, {"birth_on": "2019-02-03"}, {"birth_on": ""}])
def test_T64_a_further_identifier_leads_only_to_the_same_name_and_birth_date(
    connection: Connection, other: dict[str, Any]
) -> None:
    merge(connection, a_message("1", "77:MA"))
    result = later(connection, a_message("5", "77:MA", **other))
    assert result.messages["outcome"].tolist() == ["created"]
    assert result.findings["row"].tolist() == [1]
    assert later(connection, a_message("6", "77:MA", first_name="ann")).messages["outcome"].tolist() == [
        "updated"
    ]


@pytest.mark.parametrize("number", ["443-21-9876:SS", "443219876:SR", "999999999:MA", "123456789:MA"])
def test_T64_a_weak_number_leads_to_nobody(connection: Connection, number: str) -> None:
    merge(connection, a_message("1", number))
    assert later(connection, a_message("5", number)).messages["outcome"].tolist() == ["created"]


def test_T64_one_number_of_two_types_is_of_two_patients(connection: Connection) -> None:
    merge(connection, a_message("1"), a_message("2"))
    result = later(connection, a_message("2", "1:PI", doses=[a_dose("A1|X")]))
    assert rows(connection, "dose", "patient_key") == [("CLINIC|2",)]
    assert len(result.findings) == 0


def test_T64_a_primary_identifier_goes_to_who_is_known_by_it(connection: Connection) -> None:
    """A number that another patient's message listed only is no reason to store somebody there."""
    merge(connection, a_message("1", "77"))
    own = a_message("77", first_name="Bob", doses=[a_dose("A1|X")])
    assert later(connection, own).messages["outcome"].tolist() == ["created"]
    assert rows(connection, "dose", "patient_key") == [("CLINIC|77",)]
    assert later(connection, own).messages["outcome"].tolist() == ["unchanged"]
    assert later(connection, a_message("1", "77")).findings["row"].tolist() == [1]


def test_T64_messages_of_one_file_meet_in_one_patient(connection: Connection) -> None:
    sent = (
        a_message("1", "77", doses=[a_dose("A1|X")]),
        a_message("5", "77", doses=[a_dose("A2|X", cvx="20")]),
    )
    assert merge(connection, *sent).messages["outcome"].tolist() == ["created", "updated"]
    assert sizes(connection)["patient"] == 1
    assert outcomes(later(connection, *sent)) == ["unchanged", "unchanged"]


def test_N07_the_newest_message_says_who_a_patient_is_whatever_comes_first(connection: Connection) -> None:
    old = a_message("1", at="2026-11-01T10:00:00Z", last_name="Maiden", city="Austin", phone="1")
    new = a_message("1", at="2026-11-02T10:00:00Z", last_name="Married", city="")
    ends = []
    for sent in ((old, new), (new, old)):
        with connection.begin_nested() as work:
            for one in sent:
                merge(connection, one)
            ends.append(rows(connection, "patient", "last_name, city, phone, reported_at"))
            work.rollback()
    assert ends[0] == ends[1] == [("Married", "Austin", "1", datetime(2026, 11, 2, 10, tzinfo=UTC))]


def test_N07_a_blank_never_clears_and_a_new_value_is_an_update(connection: Connection) -> None:
    merge(connection, a_message("1", city="Austin"))
    assert later(connection, a_message("1", city="")).messages["outcome"].tolist() == ["unchanged"]
    result = later(connection, a_message("1", city="Waco"), a_message("1", city="Waco", street="2 Elm"))
    assert result.messages["outcome"].tolist() == ["updated", "updated"]
    assert rows(connection, "patient", "city, street, created_at, updated_at") == [
        ("Waco", "2 Elm", AT, LATER)
    ]


def test_N07_a_late_older_message_only_fills_what_is_not_known(connection: Connection) -> None:
    merge(connection, a_message("1", at="2026-11-10T10:00:00Z", city="Austin"))
    later(connection, a_message("1", at="2026-11-01T10:00:00Z", city="Waco", street="2 Elm"))
    assert rows(connection, "patient", "city, street") == [("Austin", "2 Elm")]


def test_T62_the_senders_claim_of_protection_is_kept_and_means_no_consent(connection: Connection) -> None:
    tenant = a_registry_tenant(consent="required")
    sent = a_message("1", doses=[a_dose("A1|X")], protection_claim="N")
    assert outcomes(merge(connection, sent, tenant=tenant)) == ["held"]
    merge(connection, sent)
    assert rows(connection, "patient", "protection_claim") == [("N",)]


def test_K7_in_test_mode_outcomes_are_told_and_nothing_is_kept(connection: Connection) -> None:
    tenant = a_registry_tenant(mode="test")
    sent = a_message("1", doses=[a_dose("A1|X"), a_dose("A9|X", "D")])
    for _ in range(2):
        assert outcomes(merge(connection, sent, tenant=tenant)) == ["stored", "unchanged"]
    held = a_registry_tenant(mode="test", consent="required")
    assert outcomes(merge(connection, sent, tenant=held)) == ["held", "unchanged"]
    assert set(sizes(connection).values()) == {0}


def test_X12_another_tenant_is_never_touched(connection: Connection) -> None:
    other = TENANT.model_copy(update={"code": "other-clinic"})
    sent = a_message("1", doses=[a_dose("A1|X")])
    merge(connection, sent, tenant=other)
    result = later(connection, sent, a_message("1", doses=[a_dose("A1|X", "D")]))
    assert outcomes(result) == ["unchanged", "unchanged"]
    assert rows(connection, "dose", "tenant_code") == [("other-clinic",)]


def test_X04_every_dose_is_in_the_counts_of_its_message(connection: Connection) -> None:
    refusal = a_dose("!20|2026-11-01", given=False, completion="RE", cvx="20", refusal_reason="00")
    result = merge(
        connection,
        a_message("1", doses=[a_dose("A1|X"), refusal, a_dose("A9|X", "D")]),
        a_message("2"),
        a_message("3", doses=[a_dose("C1|X")]),
    )
    counts = result.messages[[f"doses_{name}" for name in ("stored", "refused", "unchanged", "held")]]
    assert counts.to_numpy().tolist() == [[1, 1, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0]]
    assert result.doses[["row", "dose"]].to_numpy().tolist() == [[1, 1], [1, 2], [1, 3], [3, 1]]


def test_X04_the_ledger_takes_the_outcomes_as_they_are(connection: Connection) -> None:
    result = merge(connection, a_message("1", doses=[a_dose("A1|X")]), a_message("2"))
    submission = a_submission(connection)
    messages.record_outcomes(connection, submission.submission_id, result.messages)
    kept = messages.outcomes(connection, submission.submission_id)
    assert kept["doses_stored"].tolist() == [1, 0]
    assert kept["consent_status"].tolist() == ["NOT_FOUND", "NOT_FOUND"]


def test_T64_a_file_without_doses_or_without_messages_is_fine(connection: Connection) -> None:
    assert len(merge(connection, a_message("1")).doses) == 0
    empty = accepted()
    result = immunizations.merge(connection, empty, tenant=TENANT, submission_id="none", now=AT)
    assert (len(result.messages), len(result.doses)) == (0, 0)


def test_T64_texts_of_any_kind_come_back_as_they_were(connection: Connection) -> None:
    odd = 'q"\\n\x01|~^é𝄞\r\n\x1f\\.'
    tenant = a_registry_tenant(consent="required")
    sent = a_message("1", doses=[a_dose("A1|X", lot=odd, location="\\")], street=odd)
    assert outcomes(merge(connection, sent, tenant=tenant)) == ["held"]
    # Held before, released now, and so the same again.
    assert outcomes(merge(connection, sent)) == ["unchanged"]
    assert rows(connection, "dose", "lot, location") == [(odd, "\\")]
    assert rows(connection, "patient", "street") == [(odd,)]


def test_T64_frames_may_come_in_any_order(connection: Connection) -> None:
    frames = accepted(
        a_message("1", doses=[a_dose("A1|X"), a_dose("A2|X", cvx="20")]),
        a_message("2", doses=[a_dose("B1|X")]),
    )
    turned = type(frames)(**{name: frame.iloc[::-1] for name, frame in vars(frames).items()})
    result = immunizations.merge(connection, turned, tenant=TENANT, submission_id="s", now=AT)
    assert result.doses["row"].tolist() == [1, 1, 2]
    again = immunizations.merge(connection, frames, tenant=TENANT, submission_id="s", now=AT)
    assert set(again.doses["outcome"]) == {"unchanged"}
    assert isinstance(again.messages, pd.DataFrame)
