"""Airflow in a folder of its own, before anything imports it; a real SFTP server behind its connection."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_HOME = tempfile.mkdtemp(prefix="exchange-airflow-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
os.environ.update(
    {
        "AIRFLOW_HOME": _HOME,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{_HOME}/airflow.db",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": f"{_HOME}/logs",
        "GX_ANALYTICS_ENABLED": "false",
    }
)

PROJECT = Path(__file__).resolve().parents[2]
CONNECTION = "exchange_inbox"


def airflow(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Airflow's command line over our DAGs and plugins."""
    return subprocess.run(
        [sys.executable, "-m", "airflow", *arguments],
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )


def airflow_process(*arguments: str) -> subprocess.Popen[str]:
    """Start Airflow's command line in the background; all that it prints is its standard output."""
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "airflow", *arguments],
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
    }


@pytest.fixture(scope="session")
def airflow_database() -> None:
    """Airflow's own tables; SQLite is enough for one process."""
    airflow("db", "migrate")


@pytest.fixture
def tenants_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty tenants folder that the settings point to."""
    folder = tmp_path / "tenants"
    folder.mkdir()
    monkeypatch.setenv("EXCHANGE_TENANTS_DIR", str(folder))
    return folder


@pytest.fixture
def add_tenant(tenants_dir: Path) -> Callable[..., None]:
    """Write a small valid tenant file, or exactly ``text``."""

    def add(code: str, text: str = "name: A Partner\nfeed: roster\n") -> None:
        (tenants_dir / f"{code}.yaml").write_text(text)

    return add


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """A running SFTP server that the Airflow connection ``exchange_inbox`` reaches."""
    from support.servers import SftpServer

    server = SftpServer(tmp_path / "sftp")
    server.start()
    monkeypatch.setenv(f"AIRFLOW_CONN_{CONNECTION.upper()}", json.dumps(server.connection()))
    yield server
    server.end()
