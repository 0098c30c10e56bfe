"""The embedded server on demand: started for a command, shared by several, stopped by the last one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from partner_exchange.local.database import cluster_of, database_url, ensure_database, handed_over
from partner_exchange.local.paths import StackPaths
from partner_exchange.settings import Settings

pytestmark = pytest.mark.service

_COMMAND = """
import sys, psycopg
from partner_exchange.local.database import ensure_database
from partner_exchange.settings import get_settings
with ensure_database(get_settings()) as url:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("select pg_sleep(0.5)")
    print("worked", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def settings(short_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.delenv("EXCHANGE_DATABASE_URL", raising=False)
    monkeypatch.setenv("EXCHANGE_HOME", str(short_tmp / "home"))
    found = Settings()
    yield found
    cluster_of(StackPaths.of(found)).stop()


def _command() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _COMMAND],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_P10_a_command_gets_a_migrated_database_and_leaves_nothing_running(settings: Settings) -> None:
    cluster = cluster_of(StackPaths.of(settings))
    with ensure_database(settings) as url:
        assert os.environ["EXCHANGE_DATABASE_URL"] == url == database_url(settings)
        with psycopg.connect(url) as connection:
            assert connection.execute("select count(*) from ledger.submission").fetchone() == (0,)
        assert cluster.postmaster() is not None
    assert cluster.postmaster() is None
    assert "EXCHANGE_DATABASE_URL" not in os.environ


def test_P10_two_commands_at_once_share_one_server(settings: Settings) -> None:
    cluster = cluster_of(StackPaths.of(settings))
    first, second = _command(), _command()
    for command in (first, second):
        assert command.stdout is not None
        assert command.stdout.readline() == "worked\n", command.communicate()[1]
    server = cluster.postmaster()
    assert server is not None
    assert first.communicate()[1] == ""
    assert first.returncode == 0
    assert cluster.accepts(), "the first to leave must not take the server from the second"
    assert cluster.postmaster() == server
    assert second.communicate()[1] == ""
    assert cluster.postmaster() is None


def test_P10_a_killed_command_does_not_keep_the_server_for_ever(settings: Settings) -> None:
    cluster = cluster_of(StackPaths.of(settings))
    killed = _command()
    assert killed.stdout is not None
    assert killed.stdout.readline() == "worked\n"
    killed.kill()
    killed.wait()
    assert cluster.postmaster() is not None
    with ensure_database(settings):
        pass
    assert cluster.postmaster() is None


def test_P10_the_stack_waits_for_commands_before_it_takes_the_server(settings: Settings) -> None:
    cluster = cluster_of(StackPaths.of(settings))
    command = _command()
    assert command.stdout is not None
    assert command.stdout.readline() == "worked\n"
    told: list[str] = []

    def tell_and_let_go() -> None:
        told.append("waiting")
        assert command.stdin is not None
        command.stdin.close()

    with handed_over(settings, tell_and_let_go):
        assert told == ["waiting"]
        assert cluster.postmaster() is None
    assert command.wait(30) == 0


def test_P10_a_configured_address_is_used_as_it_is(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXCHANGE_DATABASE_URL", "postgresql://somewhere/else")
    with ensure_database(Settings()) as url:
        assert url == "postgresql://somewhere/else"
    assert not (settings.home_dir / "postgres").exists()


def test_P10_a_deep_home_gets_short_private_sockets(short_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = short_tmp / ("deep " + "x" * 80) / ("y" * 60)
    monkeypatch.setenv("EXCHANGE_HOME", str(home))
    monkeypatch.delenv("EXCHANGE_DATABASE_URL", raising=False)
    settings = Settings()
    paths = StackPaths.of(settings)
    with ensure_database(settings) as url:
        assert len(str(paths.sockets)) < 60
        assert paths.sockets.stat().st_mode & 0o066 == 0
        with psycopg.connect(url) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
    monkeypatch.setenv("TMPDIR", str(short_tmp))
    assert StackPaths.of(settings).sockets == paths.sockets, "another TMPDIR must find the same stack"
    (paths.sockets / "pg").rmdir()
    paths.sockets.rmdir()


def test_P10_fsync_stays_on(settings: Settings) -> None:
    with ensure_database(settings) as url, psycopg.connect(url) as connection:
        assert connection.execute("show fsync").fetchone() == ("on",)
