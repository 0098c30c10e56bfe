"""An exchange without Airflow: two tenants, their homes on disk, a real database, storage in a temporary
folder.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from partner_exchange import clock
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.submissions import Submission
from partner_exchange.storage.folders import LocalHome
from partner_exchange.submissions.claim import claim
from partner_exchange.submissions.process import run_steps
from partner_exchange.tenants import registry
from partner_exchange.tenants.model import Tenant
from support.mailbox import Mailbox

TENANT_YAML = """\
preset: medproctor-columns
name: {name}
contacts:
  success: [ok@{code}.example]
  findings: [fix@{code}.example]
  refusal: [stop@{code}.example]
  support: help@{code}.example
max_file_bytes: 5000000
roster:
  max_rows: {max_rows}
  requirement_terms:
    - {{requirement_group: Undergraduate, term: Fall 2026}}
"""
HEADER = "Username,StudentId,LastName,FirstName,Telephone,Dob,RequirementGroup,Term,OnCampus\r\n"


def student(number: int, *, dob: str = "01/31/2001", last: str = "Nguyen", on_campus: str = "1") -> str:
    """One line of a roster."""
    who = f"student{number}@uni.example,S{number:06},{last},Ada,512-555-0100,{dob}"
    return f"{who},Undergraduate,Fall 2026,{on_campus}\r\n"


def roster(*lines: str) -> bytes:
    """A whole roster file."""
    return (HEADER + "".join(lines)).encode()


@dataclass
class Exchange:
    """What the tests of this folder work with."""

    folder: Path

    def tenant(self, code: str = "alpha") -> Tenant:
        return registry.load().get(code)

    def home_dir(self, code: str = "alpha") -> Path:
        return self.folder / "homes" / code

    def home(self, code: str = "alpha") -> LocalHome:
        return LocalHome(self.home_dir(code))

    def inbox(self, code: str = "alpha") -> Path:
        return self.home_dir(code) / registry.load_one(code).inbox.folder

    def drop(self, content: bytes, name: str = "roster.csv", code: str = "alpha") -> None:
        (self.inbox(code) / name).write_bytes(content)

    def claim_all(self, code: str = "alpha") -> list[str]:
        return [one.submission_id for one in claim(self.home(code), self.tenant(code))]

    def run(self, code: str = "alpha") -> list[Submission]:
        """Claim and process what lies in the inbox; return the submissions in the order of their claims."""
        claimed = self.claim_all(code)
        for submission_id in claimed:
            run_steps(submission_id, self.home(code))
        return [self.get(submission_id) for submission_id in claimed]

    def get(self, submission_id: str) -> Submission:
        with transaction() as connection:
            return ledger.get(connection, submission_id)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with transaction() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def files(self, pattern: str, code: str = "alpha") -> list[Path]:
        return sorted(self.inbox(code).glob(pattern))

    def answer(self, code: str = "alpha") -> str:
        """The one result file of the inbox."""
        (found,) = self.files("*.completed", code)
        return found.read_text()


HOSPITAL_YAML = """\
preset: emresource
name: Mercy
mode: production
time_zone: America/Chicago
contacts:
  success: [ok@mercy.example]
  findings: [fix@mercy.example]
  refusal: [stop@mercy.example]
status:
  resources:
    - {name: North, production_id: "R1", test_id: "T1",
       nhsn: {org_id: "10001", test_org_id: "90001", context: HOSP, frequency: daily}}
    - {name: South, production_id: "R2", test_id: "T2",
       nhsn: {org_id: "10002", test_org_id: "90002", context: HOSP, frequency: weekly}}
"""


@pytest.fixture
def hospital(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Exchange:
    """One tenant, ``mercy``, that sends statuses of the resources R1 and R2."""
    tenants = tmp_path / "tenants"
    tenants.mkdir()
    (tenants / "mercy.yaml").write_text(HOSPITAL_YAML)
    _use(tmp_path, monkeypatch)
    found = Exchange(tmp_path)
    found.inbox("mercy").mkdir(parents=True)
    return found


def _use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXCHANGE_HOME", str(folder / "home"))
    monkeypatch.setenv("EXCHANGE_TENANTS_DIR", str(folder / "tenants"))
    monkeypatch.setenv("EXCHANGE_STORAGE_URL", f"file://{folder / 'storage'}")
    logging.getLogger("partner_exchange").setLevel(logging.INFO)


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    """A real SMTP server that the exchange sends to."""
    with Mailbox() as found:
        monkeypatch.setenv("EXCHANGE_SMTP_HOST", found.host)
        monkeypatch.setenv("EXCHANGE_SMTP_PORT", str(found.port))
        yield found


@pytest.fixture
def exchange(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Exchange:
    """Two tenants, ``alpha`` and ``beta``; alpha takes 500 rows."""
    tenants = tmp_path / "tenants"
    tenants.mkdir()
    for code, max_rows in (("alpha", 500), ("beta", 50_000)):
        (tenants / f"{code}.yaml").write_text(
            TENANT_YAML.format(code=code, name=code.title(), max_rows=max_rows)
        )
        (tmp_path / "homes" / code / "inbound").mkdir(parents=True)
    _use(tmp_path, monkeypatch)
    return Exchange(tmp_path)


CLINIC = "aaa-ssl"
CLINIC_NOW = datetime(2026, 11, 21, 15, tzinfo=UTC)
CLINIC_YAML = """\
preset: texas-registry
name: Clinic
mode: {mode}
contacts:
  success: [ok@clinic.example]
  findings: [fix@clinic.example]
  refusal: [stop@clinic.example]
"""


@pytest.fixture
def clinic(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exchange]:
    """A registry partner in production, and another one in test; the clock stands still."""
    tenants = tmp_path / "tenants"
    tenants.mkdir()
    (tenants / f"{CLINIC}.yaml").write_text(CLINIC_YAML.format(mode="production"))
    (tenants / "bbb-ssl.yaml").write_text(CLINIC_YAML.format(mode="test"))
    _use(tmp_path, monkeypatch)
    found = Exchange(tmp_path)
    for code in (CLINIC, "bbb-ssl"):
        found.inbox(code).mkdir(parents=True)
    with clock.frozen(CLINIC_NOW):
        yield found
