"""The numbers of a piece for the data quality report (T58-T60)."""

from __future__ import annotations

import pandas as pd
import pytest

from partner_exchange.feeds.vxu.check import FileMemory
from partner_exchange.feeds.vxu.profile import CVX, ELIGIBILITY
from partner_exchange.feeds.vxu.tables import TALLY_COLUMNS
from support import batches
from support.vxu import a_message, count, judged, put, spoilt

pytestmark = pytest.mark.slow

STATES = ("expected", "present", "missing", "invalid", "unrecognized", "deprecated")


def states(*messages: str, place: str) -> tuple[int, ...]:
    checked = judged(*messages)
    return tuple(count(checked, "field", place, state) for state in STATES)


def test_T59_doses_and_messages_are_counted_by_what_became_of_them() -> None:
    given, old, no = batches.dose("D1"), batches.historical("D2", on="20250101"), batches.refusal()
    gone = batches.dose("D3", cvx="83", action="D")
    checked = judged(
        a_message("A", given, old, no, gone),
        a_message("B", batches.dose("D4")),
        put(a_message("C", patient="P2"), "PID-7", ""),
        put(a_message("D", patient="P3"), "MSH-12", "2.4"),
        a_message("A", patient="P4"),
    )
    counts = {
        "messages": 5,
        "messages_accepted": 2,
        "messages_rejected": 3,
        "patients": 1,
        "doses": 8,
        "doses_accepted": 5,
        "doses_rejected": 3,
        "doses_given": 2,
        "doses_historical": 1,
        "refusals": 1,
        "deletions": 1,
        "duplicate_control_ids": 1,
    }
    assert {name: count(checked, "count", name) for name in counts} == counts


def test_T59_a_patient_of_several_pieces_is_counted_once() -> None:
    memory = FileMemory()
    pieces = [
        judged(a_message("A"), a_message("B", batches.dose("D2", cvx="83")), memory=memory),
        judged(a_message("C", batches.dose("D3", cvx="08")), a_message("D", patient="P2"), memory=memory),
    ]
    assert [count(piece, "count", "patients") for piece in pieces] == [1, 1]


def test_T59_a_field_is_present_missing_or_bad_in_one_way() -> None:
    clean = a_message()
    assert states(clean, place="PID-8") == (1, 1, 0, 0, 0, 0)
    assert states(put(clean, "PID-8", ""), place="PID-8") == (1, 0, 1, 0, 0, 0)
    assert states(put(clean, "PID-8", "X"), place="PID-8") == (1, 1, 0, 0, 1, 0)
    assert states(put(clean, "PID-8", "O"), place="PID-8") == (1, 1, 0, 0, 0, 1)
    assert states(put(clean, "PID-7", "DOB"), place="PID-7") == (1, 1, 0, 1, 0, 0)
    assert states(put(clean, "RXA-3", "19900101"), place="RXA-3") == (1, 1, 0, 1, 0, 0)
    assert states(put(clean, "RXA-5", "5000^?^CVX"), place="RXA-5") == (1, 1, 0, 0, 1, 0)
    assert states(put(clean, "RXA-5", "5000^?^CVX"), place=CVX) == (1, 0, 1, 0, 0, 0)
    assert states(put(clean, "PID-3", "P1^^^CLINIC^QQ"), place="PID-3") == (1, 1, 0, 0, 1, 0)
    assert states(put(clean, "PID-11", "^^Austin"), place="PID-11") == (1, 1, 0, 0, 0, 0)
    assert states(put(clean, "PID-11", "^^Austin"), place="PID-11.1") == (1, 0, 1, 0, 0, 0)
    assert states(put(clean, "NK1", ""), place="NK1-2.1") == (1, 0, 1, 0, 0, 0)
    assert states(put(clean, "OBX-5", "V00", nth=2), place=ELIGIBILITY) == (1, 1, 0, 1, 0, 0)
    assert states(put(clean, "OBX-5", "V99", nth=2), place=ELIGIBILITY) == (1, 1, 0, 0, 1, 0)
    assert states(put(clean, "OBX", "", nth=2), place=ELIGIBILITY) == (1, 0, 1, 0, 0, 0)


def test_T59_only_doses_that_should_have_a_field_are_expected_to() -> None:
    message = a_message("C1", batches.dose("D1"), batches.historical("D2", on="20250101"), batches.refusal())
    assert states(message, place="RXA-3")[0] == 3
    assert states(message, place="RXA-9")[0] == 2
    assert states(message, place="RXA-15")[0] == 1
    assert states(message, place=ELIGIBILITY)[0] == 1
    assert states(message, place="RXA-18") == (1, 1, 0, 0, 0, 0)


def test_T59_no_field_is_expected_of_a_deletion() -> None:
    message = a_message("C1", batches.dose("D1"), batches.dose("D2", action="D", on="", lot=""))
    for place in ("RXA-3", "RXA-6", "RXA-15", "RXA-20"):
        assert states(message, place=place) == (1, 1, 0, 0, 0, 0)


def test_T59_an_order_without_a_dose_counts_as_missing_and_an_unread_message_not_at_all() -> None:
    assert states(put(a_message(), "RXA", ""), place="RXA-3") == (1, 0, 1, 0, 0, 0)
    assert states(put(a_message(), "MSH-12", "2.4"), place="RXA-3") == (0, 0, 0, 0, 0, 0)


def test_T58_findings_are_counted_with_the_messages_that_have_them() -> None:
    two = a_message("A", batches.dose("D1", lot=""), batches.dose("D2", cvx="83", lot=""))
    checked = judged(two, a_message("B", batches.dose("D3", lot=""), patient="P2"))
    assert count(checked, "finding", "required-missing", "RXA-15") == 3
    assert count(checked, "finding_messages", "required-missing", "RXA-15") == 2
    assert count(checked, "severity", "warning") == 3
    assert count(checked, "severity", "error") == 0


def test_T58_what_follows_from_an_error_is_no_error_of_its_own() -> None:
    checked = judged(
        spoilt(("PID-7", "")),
        put(a_message("B", batches.dose("D1"), batches.dose("D2"), patient="P2"), "RXA-3", ""),
    )
    assert count(checked, "severity", "error") == 2
    assert count(checked, "finding", "message-rejected", "PID") == 1
    assert count(checked, "finding", "dose-rejected", "RXA") == 1


def test_T60_codes_are_told_only_when_they_are_known() -> None:
    checked = judged(spoilt(("PID-8", "SECRET"), ("RXA-5", "SECRET^^CVX"), ("RXA-17", "SECRET")))
    assert "SECRET" not in checked.tally.to_csv()
    assert count(checked, "code", "sex", "") == 1
    assert count(checked, "code", "vaccine", "") == 1
    assert count(judged(a_message()), "code", "vaccine", "94") == 1


def test_T59_doses_taken_are_counted_by_age_and_group() -> None:
    old = batches.historical("D2", on="20200224", cvx="03")
    checked = judged(a_message("C1", batches.dose("D1"), old, batches.refusal()))
    vaccines = checked.tally[checked.tally["what"] == "vaccine"]
    told = set(vaccines[["name", "detail", "count"]].itertuples(index=False, name=None))
    assert told == {
        ("baby", "", 1),
        ("baby", "mmr", 1),
        ("teenager", "", 1),
        ("teenager", "mmr", 1),
        ("teenager", "varicella", 1),
    }


def test_T59_the_lag_is_counted_in_days_for_doses_given_now() -> None:
    checked = judged(
        a_message("A", batches.dose("D1"), batches.historical("D2", on="20260101")),
        a_message("B", batches.dose("D3", on="20261110"), patient="P2"),
        a_message("C", batches.dose("D4", on="20240101"), patient="P3"),
        a_message("D", batches.dose("D5", on="20261121"), patient="P4"),
    )
    assert [count(checked, "lag", "", str(days)) for days in (0, 10, 400)] == [1, 1, 1]
    assert checked.tally.loc[checked.tally["what"] == "lag", "count"].sum() == 3


def test_T58_first_and_last_message_time_are_told_in_utc() -> None:
    checked = judged(
        a_message("A"), spoilt(("MSH-7", "20261119101500"), message=a_message("B", patient="P2"))
    )
    assert count(checked, "time", "first", "2026-11-19T16:15:00Z") == 1
    assert count(checked, "time", "last", "2026-11-20T16:15:00Z") == 1


def test_T58_a_tally_adds_up_over_pieces() -> None:
    messages = [a_message(f"M{at}", batches.dose(f"D{at}"), patient=f"P{at}") for at in range(4)]
    messages[2] = put(messages[2], "RXA-15", "")
    memory = FileMemory()
    parts = pd.concat(
        [judged(*messages[:2], memory=memory).tally, judged(*messages[2:], memory=memory).tally]
    )
    whole = judged(*messages).tally
    keys = [name for name in TALLY_COLUMNS if name != "count"]

    def summed(tally: pd.DataFrame) -> dict[tuple[str, ...], int]:
        counted = tally[tally["what"] != "time"].groupby(keys, as_index=False)["count"].sum()
        lines = counted.itertuples(index=False, name=None)
        return {tuple(map(str, key)): int(number) for *key, number in lines if number}

    assert summed(parts) == summed(whole)
    assert dict(whole.dtypes.astype("str")) == dict(TALLY_COLUMNS)
