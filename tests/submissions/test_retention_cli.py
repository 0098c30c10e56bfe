"""``exchange retention``: look, purge, and what is told of it (T39)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from partner_exchange import clock
from partner_exchange.cli import retention
from partner_exchange.errors import ConfigError, UnknownTenant
from submissions.conftest import Exchange, roster, student

pytestmark = pytest.mark.service

OLD = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)

app = typer.Typer()
retention.add_to(app)


@pytest.fixture
def aged(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> Exchange:
    """The tenant ``alpha`` keeps files for 180 days; it has an older one, behind this machine's gateway."""
    monkeypatch.setenv("EXCHANGE_HOME", str(exchange.folder))
    say(exchange, "{days: 180}")
    with clock.frozen(OLD):
        exchange.drop(roster(student(1), student(2, dob="02/30/2001")))
        exchange.run()
    return exchange


def say(exchange: Exchange, retention_policy: str, more: str = "") -> None:
    policy = exchange.folder / "tenants" / "alpha.yaml"
    text = policy.read_text().partition("retention:")[0]
    policy.write_text(f"{text}retention: {retention_policy}\n{more}")


def files(exchange: Exchange) -> int:
    return sum(path.is_file() for path in exchange.home_dir().rglob("*"))


def run(*arguments: str, code: int = 0, answer: str = "", at: datetime = NOW) -> str:
    with clock.frozen(at):
        result = CliRunner().invoke(app, ["retention", *arguments], input=answer, catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


def as_json(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json"))


def test_T39_the_list_tells_kind_path_size_and_changes_nothing(aged: Exchange) -> None:
    *lines, totals = run("list", "-t", "alpha").splitlines()
    assert [line.split()[0] for line in lines] == ["kind", "original", "fix-it", "result", "archive"]
    assert totals.startswith("alpha: 1 submission ended before 2026-05-25 09:00 UTC (180 days), 4 files (")
    assert "1 archive, 1 fix-it, 1 original, 1 result" in totals
    assert files(aged) == 3
    document = as_json("list", "-t", "alpha")
    assert (document["days"], document["waiting"], len(document["files"])) == (180, 0, 4)
    assert {one["kind"] for one in document["files"]} == {"result", "original", "fix-it", "archive"}


def test_T39_the_list_says_when_files_stay(aged: Exchange) -> None:
    say(aged, "{days: 180, legal_hold: true}")
    assert "held" in run("list", "-t", "alpha")
    assert as_json("list", "-t", "alpha")["legal_hold"] is True
    assert "held" in run("purge", "-t", "alpha", "--yes")
    say(aged, "{days: never}")
    assert "nothing is ever purged" in run("list", "-t", "alpha")
    assert as_json("list", "-t", "alpha")["files"] == []
    assert files(aged) == 3


def test_T39_a_purge_asks_first_and_tells_what_it_did(aged: Exchange) -> None:
    run("purge", "-t", "alpha", code=1, answer="n\n")
    assert files(aged) == 3
    listed = as_json("list", "-t", "alpha")["files"]
    told = run("purge", "-t", "alpha", "--by", "jo", answer="y\n")
    assert "alpha: purged 1 submission, 4 files" in told
    assert files(aged) == 0
    gone = as_json("tombstones", "-t", "alpha")
    assert sorted((one["kind"], one["path"], one["size_bytes"]) for one in gone) == sorted(
        (one["kind"], one["path"], one["size_bytes"]) for one in listed
    )
    assert {(one["policy_days"], one["purged_at"]) for one in gone} == {(180, NOW.isoformat())}
    assert all(len(one["sha256"]) == 64 for one in gone)
    assert aged.rows("select actor, action from ledger.audit") == [("jo", "retention.purge")]
    assert run("tombstones", "-t", "alpha").count("2026-11-21 09:00") == 4
    assert "0 files (none)" in run("purge", "-t", "alpha", "--yes")


def test_T39_the_list_looks_ahead_on_request(aged: Exchange) -> None:
    soon = datetime(2026, 8, 20, tzinfo=UTC)
    assert "0 submissions" in run("list", "-t", "alpha", at=soon)
    assert "1 submission ended" in run("list", "-t", "alpha", "--within", "14", at=soon)


def test_T39_a_home_on_another_server_is_left_to_airflow(aged: Exchange) -> None:
    say(aged, "{days: 180}", "inbox: {connection: their_server}\n")
    for command in (["list"], ["purge", "--yes"]):
        with pytest.raises(ConfigError) as caught:
            run(*command, "-t", "alpha")
        assert caught.value.code == "home-elsewhere"
    assert "There are none." in run("tombstones", "-t", "alpha")


def test_T39_an_unknown_partner_is_refused(aged: Exchange) -> None:
    for command in ("list", "purge", "tombstones"):
        with pytest.raises(UnknownTenant):
            run(command, "-t", "nobody")
