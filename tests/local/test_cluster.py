"""The embedded PostgreSQL server by itself (ADR-0008)."""

from __future__ import annotations

import stat
from pathlib import Path

import psutil
import psycopg
import pytest

from partner_exchange.local.cluster import Cluster, socket_fits

pytestmark = pytest.mark.service


def test_P10_each_test_gets_its_own_database(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        tables = connection.execute("select count(*) from pg_tables where schemaname = 'public'").fetchone()
    assert tables == (0,)


def test_P10_nobody_else_can_reach_the_socket(postgres_cluster: Cluster) -> None:
    assert stat.S_IMODE(postgres_cluster.socket_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE(postgres_cluster.data_dir.parent.stat().st_mode) == 0o700
    server = postgres_cluster.postmaster()
    assert server is not None
    assert server.net_connections(kind="inet") == []


def test_P10_server_errors_do_not_quote_values(postgres_cluster: Cluster, empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("create table t (username text primary key)")
        connection.execute("insert into t values ('quite-secret-cell')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("insert into t values ('quite-secret-cell')")
    log = (postgres_cluster.data_dir.parent.parent / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "quite-secret-cell" not in log


@pytest.mark.parametrize(
    ("folder", "fits"),
    [("/tmp/a", True), ("/tmp/with space", False), ("/tmp/a,b", False), ("/tmp/" + "x" * 90, False)],
)
def test_P10_socket_folders_are_short_and_plain(folder: str, fits: bool) -> None:
    assert socket_fits(Path(folder)) is fits


def test_P10_a_killed_server_leaves_its_data(short_tmp: Path) -> None:
    cluster = Cluster(short_tmp / "pg" / "data", short_tmp / "socket", databases=("exchange",))
    cluster.start(short_tmp / "log")
    try:
        with psycopg.connect(cluster.url("exchange"), autocommit=True) as connection:
            connection.execute("create table t as select 7 as n")
            server = cluster.postmaster()
            assert server is not None
            server.kill()
            server.wait(10)
            cluster.start(short_tmp / "log")
        with psycopg.connect(cluster.url("exchange")) as connection:
            assert connection.execute("select n from t").fetchone() == (7,)
    finally:
        cluster.stop()
    assert cluster.postmaster() is None


def test_P10_a_pid_file_that_names_a_stranger_does_not_stop_the_start(short_tmp: Path) -> None:
    cluster = Cluster(short_tmp / "pg" / "data", short_tmp / "socket")
    cluster.prepare()
    (cluster.data_dir / "postmaster.pid").write_text(f"{psutil.Process().pid}\n{cluster.data_dir}\n")
    cluster.start(short_tmp / "log")
    cluster.stop()
    assert psutil.pid_exists(psutil.Process().pid)
