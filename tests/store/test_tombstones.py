"""Tombstones and what is due, on a real PostgreSQL (T39)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, text

from partner_exchange.clock import frozen
from partner_exchange.errors import ConstraintSurprise
from partner_exchange.ledger import retention, submissions, tombstones
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.submissions import Submission
from partner_exchange.ledger.tombstones import Kind, Removal
from support.builders import a_submission

pytestmark = pytest.mark.service

AT = datetime(2026, 11, 21, 7, 47, 12, tzinfo=UTC)
LATER = AT + timedelta(days=1)
TENANT = "state-university"
REPORT = Removal(Kind.REPORT, "DQA-Report/a.dqa.txt", 12)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with transaction() as open_connection:
        yield open_connection


def plan(connection: Connection, *removals: Removal, at: datetime = AT, tenant_code: str = TENANT) -> None:
    with frozen(at):
        tombstones.plan(connection, tenant_code, removals, policy_days=180)


def test_T39_a_planned_tombstone_is_renewed_and_has_no_date(connection: Connection) -> None:
    plan(connection, REPORT)
    plan(connection, replace(REPORT, size_bytes=13, sha256="a" * 64), at=LATER)
    (stone,) = tombstones.planned(connection, TENANT, None)
    told = (stone.size_bytes, stone.sha256, stone.policy_days, stone.planned_at, stone.purged_at)
    assert told == (13, "a" * 64, 180, LATER, None)


def test_T39_what_is_gone_keeps_its_tombstone_and_may_come_and_go_again(connection: Connection) -> None:
    for at in (AT, LATER):
        plan(connection, REPORT, at=at)
        (stone,) = tombstones.planned(connection, TENANT, None)
        with frozen(at):
            tombstones.date(connection, [stone.tombstone_id])
    tombstones.withdraw(connection, [one.tombstone_id for one in tombstones.entries(connection, TENANT)])
    assert [one.purged_at for one in tombstones.entries(connection, TENANT)] == [LATER, AT]
    assert tombstones.planned(connection, TENANT, None) == []


def test_T39_what_stays_loses_its_tombstone(connection: Connection) -> None:
    plan(connection, REPORT)
    tombstones.withdraw(
        connection, [one.tombstone_id for one in tombstones.planned(connection, TENANT, None)]
    )
    assert tombstones.entries(connection, TENANT) == []


def test_X12_tombstones_of_one_tenant_are_not_those_of_another(connection: Connection) -> None:
    plan(connection, REPORT)
    plan(connection, REPORT, tenant_code="other")
    assert len(tombstones.entries(connection, TENANT)) == 1
    (stone,) = tombstones.planned(connection, "other", None)
    tombstones.withdraw(connection, [stone.tombstone_id])
    assert len(tombstones.planned(connection, TENANT, None)) == 1


def test_T39_the_original_is_known_to_be_purged_from_the_plan_on(connection: Connection) -> None:
    submission = a_submission(connection)
    assert not tombstones.is_original_purged(connection, submission.submission_id)
    plan(connection, Removal(Kind.RESULT, "a", 1, submission.submission_id))
    assert not tombstones.is_original_purged(connection, submission.submission_id)
    plan(connection, Removal(Kind.ARCHIVE, "b", 1, submission.submission_id, "a" * 64))
    assert tombstones.is_original_purged(connection, submission.submission_id)


def test_T39_only_a_finished_submission_can_be_purged(database_url: str) -> None:
    with transaction() as connection:
        submission = a_submission(connection)
    with pytest.raises(ConstraintSurprise), transaction() as connection:
        retention.mark_purged(connection, submission.submission_id)


@pytest.mark.parametrize("column", ["sha256 = 'x'", "size_bytes = -1", "policy_days = 0"])
def test_T39_a_tombstone_holds_what_it_says(database_url: str, column: str) -> None:
    with transaction() as connection:
        plan(connection, REPORT)
    with pytest.raises(ConstraintSurprise), transaction() as connection:
        connection.execute(text(f"update ledger.tombstone set {column}"))  # noqa: S608 - of this file


def failed(connection: Connection, number: int, *, sha256: str = "2" * 64) -> Submission:
    """A submission that failed and was answered ``number`` days after ``AT``."""
    with frozen(AT + timedelta(days=number)):
        name = f"f-{number}.csv"
        row = a_submission(connection, file_name=name, stamp=f"2026{number:04}T074712Z", sha256=sha256)
        submissions.fail(connection, row.submission_id, code="store-unavailable", message="ours")
        return submissions.record_answer(connection, row.submission_id, seconds=0)


def test_T39_what_is_due_comes_in_the_order_of_claims(connection: Connection) -> None:
    rows = [failed(connection, number) for number in range(3)]
    open_row = a_submission(connection)
    before = AT + timedelta(days=1, hours=1)
    ids = [one.submission_id for one in retention.expired(connection, TENANT, before=before, limit=9)]
    assert ids == [one.submission_id for one in rows[:2]]
    assert retention.count_expired(connection, TENANT, before=before) == 2
    assert len(retention.expired(connection, TENANT, before=before, limit=1)) == 1
    assert retention.expired(connection, "other", before=before, limit=9) == []
    assert retention.lock_expired(connection, rows[0], before=before)
    assert not retention.lock_expired(connection, rows[2], before=before)
    assert not retention.lock_expired(connection, open_row, before=before)
    names = retention.kept_names(connection, TENANT, besides=ids)
    assert {one.file_name for one in names} == {"f-2.csv", open_row.file_name}
    retention.mark_purged(connection, ids[0])
    assert retention.count_expired(connection, TENANT, before=before) == 1


def test_T39_a_reopened_submission_is_not_due(connection: Connection) -> None:
    row = failed(connection, 0)
    submissions.reopen(connection, row.submission_id)
    assert not retention.lock_expired(connection, row, before=LATER)


def test_T39_an_original_is_needed_as_long_as_another_submission_has_it(connection: Connection) -> None:
    first, second = failed(connection, 0), failed(connection, 1)
    other = failed(connection, 2, sha256="3" * 64)
    assert retention.is_original_needed(connection, first, besides=[])
    assert not retention.is_original_needed(connection, first, besides=[second.submission_id])
    assert not retention.is_original_needed(connection, other, besides=[])
    retention.mark_purged(connection, first.submission_id)
    assert not retention.is_original_needed(connection, second, besides=[])
