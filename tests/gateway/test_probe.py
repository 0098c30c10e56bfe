"""``exchange account probe`` at a real gateway: steps that pass, and what to do when one fails (E33)."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from partner_exchange.cli.operate import account_app
from partner_exchange.storage.names import is_claimable
from support.gateway import Gateway, KeyPair

pytestmark = pytest.mark.service

STEPS = ["connect", "host key", "login", "list home", "write inbox", "read outbox", "outbox is ours"]


@pytest.fixture(autouse=True)
def deployment(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXCHANGE_HOME", str(gateway.settings.home))
    monkeypatch.setenv("EXCHANGE_TENANTS_DIR", str(gateway.settings.tenants_dir))
    monkeypatch.setenv("EXCHANGE_SFTP_PORT", str(gateway.port))


def probe(gateway: Gateway, *more: str, key: Path | None = None, tenant: str = "north") -> Result:
    arguments = ["probe", "-t", tenant, "--key", str(key or gateway.keys[tenant].file), *more]
    return CliRunner().invoke(account_app, arguments)


def failed(result: Result) -> tuple[str, str, str]:
    """Return the one step that failed, what was found, and what to do; it is the last that was tried."""
    assert result.exit_code == 1, result.output
    *passed, last = json.loads(result.stdout)
    assert all(step["is_passed"] for step in passed)
    assert not last["is_passed"]
    return last["name"], last["said"], last["remedy"]


def test_E33_every_step_of_a_sound_connection_passes_and_leaves_nothing(gateway: Gateway) -> None:
    result = probe(gateway)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert [line[6:23].strip() for line in lines] == STEPS
    assert all(line.startswith("pass") and " s  " in line for line in lines)
    assert gateway.keys["north"].fingerprint in result.stdout
    assert gateway.names("north") == gateway.names("north", "outbound") == []


def test_E33_machines_get_json(gateway: Gateway) -> None:
    steps = json.loads(probe(gateway, "--json").stdout)
    assert [step["name"] for step in steps] == STEPS
    assert all(step["is_passed"] and step["seconds"] >= 0 and not step["remedy"] for step in steps)


def test_E33_the_probe_file_is_never_claimed(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    probe(gateway)
    names = {word.rpartition("/")[2].strip("'\"") for word in caplog.text.split() if ".probe-" in word}
    assert names
    assert not any(map(is_claimable, names))


def test_E33_nobody_listening_is_told_with_what_to_do(gateway: Gateway) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        name, said, remedy = failed(probe(gateway, "--port", str(port), "--json"))
    assert name == "connect"
    assert f"nobody answers at 127.0.0.1 port {port}" in said
    assert "firewall" in remedy


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that takes the connection and ends it, as a firewall may."""
    import threading

    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            server.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        yield server.getsockname()[1]


def test_E33_a_server_that_is_no_ssh_server_is_told(gateway: Gateway, silent_port: int) -> None:
    name, said, _ = failed(probe(gateway, "--port", str(silent_port), "--json"))
    assert (name, "does not speak SSH" in said) == ("connect", True)


def test_E33_another_host_key_ends_before_the_login(gateway: Gateway) -> None:
    name, said, remedy = failed(probe(gateway, "--fingerprint", "SHA256:other", "--json"))
    assert name == "host key"
    assert "expected was SHA256:other" in said
    assert remedy.startswith("Do not log in")


def test_E33_unknown_host_key_must_be_compared(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = json.loads(probe(gateway, "--json").stdout)[1]["said"]
    monkeypatch.setenv("EXCHANGE_HOME", str(tmp_path / "partner"))
    name, said, remedy = failed(probe(gateway, "--json"))
    assert (name, "--fingerprint" in remedy) == ("host key", True)
    assert shown in said
    assert probe(gateway, "--fingerprint", shown).exit_code == 0


def test_E33_a_key_that_is_not_the_partners_is_told_by_its_fingerprint(
    gateway: Gateway, pairs: dict[str, KeyPair]
) -> None:
    name, said, remedy = failed(probe(gateway, "--json", key=pairs["stranger"].file))
    assert name == "login"
    assert pairs["stranger"].fingerprint in said
    assert "exchange tenants check" in remedy


@pytest.mark.parametrize("content", [None, "no key", "-----BEGIN OPENSSH PRIVATE KEY-----\n"])
def test_E33_a_key_file_that_holds_no_key_is_told(
    gateway: Gateway, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "id"
    if content is not None:
        file.write_text(content)
    name, said, remedy = failed(probe(gateway, "--json", key=file))
    assert (name, said) == ("login", f"no usable private key in {file}")
    assert "--key" in remedy


def test_E33_a_key_with_a_passphrase_is_told(gateway: Gateway, tmp_path: Path) -> None:
    import asyncssh

    file = tmp_path / "id"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(file, passphrase="word")
    name, _, remedy = failed(probe(gateway, "--json", key=file))
    assert (name, "without a passphrase" in remedy) == ("login", True)


def test_E33_without_key_option_the_demo_partners_key_is_taken(
    gateway: Gateway, pairs: dict[str, KeyPair]
) -> None:
    folder = gateway.settings.keys_dir / "north"
    folder.mkdir(parents=True)
    (folder / "id_rsa").write_bytes(pairs["north"].file.read_bytes())
    assert CliRunner().invoke(account_app, ["probe", "-t", "north"]).exit_code == 0


def test_E33_an_inbox_that_takes_nothing_is_told(gateway: Gateway) -> None:
    inbox = gateway.folder("north")
    inbox.rmdir()
    inbox.write_text("in the way")
    result = probe(gateway, "--json")
    steps = {step["name"]: step for step in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert not steps["write inbox"]["is_passed"]
    assert steps["write inbox"]["remedy"]
    assert steps["read outbox"]["is_passed"], "the steps behind are tried all the same"


def test_E33_a_missing_folder_is_told(gateway: Gateway) -> None:
    gateway.folder("north", "outbound").rmdir()
    steps = {step["name"]: step for step in json.loads(probe(gateway, "--json").stdout)}
    assert "outbound is missing" in steps["list home"]["said"]
    assert not steps["read outbox"]["is_passed"]
