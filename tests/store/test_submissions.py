"""The ledger of submissions on a real PostgreSQL."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from threading import Barrier
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sqlalchemy import Connection, text

from partner_exchange.clock import frozen
from partner_exchange.errors import ConstraintSurprise, CountsDoNotReconcile, StateConflict, UnknownSubmission
from partner_exchange.ledger import submissions
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.states import Outcome, State
from partner_exchange.ledger.submissions import Submission
from partner_exchange.validation.findings import FindingGroup, Findings, Severity, empty_table
from support.builders import a_submission

pytestmark = pytest.mark.service

AT = datetime(2026, 11, 21, 7, 47, 12, tzinfo=UTC)


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with transaction() as open_connection:
        yield open_connection


def some_findings(*rows: int | None, code: str = "dob-not-a-date", column: str = "Dob") -> Findings:
    table = pd.DataFrame(
        {
            "row": list(rows),
            "column": column,
            "place": "RXA^1^5",
            "severity": "error",
            "code": code,
            "message": 'Write "it",\nso: \\.',
        }
    ).astype(empty_table().dtypes.to_dict())
    group = FindingGroup(code, Severity.ERROR, column, len(rows) + 5, "2-4, ...", "Write it so.")
    return Findings((group,), table)


def validated(connection: Connection, submission: Submission, **over: Any) -> Submission:
    values = {
        "outcome": Outcome.ACCEPTED,
        "rule_version": "1",
        "rows_total": 10,
        "rows_accepted": 10,
        "rows_rejected": 0,
        "findings": Findings(),
        "seconds": 0.25,
    }
    return submissions.record_validation(connection, submission.submission_id, **{**values, **over})


def loaded(connection: Connection, submission: Submission, **over: Any) -> Submission:
    values = {
        "created": 4,
        "updated": 3,
        "unchanged": 3,
        "rejected_at_load": 0,
        "findings": Findings(),
        "seconds": 0.5,
    }
    return submissions.record_load(connection, submission.submission_id, **{**values, **over})


def finished(connection: Connection, submission: Submission) -> Submission:
    submissions.record_answer(connection, submission.submission_id, seconds=0.1)
    return submissions.finish(connection, submission.submission_id, seconds=0.1)


def test_M33_a_claim_is_entered_once(connection: Connection) -> None:
    first = a_submission(connection)
    again = a_submission(connection, sha256="2" * 64)
    later = a_submission(connection, stamp="20261121T074713Z")
    assert again == first
    assert later.submission_id != first.submission_id
    assert later.seq > first.seq
    assert submissions.find(connection, "state-university", "roster.csv", "20261121T074712Z") == first
    assert submissions.find(connection, "state-university", "roster.csv", "20261121T074799Z") is None


def test_X02_eight_workers_claim_one_file_and_one_row_is_there(database_url: str) -> None:
    start = Barrier(8)

    def claim(_: int) -> str:
        with transaction() as connection:
            start.wait()
            return a_submission(connection).submission_id

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(claim, range(8)))
    with transaction() as connection:
        assert [row.submission_id for row in submissions.latest(connection)] == list(ids)


def test_X02_order_of_claims_is_the_order_of_commits(database_url: str) -> None:
    def claim(number: int) -> tuple[int, int]:
        with transaction() as connection:
            row = a_submission(connection, stamp=f"20261121T0747{number:02}Z")
            seen = submissions.unresolved_before(connection, row)
            return row.seq, len(seen)

    with ThreadPoolExecutor(8) as pool:
        claims = sorted(pool.map(claim, range(24)))
    assert [count for _, count in claims] == list(range(24))


def test_X04_the_whole_way_with_counts_times_and_seconds(connection: Connection) -> None:
    with frozen(AT):
        row = a_submission(connection)
    with frozen(AT + timedelta(seconds=1)):
        row = validated(
            connection, row, rows_accepted=8, rows_rejected=2, outcome=Outcome.ACCEPTED_WITH_FINDINGS
        )
    with frozen(AT + timedelta(seconds=2)):
        row = loaded(connection, row, created=1, updated=2, unchanged=5)
    with frozen(AT + timedelta(seconds=3)):
        row = finished(connection, row)
    assert row == submissions.get(connection, row.submission_id)
    assert (row.state, row.outcome) == (State.DONE, Outcome.ACCEPTED_WITH_FINDINGS)
    assert (row.rows_total, row.rows_accepted, row.rows_rejected) == (10, 8, 2)
    assert (row.rows_created, row.rows_updated, row.rows_unchanged) == (1, 2, 5)
    times = [row.claimed_at, row.validated_at, row.loaded_at, row.answered_at, row.finished_at]
    assert times == [AT + timedelta(seconds=s) for s in (0, 1, 2, 3, 3)]
    assert row.step_seconds == {"validate": 0.25, "load": 0.5, "respond": 0.1, "notify": 0.1}


def test_X04_instants_come_back_in_utc_whatever_the_session_says(connection: Connection) -> None:
    connection.execute(text("set time zone 'America/Chicago'"))
    with frozen(AT.astimezone(timezone(timedelta(hours=5)))):
        row = a_submission(connection)
    assert (row.claimed_at, row.claimed_at.tzinfo) == (AT, UTC)


def test_X03_every_step_may_be_recorded_again(connection: Connection) -> None:
    row = a_submission(connection)
    some = {"outcome": Outcome.ACCEPTED_WITH_FINDINGS, "rows_accepted": 9, "rows_rejected": 1}
    steps: list[Callable[[], Submission]] = [
        lambda: validated(connection, row, findings=some_findings(2), **some),
        lambda: loaded(connection, row, unchanged=2, findings=some_findings(3, code="student-id-taken")),
        lambda: submissions.record_answer(connection, row.submission_id, seconds=1),
        lambda: submissions.finish(connection, row.submission_id, seconds=1),
    ]
    for done in range(1, len(steps) + 1):
        state = steps[done - 1]()
        for repeated in steps[:done]:
            assert repeated() == state
    assert len(submissions.findings(connection, row.submission_id).table) == 2


def test_X04_a_refused_file_is_answered_and_never_loaded(connection: Connection) -> None:
    row = validated(
        connection, a_submission(connection), outcome=Outcome.REFUSED, rows_accepted=0, rows_rejected=10
    )
    with pytest.raises(StateConflict):
        loaded(connection, row, created=0, updated=0, unchanged=0)
    assert finished(connection, row).state is State.REFUSED
    with pytest.raises(StateConflict):
        loaded(connection, row, created=0, updated=0, unchanged=0)


def test_X04_steps_out_of_turn_are_conflicts(connection: Connection) -> None:
    row = a_submission(connection)
    with pytest.raises(StateConflict) as caught:
        loaded(connection, row)
    assert caught.value.fields["state"] == "claimed"
    with pytest.raises(StateConflict):
        submissions.record_answer(connection, row.submission_id, seconds=0)
    validated(connection, row)
    with pytest.raises(StateConflict):
        submissions.record_answer(connection, row.submission_id, seconds=0)
    with pytest.raises(StateConflict):
        submissions.finish(connection, row.submission_id, seconds=0)


@pytest.mark.parametrize("reached", ["claimed", "validated", "loaded", "answered"])
def test_X04_an_unfinished_submission_may_fail_and_stays_failed(connection: Connection, reached: str) -> None:
    row = a_submission(connection)
    if reached != "claimed":
        validated(connection, row)
    if reached in ("loaded", "answered"):
        loaded(connection, row)
    if reached == "answered":
        submissions.record_answer(connection, row.submission_id, seconds=0)
    failed = submissions.fail(
        connection, row.submission_id, code="archive-damaged", message="The original is gone."
    )
    assert (failed.state, failed.failure_code) == (State.FAILED, "archive-damaged")
    assert submissions.fail(connection, row.submission_id, code="another", message="") == failed
    for step in (validated, loaded, finished):
        with pytest.raises(StateConflict):
            step(connection, row)


def test_X04_what_is_done_cannot_fail(connection: Connection) -> None:
    row = a_submission(connection)
    validated(connection, row)
    loaded(connection, row)
    finished(connection, row)
    with pytest.raises(StateConflict):
        submissions.fail(connection, row.submission_id, code="late", message="")


def test_X04_rows_that_do_not_add_up_are_not_recorded(connection: Connection) -> None:
    row = a_submission(connection)
    with pytest.raises(CountsDoNotReconcile):
        validated(connection, row, rows_accepted=8, rows_rejected=1)
    validated(connection, row, rows_accepted=8, rows_rejected=2)
    with pytest.raises(CountsDoNotReconcile) as caught:
        loaded(connection, row, created=8, updated=0, unchanged=1, findings=some_findings(2))
    assert caught.value.fields["rows_total"] == 10
    assert submissions.get(connection, row.submission_id).state is State.VALIDATED
    assert submissions.findings(connection, row.submission_id).total == 0


@pytest.mark.parametrize(
    "change",
    [
        "rows_created = rows_created + 1",
        "rows_created = null",
        "rows_rejected = rows_rejected + 1, rows_accepted = rows_accepted - 1",
        "state = 'lost'",
        "outcome = null",
        "outcome = 'refused'",
    ],
)
def test_X04_the_database_holds_the_sum_as_well(database_url: str, change: str) -> None:
    with transaction() as connection:
        row = a_submission(connection)
        validated(connection, row)
        loaded(connection, row)
    with pytest.raises(ConstraintSurprise), transaction() as connection:
        connection.execute(text(f"update ledger.submission set {change}"))


def test_X12_an_error_of_the_database_quotes_no_value(database_url: str) -> None:
    with transaction() as connection:
        a_submission(connection)
    statement = text("update ledger.submission set state = :state")
    with pytest.raises(ConstraintSurprise) as caught, transaction() as connection:
        connection.execute(statement, {"state": "Doe, Jane"})
    assert caught.value.fields["constraint"] == "submission_state_check"
    assert "Jane" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_M23_rows_that_the_store_rejects_count_as_rejected(connection: Connection) -> None:
    row = validated(connection, a_submission(connection))
    row = loaded(
        connection,
        row,
        unchanged=1,
        rejected_at_load=2,
        findings=some_findings(4, 7, code="student-id-taken"),
    )
    assert (row.rows_accepted, row.rows_rejected, row.outcome) == (8, 2, Outcome.ACCEPTED_WITH_FINDINGS)


def test_X06_findings_come_back_as_they_were_recorded(connection: Connection) -> None:
    recorded = some_findings(None, 2, 2, 9)
    row = validated(connection, a_submission(connection), findings=recorded)
    back = submissions.findings(connection, row.submission_id)
    assert back.groups == recorded.groups
    assert_frame_equal(back.table, recorded.table)


def test_X06_no_findings_come_back_as_none(connection: Connection) -> None:
    row = validated(connection, a_submission(connection))
    back = submissions.findings(connection, row.submission_id)
    assert back.groups == ()
    assert_frame_equal(back.table, empty_table())


def test_X06_findings_of_the_store_join_those_of_the_checks_by_row(connection: Connection) -> None:
    row = validated(connection, a_submission(connection), findings=some_findings(None, 2, 9))
    loaded(
        connection,
        row,
        unchanged=2,
        rejected_at_load=1,
        findings=some_findings(4, 9, code="student-id-taken"),
    )
    back = submissions.findings(connection, row.submission_id)
    assert [group.code for group in back.groups] == ["dob-not-a-date", "student-id-taken"]
    assert back.table["row"].astype("object").where(back.table["row"].notna(), None).tolist() == [
        None,
        2,
        4,
        9,
        9,
    ]
    assert back.table["code"].tolist()[-2:] == ["dob-not-a-date", "student-id-taken"]


def test_X06_many_findings_are_kept_by_copy(connection: Connection) -> None:
    recorded = some_findings(*range(2, 60_002))
    row = validated(connection, a_submission(connection), findings=recorded)
    assert_frame_equal(submissions.findings(connection, row.submission_id).table, recorded.table)


def test_M39_a_refused_or_failed_file_does_not_count_as_the_last_one(connection: Connection) -> None:
    rows = [a_submission(connection, stamp=f"20261121T07471{n}Z") for n in range(4)]
    validated(connection, rows[0])
    validated(connection, rows[1], outcome=Outcome.REFUSED, rows_accepted=0, rows_rejected=10)
    submissions.fail(connection, rows[2].submission_id, code="x", message="")
    last = submissions.last_counted_before(connection, rows[3])
    assert last is not None
    assert last.submission_id == rows[0].submission_id
    assert submissions.last_counted_before(connection, rows[0]) is None


def test_M35_unresolved_are_those_whose_rows_may_still_come(connection: Connection) -> None:
    rows = [a_submission(connection, stamp=f"20261121T07471{n}Z") for n in range(6)]
    validated(connection, rows[1])
    validated(connection, rows[2], outcome=Outcome.REFUSED, rows_accepted=0, rows_rejected=10)
    loaded(connection, validated(connection, rows[3]))
    submissions.fail(connection, rows[4].submission_id, code="x", message="")
    found = submissions.unresolved_before(connection, rows[5])
    assert [row.submission_id for row in found] == [rows[0].submission_id, rows[1].submission_id]
    assert submissions.unresolved_before(connection, rows[0]) == []


def test_N01_a_fix_it_file_points_to_the_first_submission(connection: Connection) -> None:
    first = a_submission(connection)
    second = a_submission(connection, file_name="fixed.csv", fixes_submission_id=first.submission_id)
    assert second.fixes_submission_id == first.submission_id


def test_X12_queries_see_one_tenant_and_one_feed(connection: Connection) -> None:
    codes = ["state-university", "other-clinic"]
    rows = {
        code: [a_submission(connection, tenant_code=code, stamp=f"20261121T07471{n}Z") for n in range(3)]
        for code in codes
    }
    a_submission(connection, feed="vxu", stamp="20261121T074720Z")
    last = a_submission(connection, stamp="20261121T074730Z")
    for code, feed in itertools.product(codes, ["roster"]):
        own = [row.submission_id for row in rows[code]]
        mine = [row for row in submissions.latest(connection, code) if row.feed == feed and row != last]
        assert [row.submission_id for row in mine] == own[::-1]
        assert {row.tenant_code for row in submissions.unfinished(connection, code)} == {code}
        before = submissions.unresolved_before(connection, rows[code][2])
        assert [row.submission_id for row in before] == own[:2]
    counted = submissions.last_counted_before(connection, last)
    assert counted == rows["state-university"][2]
    assert submissions.find(connection, "third", "roster.csv", "20261121T074710Z") is None
    assert len(submissions.latest(connection)) == 8
    assert len(submissions.latest(connection, limit=3)) == 3


def test_N01_a_fix_it_file_is_claimed_while_a_purge_holds_the_first_submission(
    connection: Connection,
) -> None:
    """A purge holds the row and then waits for claims; one that waited for the row would lock both up."""
    first = a_submission(connection)
    connection.commit()
    with transaction() as purging, transaction() as claiming:
        submissions.lock(purging, first.submission_id)
        claiming.execute(text("set local lock_timeout = '2s'"))
        fixed = a_submission(claiming, stamp="20261121T074713Z", fixes_submission_id=first.submission_id)
    assert fixed.fixes_submission_id == first.submission_id


def test_X04_an_unknown_submission_is_named(connection: Connection) -> None:
    for look in (submissions.get, submissions.lock):
        with pytest.raises(UnknownSubmission):
            look(connection, "01NOTHING")
