"""The embedded PostgreSQL of one home: for the stack as a supervised program, for a single command on demand.

Called by ``local.stack`` and by the CLI's commands that need the database.

Two lock files under ``run/`` settle who may start and stop the server: ``postgres.start`` is held while
somebody does so, ``postgres.users`` is held shared by each command that uses the server. The last command to
leave stops a server that was started on demand; that of the stack is stopped by ``down`` alone.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psutil

from partner_exchange.errors import StackError
from partner_exchange.local.cluster import Cluster
from partner_exchange.local.launch import STACK_MARKER, is_alive
from partner_exchange.local.paths import StackPaths, locked
from partner_exchange.local.ports import operations_mail
from partner_exchange.settings import Settings

DATABASES = ("airflow", "exchange")
_URL_VARIABLE = "EXCHANGE_DATABASE_URL"


def cluster_of(paths: StackPaths) -> Cluster:
    """Return the embedded server of the home, running or not."""
    return Cluster(paths.postgres / "data", paths.sockets / "pg", databases=DATABASES)


def database_url(settings: Settings, database: str = "exchange") -> str:
    """Return the address of a database: for ``exchange`` the configured one if set, else the embedded."""
    if database == "exchange" and settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return cluster_of(StackPaths.of(settings)).url(database)


def supervisor_of(paths: StackPaths) -> psutil.Process | None:
    """Return the running supervisor of the home's stack, or None; a stale pid file does not count."""
    try:
        process = psutil.Process(int(paths.supervisor_pid.read_text()))
        return (
            process if is_alive(process) and process.environ().get(STACK_MARKER) == paths.stack_id else None
        )
    except (OSError, ValueError, psutil.Error):
        return None


@contextmanager
def ensure_database(settings: Settings, timeout_s: float = 60.0) -> Iterator[str]:
    """Give the address of the migrated exchange database for the block, with a server that answers.

    Uses the running stack's server, or one that another command has just started, or starts one and has it
    stopped by the last command that leaves. EXCHANGE_DATABASE_URL names the address during the block, so that
    the ledger finds it; an address configured there already is given back as it is.

    :raises StackError: when the server cannot be started or is not healed in time.
    """
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    paths = StackPaths.of(settings)
    cluster = cluster_of(paths)
    paths.create()
    try:
        with ExitStack() as use:
            with locked(paths.run / "postgres.start"):
                use.enter_context(locked(paths.run / "postgres.users", shared=True))
                _start_unless_there(paths, cluster, timeout_s)
            url = cluster.url("exchange")
            migrate_exchange(url)
            use.enter_context(_in_environment(settings, url))
            yield url
    finally:
        _stop_when_last(paths, cluster)


@contextmanager
def _in_environment(settings: Settings, url: str) -> Iterator[None]:
    """Let the block see what the parts of the stack are given too: the database, and who of us hears."""
    given = {_URL_VARIABLE: url, "EXCHANGE_OPERATIONS_MAIL": operations_mail(settings) or ""}
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def migrate_exchange(url: str) -> None:
    """Bring the exchange database to the newest revision.

    :raises StoreUnavailable: the database cannot be reached.
    """
    from partner_exchange.ledger.database import migrate

    # Alembic tells at level INFO that there is nothing to do, on the terminal of every command.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    migrate(url)


def _start_unless_there(paths: StackPaths, cluster: Cluster, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not cluster.accepts():
        if supervisor_of(paths) is None:
            cluster.start(paths.log / "postgres.log", timeout_s)
            return
        # The supervisor is healing its own server; a second one must not get in its way.
        if time.monotonic() > deadline:
            raise StackError(
                "postgres-away",
                f"The stack is up, but its PostgreSQL is away since {timeout_s:.0f} s; see {paths.log}.",
            )
        time.sleep(0.2)


def _stop_when_last(paths: StackPaths, cluster: Cluster) -> None:
    with locked(paths.run / "postgres.start"), locked(paths.run / "postgres.users", wait=False) as is_last:
        if is_last and supervisor_of(paths) is None:
            cluster.stop()


@contextmanager
def handed_over(settings: Settings, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the server for the stack's start: commands under way finish first, new ones wait for the end.

    :param on_wait: called once when there is something to wait for.
    """
    paths = StackPaths.of(settings)
    users = paths.run / "postgres.users"
    with locked(paths.run / "postgres.start"), ExitStack() as hold:
        if not hold.enter_context(locked(users, wait=False)):
            on_wait()
            hold.enter_context(locked(users))
        if supervisor_of(paths) is None:
            cluster_of(paths).stop()
        yield
