"""The way to the exchange database: engine, transactions that speak our errors, migrations.

Called by every step and page that reads or writes ledger or store. The ledger and the store share one
database, so that data and the state of its submission change in one transaction (ADR 0003).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NoReturn

import psycopg
from sqlalchemy import Connection, Engine, create_engine, exc, func, make_url, select
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from partner_exchange.errors import ConfigError, ConstraintSurprise, SerializationConflict, StoreUnavailable
from partner_exchange.settings import get_settings

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATION_LOCK = 1
CLAIM_LOCK = 2
MERGE_LOCK = 3
DELIVERY_LOCK = 4
PURGE_LOCK = 5
"""First keys of our advisory locks, so that a claim never waits for the load of the same tenant."""

_SCRIPTS = Path(__file__).parent / "migrations"
_SERIALIZATION_STATES = frozenset({"40001", "40P01", "55P03"})
"""serialization_failure, deadlock_detected, lock_not_available"""
_REFUSED_CLASSES = ("22", "23")
"""data exception, integrity constraint violation"""

_engines: dict[tuple[str, int], Engine] = {}
_engines_lock = Lock()


def engine(url: str | None = None) -> Engine:
    """Return the engine of an address, one per process; without an address that of the settings.

    A forked task must not use its parent's sockets, so the process id is part of the key.

    :param url: ``postgresql://...``
    :raises ConfigError: no address is set, or it is not a PostgreSQL one.
    """
    address = _address(url)
    key = (address.render_as_string(hide_password=False), os.getpid())
    with _engines_lock:
        if key not in _engines:
            # hide_parameters: a failed statement would otherwise print its cell values.
            _engines[key] = create_engine(
                address, pool_pre_ping=True, hide_parameters=True, connect_args={"connect_timeout": 10}
            )
        return _engines[key]


def _address(url: str | None) -> URL:
    secret = get_settings().database_url
    text = url or (secret.get_secret_value() if secret else None)
    if not text:
        raise ConfigError(
            "database-url-missing",
            "No exchange database is set; name it in EXCHANGE_DATABASE_URL or run `exchange up`.",
        )
    try:
        address = make_url(text)
    except exc.ArgumentError:
        address = None
    if address is None or address.drivername.partition("+")[0] not in ("postgresql", "postgres"):
        raise ConfigError(
            "database-url-invalid",
            "EXCHANGE_DATABASE_URL is not a PostgreSQL address: write it as postgresql://user@host:5432/exchange.",
        ) from None
    return address.set(drivername="postgresql+psycopg")


@contextmanager
def transaction(url: str | None = None) -> Iterator[Connection]:
    """Give a connection whose work is committed at the end of the block, or rolled back with our error.

    :raises StoreUnavailable: the database cannot be reached or is shutting down.
    :raises SerializationConflict: another transaction was in the way; run this one again.
    :raises ConstraintSurprise: the database refused a row.
    """
    try:
        with engine(url).begin() as connection:
            yield connection
    except exc.TimeoutError:
        raise StoreUnavailable(
            "store-unavailable",
            "All connections of this process are in use; it will be tried again.",
        ) from None
    except (exc.DBAPIError, psycopg.Error) as error:
        _raise_ours(error)


@contextmanager
def snapshot(url: str | None = None) -> Iterator[Connection]:
    """Give a connection that sees the database as it was at its first query, to the end of the block.

    :raises StoreUnavailable: the database cannot be reached or is shutting down.
    """
    with transaction(url) as connection:
        connection.exec_driver_sql("set transaction isolation level repeatable read")
        yield connection


def _raise_ours(error: exc.DBAPIError | psycopg.Error) -> NoReturn:
    """Turn a driver's error into ours; its text may quote cell values, so it is cut off (``from None``)."""
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    state = getattr(cause, "sqlstate", None) or ""
    if state in _SERIALIZATION_STATES:
        raise SerializationConflict(
            "serialization-conflict",
            "Two database transactions met and this one was rolled back; it will be tried again.",
            sqlstate=state,
        ) from None
    if state.startswith(_REFUSED_CLASSES):
        constraint = cause.diag.constraint_name if isinstance(cause, psycopg.Error) else None
        raise ConstraintSurprise(
            "constraint-surprise",
            f"The database refused a row (SQLSTATE {state}, constraint {constraint or 'none'}); "
            "nothing was committed. This is a fault of the exchange, not of the file.",
            sqlstate=state,
            constraint=constraint,
        ) from None
    if isinstance(cause, (psycopg.OperationalError, psycopg.InterfaceError)):
        raise StoreUnavailable(
            "store-unavailable",
            f"The exchange database cannot be used now (SQLSTATE {state or 'none'}); it will be tried again.",
            sqlstate=state,
        ) from None
    raise error


def hold(connection: Connection, lock: int, tenant_code: str) -> None:
    """Wait for and hold one of our locks for one tenant until the transaction ends."""
    connection.execute(select(func.pg_advisory_xact_lock(lock, func.hashtext(tenant_code))))


def try_hold(connection: Connection, lock: int, key: str) -> bool:
    """Hold one of our locks for a key until the transaction ends; False at once when somebody else does."""
    held = connection.execute(select(func.pg_try_advisory_xact_lock(lock, func.hashtext(key))))
    return bool(held.scalar_one())


def migrate(url: str | None = None) -> None:
    """Bring the database to the newest revision; of two processes at once, one waits and finds it done.

    :raises StoreUnavailable: the database cannot be reached.
    """
    from alembic import command

    own = create_engine(_address(url), poolclass=NullPool, hide_parameters=True)
    try:
        # One transaction for all revisions: a killed migration leaves nothing behind and gives the lock back.
        with own.begin() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK, 0)))
            command.upgrade(alembic_config(connection), "head")
    except exc.DBAPIError as error:
        _raise_ours(error)


def alembic_config(connection: Connection | None = None) -> Config:
    """Return the configuration of our migration scripts, to be run over ``connection``."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
