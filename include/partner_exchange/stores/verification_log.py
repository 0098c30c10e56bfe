"""The log of verification changes that exports read: positions without a gap, and windows over them (M46).

Called by the runs of exports and by reports. A change gets its position not when
it is made but when somebody reads the log after its commit. So one that commits late stands behind
everything that was read before it: of the windows ``(0, a]``, ``(a, b]``, ``(b, c]`` each change that was
committed is in exactly one, and one that was rolled back is in none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, and_, select, text
from sqlalchemy.dialects.postgresql import distinct_on

from partner_exchange.stores import tables

_OPEN = text("""
insert into store.verification_position (tenant_code, last_position) values (:tenant_code, 0)
on conflict do nothing
""")

_LOCK = text("""
select last_position from store.verification_position where tenant_code = :tenant_code for update
""")

# In order of change_id, which is that of the changes of each student: it is drawn while the lock on the
# student's state is held, and that is held until the commit. By ctid, as rows of the log stay where they are
# until they get their position and that is given under the lock alone.
_NUMBER = text("""
with waiting as (
    select ctid as place, row_number() over (order by change_id) as number
    from store.verification_change
    where tenant_code = :tenant_code and position is null
)
update store.verification_change c
set position = :last_position + w.number
from waiting w
where c.ctid = w.place
""")

_MOVE = text("""
update store.verification_position set last_position = :last_position where tenant_code = :tenant_code
""")

_change = tables.verification_change


@dataclass(frozen=True)
class Window:
    """A piece of a tenant's log: the positions ``(since, until]``."""

    since: int
    until: int


def take_position(connection: Connection, tenant_code: str) -> int:
    """Give positions to all committed changes that have none, and return the last position; 0 for none ever.

    Commits or rolls back with the caller's transaction; until then others who ask wait, but nobody who
    verifies. 1 000 000 waiting changes take some 5 s, none a millisecond. Positions have no gap.
    """
    ours = {"tenant_code": tenant_code}
    connection.execute(_OPEN, ours)
    last: int = connection.execute(_LOCK, ours).scalar_one()
    # A statement of its own: it has to see what was committed while the lock was waited for.
    count = connection.execute(_NUMBER, {**ours, "last_position": last}).rowcount
    if count:
        last += count
        connection.execute(_MOVE, {**ours, "last_position": last})
    return last


def net_changes(tenant_code: str, window: Window) -> Select[str, bool, datetime, str, int]:
    """Return the query of what a window comes to: the last change of each student (0021).

    Whether the student was the same before the window does not matter: what one file lists, another file of
    the tenant may have said otherwise. Of the window ``(0, p]`` the verified ones are all who were so at
    position ``p``. Without order; ``username_key`` is unique.

    Columns: ``username_key``, ``is_verified``, ``changed_at``, ``rule_version``, ``position``.
    """
    columns = _change.c
    return (
        select(
            columns.username_key,
            columns.is_verified,
            columns.changed_at,
            columns.rule_version,
            columns.position,
        )
        .ext(distinct_on(columns.username_key))
        .where(within(tenant_code, window))
        .order_by(columns.username_key, columns.position.desc())
    )


def within(tenant_code: str, window: Window) -> ColumnElement[bool]:
    """Return that a change of the log is the tenant's and stands in the window."""
    columns = _change.c
    return and_(
        columns.tenant_code == tenant_code,
        columns.position > window.since,
        columns.position <= window.until,
    )
