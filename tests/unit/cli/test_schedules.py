"""What ``tenants check`` says of exports: the cron echoed back, the next runs, and what does not hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from partner_exchange import clock
from partner_exchange.cli import operate

app = typer.Typer()
operate.add_to(app)

NOW = datetime(2027, 3, 12, 18, 0, tzinfo=UTC)
LAKE = """
name: Lake
feed: roster
time_zone: America/Chicago
exports:
  verified:
    report: verified_students
    schedule: one a day at midnight
  early:
    report: student_roster
    schedule: Every Day at 2:30
    time_zone: America/New_York
  asked_for:
    report: verified_students
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EXCHANGE_HOME", str(tmp_path / "home"))
    folder = tmp_path / "tenants"
    folder.mkdir()
    monkeypatch.setenv("EXCHANGE_TENANTS_DIR", str(folder))
    (folder / "lake.yaml").write_text(LAKE)
    return folder


def check(*options: str) -> Result:
    with clock.frozen(NOW):
        return CliRunner().invoke(app, ["tenants", "check", *options])


def test_M45_the_cron_is_echoed_back_with_the_next_five_runs(folder: Path) -> None:
    result = check()
    assert result.exit_code == 0, result.output
    assert result.stdout == (
        "lake: exports.verified: report verified_students\n"
        "  schedule: one a day at midnight\n"
        "  cron: 0 0 * * * (At 00:00), in America/Chicago\n"
        "  next runs: Sat 2027-03-13 00:00 -06:00  2027-03-13T06:00Z\n"
        "             Sun 2027-03-14 00:00 -06:00  2027-03-14T06:00Z\n"
        "             Mon 2027-03-15 00:00 -05:00  2027-03-15T05:00Z\n"
        "             Tue 2027-03-16 00:00 -05:00  2027-03-16T05:00Z\n"
        "             Wed 2027-03-17 00:00 -05:00  2027-03-17T05:00Z\n"
        "  Clocks go forward on 2027-03-14 from 02:00 to 03:00: no run of the schedule is touched.\n"
        "lake: exports.early: report student_roster\n"
        "  schedule: Every Day at 2:30\n"
        "  cron: 30 2 * * * (At 02:30), in America/New_York\n"
        "  next runs: Sat 2027-03-13 02:30 -05:00  2027-03-13T07:30Z\n"
        "             Sun 2027-03-14 03:30 -04:00  2027-03-14T07:30Z\n"
        "             Mon 2027-03-15 02:30 -04:00  2027-03-15T06:30Z\n"
        "             Tue 2027-03-16 02:30 -04:00  2027-03-16T06:30Z\n"
        "             Wed 2027-03-17 02:30 -04:00  2027-03-17T06:30Z\n"
        "  Clocks go forward on 2027-03-14 from 02:00 to 03:00: 02:30 does not exist that day; "
        "Airflow runs at 03:30 instead.\n"
        "lake: exports.asked_for: report verified_students\n"
        "  schedule: none, it goes only by hand\n"
        "1 partner files hold, 0 problems.\n"
    )


def test_M45_the_same_for_machines(folder: Path) -> None:
    verified, early, asked_for = json.loads(check("--json").stdout)["exports"]
    assert (verified["tenant"], verified["export"], verified["report"]) == (
        "lake",
        "verified",
        "verified_students",
    )
    assert (verified["schedule"], verified["cron"]) == ("one a day at midnight", "0 0 * * *")
    assert (early["zone"], early["words"]) == ("America/New_York", "At 02:30")
    assert early["next_runs"][1] == {"local": "2027-03-14T03:30:00-04:00", "utc": "2027-03-14T07:30Z"}
    assert "02:30 does not exist" in early["clock_changes"][0]
    assert asked_for["next_runs"] == []
    assert asked_for["cron"] == ""


def test_M45_months_without_the_day_are_told(folder: Path) -> None:
    (folder / "lake.yaml").write_text(
        LAKE.replace("one a day at midnight", "on the 31st of each month at 02:00")
    )
    told = "February, April, June, September and November have no 31st and so no run on it"
    assert f"\n  {told}; `on the last day of the month` runs in each.\n" in check().stdout
    (found, *others) = [one["missing_days"] for one in json.loads(check("--json").stdout)["exports"]]
    assert told in found[0]
    assert others == [[], []]


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        (
            "one a day at midnight",
            "evvry day at midnigt",
            "lake.yaml: exports.verified.schedule: neither cron",
        ),
        (
            "one a day at midnight",
            "0 0 31 2 *",
            "lake.yaml: exports.verified.schedule: `0 0 31 2 *` never runs",
        ),
        ("report: student_roster", "report: student_rooster", "'student_roster'"),
        ("report: student_roster", "report: student_roster\n    columns: [user_name]", "'username'"),
        ("report: student_roster", "report: student_roster\n    parameters: {colour: red}", "colour"),
    ],
)
def test_M45_what_does_not_hold_is_told_and_fails_the_check(
    folder: Path, written: str, instead: str, told: str
) -> None:
    (folder / "lake.yaml").write_text(LAKE.replace(written, instead))
    result = check()
    assert result.exit_code == 1
    assert told in result.stdout
    assert result.stdout.endswith("0 partner files hold, 1 problems.\n")
    assert json.loads(check("--json").stdout)["tenants"] == []
