"""What a task learns when the SFTP server is away or refuses us."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import asyncssh
import pytest

from partner_exchange.errors import InboxLoginRefused, InboxUnavailable
from partner_exchange.orchestration.inbox import open_client, open_home
from support.builders import a_tenant
from support.servers import SftpServer

Rewire = Callable[..., None]


@pytest.fixture
def rewire(server: SftpServer, monkeypatch: pytest.MonkeyPatch) -> Rewire:
    """Change the Airflow connection."""

    def change(**extra: object) -> None:
        connection = server.connection()
        connection["extra"] = {**connection["extra"], **extra}
        monkeypatch.setenv("AIRFLOW_CONN_EXCHANGE_INBOX", json.dumps(connection))

    return change


def test_X01_opens_the_home_of_the_tenant(server: SftpServer) -> None:
    server.drop("alpha", "roster.csv")
    with open_home(a_tenant(code="alpha")) as home:
        assert [entry.name for entry in home.entries("inbound")] == ["roster.csv"]


def test_AN3_a_server_that_is_away_is_transient(server: SftpServer) -> None:
    server.stop()
    with pytest.raises(InboxUnavailable) as caught, open_home(a_tenant(code="alpha")):
        pass
    assert "tried again" in caught.value.message


def test_AN3_a_server_that_dies_under_the_work_is_transient(server: SftpServer) -> None:
    server.drop("alpha", "roster.csv")
    with contextlib.ExitStack() as stack:
        stack.enter_context(pytest.raises(InboxUnavailable))
        home = stack.enter_context(open_home(a_tenant(code="alpha")))
        server.stop()
        home.entries("inbound")


def test_AN3_another_host_key_than_the_pinned_one_is_terminal(rewire: Rewire) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    rewire(host_key=other)
    with pytest.raises(InboxLoginRefused) as caught, open_home(a_tenant(code="alpha")):
        pass
    assert other.split()[1] not in str(caught.value)


def test_AN3_a_server_that_nobody_pinned_is_terminal(rewire: Rewire) -> None:
    rewire(host_key=None)
    with pytest.raises(InboxLoginRefused), open_home(a_tenant(code="alpha")):
        pass


def test_AN3_the_machines_known_hosts_neither_help_nor_hinder(
    server: SftpServer, rewire: Rewire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    known = tmp_path / ".ssh" / "known_hosts"
    known.parent.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    known.write_text(f"[127.0.0.1]:{server.port} {other}\n")
    with open_home(a_tenant(code="alpha")) as home:
        assert home.entries("inbound") == []
    known.write_text(f"[127.0.0.1]:{server.port} {server.connection()['extra']['host_key']}\n")
    for extra in ({"host_key": other}, {"host_key": None}):
        rewire(**extra)
        with pytest.raises(InboxLoginRefused), open_home(a_tenant(code="alpha")):
            pass
    rewire(no_host_key_check="true")
    with (
        pytest.raises(InboxLoginRefused, match="Take `no_host_key_check` out"),
        open_client("exchange_inbox"),
    ):
        pass


def test_AN3_a_connection_that_nobody_added_is_terminal() -> None:
    with pytest.raises(InboxLoginRefused, match="airflow connections add nowhere"), open_client("nowhere"):
        pass


def test_AN3_a_refused_login_is_terminal(rewire: Rewire, tmp_path_factory: pytest.TempPathFactory) -> None:
    stranger = tmp_path_factory.mktemp("keys") / "stranger"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(stranger)
    rewire(key_file=str(stranger), allow_agent="false")
    with pytest.raises(InboxLoginRefused), open_home(a_tenant(code="alpha")):
        pass


def test_AN3_a_missing_key_file_is_terminal(rewire: Rewire) -> None:
    rewire(key_file="/nowhere/key")
    with pytest.raises(InboxLoginRefused), open_home(a_tenant(code="alpha")):
        pass


def test_X02_errors_of_the_step_itself_pass_unchanged(server: SftpServer) -> None:
    with pytest.raises(ValueError, match="of the step"), open_home(a_tenant(code="alpha")):
        raise ValueError("of the step")
    with pytest.raises(FileNotFoundError), open_home(a_tenant(code="alpha")) as home:
        home.rename("inbound/a", "inbound/b")
