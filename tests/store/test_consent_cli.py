"""``exchange consent``: import, list, held, release, purge; never a name (T61, T62)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from partner_exchange import clock
from partner_exchange.cli.consent import consent_app
from partner_exchange.errors import ConfigError
from partner_exchange.ledger.database import transaction
from partner_exchange.stores import immunizations
from partner_exchange.tenants import registry
from support.immunizations import a_dose, a_message, accepted

pytestmark = pytest.mark.service

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HEADER = "PatientId,AssigningAuthority,LastName,FirstName,BirthDate,ConsentType,ConsentStatus,ConsentDate"
SECRETS = ("1001", "Example", "Ann", "CLINIC")


@pytest.fixture(autouse=True)
def held(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tenant ``clinic`` with one held dose of patient 1001, and ``school`` with another feed."""
    monkeypatch.setenv("EXCHANGE_TENANTS_DIR", str(tmp_path))
    # JSON is YAML.
    clinic = {"name": "Clinic", "preset": "texas-registry", "mode": "production", "vxu": {"held_days": 30}}
    (tmp_path / "clinic.yaml").write_text(json.dumps(clinic))
    (tmp_path / "school.yaml").write_text(json.dumps({"name": "School", "feed": "roster"}))
    sent = accepted(a_message("1001", doses=[a_dose("A1|X")]))
    tenant = registry.load_one("clinic")
    with transaction() as connection:
        immunizations.merge(connection, sent, tenant=tenant, submission_id="s", now=NOON)


def run(*arguments: str, code: int = 0, at: datetime = NOON) -> str:
    with clock.frozen(at):
        result: Result = CliRunner().invoke(consent_app, [*arguments, "--tenant", "clinic"])
    assert result.exit_code == code, result.output
    return result.stdout


def a_file(tmp_path: Path, *lines: str) -> str:
    path = tmp_path / "consents.csv"
    path.write_text("\r\n".join((HEADER, *lines)) + "\r\n")
    return str(path)


def sizes() -> tuple[int, ...]:
    with transaction() as connection:
        return tuple(
            connection.execute(text(f"select count(*) from store.{one}")).scalar_one()
            for one in ("dose", "held_dose", "consent")
        )


YES = "1001,CLINIC,Example,Ann,2020-02-03,CHILD,YES,20261101"


def test_T62_an_import_releases_what_was_held(tmp_path: Path) -> None:
    told = run("import", a_file(tmp_path, YES))
    assert "lines 1: recorded 1, known or repeated 0, rejected 0" in told
    assert "doses released 1, taken out of the store 0" in told
    assert sizes() == (1, 0, 1)
    assert "recorded 0, known or repeated 1" in run("import", a_file(tmp_path, YES))
    assert not any(one in told for one in SECRETS)


def test_T62_a_withdrawal_takes_out_what_was_stored(tmp_path: Path) -> None:
    run("import", a_file(tmp_path, YES))
    told = run("import", a_file(tmp_path, YES.replace("YES,20261101", "withdrawn,20261120")), "--json")
    document = json.loads(told)
    assert (document["recorded"], document["taken_out"]) == (1, 1)
    assert sizes() == (0, 1, 2)


def test_T62_bad_lines_are_told_by_number_and_the_others_taken(tmp_path: Path) -> None:
    bad = (
        "1001,CLINIC,,,,PARENT,YES,20261101",
        "1001,CLINIC,,,,CHILD,YES,20260230",
        ",,Example,,,CHILD,NO,20260101",
    )
    document = json.loads(run("import", a_file(tmp_path, YES, *bad), "--json", code=1))
    assert (document["lines"], document["recorded"], document["rejected"]) == (4, 1, 3)
    told = [(one["line"], one["column"], one["code"]) for one in document["findings"]]
    assert told == [
        (3, "ConsentType", "consent-type-unknown"),
        (4, "ConsentDate", "consent-date"),
        (5, "", "consent-person-missing"),
    ]
    assert not any(one in json.dumps(document) for one in SECRETS)
    plain = run("import", a_file(tmp_path, YES, *bad), code=1)
    assert "consent-type-unknown" in plain
    assert not any(one in plain for one in SECRETS)


def test_T62_a_file_that_is_none_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("Last,First\r\nExample,Ann\r\n")
    assert "refused" in run("import", str(path), code=2)
    assert sizes() == (0, 1, 0)


def test_T61_the_list_counts_and_names_ids_only_when_asked(tmp_path: Path) -> None:
    run("import", a_file(tmp_path, YES, ",,Example,Bob,20200203,CHILD,NO,20261101"))
    plain = run("list")
    assert "CHILD" in plain
    assert not any(one in plain for one in SECRETS)
    assert json.loads(run("list", "--json")) == {
        "counts": [
            {"type": "CHILD", "status": "NO", "count": 1},
            {"type": "CHILD", "status": "YES", "count": 1},
        ]
    }
    with_ids = json.loads(run("list", "--json", "--ids"))
    assert [one["identifier"] for one in with_ids["records"]] == ["1001", ""]
    assert "Example" not in json.dumps(with_ids)
    assert "(by name)" in run("list", "--ids")


def test_T62_what_is_held_is_told_with_its_end(tmp_path: Path) -> None:
    told = run("held")
    assert "1 doses of 1 patients" in told
    assert "held since 2026-11-21 12:00 UTC; it will be purged after 2026-12-21 12:00 UTC" in told
    assert json.loads(run("held", "--json")) == {
        "patients": 1,
        "doses": 1,
        "oldest_at": "2026-11-21T12:00:00+00:00",
        "oldest_purged_at": "2026-12-21T12:00:00+00:00",
    }
    run("import", a_file(tmp_path, YES))
    assert run("held").strip() == "clinic: 0 doses of 0 patients are held."


def test_T62_a_purge_can_be_tried_first() -> None:
    late = NOON + timedelta(days=31)
    assert "0 held doses would be removed (held over 30 days)" in run("purge", "--dry-run")
    assert json.loads(run("purge", "--dry-run", "--json", at=late)) == {"doses": 1, "is_dry_run": True}
    assert sizes() == (0, 1, 0)
    assert "1 held doses were removed" in run("purge", at=late)
    assert sizes() == (0, 0, 0)


def test_T62_a_release_follows_birthdays_too(tmp_path: Path) -> None:
    run("import", a_file(tmp_path, YES))
    assert "released 0, taken out of the store 0" in run("release")
    grown_up = datetime(2038, 2, 3, 12, 0, tzinfo=UTC)
    assert json.loads(run("release", "--json", at=grown_up)) == {"released": 0, "taken_out": 1}


def test_T62_a_partner_with_another_feed_has_no_consents() -> None:
    result = CliRunner().invoke(consent_app, ["list", "--tenant", "school"])
    assert isinstance(result.exception, ConfigError)
    assert result.exception.code == "feed-without-consents"
