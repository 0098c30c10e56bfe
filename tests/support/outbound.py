"""A tenant with exports, its home in a folder, and a person who verifies students: all without Airflow."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from partner_exchange.exports.delivery.carrier import Carrier
from partner_exchange.exports.runs.run import run
from partner_exchange.ledger import deliveries as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.deliveries import Delivery
from partner_exchange.storage.folders import LocalHome
from partner_exchange.stores import students, verifications
from partner_exchange.tenants import registry
from partner_exchange.tenants.exports import Target
from partner_exchange.tenants.model import RosterPolicy, Tenant
from support.builders import a_student_rows, a_submission

CODE = "state-university"
VERIFIED = "verified"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

TENANT_YAML = """\
preset: medproctor-columns
name: State University
mode: production
time_zone: America/Chicago
contacts:
  success: [ok@uni.example]
  delivery: [it@uni.example]
exports:
  verified:
    report: verified_students
    content: delta
    schedule: "*/5 * * * *"
{more}
"""


@dataclass
class Outbound:
    """What the tests of outgoing files work with."""

    folder: Path
    fault: Callable[[], AbstractContextManager[None]] | None = None
    """Stands around each opening of a target."""
    opened: int = field(default=0)

    @property
    def tenant(self) -> Tenant:
        return registry.load_one(CODE)

    @property
    def outbox(self) -> Path:
        return self.folder / "home" / "outbound"

    def write_tenant(self, more: str = "", yaml: str = TENANT_YAML) -> None:
        (self.folder / "tenants" / f"{CODE}.yaml").write_text(yaml.format(more=more))

    @contextmanager
    def open_target(self, _tenant: Tenant, target: Target) -> Iterator[Carrier]:
        """Open a folder of this machine, whatever the target is."""
        self.opened += 1
        folder = target.folder or "outbound"
        carrier = Carrier(LocalHome(self.folder / "home" / folder), folder, is_ours=True)
        if self.fault is None:
            yield carrier
            return
        with self.fault():
            yield carrier

    def enroll(self, count: int, code: str = CODE, **over: object) -> list[str]:
        """Load students and return their Usernames."""
        rows = a_student_rows(count, **over)
        with transaction() as connection:
            loaded = a_submission(connection, tenant_code=code, stamp=f"{count:08}T000000Z")
            students.merge(
                connection,
                rows,
                tenant_code=code,
                submission_id=loaded.submission_id,
                policy=RosterPolicy(),
                now=NOON,
            )
        return list(rows["username"])

    def verify(self, *usernames: str, at: datetime | None = None, code: str = CODE) -> None:
        with transaction() as connection:
            verifications.verify(connection, code, usernames, rule_version="1", actor="test", at=at)

    def unverify(self, *usernames: str, at: datetime | None = None) -> None:
        with transaction() as connection:
            verifications.unverify(connection, CODE, usernames, rule_version="1", actor="test", at=at)

    def run(self, export: str = VERIFIED, *, due_at: datetime | None = None) -> Delivery | None:
        return run(self.tenant, export, self.open_target, due_at=due_at)

    def deliveries(self, export: str = VERIFIED) -> list[Delivery]:
        """All of an export, oldest first."""
        with transaction() as connection:
            return ledger.latest(connection, CODE, export, limit=10_000)[::-1]

    def files(self) -> list[str]:
        """Names in the outbox, half-written ones included."""
        return sorted(path.name for path in self.outbox.iterdir())

    def rows(self, name: str) -> list[list[str]]:
        """Rows of a CSV file in the outbox, without its header."""
        text = (self.outbox / name).read_bytes().decode()
        return list(csv.reader(io.StringIO(text, newline="")))[1:]

    def delivered(self) -> list[str]:
        """Usernames in all files of the outbox, as often as they stand there."""
        return [row[0] for name in self.files() for row in self.rows(name)]


@pytest.fixture
def outbound(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Outbound:
    """One tenant with the export ``verified``."""
    (tmp_path / "tenants").mkdir()
    (tmp_path / "home" / "outbound").mkdir(parents=True)
    monkeypatch.setenv("EXCHANGE_HOME", str(tmp_path / "exchange"))
    monkeypatch.setenv("EXCHANGE_TENANTS_DIR", str(tmp_path / "tenants"))
    monkeypatch.setenv("EXCHANGE_STORAGE_URL", f"file://{tmp_path / 'storage'}")
    found = Outbound(tmp_path)
    found.write_tenant()
    return found
