"""Mails that wait, suspended intake and the audit trail on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from partner_exchange import clock
from partner_exchange.clock import frozen
from partner_exchange.ledger import audit, intake, mails
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.mails import Event
from support.builders import a_submission

pytestmark = pytest.mark.service

AT = datetime(2026, 11, 21, 7, 47, 12, tzinfo=UTC)
LATER = AT + timedelta(minutes=5)
TENANT = "state-university"


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with transaction() as open_connection:
        yield open_connection


def queue(
    connection: Connection, *recipients: str, event: Event = Event.SUCCESS, tenant_code: str = TENANT
) -> str:
    submission = a_submission(connection, tenant_code=tenant_code)
    with frozen(AT):
        mails.enqueue(
            connection,
            submission_id=submission.submission_id,
            tenant_code=tenant_code,
            event=event,
            recipients=recipients,
        )
    return submission.submission_id


def state_of(connection: Connection) -> tuple[object, ...]:
    row = connection.execute(text("select state, attempts, last_error_code, sent_at from ledger.mail")).one()
    return tuple(row)


def test_E36_a_mail_is_queued_once_per_event_and_recipient(connection: Connection) -> None:
    submission_id = queue(connection, "a@example.edu", "b@example.edu", "a@example.edu")
    queue(connection, "a@example.edu", "c@example.edu")
    queue(connection, "a@example.edu", event=Event.FAILURE)
    queue(connection)
    told = sorted((str(mail.event), mail.recipient) for mail in mails.due(connection, AT, 10))
    assert told == [
        ("failure", "a@example.edu"),
        ("success", "a@example.edu"),
        ("success", "b@example.edu"),
        ("success", "c@example.edu"),
    ]
    assert {mail.submission_id for mail in mails.due(connection, AT, 10)} == {submission_id}


def test_E36_a_sent_mail_is_not_due_again(connection: Connection) -> None:
    queue(connection, "a@example.edu")
    [mail] = mails.due(connection, AT, 10)
    with frozen(LATER):
        mails.mark_sent(connection, mail.mail_id)
    assert mails.due(connection, LATER, 10) == []
    assert state_of(connection) == ("sent", 1, None, LATER)


def test_E36_a_deferred_mail_comes_back_when_it_is_time(connection: Connection) -> None:
    queue(connection, "a@example.edu")
    [mail] = mails.due(connection, AT, 10)
    mails.mark_deferred(connection, mail.mail_id, next_attempt_at=LATER, error_code="451")
    assert mails.due(connection, LATER - timedelta(seconds=1), 10) == []
    [again] = mails.due(connection, LATER, 10)
    assert (again.mail_id, again.attempts) == (mail.mail_id, 1)
    assert state_of(connection) == ("queued", 1, "451", None)


def test_E36_a_refused_mail_stays_refused(connection: Connection) -> None:
    queue(connection, "a@example.edu")
    [mail] = mails.due(connection, AT, 10)
    mails.mark_refused(connection, mail.mail_id, error_code="550")
    mails.mark_sent(connection, mail.mail_id)
    assert mails.due(connection, LATER, 10) == []
    assert state_of(connection) == ("refused", 1, "550", None)


def test_E36_a_mail_of_the_future_and_of_another_submission_is_left(connection: Connection) -> None:
    submission_id = queue(connection, "a@example.edu")
    queue(connection, "b@example.edu", tenant_code="other-clinic")
    assert mails.due(connection, AT - timedelta(seconds=1), 10) == []
    [mail] = mails.due(connection, AT, 10, submission_id)
    assert (mail.recipient, mail.tenant_code) == ("a@example.edu", TENANT)
    assert len(mails.due(connection, AT, 1)) == 1


def test_T38_a_mail_without_a_submission_is_queued_once_per_topic(connection: Connection) -> None:
    for topic, new in (("first", 2), ("first", 0), ("second", 2)):
        queued = mails.enqueue(
            connection,
            tenant_code=TENANT,
            event=Event.QUOTA,
            recipients=["a@example.edu", "b@example.edu"],
            topic=topic,
        )
        assert queued == new
    due = mails.due(connection, clock.now(), 10)
    assert {(mail.submission_id, mail.topic) for mail in due} == {(None, "first"), (None, "second")}


def test_T38_a_mail_about_nothing_is_refused(connection: Connection) -> None:
    with pytest.raises(IntegrityError, match="mail_topic_check"):
        mails.enqueue(connection, tenant_code=TENANT, event=Event.QUOTA, recipients=["a@example.edu"])


def test_E36_two_senders_never_hold_the_same_mail(database_url: str) -> None:
    names = [f"r{number:02}@example.edu" for number in range(40)]
    with transaction() as connection:
        queue(connection, *names)
    sent: list[str] = []
    start = Barrier(4)

    def sender() -> None:
        start.wait()
        while True:
            with transaction() as connection:
                taken = mails.due(connection, AT, 3)
                for mail in taken:
                    sent.append(mail.recipient)
                    mails.mark_sent(connection, mail.mail_id)
            if not taken:
                return

    threads = [Thread(target=sender) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sent) == names


def test_E36_a_sender_that_dies_gives_its_mails_back(database_url: str) -> None:
    with transaction() as connection:
        queue(connection, "a@example.edu")

    def dies_while_it_holds_the_mail(connection: Connection) -> None:
        [mail] = mails.due(connection, AT, 10)
        with transaction() as other:
            assert mails.due(other, AT, 10) == []
        mails.mark_sent(connection, mail.mail_id)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), transaction() as connection:
        dies_while_it_holds_the_mail(connection)
    with transaction() as connection:
        assert len(mails.due(connection, AT, 10)) == 1


def suspend(connection: Connection, submission_id: str | None, reason: str = "the same file twice") -> None:
    intake.suspend(
        connection, TENANT, reason_code="identical-file", reason=reason, submission_id=submission_id
    )


def test_M39_intake_is_suspended_until_somebody_resumes_it(connection: Connection) -> None:
    first = a_submission(connection).submission_id
    with frozen(AT):
        suspend(connection, first)
    with frozen(LATER):
        suspend(connection, first, reason="another reason")
    suspension = intake.suspension(connection, TENANT)
    assert suspension is not None
    assert (suspension.suspended_at, suspension.reason, suspension.submission_id) == (
        AT,
        "the same file twice",
        first,
    )
    assert intake.resume(connection, TENANT, by="engineer")
    assert intake.suspension(connection, TENANT) is None
    assert not intake.resume(connection, TENANT, by="engineer")


def test_M39_a_repeated_step_does_not_undo_the_release(connection: Connection) -> None:
    first = a_submission(connection).submission_id
    second = a_submission(connection, stamp="20261121T080000Z").submission_id
    suspend(connection, first)
    intake.resume(connection, TENANT, by="engineer")
    suspend(connection, first)
    assert intake.suspension(connection, TENANT) is None
    suspend(connection, second)
    suspension = intake.suspension(connection, TENANT)
    assert suspension is not None
    assert suspension.submission_id == second


def test_M39_a_person_may_suspend_again_and_again(connection: Connection) -> None:
    for _ in range(2):
        suspend(connection, None)
        assert intake.suspension(connection, TENANT) is not None
        intake.resume(connection, TENANT, by="engineer")


def test_X12_a_suspension_concerns_one_tenant(connection: Connection) -> None:
    suspend(connection, None)
    assert intake.suspension(connection, "other-clinic") is None
    assert not intake.resume(connection, "other-clinic", by="engineer")
    assert intake.suspension(connection, TENANT) is not None


def test_X13_the_audit_trail_is_read_newest_first_and_by_tenant(connection: Connection) -> None:
    with frozen(AT):
        for tenant_code in (TENANT, "other-clinic", None, TENANT):
            audit.record(
                connection,
                actor="engineer",
                action="intake.resume",
                subject="inbox",
                tenant_code=tenant_code,
                facts={"n": 1},
            )
    everything = audit.entries(connection)
    assert [entry.tenant_code for entry in everything] == [TENANT, None, "other-clinic", TENANT]
    assert {entry.tenant_code for entry in audit.entries(connection, TENANT)} == {TENANT}
    assert len(audit.entries(connection, limit=2)) == 2
    newest = everything[0]
    assert (newest.at, newest.actor, newest.action, newest.facts) == (
        AT,
        "engineer",
        "intake.resume",
        {"n": 1},
    )
