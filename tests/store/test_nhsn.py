"""What became of each resource in each NHSN set: added to, never changed (E39)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import Connection, text

from partner_exchange import clock
from partner_exchange.errors import ConstraintSurprise
from partner_exchange.ledger import nhsn
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.nhsn import KeptSet, NhsnOrigin, NhsnOutcome, NhsnState
from partner_exchange.tenants.resources import Frequency

pytestmark = [pytest.mark.service, pytest.mark.usefixtures("database_url")]

MONDAY = datetime(2026, 11, 16, 21, 30, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)
KEPT = KeptSet("exports/mercy/nhsn_daily/20261116T213000Z.csv", "a" * 64)
READY = NhsnOutcome("10001", NhsnState.READY)
UNCHANGED = NhsnOutcome("10002", NhsnState.NOT_SUBMITTED, "unchanged", "Nothing to send.")
_minutes = count()


def append(
    connection: Connection,
    *outcomes: NhsnOutcome,
    tenant: str = "mercy",
    frequency: Frequency = "daily",
    due_at: datetime = MONDAY,
    origin: NhsnOrigin = NhsnOrigin.SET,
) -> int:
    with clock.frozen(MONDAY + timedelta(minutes=next(_minutes))):
        return nhsn.append(connection, tenant, frequency, due_at, outcomes, origin=origin, kept=KEPT)


def shown(events: list[nhsn.NhsnEvent]) -> list[tuple[str, str, str]]:
    return [(event.resource_id, str(event.state), event.reason_code) for event in events]


def test_E39_each_resource_has_its_state_with_reason_and_set() -> None:
    with transaction() as connection:
        assert append(connection, UNCHANGED, READY) == 2
        ready, unchanged = nhsn.states(connection, "mercy", "daily", MONDAY)
    assert shown([ready, unchanged]) == [("10001", "Ready", ""), ("10002", "Not Submitted", "unchanged")]
    assert (ready.set_path, ready.set_sha256) == (KEPT.path, KEPT.sha256)
    assert (unchanged.set_path, unchanged.set_sha256) == (None, None)
    assert unchanged.comment == "Nothing to send."
    assert (ready.due_at, ready.frequency, ready.origin) == (MONDAY, "daily", NhsnOrigin.SET)


def test_E39_a_set_is_recorded_once_whoever_says_it_again() -> None:
    other = NhsnOutcome("10001", NhsnState.ERROR, "values-contradict", "...")
    with transaction() as connection:
        append(connection, READY)
        before = nhsn.history(connection, "mercy", "10001")
        assert append(connection, READY) == 0
        assert append(connection, other) == 0
        assert nhsn.history(connection, "mercy", "10001") == before


def test_E39_late_answers_become_the_newest_state_and_the_earlier_ones_stay() -> None:
    submitted = NhsnOutcome("10001", NhsnState.SUBMITTED)
    refused = NhsnOutcome("10001", NhsnState.ERROR, "cdc-error", "CDC says: facility not enrolled.")
    with transaction() as connection:
        append(connection, READY, UNCHANGED)
        append(connection, UNCHANGED, NhsnOutcome("10001", NhsnState.READY), due_at=TUESDAY)
        # The answer to Monday's set comes after Tuesday's was built.
        append(connection, submitted, origin=NhsnOrigin.ANSWER)
        append(connection, refused, origin=NhsnOrigin.ANSWER)
        history = nhsn.history(connection, "mercy", "10001")
        monday = nhsn.states(connection, "mercy", "daily", MONDAY)
        assert shown(nhsn.newest(connection, "mercy"))[0] == ("10001", "Ready", "")
    assert [str(event.state) for event in history] == ["Error", "Submitted", "Ready", "Ready"]
    assert shown(monday) == [("10001", "Error", "cdc-error"), ("10002", "Not Submitted", "unchanged")]
    assert monday[0].set_path == KEPT.path, "the answer names the set that it is about"
    assert [event.event_id for event in history] == sorted((e.event_id for e in history), reverse=True)


def test_E39_the_list_shows_the_last_due_time_of_each_frequency() -> None:
    with transaction() as connection:
        append(connection, READY, UNCHANGED)
        append(connection, READY, due_at=TUESDAY)
        append(connection, NhsnOutcome("10003", NhsnState.READY), frequency="weekly", due_at=MONDAY)
        newest = nhsn.newest(connection, "mercy")
    assert [(event.resource_id, event.frequency, event.due_at) for event in newest] == [
        ("10001", "daily", TUESDAY),
        ("10003", "weekly", MONDAY),
    ]


def test_X12_tenants_never_meet() -> None:
    with transaction() as connection:
        append(connection, READY)
        assert nhsn.newest(connection, "grace") == []
        assert nhsn.history(connection, "grace", "10001") == []
        assert nhsn.first_due(connection, "grace", "daily") is None
        assert nhsn.set_of(connection, "grace", "daily", MONDAY) is None
        assert append(connection, READY, tenant="grace") == 1


def test_E38_due_times_are_remembered_per_frequency() -> None:
    with transaction() as connection:
        append(connection, UNCHANGED)
        append(connection, READY, due_at=TUESDAY)
        assert nhsn.first_due(connection, "mercy", "daily") == MONDAY
        assert nhsn.last_due(connection, "mercy", "daily") == TUESDAY
        assert nhsn.recorded_dues(connection, "mercy", "daily", since=MONDAY) == {MONDAY, TUESDAY}
        assert nhsn.recorded_dues(connection, "mercy", "daily", since=TUESDAY) == {TUESDAY}
        assert nhsn.recorded_dues(connection, "mercy", "weekly", since=MONDAY) == set()
        assert nhsn.set_of(connection, "mercy", "daily", MONDAY) is None
        assert nhsn.set_of(connection, "mercy", "daily", TUESDAY) == KEPT


@pytest.mark.parametrize(
    "outcome",
    [NhsnOutcome("10001", NhsnState.SUBMITTED), NhsnOutcome("10001", NhsnState.NOT_SUBMITTED)],
    ids=["submitted without a delivery", "without a reason"],
)
def test_E39_the_database_refuses_what_a_set_cannot_say(outcome: NhsnOutcome) -> None:
    with pytest.raises(ConstraintSurprise), transaction() as connection:
        append(connection, outcome)


def test_E39_a_resource_is_in_no_set_that_is_not_there() -> None:
    with pytest.raises(ConstraintSurprise), transaction() as connection:
        nhsn.append(connection, "mercy", "daily", MONDAY, [READY], origin=NhsnOrigin.SET)


def test_E39_nothing_to_append_appends_nothing() -> None:
    with transaction() as connection:
        assert append(connection) == 0
        assert connection.execute(text("select count(*) from ledger.nhsn_event")).scalar_one() == 0
