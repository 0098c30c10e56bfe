"""A running gateway with two tenants, north and south, for every test of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from partner_exchange.gateway.host_keys import ensure_keys, gateway_dir
from partner_exchange.settings import Settings
from support.gateway import Gateway, KeyPair, copy_gateway_keys


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, KeyPair]:
    folder = tmp_path_factory.mktemp("client_keys")
    return {
        "north": KeyPair(folder, "north", "ssh-ed25519"),
        "south": KeyPair(folder, "south", "ssh-rsa", key_size=2048),
        "ecdsa": KeyPair(folder, "ecdsa", "ecdsa-sha2-nistp256"),
        "stranger": KeyPair(folder, "stranger", "ssh-ed25519"),
        "rsa2048": KeyPair(folder, "rsa2048", "ssh-rsa", key_size=2048),
        "rsa3072": KeyPair(folder, "rsa3072", "ssh-rsa", key_size=3072),
    }


@pytest.fixture(scope="session")
def gateway_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = Settings(home=tmp_path_factory.mktemp("gateway_keys"))
    ensure_keys(settings)
    return gateway_dir(settings)


@pytest.fixture
def gateway(
    tmp_path: Path, pairs: dict[str, KeyPair], gateway_keys: Path, caplog: pytest.LogCaptureFixture
) -> Iterator[Gateway]:
    caplog.set_level("INFO", logger="partner_exchange")
    tenants = tmp_path / "tenants"
    tenants.mkdir()
    home = tmp_path / "exchange"
    copy_gateway_keys(gateway_keys, home)
    running = Gateway(home, tenants)
    running.add_tenant("north", pairs["north"], max_file_bytes=150 * 1024 * 1024)
    running.add_tenant("south", pairs["south"], max_file_bytes=64 * 1024)
    running.start()
    yield running
    running.end()
