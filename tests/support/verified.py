"""What the tables of verifications hold, read past the code that is tested."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select

from partner_exchange.stores import tables
from partner_exchange.stores.verification_log import Window


def current(connection: Connection, tenant_code: str) -> list[Row[Any]]:
    """Return the present state of each student who ever was verified."""
    held = tables.verification
    return list(connection.execute(select(held).where(held.c.tenant_code == tenant_code)))


def changes(connection: Connection, tenant_code: str, window: Window) -> list[Row[Any]]:
    """Return the changes that have a position in the window, in order of position."""
    log = tables.verification_change
    position = log.c.position
    query = select(log).where(
        log.c.tenant_code == tenant_code, position > window.since, position <= window.until
    )
    return list(connection.execute(query.order_by(position)))
