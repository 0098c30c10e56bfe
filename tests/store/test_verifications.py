"""Who is verified, what changed, and the positions that exports read (M42, M46, X12)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import Connection, text

from partner_exchange.clock import frozen
from partner_exchange.ledger import audit
from partner_exchange.ledger.database import engine, transaction
from partner_exchange.stores import students, verification_log, verifications
from partner_exchange.stores.verification_log import Window
from partner_exchange.stores.verifications import (
    StudentVerification,
    VerificationChange,
    VerificationCounts,
)
from partner_exchange.tenants.model import RosterPolicy
from support import verified as held
from support.builders import a_student_rows, a_tenant

pytestmark = pytest.mark.service

TENANT = "state-university"
OTHER = "other-clinic"
AT = datetime(2026, 11, 21, 23, 59, 59, tzinfo=UTC)
LATER = AT + timedelta(hours=1)


def load(connection: Connection, count: int, tenant_code: str = TENANT, **over: object) -> None:
    students.merge(
        connection,
        a_student_rows(count, **over),
        tenant_code=tenant_code,
        submission_id="s",
        policy=RosterPolicy(),
        now=AT,
    )


@pytest.fixture
def roster(database_url: str) -> None:
    """Five students, committed."""
    with transaction() as connection:
        load(connection, 5)


@pytest.fixture
def connection(roster: None) -> Iterator[Connection]:
    with transaction() as open_connection:
        yield open_connection


def name(number: int) -> str:
    return f"student{number}@example.edu"


def names(*numbers: int) -> list[str]:
    return [name(number) for number in numbers]


def verify(
    connection: Connection,
    *numbers: int,
    tenant_code: str = TENANT,
    rule_version: str = "1",
    at: datetime | None = None,
    reason: str = "",
) -> VerificationCounts:
    return verifications.verify(
        connection,
        tenant_code,
        names(*numbers),
        rule_version=rule_version,
        actor="engineer",
        at=at,
        reason=reason,
    )


def unverify(connection: Connection, *numbers: int, tenant_code: str = TENANT) -> VerificationCounts:
    return verifications.unverify(
        connection, tenant_code, names(*numbers), rule_version="1", actor="engineer"
    )


def counts(changed: int = 0, unchanged: int = 0, unknown: int = 0) -> VerificationCounts:
    return VerificationCounts(changed, unchanged, unknown)


def take(connection: Connection, tenant_code: str = TENANT) -> int:
    return verification_log.take_position(connection, tenant_code)


def changed(
    connection: Connection, since: int, until: int, tenant_code: str = TENANT
) -> list[tuple[str, bool]]:
    """The changes of a window as number and state, in order."""
    rows = held.changes(connection, tenant_code, Window(since, until))
    return [(row.username_key.removesuffix("@example.edu"), row.is_verified) for row in rows]


def net(connection: Connection, since: int, until: int, tenant_code: str = TENANT) -> dict[str, bool]:
    rows = connection.execute(verification_log.net_changes(tenant_code, Window(since, until))).all()
    found = {row.username_key.removesuffix("@example.edu"): row.is_verified for row in rows}
    assert len(found) == len(rows)
    return found


def verified(connection: Connection, tenant_code: str = TENANT) -> set[str]:
    rows = held.current(connection, tenant_code)
    return {row.username_key.removesuffix("@example.edu") for row in rows if row.is_verified}


def test_M42_a_student_becomes_verified_with_instant_and_rules(connection: Connection) -> None:
    with frozen(AT):
        assert verify(connection, 1, rule_version="2026.1", reason="complete") == counts(changed=1)
    assert verifications.history(connection, TENANT, "STUDENT1@example.edu ") == [
        VerificationChange(True, AT, "2026.1", "engineer", "complete", None)
    ]
    [row] = held.current(connection, TENANT)
    assert tuple(row) == (TENANT, name(1), True, AT, "2026.1")


def test_M42_an_instant_of_before_can_be_given(connection: Connection) -> None:
    verify(connection, 1, at=AT)
    assert verifications.history(connection, TENANT, name(1))[0].changed_at == AT


def test_M42_verifying_again_changes_nothing(connection: Connection) -> None:
    verify(connection, 1, at=AT)
    assert verify(connection, 1, 2, at=LATER, rule_version="2") == counts(changed=1, unchanged=1)
    [only] = verifications.history(connection, TENANT, name(1))
    assert (only.changed_at, only.rule_version) == (AT, "1")
    assert held.current(connection, TENANT)[0].changed_at == AT


def test_M42_a_student_can_lose_it_and_get_it_again(connection: Connection) -> None:
    verify(connection, 1)
    assert unverify(connection, 1, 2) == counts(changed=1, unchanged=1)
    assert verified(connection) == set()
    assert unverify(connection, 1) == counts(unchanged=1)
    assert verify(connection, 1) == counts(changed=1)
    told = verifications.history(connection, TENANT, name(1))
    assert [one.is_verified for one in told] == [True, False, True]
    assert verifications.history(connection, TENANT, name(2)) == []


def test_M42_all_students_at_once(connection: Connection) -> None:
    verify(connection, 2)

    def every(
        flip: Callable[..., VerificationCounts], usernames: list[str] | None = None
    ) -> VerificationCounts:
        return flip(connection, TENANT, usernames, rule_version="1", actor="engineer")

    assert every(verifications.verify) == counts(changed=4, unchanged=1)
    assert verified(connection) == {f"student{number}" for number in range(1, 6)}
    assert every(verifications.unverify) == counts(changed=5)
    assert verified(connection) == set()
    assert every(verifications.verify, []) == counts()
    assert verified(connection) == set()


def test_M42_unknown_usernames_are_counted_and_never_created(connection: Connection) -> None:
    given = [name(1), "nobody@example.edu", "with\0nul", "", "NOBODY@example.edu"]
    found = verifications.verify(connection, TENANT, given, rule_version="1", actor="engineer")
    assert found == counts(changed=1, unknown=3)
    assert verifications.unknown_places(connection, TENANT, given) == [1, 2, 3, 4]
    assert students.count(connection, TENANT) == 5
    assert verified(connection) == {"student1"}


def test_M42_a_username_given_twice_counts_once(connection: Connection) -> None:
    given = [name(1), " STUDENT1@Example.EDU", name(1)]
    found = verifications.verify(connection, TENANT, given, rule_version="1", actor="engineer")
    assert found == counts(changed=1)
    assert len(verifications.history(connection, TENANT, name(1))) == 1


def test_M42_one_login_whatever_its_case_or_form(connection: Connection) -> None:
    load(connection, 2, username=["Straße@example.edu", "jose\u0301@example.edu"], student_id="")
    given = ["STRASSE@example.edu", "JOSÉ@example.edu"]
    found = verifications.verify(connection, TENANT, given, rule_version="1", actor="engineer")
    assert found == counts(changed=2)


def test_M42_each_call_is_in_the_audit_trail_with_counts_only(connection: Connection) -> None:
    verifications.verify(
        connection, TENANT, [name(1), "nobody"], rule_version="3", actor="engineer", reason="Ann"
    )
    verifications.unverify(connection, TENANT, None, rule_version="3", actor="engineer")
    last, first = audit.entries(connection, TENANT)
    assert (first.actor, first.action, first.subject) == ("engineer", "student.verify", "named students")
    assert first.facts == {"changed": 1, "unchanged": 0, "unknown": 1, "rule_version": "3"}
    assert (last.action, last.subject, last.facts["changed"]) == ("student.unverify", "all students", 1)


def test_M42_a_tenant_says_by_which_rules_it_verifies() -> None:
    assert a_tenant().roster.verification_rules == "1"
    assert a_tenant(roster={"verification_rules": "2026"}).roster.verification_rules == "2026"
    with pytest.raises(ValueError, match="verification_rules"):
        a_tenant(roster={"verification_rules": ""})


def test_M42_students_are_listed_with_their_state(connection: Connection) -> None:
    verify(connection, 2, 3, at=AT)
    unverify(connection, 3)
    everyone = verifications.listed(connection, TENANT, limit=10)
    assert [one.is_verified for one in everyone] == [False, True, False, False, False]
    assert everyone[:2] == [
        StudentVerification(name(1), False, None, ""),
        StudentVerification(name(2), True, AT, "1"),
    ]
    assert verifications.listed(connection, TENANT, is_verified=True, limit=10) == [everyone[1]]
    without = verifications.listed(connection, TENANT, is_verified=False, limit=3)
    assert [one.username for one in without] == names(1, 3, 4)


def test_M46_positions_are_given_by_who_reads_and_have_no_gap(connection: Connection) -> None:
    assert take(connection) == 0
    verify(connection, 3, 1)
    assert changed(connection, 0, 9) == []
    assert take(connection) == take(connection) == 2
    unverify(connection, 3)
    verify(connection, 2)
    assert take(connection) == 4
    assert changed(connection, 0, 2) == [("student1", True), ("student3", True)]
    assert changed(connection, 2, 4) == [("student3", False), ("student2", True)]
    rows = held.changes(connection, TENANT, Window(0, 4))
    assert [row.position for row in rows] == [1, 2, 3, 4]
    assert [one.position for one in verifications.history(connection, TENANT, name(3))] == [3, 2]


def test_M46_a_window_comes_to_the_last_change_of_each_student(connection: Connection) -> None:
    verify(connection, 1, 2)
    first = take(connection)
    # 1 loses it and gets it back, 2 loses it, 3 gets and loses it, 4 gets it, 5 gets, loses and gets it.
    for step in (unverify, verify):
        step(connection, 1)
    unverify(connection, 2)
    verify(connection, 3, 4, 5)
    unverify(connection, 3, 5)
    verify(connection, 5, at=AT)
    second = take(connection)
    assert net(connection, 0, first) == {"student1": True, "student2": True}
    assert net(connection, first, second) == {
        "student1": True,
        "student2": False,
        "student3": False,
        "student4": True,
        "student5": True,
    }
    whole = net(connection, 0, second)
    assert {name for name, is_verified in whole.items() if is_verified} == {
        "student1",
        "student4",
        "student5",
    }
    rows = connection.execute(verification_log.net_changes(TENANT, Window(first, second)))
    assert [row.changed_at for row in rows if row.username_key == name(5)] == [AT]


def test_M46_what_commits_late_stands_behind_what_was_read(roster: None) -> None:
    with transaction() as reader, engine().connect() as late:
        verify(late, 1)
        with transaction() as quick:
            verify(quick, 2)
        first = take(reader)
        assert changed(reader, 0, first) == [("student2", True)]
        late.commit()
        second = take(reader)
        assert changed(reader, first, second) == [("student1", True)]
        assert changed(reader, 0, second) == [("student2", True), ("student1", True)]
        third = take(reader)
        assert changed(reader, second, third) == []


def test_M46_what_is_rolled_back_is_in_no_window(roster: None) -> None:
    with transaction() as reader, engine().connect() as undone:
        verify(undone, 1)
        verify(reader, 2)
        undone.rollback()
        assert changed(reader, 0, take(reader)) == [("student2", True)]
        assert verified(reader) == {"student2"}


def test_M46_positions_of_a_reader_that_dies_are_given_anew(roster: None) -> None:
    with engine().connect() as killed:
        with transaction() as connection:
            verify(connection, 1, 2)
        assert take(killed) == 2
        killed.rollback()
    with transaction() as connection:
        assert changed(connection, 0, 9) == []
        verify(connection, 3)
        assert take(connection) == 3
        assert len(changed(connection, 0, 3)) == 3


def waiting_for_a_lock(url: str, count: int = 1) -> None:
    """Return when that many sessions of the database wait for another."""
    with psycopg.connect(url, autocommit=True) as watcher:
        query = (
            "select count(*) from pg_stat_activity "
            "where datname = current_database() and wait_event_type = 'Lock'"
        )
        while True:
            row = watcher.execute(query).fetchone()
            if row and row[0] >= count:
                return


def test_M46_two_readers_at_once_give_each_change_one_position(roster: None, database_url: str) -> None:
    def read() -> int:
        with transaction() as connection:
            return take(connection)

    with transaction() as connection:
        verify(connection, 1, 2)
    with ThreadPoolExecutor(1) as pool, engine().connect() as first:
        assert take(first) == 2
        second: Future[int] = pool.submit(read)
        waiting_for_a_lock(database_url)
        with transaction() as connection:
            verify(connection, 3)
        first.commit()
        # It sees what was committed while it waited, and goes on behind the first.
        assert second.result() == 3
    with transaction() as connection:
        rows = held.changes(connection, TENANT, Window(0, 9))
        assert [row.position for row in rows] == [1, 2, 3]


@pytest.mark.parametrize("ending", ["commit", "rollback"])
def test_M42_two_who_verify_the_same_student_at_once_make_one_change(
    roster: None, database_url: str, ending: str
) -> None:
    def verify_too() -> VerificationCounts:
        with transaction() as connection:
            return verify(connection, 1)

    with ThreadPoolExecutor(1) as pool, engine().connect() as first:
        assert verify(first, 1) == counts(changed=1)
        second: Future[VerificationCounts] = pool.submit(verify_too)
        waiting_for_a_lock(database_url)
        getattr(first, ending)()
        assert second.result() == (counts(unchanged=1) if ending == "commit" else counts(changed=1))
    with transaction() as connection:
        assert len(verifications.history(connection, TENANT, name(1))) == 1


def test_M46_changes_of_one_student_stand_in_their_order(roster: None, database_url: str) -> None:
    def undo() -> VerificationCounts:
        with transaction() as connection:
            # Its statement begins, with student 1, before the other commits; it ends with student 5 after.
            return verifications.unverify(connection, TENANT, names(1, 5), rule_version="1", actor="engineer")

    with transaction() as connection:
        verify(connection, 1, 5)
    with ThreadPoolExecutor(1) as pool, engine().connect() as first:
        unverify(first, 5)
        second: Future[VerificationCounts] = pool.submit(undo)
        waiting_for_a_lock(database_url)
        verify(first, 5)
        first.commit()
        assert second.result() == counts(changed=2)
    with transaction() as connection:
        told = changed(connection, 0, take(connection))
        assert [state for student, state in told if student == "student5"] == [True, False, True, False]
        assert verified(connection) == set()


def test_M42_verifying_and_a_roster_do_not_wait_for_each_other(roster: None) -> None:
    def in_no_time(connection: Connection) -> None:
        connection.execute(text("set local lock_timeout = '2s'"))

    with engine().connect() as verifier, engine().connect() as feed:
        in_no_time(verifier)
        in_no_time(feed)
        verify(verifier, 1)
        # New StudentIds are what a foreign key would hold up: both ways round, so they would deadlock.
        load(feed, 6, student_id=[f"N{number}" for number in range(6)])
        verify(verifier, 2)
        # The sixth student is nobody yet.
        assert verify(verifier, 3, 6) == counts(changed=1, unknown=1)
        feed.commit()
        assert verify(verifier, 6) == counts(changed=1)
        verifier.commit()
    with transaction() as connection:
        assert verified(connection) == {"student1", "student2", "student3", "student6"}
        student = students.find(connection, TENANT, name(1))
        assert student is not None
        assert student.student_id == "N0"


def test_X12_two_tenants_never_mix(connection: Connection) -> None:
    load(connection, 3, OTHER)
    verify(connection, 1, 2)
    assert verify(connection, 1, 4, tenant_code=OTHER) == counts(changed=1, unknown=1)
    assert take(connection) == 2
    assert changed(connection, 0, 9, OTHER) == []
    assert len(verifications.history(connection, OTHER, name(1))) == 1
    assert verifications.history(connection, OTHER, name(2)) == []
    assert take(connection, OTHER) == 1
    assert changed(connection, 0, 100, OTHER) == [("student1", True)]
    assert net(connection, 0, 100, OTHER) == {"student1": True}
    verifications.unverify(connection, OTHER, None, rule_version="1", actor="engineer")
    assert (verified(connection), verified(connection, OTHER)) == ({"student1", "student2"}, set())
    assert len(verifications.listed(connection, OTHER, limit=10)) == 3
    assert verifications.listed(connection, OTHER, is_verified=True, limit=10) == []
    assert verifications.unknown_places(connection, OTHER, names(3, 4)) == [1]
    assert take(connection, OTHER) == 2
    assert take(connection) == 2
