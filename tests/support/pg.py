"""A real PostgreSQL for tests: one throw-away server per worker, one fresh migrated database per test.

``database_url`` gives each test its own database, copied from a migrated template (some 30 ms).
``module_database_url`` gives one to a whole module. ``empty_database_url`` is not migrated.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from partner_exchange.local.cluster import Cluster

_TEMPLATE = "template_exchange"


def _administer(cluster: Cluster, statement: LiteralString, **names: str) -> None:
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL(statement).format(**{key: sql.Identifier(name) for key, name in names.items()})
        )


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """A running server in a temporary folder, stopped and removed at the end."""
    # Not tmp_path_factory: its names are long (a socket path has 107 bytes) and closed to the server's user.
    root = Path(tempfile.mkdtemp(prefix="exchange-test-"))
    cluster = Cluster(root / "pg" / "data", root / "socket", durable=False)
    try:
        cluster.start(root / "postgres.log")
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_template(postgres_cluster: Cluster) -> str:
    """The name of a migrated database that others are copied from."""
    from partner_exchange.ledger.database import migrate

    _administer(postgres_cluster, "create database {name}", name=_TEMPLATE)
    migrate(postgres_cluster.url(_TEMPLATE))
    _disconnect(postgres_cluster, _TEMPLATE)
    return _TEMPLATE


def _disconnect(cluster: Cluster, database: str) -> None:
    """End pooled connections that code under test keeps: they would hold up copy and removal."""
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [database]
        )


@contextmanager
def fresh_database(cluster: Cluster, name_hint: str, template: str = "template0") -> Iterator[str]:
    """Give the address of a new database that is dropped afterwards."""
    readable = re.sub(r"[^a-z0-9]+", "_", name_hint.lower())[:40]
    name = f"{readable}_{uuid4().hex[:8]}"
    # FILE_COPY: with fsync off, copying files beats writing every page to the log.
    statement = "create database {name} template {template} strategy = file_copy"
    _administer(cluster, statement, name=name, template=template)
    try:
        yield cluster.url(name)
    finally:
        _administer(cluster, "drop database {name} with (force)", name=name)


@pytest.fixture
def database_url(
    postgres_cluster: Cluster,
    migrated_template: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """The address of a fresh migrated database; EXCHANGE_DATABASE_URL names it too during the test."""
    with fresh_database(postgres_cluster, request.node.name, migrated_template) as url:
        monkeypatch.setenv("EXCHANGE_DATABASE_URL", url)
        yield url


@pytest.fixture(scope="module")
def module_database_url(
    postgres_cluster: Cluster, migrated_template: str, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The address of a migrated database shared by the tests of one module."""
    name = os.path.splitext(os.path.basename(str(request.path)))[0]
    with fresh_database(postgres_cluster, name, migrated_template) as url:
        yield url


@pytest.fixture
def empty_database_url(postgres_cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a fresh database without any table of ours."""
    with fresh_database(postgres_cluster, request.node.name) as url:
        yield url
