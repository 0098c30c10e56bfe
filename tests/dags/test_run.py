"""Whole runs of the inbound DAG in one process: real SFTP server, real PostgreSQL, all real steps."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from dags.conftest import airflow
from partner_exchange.ledger.database import transaction
from partner_exchange.storage.folders import LocalHome
from partner_exchange.submissions.claim import claim
from partner_exchange.tenants import registry
from support.servers import SftpServer

pytestmark = [pytest.mark.service, pytest.mark.slow]

TENANT = """\
name: Alpha College
preset: medproctor-columns
contacts:
  refusal: [stop@alpha.example]
"""
HEADER = "Username,StudentId,LastName,FirstName,Telephone,Dob,RequirementGroup,Term,OnCampus\r\n"


def a_roster(first: int) -> str:
    who = "s{0}@uni.example,S{0:06},Nguyen,Ada,512-555-0100,01/31/2001"
    lines = (f"{who.format(first + n)},Undergraduate,Fall 2026,1\r\n" for n in range(3))
    return HEADER + "".join(lines)


@dataclass
class College:
    """The tenant ``alpha`` and what became of its files."""

    server: SftpServer
    storage: Path

    def run(self) -> str:
        """Run the DAG once and return what Airflow printed."""
        run = airflow("dags", "test", "inbound__alpha")
        return run.stdout + run.stderr

    def states(self) -> list[tuple[object, ...]]:
        query = "select file_name, state, outcome, failure_code from ledger.submission order by seq"
        with transaction() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def inbox(self) -> list[str]:
        return sorted(path.name for path in self.server.inbox("alpha").iterdir() if path.is_file())


@pytest.fixture
def college(
    server: SftpServer,
    database_url: str,
    tenants_dir: Path,
    airflow_database: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> College:
    (tenants_dir / "alpha.yaml").write_text(TENANT)
    monkeypatch.setenv("EXCHANGE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("EXCHANGE_STORAGE_URL", f"file://{tmp_path / 'storage'}")
    server.inbox("alpha")
    return College(server, tmp_path / "storage")


def test_M33_a_run_answers_every_file_and_shows_names_but_no_cells(college: College) -> None:
    college.server.drop("alpha", "first.csv", a_roster(0))
    college.server.drop("alpha", "second.csv", a_roster(10))
    printed = college.run()
    assert college.states() == [
        ("first.csv", "done", "accepted", None),
        ("second.csv", "done", "accepted", None),
    ]
    assert [name.split(".")[0] for name in college.inbox() if name.endswith(".completed")] == [
        "first",
        "second",
    ]
    assert "state=success" in printed
    assert "Nguyen" not in printed
    assert "s11@uni.example" not in printed


def test_X18_a_run_that_finds_nothing_is_green_and_leaves_no_trace(college: College) -> None:
    printed = college.run()
    assert "state=success" in printed
    assert "Nothing to claim" in printed
    assert college.states() == []
    assert college.inbox() == []


def test_X02_a_submission_that_cannot_be_finished_is_answered_and_turns_the_run_red(college: College) -> None:
    college.server.drop("alpha", "lost.csv", a_roster(0))
    claim(LocalHome(college.server.root / "alpha"), registry.load().get("alpha"))
    shutil.rmtree(college.storage)
    college.server.drop("alpha", "good.csv", a_roster(10))
    printed = college.run()
    assert college.states() == [
        ("lost.csv", "failed", None, "step-failed"),
        ("good.csv", "done", "accepted", None),
    ]
    assert [name.split(".")[0] for name in college.inbox() if name.endswith(".completed")] == ["good", "lost"]
    assert "1 of 2 submissions failed" in printed
    assert "state=failed" in printed
