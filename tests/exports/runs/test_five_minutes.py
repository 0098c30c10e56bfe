"""A schedule of five minutes over 24 hours: clocks that jump, days of 23 and 25 hours, outages (M44, M74)."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from partner_exchange import clock
from partner_exchange.errors import DeliveryWaits, Unreachable
from partner_exchange.exports.schedule import ticks
from support.outbound import Outbound

pytestmark = [pytest.mark.slow, pytest.mark.service]

CRON = "*/5 * * * *"
ZONE = ZoneInfo("America/Chicago")
DAY = timedelta(hours=24)
STUDENTS = 400

SPRING = datetime(2027, 3, 14, 6, 0, tzinfo=UTC)
AUTUMN = datetime(2026, 11, 1, 5, 0, tzinfo=UTC)
PLAIN = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)


@contextmanager
def _down() -> Iterator[None]:
    raise Unreachable("target-unreachable", "The server cannot be reached.")
    yield


def _walk(outbound: Outbound, wall: list[datetime], *, seed: int, outage: tuple[int, int] = (0, 0)) -> None:
    """Let a run happen at each instant of the wall clock, and students become verified in between."""
    chance = random.Random(seed)
    waiting = outbound.enroll(STUDENTS)
    for number, at in enumerate(wall):
        with clock.frozen(at):
            several = [waiting.pop() for _ in range(min(len(waiting), chance.randint(0, 4)))]
            if several:
                outbound.verify(*several)
            outbound.fault = _down if outage[0] <= number < outage[1] else None
            try:
                outbound.run(due_at=at.replace(second=0, microsecond=0))
            except (Unreachable, DeliveryWaits):
                continue
    outbound.fault = None
    with clock.frozen(max(wall) + timedelta(days=2)):
        outbound.verify(*waiting)
        # What waited goes first, what has come since with the next one.
        outbound.run()
        outbound.run()


def _judge(outbound: Outbound) -> None:
    assert set(Counter(outbound.delivered()).values()) == {1}
    assert len(outbound.delivered()) == STUDENTS
    sent = outbound.deliveries()
    assert all(before.until_position == after.since_position for before, after in pairwise(sent))
    assert (sent[0].since_position, sent[-1].until_position) == (0, STUDENTS)
    assert len({one.delivered_name for one in sent}) == len(sent) == len(outbound.files())


@pytest.mark.parametrize("start", [SPRING, AUTUMN, PLAIN])
def test_M74_a_day_of_five_minutes_has_no_gap_and_no_double(outbound: Outbound, start: datetime) -> None:
    wall = list(ticks(CRON, ZONE, after=start, until=start + DAY))
    assert len(wall) == 288
    assert {after - before for before, after in pairwise(wall)} == {timedelta(minutes=5)}
    _walk(outbound, wall, seed=start.month)
    _judge(outbound)


def test_M74_clocks_that_jump_lose_and_double_nothing(outbound: Outbound) -> None:
    wall = list(ticks(CRON, ZONE, after=PLAIN, until=PLAIN + DAY))
    # Back by half an hour, forth by three hours, and a run that comes twice.
    jumping = [*wall[:60], *wall[54:100], *wall[136:180], wall[179], *wall[178:]]
    _walk(outbound, jumping, seed=7)
    _judge(outbound)


def test_M74_an_outage_of_hours_is_caught_up_with(outbound: Outbound) -> None:
    wall = list(ticks(CRON, ZONE, after=AUTUMN, until=AUTUMN + DAY))
    _walk(outbound, wall, seed=9, outage=(20, 60))
    _judge(outbound)
    longest = max(after.opened_at - before.opened_at for before, after in pairwise(outbound.deliveries()))
    assert longest > timedelta(hours=2)
