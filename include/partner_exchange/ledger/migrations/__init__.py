"""Alembic scripts of the exchange database; run by ``partner_exchange.ledger.database.migrate``."""
