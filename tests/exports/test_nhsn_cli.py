"""``exchange nhsn``: what people who run the exchange see and start by hand (E39)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from partner_exchange import clock
from partner_exchange.cli.nhsn import nhsn_app
from partner_exchange.errors import ConfigError
from partner_exchange.ledger.database import transaction
from partner_exchange.tenants import registry
from support.nhsn import a_hospital, a_hospital_group, report, sound_values

pytestmark = pytest.mark.service

FRIDAY = datetime(2026, 11, 20, 21, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def mercy(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tenant ``mercy`` with a daily and a weekly hospital, of which one has reported."""
    tenants = tmp_path / "tenants"
    tenants.mkdir()
    monkeypatch.setenv("EXCHANGE_TENANTS_DIR", str(tenants))
    monkeypatch.setenv("EXCHANGE_STORAGE_URL", f"file://{tmp_path / 'storage'}")
    group = a_hospital_group(a_hospital(1), a_hospital(2), a_hospital(3, frequency="weekly"))
    # JSON is YAML.
    (tenants / "mercy.yaml").write_text(json.dumps(group.model_dump(mode="json", exclude_defaults=True)))
    with transaction() as connection:
        report(
            connection, registry.load_one("mercy"), sound_values(), recorded_at=FRIDAY - timedelta(hours=1)
        )


def run(*arguments: str, code: int = 0) -> Result:
    with clock.frozen(FRIDAY + timedelta(minutes=1)):
        result = CliRunner().invoke(nhsn_app, list(arguments))
    assert result.exit_code == code, result.output
    return result


def test_E39_what_was_built_is_listed_with_due_time_state_and_reason() -> None:
    built = run("build", "--tenant", "mercy", "--frequency", "daily").stdout
    assert "nhsn_daily due 2026-11-20 21:30: 1 Ready, 1 Not Submitted" in built
    assert "exports/mercy/nhsn_daily/20261120T213000Z.csv" in built
    listed = run("list", "--tenant", "mercy").stdout
    for shown in ("10001", "10002", "2026-11-20 21:30", "Ready", "Not Submitted", "no-data"):
        assert shown in listed
    assert "10003" not in listed


def test_E39_machines_get_json() -> None:
    document = json.loads(run("build", "-t", "mercy", "-f", "daily", "--json").stdout)
    assert document["states"] == {"Ready": 1, "Not Submitted": 1}
    assert document["due_at"] == "2026-11-20T21:30:00+00:00"
    events = json.loads(run("list", "-t", "mercy", "--json").stdout)
    assert [(event["resource_id"], event["state"], event["reason_code"]) for event in events] == [
        ("10001", "Ready", ""),
        ("10002", "Not Submitted", "no-data"),
    ]
    assert events[0]["set_sha256"] == document["sha256"]


def test_E39_the_history_of_one_resource_is_shown() -> None:
    run("build", "-t", "mercy", "-f", "daily", "--at", "2026-11-19T16:30")
    run("build", "-t", "mercy", "-f", "daily")
    events = json.loads(run("list", "-t", "mercy", "--resource", "10001", "--json").stdout)
    assert [event["state"] for event in events] == ["Ready", "Not Submitted"]


def test_E38_building_twice_says_that_nothing_changed() -> None:
    run("build", "-t", "mercy", "-f", "daily")
    assert "It was built before; nothing was changed." in run("build", "-t", "mercy", "-f", "daily").stdout


@pytest.mark.parametrize("at", ["2026-11-17T16:30", "2026-11-17T21:30Z", "2026-11-20"])
def test_E38_a_time_without_offset_is_us_eastern(at: str) -> None:
    built = run("build", "-t", "mercy", "-f", "weekly", "--at", at).stdout
    assert "nhsn_weekly due 2026-11-17 21:30: 1 Not Submitted" in built
    assert "No resource goes, so there is no file." in built


@pytest.mark.parametrize("at", ["yesterday", "2026-11-21T16:30"])
def test_E38_a_time_that_is_none_or_to_come_is_refused(at: str) -> None:
    run("build", "-t", "mercy", "-f", "daily", "--at", at, code=2)
    assert json.loads(run("list", "-t", "mercy", "--json").stdout) == []


def test_E39_an_unknown_resource_or_a_partner_of_another_feed_is_named(tmp_path: Path) -> None:
    said = run("list", "-t", "mercy", "--resource", "1000", code=2).stderr
    assert "no resource '1000'. Did you mean '10001'" in " ".join(said.replace("│", " ").split())
    assert run("list", "-t", "mercy", "--resource", "10001", "--json").stdout.strip() == "[]"
    (tmp_path / "tenants" / "college.yaml").write_text("name: College\nfeed: roster\n")
    for command in (["list"], ["build", "-f", "daily"]):
        result = CliRunner().invoke(nhsn_app, [*command, "-t", "college"])
        assert isinstance(result.exception, ConfigError)
        assert result.exception.code == "feed-without-statuses"


def test_E39_outside_of_a_terminal_each_hospital_is_one_uncut_line() -> None:
    run("build", "-t", "mercy", "-f", "daily")
    lines = run("list", "-t", "mercy").stdout.splitlines()
    assert len(lines) == 3
    assert "…" not in "".join(lines)
    assert lines[2].endswith("Send the HRD template or a bulk file.")
