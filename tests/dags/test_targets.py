"""Targets opened from Airflow connections: the partner's own server and the partner's home here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
from airflow.sdk.execution_time.comms import ErrorResponse

from partner_exchange.errors import (
    DeliveryError,
    HostKeyChanged,
    InboxError,
    InboxLoginRefused,
    InboxUnavailable,
    LoginRefused,
    PathMissing,
    Transient,
    Unreachable,
)
from partner_exchange.exports.delivery.probe import probe
from partner_exchange.gateway import service
from partner_exchange.orchestration.inbox import open_client
from partner_exchange.orchestration.targets import expires_on, open_target
from partner_exchange.tenants.exports import Target
from support.builders import a_tenant
from support.gateway import Gateway
from support.sshd import Sshd, a_user, public_folder, sshd

pytestmark = pytest.mark.service

NORTH = a_tenant(code="north")
Connect = Callable[..., None]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("server") / "sshd") as running:
        yield running


@pytest.fixture
def box(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


@pytest.fixture
def connect(server: Sshd, monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Set the Airflow connection ``north_sftp``; keywords go over what holds, None takes a part away."""

    def connect(server: Sshd = server, **over: Any) -> None:
        facts = server.connection()
        extra = facts["extra"] | over.pop("extra", {})
        facts |= over
        facts["extra"] = {name: value for name, value in extra.items() if value is not None}
        facts = {name: value for name, value in facts.items() if value is not None}
        monkeypatch.setenv("AIRFLOW_CONN_NORTH_SFTP", json.dumps(facts))

    connect()
    return connect


def target(folder: Path | str) -> Target:
    return Target(kind="server", connection="north_sftp", folder=str(folder))


def fault(folder: Path | str = ".") -> DeliveryError:
    with pytest.raises(DeliveryError) as caught, open_target(NORTH, target(folder)):
        pass
    assert "north_sftp" in caught.value.message
    return caught.value


def deliver(folder: Path | str, name: str = "a.csv") -> None:
    with open_target(NORTH, target(folder)) as carrier:
        carrier.put("a.tmp", [b"one,two\r\n"], size_bytes=9)
        carrier.rename("a.tmp", name)


def test_M70_a_key_file_opens_the_partners_server(connect: Connect, box: Path) -> None:
    deliver(box)
    connect(conn_type="ssh")
    deliver(box, "b.csv")
    assert sorted(path.name for path in box.iterdir()) == ["a.csv", "b.csv"]


def test_M70_a_key_in_the_connection_with_a_passphrase_opens_it(
    connect: Connect, server: Sshd, box: Path
) -> None:
    key = asyncssh.read_private_key(server.key_file).export_private_key("openssh", "a phrase").decode()
    connect(extra={"key_file": None, "private_key": key, "private_key_passphrase": "a phrase"})
    deliver(box)
    connect(extra={"key_file": None, "private_key": key, "private_key_passphrase": "another"})
    error = fault(box)
    assert error.code == "target-connection-invalid"
    assert "passphrase" in error.message
    assert "another" not in error.message


def test_M70_a_password_opens_it(connect: Connect) -> None:
    with (
        a_user() as user,
        public_folder() as folder,
        sshd(folder / "keys", user=user, password_login=True) as server,
    ):
        connect(server, password=user.password, extra={"key_file": None})
        deliver(".")
        assert (user.home / "a.csv").read_bytes() == b"one,two\r\n"
        deliver("~", "b.csv")
        assert (user.home / "b.csv").exists()
        connect(server, password="wrong", extra={"key_file": None})
        error = fault()
        assert error.code == "target-login-refused"
        assert user.name not in error.message


def test_M70_without_a_pinned_key_nobody_connects_and_the_way_to_pin_it_is_said(
    connect: Connect, server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even when this machine knows the server by its known_hosts."""
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{server.port} {server.host_key}")
    monkeypatch.setenv("HOME", str(tmp_path))
    connect(extra={"host_key": None})
    error = fault()
    assert isinstance(error, HostKeyChanged)
    assert error.code == "target-host-key-unknown"
    assert f"ssh-keyscan -p {server.port} -t ed25519,rsa 127.0.0.1" in error.message


def test_M70_known_hosts_of_the_machine_do_not_count_against_the_pinned_key(
    connect: Connect, server: Sshd, box: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{server.port} {other}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    deliver(box)
    (tmp_path / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{server.port} {server.host_key}")
    connect(extra={"host_key": other})
    assert fault(box).code == "target-host-key-changed"


@pytest.mark.parametrize("name", ["no_host_key_check", "allow_host_key_change"])
def test_M70_a_connection_that_trusts_anybody_is_refused(connect: Connect, name: str) -> None:
    for host_key in ({}, {"host_key": None}):
        connect(extra={name: "true", **host_key})
        error = fault()
        assert error.code == "target-host-key-unknown"
        assert name in error.message
    connect(extra={name: "false"})
    with open_target(NORTH, target(".")):
        pass


def test_M70_a_missing_connection_says_how_to_add_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_NORTH_SFTP", raising=False)
    error = fault()
    assert isinstance(error, LoginRefused)
    assert error.code == "target-connection-missing"
    assert "airflow connections add north_sftp" in error.message
    # What holds on one machine too comes first: Airflow's own command line would make a database of its own.
    assert error.message.index("Admin, Connections") < error.message.index("airflow connections add")
    assert "AIRFLOW_CONN_NORTH_SFTP" in error.message


class Supervisor:
    """The process beside a task, which asks Airflow's API for it: here the API answers with one error."""

    def __init__(self, error: ErrorType, *, is_raised: bool) -> None:
        self._answer = ErrorResponse(error=error)
        self._is_raised = is_raised

    def send(self, _message: object) -> ErrorResponse:
        if self._is_raised:
            raise AirflowRuntimeError(self._answer)
        return self._answer


@pytest.mark.parametrize("is_raised", [False, True])
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ErrorType.CONNECTION_NOT_FOUND, "target-connection-missing"),
        (ErrorType.API_SERVER_ERROR, "target-connection-untold"),
        (ErrorType.GENERIC_ERROR, "target-connection-untold"),
    ],
)
def test_X10_an_api_of_airflow_that_fails_is_told_from_a_missing_connection(
    monkeypatch: pytest.MonkeyPatch, error: ErrorType, code: str, is_raised: bool
) -> None:
    """In a task Airflow calls the connection "not defined" either way."""
    from airflow.sdk.execution_time import task_runner

    monkeypatch.delenv("AIRFLOW_CONN_NORTH_SFTP", raising=False)
    supervisor = Supervisor(error, is_raised=is_raised)
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", supervisor, raising=False)
    found = fault()
    assert found.code == code
    assert isinstance(found, Transient) is (code == "target-connection-untold")
    inbox_error: type[InboxError] = InboxUnavailable if isinstance(found, Transient) else InboxLoginRefused
    with pytest.raises(inbox_error), open_client("north_sftp"):
        pass


@pytest.mark.parametrize(
    ("over", "word"),
    [
        ({"conn_type": "http"}, "type"),
        ({"host": None}, "host"),
        ({"login": None}, "login"),
        ({"extra": {"key_file": None}}, "no password"),
        ({"extra": {"key_file": "/nowhere/key"}}, "key_file"),
        ({"extra": {"key_file": "/etc/passwd"}}, "key_file"),
        ({"extra": {"private_key": "also"}}, "not both"),
        ({"extra": {"host_key": "ssh-ed25519 nonsense"}}, "host_key"),
    ],
)
def test_M70_a_connection_that_does_not_hold_says_what_is_wrong(
    connect: Connect, over: dict[str, Any], word: str
) -> None:
    connect(**over)
    error = fault()
    assert error.code == "target-connection-invalid"
    assert word in error.message


_NO_KEY_FILE = {"key_file": None}


@pytest.mark.parametrize(
    ("extra", "word"),
    [
        (_NO_KEY_FILE | {"private_key": 4711}, "`private_key` is no text"),
        (_NO_KEY_FILE | {"private_key": ["4711"]}, "`private_key` is no text"),
        (_NO_KEY_FILE | {"private_key": {"a": "4711"}}, "`private_key` is no text"),
        ({"private_key_passphrase": 4711}, "`private_key_passphrase` is no text"),
        ({"key_file": {"a": 4711}}, "`key_file` is no text"),
        ({"key_file": "~nobody-4711/k"}, "the file of `key_file` is not there"),
        ({"key_file": "/dev/zero"}, "the file of `key_file` is not there"),
        ({"disabled_algorithms": "4711"}, "`disabled_algorithms` is no object of lists"),
        ({"disabled_algorithms": ["4711"]}, "`disabled_algorithms` is no object of lists"),
        ({"disabled_algorithms": {"kex": None}}, "`disabled_algorithms` is no object of lists"),
        ({"disabled_algorithms": {"kex": "4711"}}, "`disabled_algorithms` is no object of lists"),
        ({"disabled_algorithms": {"kex": [4711]}}, "`disabled_algorithms` is no object of lists"),
    ],
)
def test_M70_a_part_of_the_wrong_type_says_what_it_should_be_and_not_what_it_is(
    connect: Connect, extra: dict[str, Any], word: str
) -> None:
    connect(extra=extra)
    error = fault()
    assert error.code == "target-connection-invalid"
    assert word in error.message
    assert "4711" not in error.message


def test_M70_algorithms_can_be_disabled(connect: Connect, box: Path) -> None:
    connect(extra={"disabled_algorithms": {"pubkeys": ["rsa-sha2-256"]}})
    deliver(box)


def test_X10_a_server_that_is_down_may_come_back(connect: Connect) -> None:
    connect(port=1)
    assert isinstance(fault(), Unreachable)


def test_M70_the_end_of_a_login_stands_in_the_connection(connect: Connect) -> None:
    assert expires_on("north_sftp") is None
    connect(extra={"expires_on": "2027-01-31"})
    assert expires_on("north_sftp") == date(2027, 1, 31)
    connect(extra={"expires_on": "soon"})
    with pytest.raises(LoginRefused, match="no day"):
        expires_on("north_sftp")
    with pytest.raises(LoginRefused, match="airflow connections add"):
        expires_on("nobody")


def test_M68_the_home_here_is_a_target_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tenants").mkdir()
    gateway = Gateway(tmp_path / "exchange", tmp_path / "tenants")
    gateway.add_tenant("north")
    gateway.start()
    try:
        extra = {
            "key_file": str(gateway.pipeline_key),
            "host_key": service.pinned_host_key(gateway.settings),
            "no_host_key_check": "false",
            "look_for_keys": "false",
        }
        facts = {"conn_type": "sftp", "host": "127.0.0.1", "port": gateway.port, "login": "pipeline"}
        monkeypatch.setenv("AIRFLOW_CONN_EXCHANGE_INBOX", json.dumps({**facts, "extra": extra}))
        with open_target(NORTH, Target()) as carrier:
            carrier.put(".a.tmp", [b"x" * 200_000], size_bytes=200_000)
            assert carrier.size_bytes(".a.tmp") == 200_000
            carrier.rename(".a.tmp", "a.csv")
            assert [entry.name for entry in carrier.entries()] == ["a.csv"]
        assert gateway.names("north", NORTH.inbox.outbox) == ["a.csv"]
        with open_target(NORTH, Target(folder="outbound/for/finance")) as carrier:
            carrier.put("b.csv", [b"x"])
        assert gateway.names("north", "outbound/for/finance") == ["b.csv"]
        steps = probe(lambda: open_target(NORTH, Target()), expires_on=lambda: expires_on("exchange_inbox"))
        assert [(step.name, step.code) for step in steps if not step.is_ok] == []
        assert gateway.names("north", NORTH.inbox.outbox) == ["a.csv", "for"]
    finally:
        gateway.end()


def test_M71_a_folder_of_the_partner_is_not_made(connect: Connect, box: Path) -> None:
    with open_target(NORTH, target(box / "new")) as carrier, pytest.raises(PathMissing):
        carrier.put("a.tmp", [b"x"])
    assert list(box.iterdir()) == []


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run our interpreter in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.slow
def test_M70_the_command_line_finds_connections_of_airflows_database(
    airflow_database: None, connect: Connect, server: Sshd, box: Path
) -> None:
    connection = {
        "conn_type": "sftp",
        "host": "127.0.0.1",
        "port": server.port,
        "login": server.user,
        "extra": {"key_file": str(server.key_file), "host_key": server.host_key},
    }
    added = run("-m", "airflow", "connections", "add", "south_sftp", "--conn-json", json.dumps(connection))
    assert added.returncode == 0, added.stdout + added.stderr
    program = f"""
import os
stack = {{name: os.environ.pop(name) for name in list(os.environ) if name.startswith("AIRFLOW")}}
from partner_exchange.orchestration import connections, targets
connections.outside_tasks(lambda: stack)
from partner_exchange.tenants.exports import Target
from support.builders import a_tenant
target = Target(kind="server", connection="south_sftp", folder={str(box)!r})
with targets.open_target(a_tenant(), target) as carrier:
    carrier.put("a.csv", [b"x"])
"""
    done = run("-c", program)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in box.iterdir()] == ["a.csv"]
