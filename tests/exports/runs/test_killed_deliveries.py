"""Kill -9 at any point of a run, and two workers at once: each change stands in one file (M46, X10)."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from itertools import count

import pytest

from partner_exchange.errors import DeliveryWaits
from partner_exchange.exports.runs.deliver import deliver
from partner_exchange.exports.runs.select import select
from partner_exchange.exports.runs.write import write
from partner_exchange.ledger.database import engine
from partner_exchange.ledger.deliveries import DeliveryState
from partner_exchange.stores import verifications
from support.killed import in_child
from support.outbound import CODE, NOON, Outbound

pytestmark = [pytest.mark.slow, pytest.mark.service]

STUDENTS = 8
STRIDE = 12
"""Calls between two kills: fewer than any state of a delivery lasts."""
EARLY = 100
"""A call that every run comes to."""


def test_M46_killed_anywhere_each_change_is_in_one_file(outbound: Outbound) -> None:
    verified = list(outbound.enroll(STUDENTS))
    outbound.verify(*verified)
    states = set()
    for number in count():
        due_at = NOON + timedelta(minutes=number)
        is_over = in_child(partial(outbound.run, due_at=due_at), 1 + number * STRIDE) is not None
        states |= {one.state for one in outbound.deliveries()}
        outbound.run(due_at=due_at)
        assert sorted(outbound.delivered()) == sorted(verified)
        assert all(name.startswith("verified-") for name in outbound.files())
        if is_over:
            break
        verified.append(outbound.enroll(STUDENTS + number + 1)[-1])
        outbound.verify(verified[-1])
    assert {DeliveryState.SELECTED, DeliveryState.WRITTEN, DeliveryState.UPLOADED} <= states
    ranges = [(one.since_position, one.until_position) for one in outbound.deliveries()]
    assert [since for since, _ in ranges] == [0, *(until for _, until in ranges[:-1])]


@pytest.mark.parametrize("step", ["select", "write", "deliver"])
def test_M46_two_workers_at_once_make_one_delivery(outbound: Outbound, step: str) -> None:
    outbound.verify(*outbound.enroll(STUDENTS))
    before = threading.Barrier(4)
    delivery_id = ""
    if step != "select":
        opened = select(outbound.tenant, "verified")
        assert opened is not None
        delivery_id = opened.delivery_id
    if step == "deliver":
        write(delivery_id)

    def work(_: int) -> bool:
        before.wait()
        try:
            if step == "select":
                select(outbound.tenant, "verified")
            elif step == "write":
                write(delivery_id)
            else:
                deliver(delivery_id, outbound.open_target)
        except DeliveryWaits:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert any(pool.map(work, range(4)))
    outbound.run()
    assert len(outbound.deliveries()) == 1
    assert len(outbound.delivered()) == len(set(outbound.delivered())) == STUDENTS


@pytest.mark.parametrize("seed", range(6))
def test_M46_writers_that_commit_late_and_runs_that_are_killed_meet_at_random(
    outbound: Outbound, seed: int
) -> None:
    chance = random.Random(seed)
    usernames = outbound.enroll(360)
    expected: list[str] = []
    mine = threading.Lock()
    parts = [usernames[at::6] for at in range(6)]

    def writer(part: list[str], luck: random.Random) -> None:
        while part:
            several = [part.pop() for _ in range(min(len(part), luck.randint(1, 4)))]
            with engine().connect() as connection:
                verifications.verify(connection, CODE, several, rule_version="1", actor="writer")
                threading.Event().wait(luck.random() * 0.1)
                if luck.random() < 0.2:
                    connection.rollback()
                    continue
                connection.commit()
            with mine:
                expected.extend(several)

    with ThreadPoolExecutor(len(parts)) as pool:
        working = [pool.submit(writer, part, random.Random(seed * 100 + at)) for at, part in enumerate(parts)]
        ends: list[int | None] = []
        while not all(one.done() for one in working):
            # Only in a forked process may a run die without taking the test along.
            at = chance.choice([None, chance.randint(1, 900)]) if ends else EARLY
            ends.append(in_child(lambda: _tolerant(outbound), at))
        for one in working:
            one.result()
    # What a killed run left goes first, and what has come since with the run after it.
    while outbound.run() is not None:
        pass
    assert sorted(outbound.delivered()) == sorted(expected)
    assert len(outbound.deliveries()) > 1
    assert None in ends


def _tolerant(outbound: Outbound) -> None:
    try:
        outbound.run()
    except DeliveryWaits:
        # The lock of a killed run is let go of when the server notices; the next run is soon enough.
        return
