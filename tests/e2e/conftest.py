"""One real stack for all tests of this folder: PostgreSQL, gateway, mail sink, Airflow, and four partners
with keys.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from partner_exchange.errors import StoreUnavailable
from partner_exchange.gateway.service import pinned_host_key
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.states import FINAL
from partner_exchange.ledger.submissions import Submission
from partner_exchange.local import stack as local_stack
from partner_exchange.local.airflow import UI_USER, ui_password, ui_url
from partner_exchange.local.database import database_url
from partner_exchange.local.partner import Partner, ensure_partner_key
from partner_exchange.settings import PROJECT_DIR, Settings
from partner_exchange.tenants import registry
from support.sshd import sshd

T = TypeVar("T")

TENANTS = ("first-college", "second-college")
TENANT_YAML = """\
preset: medproctor-columns
name: {code}
access:
  public_key_files: ["{{keys}}/{code}/id_rsa.pub"]
contacts:
  success: [ok@{code}.example]
  findings: [fix@{code}.example]
  refusal: [stop@{code}.example]
"""
SENDING = "third-college"
SENDING_YAML = (
    TENANT_YAML
    + """\
exports:
  verified:
    report: verified_students
    content: delta
    schedule: every minute
  elsewhere:
    report: verified_students
    content: delta
    schedule: every minute
    file_name: verified-{{utc}}.jsonl
    format: {{kind: jsonl}}
    target: {{kind: server, connection: third_college, folder: "{folder}", check: content}}
"""
)
HOSPITAL = "mercy-hospital"
CLINIC = "aaa-ssl"
PORTS = ("sftp_port", "ftps_port", "https_port", "airflow_port", "smtp_port")
HEADER = "Username,StudentId,LastName,FirstName,Telephone,Dob,RequirementGroup,Term,OnCampus"


def roster(first: int, rows: int, *, bad: int = 0) -> bytes:
    """A roster of students ``first`` to ``first + rows - 1``; the first ``bad`` of them have no such
    birthday.
    """
    lines = [HEADER]
    for number in range(first, first + rows):
        dob = "02/30/2001" if number < first + bad else "02/28/2001"
        lines.append(f"s{number}@college.example,S{number:07},Nguyen,Ada,,{dob},,,1")
    return ("\n".join(lines) + "\n").encode()


def wait_for(what: str, ask: Callable[[], T | None], timeout_s: float = 90.0) -> T:
    """Ask until there is an answer."""
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        # A test may have killed the database that it asks.
        with contextlib.suppress(StoreUnavailable):
            answer = ask()
            if answer:
                return answer
        time.sleep(0.2)
    raise AssertionError(f"no {what} within {timeout_s:.0f} s")


@dataclass
class Stack:
    """The running stack as partners and data engineers see it."""

    settings: Settings
    partner_folder: Path
    """A folder on the own server of ``SENDING``: OpenSSH, in Airflow's connection ``third_college``."""

    def partner(self, code: str) -> Partner:
        return Partner(self.settings, registry.load().get(code), pinned_host_key(self.settings))

    def inbox(self, code: str) -> Path:
        return self.settings.partner_homes_dir / code / registry.load().get(code).inbox.folder

    def drop(self, code: str, files: dict[str, bytes]) -> None:
        """Upload the files with a real SFTP client, in one session."""
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                (Path(folder) / name).write_bytes(content)
            inbox = registry.load().get(code).inbox.folder
            self.partner(code).put_all([Path(folder) / name for name in files], inbox)

    def submissions(self, code: str) -> list[Submission]:
        with transaction() as connection:
            return ledger.latest(connection, code, limit=500)

    def wait_for_end(self, code: str, names: set[str], timeout_s: float = 120.0) -> dict[str, Submission]:
        """Wait until each name has come to its end; there must be exactly one submission of each."""

        def ended() -> dict[str, Submission] | None:
            found = [one for one in self.submissions(code) if one.file_name in names and one.state in FINAL]
            return (
                {one.file_name: one for one in found} if {one.file_name for one in found} == names else None
            )

        return wait_for(f"end of {len(names)} files", ended, timeout_s)

    def api(self, place: str, body: dict[str, Any] | None = None, method: str | None = None) -> Any:
        request = urllib.request.Request(
            ui_url(self.settings) + place,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self._token()}"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)

    def _token(self) -> str:
        login = {"username": UI_USER, "password": ui_password(self.settings)}
        request = urllib.request.Request(
            f"{ui_url(self.settings)}/auth/token",
            data=json.dumps(login).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as reply:
            return str(json.load(reply)["access_token"])

    def assert_answered_once(self, code: str, names: set[str]) -> None:
        """One submission, one result file and one original for each name, and nothing left in hand."""
        inbox = self.inbox(code)
        counted = [one.file_name for one in self.submissions(code) if one.file_name in names]
        assert sorted(counted) == sorted(names)
        for name in names:
            assert len(list(inbox.glob(f"{name}.*.completed"))) == 1
            assert len(list((inbox / "originals").glob(f"{name}.*"))) == 1
        assert list(inbox.glob("*.processing")) == []


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """A stack on free ports in a folder of its own; stopped and removed at the end."""
    root = Path(tempfile.mkdtemp(prefix="exchange-e2e-"))
    root.chmod(0o755)
    tenants = root / "tenants"
    tenants.mkdir()
    for code in TENANTS:
        (tenants / f"{code}.yaml").write_text(TENANT_YAML.format(code=code))
    # The demo's hospital and clinic as they are: what people start from has to work through a real Airflow.
    for code in (HOSPITAL, CLINIC):
        for part in sorted((PROJECT_DIR / "include" / "tenants").glob(f"{code}*")):
            shutil.copy(part, tenants)
    partner_folder = root / "partner's own"
    partner_folder.mkdir()
    (tenants / f"{SENDING}.yaml").write_text(SENDING_YAML.format(code=SENDING, folder=partner_folder))
    with pytest.MonkeyPatch.context() as patch, sshd(root / "sshd") as server:
        patch.setenv("AIRFLOW_CONN_THIRD_COLLEGE", json.dumps(server.connection()))
        patch.setenv("EXCHANGE_HOME", str(root / "home"))
        patch.setenv("EXCHANGE_TENANTS_DIR", str(tenants))
        for name, port in zip(PORTS, _free_ports(len(PORTS)), strict=True):
            patch.setenv(f"EXCHANGE_{name.upper()}", str(port))
        settings = Settings()
        for code in (*TENANTS, SENDING, HOSPITAL, CLINIC):
            ensure_partner_key(settings, registry.load().get(code))
        local_stack.up(settings, detach=True, echo=print)
        try:
            patch.setenv("EXCHANGE_DATABASE_URL", database_url(settings, "exchange"))
            yield Stack(settings, partner_folder)
        finally:
            local_stack.down(settings, echo=print)
    shutil.rmtree(root)
