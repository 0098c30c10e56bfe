"""The log of verifications with writers and readers at once: no change is missed, none comes twice (M46).

Writers run transactions of several statements that commit at once, commit only after a reader has read on,
or roll back. Readers give positions, read from where they were, and commit, roll back or are killed, as
exports may. Whatever way they meet, each committed change is in exactly one window of each reader.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from threading import Barrier, Condition
from typing import NamedTuple
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from partner_exchange.errors import SerializationConflict, StoreUnavailable
from partner_exchange.ledger.database import engine, transaction
from partner_exchange.stores import verification_log, verifications
from partner_exchange.stores.verification_log import Window
from support import verified

pytestmark = [pytest.mark.service, pytest.mark.slow]

STUDENTS = "abcd"


class Statement(NamedTuple):
    """One call of verify or unverify."""

    is_verified: bool
    usernames: tuple[str, ...]


class Transaction(NamedTuple):
    """What one writer does in one go."""

    statements: tuple[Statement, ...]
    ending: str


class Change(NamedTuple):
    """One line of the log."""

    username: str
    is_verified: bool
    call: str
    position: int


# Few students, so that writers meet; sets, so that they meet head-on now and then.
_statement = st.builds(
    Statement,
    st.booleans(),
    st.sets(st.sampled_from(STUDENTS), min_size=1, max_size=3).map(sorted).map(tuple),
)
_transaction = st.builds(
    Transaction,
    st.lists(_statement, min_size=1, max_size=3).map(tuple),
    st.sampled_from(["commit", "commit", "late", "late", "rollback"]),
)
_writers = st.lists(st.lists(_transaction, min_size=1, max_size=4), min_size=2, max_size=3)
_reader = st.lists(st.sampled_from(["commit", "commit", "rollback", "kill"]), min_size=2, max_size=6)
_readers = st.lists(_reader, min_size=1, max_size=2)


@dataclass
class Log:
    """One tenant, and what its writers and readers did."""

    url: str
    tenant_code: str
    barrier: Barrier
    readers_left: int
    reads: int = 0
    moved: Condition = field(default_factory=Condition)
    committed: Counter[str] = field(default_factory=Counter)
    """Calls that were committed, with how much each changed."""

    def write(self, number: int, script: Sequence[Transaction]) -> None:
        """Run a writer; a transaction that the database breaks off counts as rolled back."""
        self.barrier.wait()
        for place, one in enumerate(script):
            with suppress(SerializationConflict, _Undone):
                done: Counter[str] = Counter()
                with transaction(self.url) as connection:
                    connection.execute(text("set local deadlock_timeout = '10ms'"))
                    for step, statement in enumerate(one.statements):
                        call = f"{number}.{place}.{step}"
                        done[call] = self._flip(connection, statement, call)
                    if one.ending == "late":
                        self._outwait_a_reader()
                    if one.ending == "rollback":
                        raise _Undone
                self.committed.update(done)

    def _flip(self, connection: Connection, statement: Statement, call: str) -> int:
        flip = verifications.verify if statement.is_verified else verifications.unverify
        return flip(
            connection, self.tenant_code, statement.usernames, rule_version="1", actor="w", reason=call
        ).changed

    def _outwait_a_reader(self) -> None:
        with self.moved:
            before = self.reads
            self.moved.wait_for(lambda: self.reads > before or not self.readers_left)

    def read(self, script: Sequence[str]) -> list[tuple[Window, list[Change]]]:
        """Run a reader, and return the windows that it came to have."""
        try:
            return self._read(script)
        finally:
            with self.moved:
                self.readers_left -= 1
                self.moved.notify_all()

    def _read(self, script: Sequence[str]) -> list[tuple[Window, list[Change]]]:
        windows: list[tuple[Window, list[Change]]] = []
        since = 0
        self.barrier.wait()
        for ending in script:
            with suppress(StoreUnavailable, _Undone):
                with transaction(self.url) as connection:
                    window, changes = self.window(connection, since)
                    if ending == "kill":
                        self._kill(connection)
                    if ending == "rollback":
                        raise _Undone
                windows.append((window, changes))
                since = window.until
            with self.moved:
                self.reads += 1
                self.moved.notify_all()
        return windows

    def _kill(self, connection: Connection) -> None:
        pid = connection.execute(text("select pg_backend_pid()")).scalar_one()
        with engine(self.url).connect() as other:
            other.execute(text("select pg_terminate_backend(:pid, 5000)"), {"pid": pid})

    def window(self, connection: Connection, since: int) -> tuple[Window, list[Change]]:
        """Give positions, and read what is new."""
        window = Window(since, verification_log.take_position(connection, self.tenant_code))
        return window, self.changes(connection, window)

    def changes(self, connection: Connection, window: Window) -> list[Change]:
        rows = verified.changes(connection, self.tenant_code, window)
        return [Change(row.username_key, row.is_verified, row.reason, row.position) for row in rows]


class _Undone(Exception):
    """Rolls a transaction back."""


def run(url: str, writers: list[list[Transaction]], readers: list[list[str]]) -> Log:
    """Run all at once, then let each reader read once more, and check what each of them has."""
    log = Log(url, uuid4().hex, Barrier(len(writers) + len(readers)), len(readers))
    with transaction(url) as connection:
        connection.execute(
            text(
                "insert into store.student (tenant_code, username_key, username, created_at, updated_at, "
                "created_by_submission, changed_by_submission) "
                "select :t, name, name, now(), now(), 's', 's' from unnest(cast(:names as text[])) n (name)"
            ),
            {"t": log.tenant_code, "names": list(STUDENTS)},
        )
    with ThreadPoolExecutor(len(writers) + len(readers)) as pool:
        writing = [pool.submit(log.write, number, script) for number, script in enumerate(writers)]
        reading = [pool.submit(log.read, script) for script in readers]
        for one in writing:
            one.result()
        read = [one.result() for one in reading]
    with transaction(url) as connection:
        for windows in read:
            since = windows[-1][0].until if windows else 0
            windows.append(log.window(connection, since))
            check(log, connection, windows)
    return log


def check(log: Log, connection: Connection, windows: list[tuple[Window, list[Change]]]) -> None:
    """Check all that one reader got, window after window."""
    got = [change for _, changes in windows for change in changes]
    # Each committed change once, none of a transaction that was rolled back.
    assert Counter(change.call for change in got) == +log.committed
    assert [change.position for change in got] == list(range(1, len(got) + 1))
    # A window says the same whenever it is read.
    assert all(log.changes(connection, window) == changes for window, changes in windows)
    # The changes of each student take turns, and the last one is how it is now.
    state = {row.username_key: row.is_verified for row in verified.current(connection, log.tenant_code)}
    for username in STUDENTS:
        turns = [change.is_verified for change in got if change.username == username]
        assert turns == [place % 2 == 0 for place in range(len(turns))]
        assert state.get(username, False) == bool(len(turns) % 2)
    # Who only follows what each window comes to knows the same.
    followed: dict[str, bool] = {}
    for window, _ in windows:
        for row in connection.execute(verification_log.net_changes(log.tenant_code, window)):
            followed[row.username_key] = row.is_verified
    assert {name for name, is_verified in followed.items() if is_verified} == {
        name for name, is_verified in state.items() if is_verified
    }


@settings(max_examples=40, deadline=None)
@given(writers=_writers, readers=_readers)
def test_M46_each_committed_change_is_in_exactly_one_window(
    module_database_url: str, writers: list[list[Transaction]], readers: list[list[str]]
) -> None:
    run(module_database_url, writers, readers)


def test_M46_many_writers_and_readers_at_length(module_database_url: str) -> None:
    chance = Random(46)
    endings = ["commit", "late", "rollback", "commit"]
    writers = [
        [
            Transaction(
                tuple(
                    Statement(chance.random() < 0.5, tuple(sorted(chance.sample(STUDENTS, 2))))
                    for _ in range(2)
                ),
                ending,
            )
            for ending in endings * 10
        ]
        for _ in range(5)
    ]
    readers = [["commit", "kill", "commit", "rollback"] * 10, ["commit"] * 50]
    assert sum(run(module_database_url, writers, readers).committed.values()) > 50
