"""What several commands say in the same words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

from partner_exchange.cli.options import plain, utc

AT = datetime(2026, 11, 21, 23, 5, 9, 120_000, tzinfo=timezone(timedelta(hours=-6)))


@dataclass(frozen=True)
class Line:
    at: datetime
    day: date
    file: Path


def test_M43_tables_show_instants_in_utc() -> None:
    assert utc(AT) == "2026-11-22 05:05:09"
    assert utc(AT.astimezone(UTC), "minutes") == "2026-11-22 05:05"
    assert utc(None) == ""


def test_M43_json_has_the_fields_of_what_is_listed() -> None:
    told = json.loads(json.dumps([Line(AT, AT.date(), Path("a.csv"))], default=plain))
    assert told == [{"at": "2026-11-21T23:05:09.120000-06:00", "day": "2026-11-21", "file": "a.csv"}]
