"""The whole stack, started once for all these tests; they run in the order of the file."""

from __future__ import annotations

import json
import os
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from partner_exchange.local import mailsink
from partner_exchange.local.database import database_url, supervisor_of
from partner_exchange.local.launch import is_alive
from partner_exchange.local.paths import StackPaths
from partner_exchange.local.supervise import marked_processes
from partner_exchange.settings import Settings

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]

_PORTS = ("EXCHANGE_AIRFLOW_PORT", "EXCHANGE_SFTP_PORT", "EXCHANGE_SMTP_PORT")


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        listeners = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [listener.getsockname()[1] for listener in listeners]


@dataclass(frozen=True)
class Machine:
    """One home with its ports, and the command as a person runs it."""

    home: Path
    environment: dict[str, str]
    settings: Settings

    @property
    def paths(self) -> StackPaths:
        return StackPaths.of(self.settings)

    def exchange(self, *arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "partner_exchange.cli", *arguments]
        return subprocess.run(
            command,
            env={**self.environment, **changed},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def parts(self) -> dict[str, dict[str, Any]]:
        return {part["name"]: part for part in json.loads(self.exchange("status", "--json").stdout)["parts"]}


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    root = Path(tempfile.mkdtemp(prefix="exchange-e2e-"))
    ports = _free_ports(len(_PORTS))
    ours = {name: str(port) for name, port in zip(_PORTS, ports, strict=True)}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("EXCHANGE_")}
    home = root / "home"
    settings = Settings(home=home, airflow_port=ports[0], sftp_port=ports[1], smtp_port=ports[2])
    made = Machine(home, {**inherited, **ours, "EXCHANGE_HOME": str(home)}, settings)
    try:
        started = made.exchange("up", "--detach")
        assert started.returncode == 0, started.stdout + started.stderr
        yield made
    finally:
        made.exchange("down")
        shutil.rmtree(root, ignore_errors=True)


def _until(is_so: Callable[[], bool], what: str, timeout_s: float = 120) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, f"{what}: not within {timeout_s} s"
        time.sleep(0.5)


def _rows(machine: Machine) -> list[tuple[Any, ...]]:
    try:
        with psycopg.connect(database_url(machine.settings), connect_timeout=5) as connection:
            return connection.execute("select n from kept order by n").fetchall()
    except psycopg.OperationalError:
        return []


def test_P10_status_shows_every_part_up(machine: Machine) -> None:
    asked = machine.exchange("status", "--json")
    found = json.loads(asked.stdout)
    assert {part["state"] for part in found["parts"]} == {"up"}, found["parts"]
    assert (asked.returncode, found["is_up"]) == (0, True)
    assert set(machine.parts()) == {
        "postgres", "gateway", "mail", "api-server", "scheduler", "dag-processor", "triggerer"
    }  # fmt: skip
    assert found["parts"][1]["port"] == machine.settings.sftp_port


def test_P10_every_process_of_the_stack_carries_its_mark(machine: Machine) -> None:
    # A process between fork and exec, or one that has just ended, may be seen unmarked for a moment.
    _until(lambda: not _unmarked(machine), "every process is marked", 30)


def _unmarked(machine: Machine) -> set[int]:
    supervisor = supervisor_of(machine.paths)
    assert supervisor is not None
    everyone = [supervisor, *supervisor.children(recursive=True)]
    marked = {process.pid for process in marked_processes(machine.paths)}
    return {process.pid for process in everyone if is_alive(process)} - marked


def test_P10_no_secret_is_readable_by_others(machine: Machine) -> None:
    readable = [
        path
        for path in machine.home.rglob("*")
        if path.suffix in {".json", ".conf"} and path.is_file() and path.stat().st_mode & 0o077
    ]
    assert readable == [machine.paths.run / "sockets.json"] or readable == []


def test_P10_a_second_up_says_so_and_changes_nothing(machine: Machine) -> None:
    before = {name: part["pid"] for name, part in machine.parts().items()}
    again = machine.exchange("up", "--detach")
    assert again.returncode == 0
    assert again.stdout.startswith("Already up: http://127.0.0.1:")
    assert {name: part["pid"] for name, part in machine.parts().items()} == before


def test_P10_another_home_on_the_same_ports_is_told_which_ones(machine: Machine) -> None:
    other = machine.home.parent / "other"
    refused = machine.exchange("up", "--detach", EXCHANGE_HOME=str(other))
    assert refused.returncode != 0
    said = refused.stdout + refused.stderr
    for name, port in (
        ("EXCHANGE_AIRFLOW_PORT", machine.settings.airflow_port),
        ("EXCHANGE_SFTP_PORT", machine.settings.sftp_port),
        ("EXCHANGE_SMTP_PORT", machine.settings.smtp_port),
    ):
        assert name in said
        assert str(port) in said
    assert "Traceback" not in said
    assert not (other / "postgres").exists()


def test_P10_the_mail_sink_takes_mail(machine: Machine) -> None:
    with smtplib.SMTP("127.0.0.1", machine.settings.smtp_port, timeout=30) as client:
        client.sendmail("a@example.org", ["b@example.org"], b"Subject: hello\r\n\r\nworld\r\n")
    assert "hello" in [mail.subject for mail in mailsink.read_mails(machine.settings)]


def test_P10_a_killed_postgres_comes_back_with_its_data(machine: Machine) -> None:
    with psycopg.connect(database_url(machine.settings), autocommit=True) as connection:
        connection.execute("create table kept as select 1 as n")
    os.kill(machine.parts()["postgres"]["pid"], signal.SIGKILL)
    _until(lambda: _rows(machine) == [(1,)], "PostgreSQL is healed")
    _until(lambda: machine.exchange("status").returncode == 0, "everything is well again")


def test_P10_a_killed_scheduler_leaves_no_workers_behind(machine: Machine) -> None:
    scheduler = psutil.Process(machine.parts()["scheduler"]["pid"])
    workers = scheduler.children(recursive=True)
    assert workers
    scheduler.kill()
    _until(lambda: not any(worker.is_running() for worker in workers), "its workers are ended")
    _until(lambda: machine.exchange("status").returncode == 0, "everything is well again")


def test_P10_a_command_uses_the_running_server(machine: Machine) -> None:
    server = machine.parts()["postgres"]["pid"]
    assert machine.exchange("submissions", "--json").returncode == 0
    assert machine.parts()["postgres"]["pid"] == server


def test_P10_up_after_a_killed_supervisor_starts_afresh_and_keeps_the_data(machine: Machine) -> None:
    supervisor = supervisor_of(machine.paths)
    assert supervisor is not None
    orphans = supervisor.children()
    supervisor.kill()
    supervisor.wait(10)
    assert machine.exchange("status").returncode == 3
    again = machine.exchange("up", "--detach")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "that an earlier stack had left" in again.stdout
    assert not any(orphan.is_running() for orphan in orphans)
    assert _rows(machine) == [(1,)]


def test_P10_down_leaves_no_process_and_keeps_the_data(machine: Machine) -> None:
    stopped = machine.exchange("down")
    assert stopped.returncode == 0, stopped.stdout + stopped.stderr
    assert marked_processes(machine.paths) == []
    assert not machine.paths.environments.exists()
    assert not machine.paths.supervisor_socket.exists()
    assert machine.exchange("status").returncode == 3
    assert machine.exchange("down").returncode == 0
    assert (machine.home / "postgres" / "data" / "PG_VERSION").exists()


def test_P10_up_in_the_foreground_ends_everything_on_sigterm(machine: Machine) -> None:
    log = machine.home.parent / "up.log"
    with log.open("wb") as stream:
        command = [sys.executable, "-m", "partner_exchange.cli", "up"]
        process = subprocess.Popen(command, env=machine.environment, stdout=stream, stderr=stream)
        _until(lambda: "Press Ctrl-C" in log.read_text() or process.poll() is not None, "up", 400)
        assert process.poll() is None, log.read_text()
        assert _rows(machine) == [(1,)]
        process.send_signal(signal.SIGTERM)
        process.wait(120)
    assert process.returncode == 0, log.read_text()
    assert marked_processes(machine.paths) == []
