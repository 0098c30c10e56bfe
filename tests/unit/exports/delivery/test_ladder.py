"""When a failed delivery is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from partner_exchange.exports.delivery.ladder import LADDER_S, SPREAD, next_attempt

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SEEDS = [f"01J{number:023d}" for number in range(200)]


def pause_s(attempts: int, seed: str) -> float:
    at = next_attempt(attempts, NOON, seed)
    assert at is not None
    return (at - NOON).total_seconds()


def test_X10_the_pauses_are_ten_minutes_to_a_day() -> None:
    assert LADDER_S == (600, 3600, 4 * 3600, 12 * 3600, 24 * 3600)
    for attempts, middle_s in enumerate(LADDER_S, start=1):
        for seed in SEEDS:
            assert abs(pause_s(attempts, seed) - middle_s) <= middle_s * SPREAD + 1


def test_X10_after_six_tries_a_delivery_is_given_up() -> None:
    assert next_attempt(5, NOON, SEEDS[0]) is not None
    assert next_attempt(6, NOON, SEEDS[0]) is None
    assert next_attempt(60, NOON, SEEDS[0]) is None


def test_X10_what_failed_together_does_not_come_back_together() -> None:
    pauses = [pause_s(1, seed) for seed in SEEDS]
    assert len(set(pauses)) > 80
    assert min(pauses) < 560
    assert max(pauses) > 640


def test_X10_a_step_that_is_run_twice_plans_the_same_instant() -> None:
    assert next_attempt(3, NOON, "a") == next_attempt(3, NOON, "a")
    assert next_attempt(3, NOON + timedelta(hours=1), "a") == NOON + timedelta(
        hours=1, seconds=pause_s(3, "a")
    )
    with pytest.raises(ValueError, match="nothing was tried"):
        next_attempt(0, NOON, "a")
