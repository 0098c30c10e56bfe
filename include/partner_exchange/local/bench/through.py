"""From drop to ``.completed`` through SFTP and Airflow, beside a chain of as many tasks that do nothing."""

from __future__ import annotations

import json
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from partner_exchange import clock
from partner_exchange.errors import StackError
from partner_exchange.gateway.service import pinned_host_key
from partner_exchange.local import stack
from partner_exchange.local.airflow import UI_USER, ui_password, ui_url
from partner_exchange.local.partner import Partner, ensure_partner_key
from partner_exchange.local.roster_maker import make_roster
from partner_exchange.settings import PROJECT_DIR, Settings
from partner_exchange.tenants import registry

TENANT = "state-university"
ROWS = 20_000
CHAIN = "bench__chain"
CHAIN_LENGTH = 7
"""As many tasks as an inbound run has for one file."""

_PATIENCE_S = 120.0
_LOOK_S = 0.05
_CHAIN_FILE = f'''\
"""A chain of tasks that do nothing, for the bench; the words airflow and DAG make Airflow scan this file."""

from datetime import UTC, datetime

from airflow.sdk import DAG, task


@task
def nothing() -> None:
    """Do nothing."""


start = datetime(2026, 1, 1, tzinfo=UTC)
with DAG("{CHAIN}", start_date=start, schedule=None, is_paused_upon_creation=False):
    earlier = nothing.override(task_id="task_1")()
    for number in range(2, {CHAIN_LENGTH} + 1):
        later = nothing.override(task_id=f"task_{{number}}")()
        earlier >> later
        earlier = later
'''


@dataclass(frozen=True)
class ThroughFigures:
    """Seconds of each drop and of each chain run, taken in turns in one stack."""

    rows: int
    drops_s: list[float]
    chains_s: list[float]

    @property
    def drop_s(self) -> float:
        """Return the median from the end of the upload to the result file in the partner's folder."""
        return median(self.drops_s)

    @property
    def chain_s(self) -> float:
        """Return the median from the trigger to the end of the last task."""
        return median(self.chains_s)


def measure_through(folder: Path, *, runs: int) -> ThroughFigures:
    """Start a stack of its own in ``folder`` on free ports and measure drops and chains in turns."""
    settings = _settings(folder)
    tenant = registry.load(settings.tenants_dir).get(TENANT)
    ensure_partner_key(settings, tenant)
    with _running(settings):
        partner = Partner(settings, tenant, pinned_host_key(settings))
        ui = _Ui(settings)
        inbox = settings.partner_homes_dir / TENANT / tenant.inbox.folder
        terms = tenant.roster.requirement_terms
        # The first of each warms up what a running exchange has warm, and is not counted.
        drops_s, chains_s = [], []
        for run in range(runs + 1):
            file = folder / f"roster-{run}.csv"
            file.write_bytes(make_roster(ROWS, seed=1000 + run, terms=terms, faults=20).content)
            drops_s.append(_drop(partner, file, inbox, tenant.inbox.folder))
            chains_s.append(ui.chain_s())
    return ThroughFigures(ROWS, drops_s[1:], chains_s[1:])


def _settings(folder: Path) -> Settings:
    dags = folder / "dags"
    dags.mkdir()
    for file in (PROJECT_DIR / "dags").glob("*.py"):
        (dags / file.name).write_bytes(file.read_bytes())
    (dags / "bench_chain.py").write_text(_CHAIN_FILE)
    sftp, ftps, https, airflow, smtp = _free_ports(5)
    return Settings(
        home=folder / "home",
        dags_dir=dags,
        sftp_port=sftp,
        ftps_port=ftps,
        https_port=https,
        airflow_port=airflow,
        smtp_port=smtp,
    )


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextmanager
def _running(settings: Settings) -> Iterator[None]:
    stack.up(settings, detach=True, echo=_silent)
    try:
        yield
    finally:
        stack.down(settings, echo=_silent)


def _silent(_: object) -> None:
    """Take the progress lines of the stack."""


def _drop(partner: Partner, file: Path, inbox: Path, folder: str) -> float:
    partner.put(file, f"{folder}/{file.name}")
    start_s = time.monotonic()
    while time.monotonic() - start_s < _PATIENCE_S:
        if any(inbox.glob(f"{file.name}.*.completed")):
            return time.monotonic() - start_s
        time.sleep(_LOOK_S)
    raise StackError("bench-failed", f"No answer to {file.name} within {_PATIENCE_S:.0f} s.")


class _Ui:
    """What the bench asks of Airflow's REST API."""

    def __init__(self, settings: Settings) -> None:
        self._base = ui_url(settings)
        login = {"username": UI_USER, "password": ui_password(settings)}
        self._token = ""
        self._token = str(self._ask("/auth/token", login)["access_token"])

    def chain_s(self) -> float:
        """Trigger the chain once and return its seconds from the trigger to the end of the last task."""
        start_s = time.monotonic()
        moment = clock.now().isoformat()
        run = self._ask(f"/api/v2/dags/{CHAIN}/dagRuns", {"logical_date": moment})
        place = f"/api/v2/dags/{CHAIN}/dagRuns/{run['dag_run_id']}"
        while time.monotonic() - start_s < _PATIENCE_S:
            if self._ask(place)["state"] in ("success", "failed"):
                return time.monotonic() - start_s
            time.sleep(_LOOK_S)
        raise StackError("bench-failed", f"The chain did not end within {_PATIENCE_S:.0f} s.")

    def _ask(self, place: str, body: dict[str, str] | None = None) -> dict[str, object]:
        request = urllib.request.Request(  # noqa: S310 - our own stack on this machine
            self._base + place,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"},
        )
        with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
            answer: dict[str, object] = json.load(reply)
        return answer
