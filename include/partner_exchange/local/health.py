"""Does a part answer? One check per part, each asking the part itself. Called by ``local.stack``."""

from __future__ import annotations

import contextlib
import json
import socket
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from partner_exchange.local.airflow import reachable_host, ui_url
from partner_exchange.local.database import cluster_of, database_url
from partner_exchange.local.paths import StackPaths
from partner_exchange.settings import PROJECT_DIR, Settings
from partner_exchange.tenants import registry

_PATIENCE_S = 15
"""A busy machine answers late; that is not the same as not answering."""
_AIRFLOW_NAMES = {
    "api-server": "metadatabase",
    "scheduler": "scheduler",
    "dag-processor": "dag_processor",
    "triggerer": "triggerer",
}


class Health:
    """One look at all parts; Airflow is asked once for its four."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._airflow: dict[str, dict[str, Any]] | None = None

    def is_answering(self, part: str, started_at_s: float) -> bool:
        """Tell whether ``part`` answers and, where it reports heartbeats, whether one is of this life.

        :param started_at_s: when the part was started, in seconds since 1970.
        """
        settings = self._settings
        if part == "postgres":
            return cluster_of(StackPaths.of(settings)).accepts()
        if part == "gateway":
            return _greeting(reachable_host(settings), settings.sftp_port).startswith(b"SSH-2.0")
        if part == "mail":
            return _greeting(settings.smtp_host, settings.smtp_port).startswith(b"220")
        return self._airflow_answers(_AIRFLOW_NAMES[part], started_at_s)

    def _airflow_answers(self, name: str, started_at_s: float) -> bool:
        if self._airflow is None:
            self._airflow = _ask_airflow(f"{ui_url(self._settings)}/api/v2/monitor/health")
        found = self._airflow.get(name, {})
        if found.get("status") != "healthy":
            return False
        heartbeat = found.get(f"latest_{name}_heartbeat")
        # After a kill the forerunner's last heartbeat still counts as healthy for half a minute.
        return heartbeat is None or datetime.fromisoformat(heartbeat).timestamp() >= started_at_s


def _ask_airflow(url: str) -> dict[str, dict[str, Any]]:
    # A proxy named in the environment is for the world outside.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_PATIENCE_S) as answer:
            found = json.load(answer)
    except (OSError, ValueError):
        return {}
    return {name: value for name, value in found.items() if isinstance(value, dict)}


def _greeting(host: str, port: int) -> bytes:
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=3) as peer:
        peer.settimeout(3)
        return peer.recv(64)
    return b""


def missing_dags(settings: Settings) -> list[str]:
    """Return the ids of inbound DAGs that Airflow does not know yet; an empty dags folder owes none."""
    if not any((PROJECT_DIR / "dags").glob("*.py")):
        return []
    expected = {f"inbound__{code}" for code in registry.examine(settings.tenants_dir)[0].tenants}
    with _airflow_database(settings) as connection:
        known = {row[0] for row in connection.execute("select dag_id from dag where not is_stale").fetchall()}
    return sorted(expected - known)


def broken_files(settings: Settings) -> list[str]:
    """Return the names of DAG files that Airflow could not import."""
    with _airflow_database(settings) as connection:
        rows = connection.execute("select distinct filename from import_error").fetchall()
    return sorted(Path(row[0]).name for row in rows if row[0])


def _airflow_database(settings: Settings) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(database_url(settings, "airflow"), autocommit=True, connect_timeout=5)
