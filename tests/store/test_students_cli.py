"""``exchange students``: verify, unverify, list, history; no Username but where one is asked for (M42)."""

from __future__ import annotations

import getpass
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from partner_exchange import clock
from partner_exchange.cli.students import students_app
from partner_exchange.errors import ConfigError, UnknownTenant
from partner_exchange.ledger import audit
from partner_exchange.ledger.database import transaction
from partner_exchange.stores import students, verification_log, verifications
from partner_exchange.tenants.model import RosterPolicy
from support.builders import a_student_rows

pytestmark = pytest.mark.service

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ONE, TWO, THREE = (f"student{number}@example.edu" for number in (1, 2, 3))


@pytest.fixture(autouse=True)
def roster(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tenants ``hill`` and ``lake`` with three students each, and ``clinic`` with another feed."""
    monkeypatch.setenv("EXCHANGE_TENANTS_DIR", str(tmp_path))
    # JSON is YAML.
    hill = {"name": "Hill", "feed": "roster", "roster": {"verification_rules": "2026.1"}}
    (tmp_path / "hill.yaml").write_text(json.dumps(hill))
    (tmp_path / "lake.yaml").write_text(json.dumps({"name": "Lake", "feed": "roster"}))
    (tmp_path / "clinic.yaml").write_text(json.dumps({"name": "Clinic", "preset": "texas-registry"}))
    with transaction() as connection:
        for code in ("hill", "lake"):
            students.merge(
                connection,
                a_student_rows(3),
                tenant_code=code,
                submission_id="s",
                policy=RosterPolicy(),
                now=NOON,
            )


def run(
    *arguments: str, code: int = 0, tenant: str = "hill", stdin: bytes | None = None, at: datetime = NOON
) -> str:
    with clock.frozen(at):
        result: Result = CliRunner().invoke(students_app, [*arguments, "--tenant", tenant], input=stdin)
    assert result.exit_code == code, result.output
    return result.output if code == 2 else result.stdout


def verified(tenant: str = "hill") -> list[str]:
    with transaction() as connection:
        return [one.username for one in verifications.listed(connection, tenant, is_verified=True, limit=9)]


def a_file(tmp_path: Path, content: str) -> str:
    path = tmp_path / "who.csv"
    path.write_bytes(content.encode())
    return str(path)


def test_M42_named_students_are_verified_and_unverified() -> None:
    assert run("verify", ONE, TWO.upper()) == "hill: 2 became verified, 0 were so already.\n"
    assert run("verify", ONE, THREE) == "hill: 1 became verified, 1 were so already.\n"
    assert run("unverify", TWO) == "hill: 1 became unverified, 0 were so already.\n"
    assert verified() == [ONE, THREE]
    assert verified("lake") == []


def test_M42_all_students_are_verified_with_the_rules_of_the_partner() -> None:
    told = json.loads(run("verify", "--all", "--json"))
    assert told == {"changed": 3, "unchanged": 0, "unknown": 0, "rule_version": "2026.1", "unknown_at": []}
    assert run("verify", "--all") == "hill: 0 became verified, 3 were so already.\n"
    assert json.loads(run("unverify", "--all", "--rule-version", "9", "--json"))["rule_version"] == "9"
    assert verified() == []


@pytest.mark.parametrize(
    "content",
    [
        f"{ONE}\n{THREE}",
        f"\ufeff{ONE}\r\n\r\n {THREE} \r\n",
        f"Username\n{ONE}\n{THREE}\n",
        f"USERNAME,LastName\r\n{ONE},Last\r\n,\r\n{THREE},Last\r\n",
        f'"Username";"LastName"\n"{ONE}";"a\nb"\n"{THREE}";"c"\n',
        f"Username\tLastName\n{ONE}\tLast\n{THREE}\tLast\n",
    ],
)
def test_M42_a_file_says_whom(tmp_path: Path, content: str) -> None:
    assert "2 became verified" in run("verify", "--file", a_file(tmp_path, content))
    assert verified() == [ONE, THREE]


def test_M42_standard_input_says_whom() -> None:
    assert "1 became verified" in run("verify", "--file", "-", stdin=f"{TWO}\n".encode())
    assert verified() == [TWO]


def test_M42_unknown_usernames_are_told_by_line_and_the_others_taken(tmp_path: Path) -> None:
    content = f'Username,Note\n{ONE},"two\nlines"\nsecret1,x\nsecret2,x\n{TWO},x\nsecret3,x\nSECRET3,x\n'
    plain = run("verify", "--file", a_file(tmp_path, content), code=1)
    assert "2 became verified" in plain
    assert "Usernames that belong to no student: 3 (lines 4-5, 7-8)." in plain
    told = run("verify", "--file", a_file(tmp_path, content), "--json", code=1)
    assert json.loads(told)["unknown_at"] == [4, 5, 7, 8]
    assert "secret" not in (plain + told).casefold()
    assert "Usernames that belong to no student: 1 (argument 2)." in run("unverify", ONE, "secret1", code=1)
    assert verified() == [TWO]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"\xff\xfeU\x00", "no UTF-8 text"),
        (b'Username,Note\nsecret,"open\n', "line 2"),
    ],
)
def test_M42_a_file_that_cannot_be_read_changes_nothing(content: bytes, complaint: str) -> None:
    told = run("verify", "--file", "-", stdin=content, code=2)
    assert complaint in " ".join(told.split())
    assert "secret" not in told
    assert verified() == []


def test_M42_an_empty_file_is_nobody_and_not_everybody() -> None:
    for content in (b"", b"\n\n", b"Username\n"):
        assert "0 became verified, 0 were so already" in run("verify", "--file", "-", stdin=content)
    assert verified() == []


@pytest.mark.parametrize("arguments", [[], [ONE, "--all"], ["--all", "--file", "-"], [ONE, "--file", "-"]])
def test_M42_whom_is_said_in_one_way(arguments: list[str]) -> None:
    assert "in one way" in " ".join(run("verify", *arguments, stdin=b"x", code=2).split())
    assert verified() == []


def test_M42_a_blank_username_is_refused() -> None:
    assert "argument 2" in run("verify", ONE, " ", code=2)
    assert "argument 1" in run("verify", "caf\udce9", code=2)
    assert verified() == []


def test_M42_the_list_shows_state_and_rules() -> None:
    run("verify", TWO, at=NOON)
    everyone = run("list").splitlines()
    assert [line.split() for line in everyone[1:]] == [
        [ONE, "unverified"],
        [TWO, "verified", "2026-11-21", "12:00", "2026.1"],
        [THREE, "unverified"],
    ]
    assert json.loads(run("list", "--verified", "--json")) == [
        {
            "username": TWO,
            "is_verified": True,
            "changed_at": "2026-11-21T12:00:00+00:00",
            "rule_version": "2026.1",
        }
    ]
    assert [one["username"] for one in json.loads(run("list", "--unverified", "--limit", "1", "--json"))] == [
        ONE
    ]
    assert run("list", "--verified", tenant="lake") == "There are none.\n"


def test_M42_the_history_tells_who_when_and_why() -> None:
    run("verify", ONE, "--by", "ann", "--reason", "all documents")
    with transaction() as connection:
        verification_log.take_position(connection, "hill")
    run("unverify", ONE, "--rule-version", "2", at=NOON + timedelta(hours=1))
    told = json.loads(run("history", ONE.upper(), "--json"))
    assert told == [
        {
            "is_verified": False,
            "changed_at": "2026-11-21T13:00:00+00:00",
            "rule_version": "2",
            "actor": getpass.getuser(),
            "reason": "",
            "position": None,
        },
        {
            "is_verified": True,
            "changed_at": "2026-11-21T12:00:00+00:00",
            "rule_version": "2026.1",
            "actor": "ann",
            "reason": "all documents",
            "position": 1,
        },
    ]
    lines = run("history", ONE).splitlines()
    assert lines[2].split() == ["2026-11-21", "12:00", "verified", "2026.1", "ann", "all", "documents", "1"]
    assert run("history", TWO) == "There are none.\n"
    told = run("history", "secret", code=2)
    assert "no student of that Username" in " ".join(told.split())
    assert "secret" not in told


def test_M42_each_call_is_in_the_audit_trail() -> None:
    run("verify", ONE, "secret", code=1)
    run("unverify", "--all", "--by", "ann")
    with transaction() as connection:
        last, first = audit.entries(connection, "hill")
    assert (first.actor, first.action) == (getpass.getuser(), "student.verify")
    assert first.facts == {"changed": 1, "unchanged": 0, "unknown": 1, "rule_version": "2026.1"}
    assert (last.actor, last.action, last.facts["changed"]) == ("ann", "student.unverify", 1)


@pytest.mark.parametrize("arguments", [["verify", "--all"], ["unverify", ONE], ["list"], ["history", ONE]])
def test_M42_a_partner_with_another_feed_has_no_students(arguments: list[str]) -> None:
    for tenant, kind in (("clinic", ConfigError), ("nobody", UnknownTenant)):
        result = CliRunner().invoke(students_app, [*arguments, "--tenant", tenant])
        assert isinstance(result.exception, kind)
        if tenant == "clinic":
            assert result.exception.code == "feed-without-students"
