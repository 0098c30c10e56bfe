"""Which students are verified: make them so, undo it, look it up (M42).

Called by ``exchange students``; what exports and reports read of it is in ``verification_log``. The state
has a table of its own, beside that of the students, so that verifying and merging a roster never wait for
each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import pandas as pd
from sqlalchemy import Connection, and_, false, func, select, text

from partner_exchange import clock
from partner_exchange.ledger import audit
from partner_exchange.stores import tables
from partner_exchange.stores.keys import username_key


@dataclass(frozen=True)
class VerificationCounts:
    """What became of the Usernames; each counts once, however often and in whatever case it was given."""

    changed: int
    unchanged: int
    unknown: int
    """Usernames that no student of the tenant has; nothing happens for them."""


@dataclass(frozen=True)
class VerificationChange:
    """A student became verified or unverified."""

    is_verified: bool
    changed_at: datetime
    rule_version: str
    actor: str
    reason: str
    position: int | None
    """Its place in the log; None until somebody has read the log since its commit."""


@dataclass(frozen=True)
class StudentVerification:
    """One student and whether the student is verified."""

    username: str
    is_verified: bool
    changed_at: datetime | None
    """None where the student was never verified."""
    rule_version: str


# Who is to be changed is read without a lock, so those who need no change are not touched. In order of the
# key: two that change the same students wait for each other and never meet head-on. Where two verify the
# same student at once, the second waits, finds it done and notes nothing.
_FLIP: LiteralString = """
with asked as materialized ({asked}),
flipped as (
    insert into store.verification as held (tenant_code, username_key, is_verified, changed_at, rule_version)
    select :tenant_code, a.username_key, :is_verified, :at, :rule_version
    from asked a
    left join store.verification v on v.tenant_code = :tenant_code and v.username_key = a.username_key
    where coalesce(v.is_verified, false) <> :is_verified
    order by a.username_key
    on conflict (tenant_code, username_key) do update
    set is_verified = excluded.is_verified, changed_at = excluded.changed_at,
        rule_version = excluded.rule_version
    where held.is_verified <> excluded.is_verified
    returning username_key
),
noted as (
    insert into store.verification_change (
        tenant_code, username_key, is_verified, changed_at, rule_version, actor, reason
    )
    select :tenant_code, username_key, :is_verified, :at, :rule_version, :actor, :reason
    from flipped
    returning 1
)
select (select count(*) from asked) as known_count, (select count(*) from noted) as changed_count
"""

_FLIP_ALL = text(
    _FLIP.format(asked="select username_key from store.student where tenant_code = :tenant_code")
)

_FLIP_NAMED = text(
    _FLIP.format(
        asked="""
    select s.username_key
    from unnest(cast(:keys as text[])) k (username_key)
    join store.student s on s.tenant_code = :tenant_code and s.username_key = k.username_key
"""
    )
)

_UNKNOWN = text("""
select k.place - 1
from unnest(cast(:keys as text[])) with ordinality k (username_key, place)
left join store.student s on s.tenant_code = :tenant_code and s.username_key = k.username_key
where s.username_key is null
order by k.place
""")


def verify(
    connection: Connection,
    tenant_code: str,
    usernames: Iterable[str] | None,
    *,
    rule_version: str,
    actor: str,
    at: datetime | None = None,
    reason: str = "",
) -> VerificationCounts:
    """Make students verified, in the caller's transaction, and return how many were not so before (M42).

    One statement, whatever their number; one change in the log for each student who was not verified.
    Audited. In a transaction of several calls on the same students the database may find two transactions
    in each other's way, which ``ledger.database.transaction`` tells as SerializationConflict.

    :param usernames: None for all students of the tenant.
    :param rule_version: by which rules they comply.
    :param at: since when, UTC; unset: now.
    """
    return _flip(connection, tenant_code, usernames, True, rule_version, actor, at, reason)


def unverify(
    connection: Connection,
    tenant_code: str,
    usernames: Iterable[str] | None,
    *,
    rule_version: str,
    actor: str,
    at: datetime | None = None,
    reason: str = "",
) -> VerificationCounts:
    """Make students unverified, as ``verify`` makes them verified; who never was verified is unchanged."""
    return _flip(connection, tenant_code, usernames, False, rule_version, actor, at, reason)


def _flip(
    connection: Connection,
    tenant_code: str,
    usernames: Iterable[str] | None,
    is_verified: bool,
    rule_version: str,
    actor: str,
    at: datetime | None,
    reason: str,
) -> VerificationCounts:
    values = {
        "tenant_code": tenant_code,
        "is_verified": is_verified,
        "at": at or clock.now(),
        "rule_version": rule_version,
        "actor": actor,
        "reason": reason,
    }
    # For the sorting of a million keys.
    connection.exec_driver_sql("set local work_mem = '64MB'")
    if usernames is None:
        known, changed = connection.execute(_FLIP_ALL, values).one()
        unknown = 0
    else:
        keys = set(_keys(usernames))
        # Sorted: neighbours lie on the same pages, which is what the speed of a million hangs on.
        wanted = sorted(key for key in keys if key is not None)
        known, changed = connection.execute(_FLIP_NAMED, {**values, "keys": wanted}).one()
        unknown = len(keys) - known
    counts = VerificationCounts(changed=changed, unchanged=known - changed, unknown=unknown)
    audit.record(
        connection,
        actor=actor,
        action="student.verify" if is_verified else "student.unverify",
        subject="all students" if usernames is None else "named students",
        tenant_code=tenant_code,
        facts={
            "changed": counts.changed,
            "unchanged": counts.unchanged,
            "unknown": counts.unknown,
            "rule_version": rule_version,
        },
    )
    return counts


def _keys(usernames: Iterable[str]) -> list[str | None]:
    """Return the key of each Username; None for one that no student can have, as it holds a NUL."""
    keys: list[str] = username_key(pd.Series(list(usernames), dtype="str")).to_pylist()
    return [None if "\0" in key else key for key in keys]


def unknown_places(connection: Connection, tenant_code: str, usernames: Sequence[str]) -> list[int]:
    """Return which of the Usernames no student of the tenant has: their places, from 0, ascending."""
    found = connection.execute(_UNKNOWN, {"tenant_code": tenant_code, "keys": _keys(usernames)})
    return list(found.scalars())


def listed(
    connection: Connection, tenant_code: str, *, is_verified: bool | None = None, limit: int
) -> list[StudentVerification]:
    """Return students with their state, by Username key.

    :param is_verified: only those who are, or only those who are not; None: all.
    """
    student, held = tables.student.c, tables.verification.c
    state = func.coalesce(held.is_verified, false())
    query = (
        select(
            student.username,
            state.label("is_verified"),
            held.changed_at,
            func.coalesce(held.rule_version, "").label("rule_version"),
        )
        .select_from(
            tables.student.outerjoin(
                tables.verification,
                and_(held.tenant_code == student.tenant_code, held.username_key == student.username_key),
            )
        )
        .where(student.tenant_code == tenant_code)
        .order_by(student.username_key)
        .limit(limit)
    )
    if is_verified is not None:
        query = query.where(state.is_(is_verified))
    return [StudentVerification(**row._mapping) for row in connection.execute(query)]


def history(connection: Connection, tenant_code: str, username: str) -> list[VerificationChange]:
    """Return the changes of one student, newest first; empty for an unknown Username too."""
    columns = tables.verification_change.c
    query = (
        select(*(columns[name] for name in VerificationChange.__dataclass_fields__))
        .where(columns.tenant_code == tenant_code, columns.username_key == _keys([username])[0])
        .order_by(columns.change_id.desc())
    )
    return [VerificationChange(**row._mapping) for row in connection.execute(query)]
