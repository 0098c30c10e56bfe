"""How Alembic reaches the database: over the connection that ``migrate`` puts into the configuration.

The revision is kept in ``public.exchange_revision``: its schema outlives a downgrade to base, and its name
cannot meet Airflow's ``alembic_version`` should somebody put both into one database.
"""

from __future__ import annotations

from alembic import context

VERSION_TABLE = "exchange_revision"

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    version_table_schema="public",
)
with context.begin_transaction():
    context.run_migrations()
