"""The migrations build what the models say, from nothing and back (style 2.1)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from partner_exchange.errors import ConfigError, StoreUnavailable
from partner_exchange.ledger.database import alembic_config, engine, migrate, transaction
from partner_exchange.stores import tables

pytestmark = pytest.mark.service

REVISION_TABLE = "exchange_revision"


def _differences(connection: Connection) -> list[tuple[object, ...]]:
    options = {
        "include_schemas": True,
        "version_table": REVISION_TABLE,
        "version_table_schema": "public",
        "compare_server_default": True,
        "include_object": lambda _object, name, kind, *_: kind != "table" or name != REVISION_TABLE,
    }
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, tables.student.metadata))


def _schemas(connection: Connection) -> set[str]:
    return set(inspect(connection).get_schema_names()) & {"ledger", "store"}


def test_P5_migrations_have_a_single_head() -> None:
    assert len(ScriptDirectory.from_config(alembic_config()).get_heads()) == 1


def test_P5_models_match_the_migrated_database(database_url: str) -> None:
    with transaction() as connection:
        assert _differences(connection) == []


def test_P5_a_difference_would_be_seen(database_url: str) -> None:
    with transaction() as connection:
        connection.execute(text("alter table store.student drop column term"))
        connection.execute(text("alter table ledger.mail add column surplus text"))
        assert {entry[0] for entry in _differences(connection)} == {"add_column", "remove_column"}


def test_P5_downgrade_to_base_and_up_again(empty_database_url: str) -> None:
    migrate(empty_database_url)
    with engine(empty_database_url).begin() as connection:
        command.downgrade(alembic_config(connection), "base")
        assert _schemas(connection) == set()
    migrate(empty_database_url)
    with engine(empty_database_url).begin() as connection:
        assert _schemas(connection) == {"ledger", "store"}
        assert _differences(connection) == []


def test_P5_processes_that_migrate_at_once_do_not_meet(empty_database_url: str) -> None:
    # Each call has its own connection, so the lock of the database is what keeps them apart.
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, [empty_database_url] * 4))
    with engine(empty_database_url).begin() as connection:
        assert _schemas(connection) == {"ledger", "store"}


def test_P5_a_killed_migration_leaves_nothing(empty_database_url: str) -> None:
    connection = engine(empty_database_url).connect()
    with connection, connection.begin() as work:
        command.upgrade(alembic_config(connection), "head")
        work.rollback()
    with engine(empty_database_url).begin() as connection:
        assert _schemas(connection) == set()
    migrate(empty_database_url)


def test_X04_an_unreachable_database_is_worth_another_try(tmp_path: object) -> None:
    address = f"postgresql://nobody@/exchange?host={tmp_path}"
    with pytest.raises(StoreUnavailable), transaction(address):
        pass
    with pytest.raises(StoreUnavailable):
        migrate(address)


@pytest.mark.parametrize("address", ["sqlite:///x.db", "no address"])
def test_X04_only_postgresql_addresses_are_taken(address: str) -> None:
    with pytest.raises(ConfigError) as caught:
        engine(address)
    assert caught.value.code == "database-url-invalid"


def test_X04_a_missing_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EXCHANGE_DATABASE_URL", raising=False)
    with pytest.raises(ConfigError) as caught:
        engine()
    assert caught.value.code == "database-url-missing"
