"""What is said of days that not every month has."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from partner_exchange.exports.missing_days import sentences
from partner_exchange.exports.schedule import next_runs
from partner_exchange.tenants.schedule import cron_of

_REMEDY = "; `on the last day of the month` runs in each."


@pytest.mark.parametrize(
    ("schedule", "told"),
    [
        (
            "on the 31st of each month at 02:00",
            ["February, April, June, September and November have no 31st and so no run on it" + _REMEDY],
        ),
        ("0 2 30 * *", ["February has no 30th and so no run on it" + _REMEDY]),
        ("0 2 29 * *", ["February has no 29th, except in leap years, and so no run on it" + _REMEDY]),
        ("0 2 31 JAN,APR-JUN *", ["April and June have no 31st and so no run on it" + _REMEDY]),
        (
            "0 2 15,30,31 1-4 *",
            [
                "February has no 30th and so no run on it.",
                "February and April have no 31st and so no run on it.",
            ],
        ),
        ("0 2 31 1,3 *", []),
        ("0 2 28 * *", []),
        ("0 2 L * *", []),
        ("0 2 31 * MON", []),
        ("0 2 */10 * *", []),
        ("0 2 25-31 * *", []),
        ("0 2 * * *", []),
    ],
)
def test_M44_months_that_lack_the_day_are_named(schedule: str, told: list[str]) -> None:
    assert sentences(cron_of(schedule)) == told


def test_M44_the_months_are_those_without_a_run() -> None:
    runs = next_runs("0 2 31 * *", ZoneInfo("UTC"), after=datetime(2027, 1, 1, tzinfo=UTC), count=7)
    without = {f"{datetime(2027, month, 1, tzinfo=UTC):%B}" for month in range(1, 13)} - {
        f"{one:%B}" for one in runs
    }
    (sentence,) = sentences("0 2 31 * *")
    assert without == {word.strip(",") for word in sentence.partition(" have ")[0].split()} - {"and"}
