"""Time is UTC, and a test can stop it."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from partner_exchange import clock

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def test_M48_now_is_aware_and_in_utc() -> None:
    assert clock.now().utcoffset() == timedelta(0)


def test_M48_day_is_the_utc_day_near_midnight() -> None:
    chicago = timezone(timedelta(hours=-6))
    with clock.frozen(datetime(2026, 12, 31, 23, 59, tzinfo=chicago)):
        assert clock.today() == date(2027, 1, 1)
        assert clock.now() == datetime(2027, 1, 1, 5, 59, tzinfo=UTC)


def test_P2_frozen_time_nests_and_ends_with_its_block() -> None:
    with clock.frozen(NOON):
        with clock.frozen(NOON + timedelta(hours=1)):
            assert clock.now().hour == 13
        assert clock.now() == NOON
    assert clock.now() != NOON


def test_P2_time_goes_on_after_a_failure_inside_the_block() -> None:
    with pytest.raises(RuntimeError), clock.frozen(NOON):
        raise RuntimeError
    assert clock.now() != NOON


async def test_P2_frozen_time_stays_in_its_task() -> None:
    async def frozen_hour(instant: datetime) -> int:
        with clock.frozen(instant):
            await asyncio.sleep(0)
            return clock.now().hour

    hours = await asyncio.gather(*(frozen_hour(NOON + timedelta(hours=more)) for more in range(5)))
    assert hours == [12, 13, 14, 15, 16]
