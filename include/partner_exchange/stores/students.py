"""Students: merge a roster's rows as one set, and look students up.

Called by the roster feed inside the transaction that also moves the submission. The merge first *plans*: it
works out each row's values after the file, all at once, so that neither the order of rows nor the store's
state half-way matters (M35). Then it *applies* the plan with one UPDATE and one INSERT.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Row, func, select, text

from partner_exchange.errors import SerializationConflict
from partner_exchange.ledger.copying import CHUNK_ROWS, copy_rows
from partner_exchange.ledger.database import MERGE_LOCK, hold
from partner_exchange.stores import tables
from partner_exchange.stores.keys import telephone_key, username_key
from partner_exchange.tenants.model import RosterPolicy

STUDENT_ID_TAKEN = "student-id-taken"
"""Code of a rejected row whose StudentId belongs to another student of the tenant (M23)."""

TEXT_COLUMNS = (
    "username",
    "student_id",
    "last_name",
    "first_name",
    "telephone",
    "dob",
    "requirement_group",
    "term",
    "on_campus",
)
"""Columns to merge besides ``row``: all text, ``""`` for blank, dob as yyyy-mm-dd, on_campus as 0 or 1."""


@dataclass(frozen=True)
class MergeResult:
    """What became of the rows; the three counts and the rejected rows add up to the rows given."""

    created: int
    updated: int
    unchanged: int
    rejected: pd.DataFrame
    """``row`` int64 and ``code``, in the order of rows."""


@dataclass(frozen=True)
class Student:
    """One student of one tenant, as the store has it; None is blank."""

    tenant_code: str
    username_key: str
    username: str
    student_id: str | None
    last_name: str | None
    first_name: str | None
    telephone: str | None
    telephone_key: str | None
    dob: date | None
    requirement_group: str | None
    term: str | None
    enrollment_source: str | None
    """``prefilled`` by a file or ``reviewed`` by the student; for group and term together (M30)."""
    on_campus: bool | None
    on_campus_source: str | None
    created_at: datetime
    updated_at: datetime
    created_by_submission: str
    changed_by_submission: str


_TEMPORARY_TABLES = """
set local work_mem = '64MB';
create temporary table incoming_student (
    row_number bigint, username_key text, telephone_key text, username text, student_id text,
    last_name text, first_name text, telephone text, dob date, requirement_group text, term text,
    on_campus boolean
) on commit drop;
create temporary table planned_student (
    row_number bigint, outcome text, seen xid, held_student_id text,
    username_key text, username text, student_id text, last_name text, first_name text, telephone text,
    telephone_key text, dob date, requirement_group text, term text, enrollment_source text,
    on_campus boolean, on_campus_source text
) on commit drop
"""

# `seen` is the version of the row that the plan was made from: a change by somebody else in between is
# noticed. A half pair of RequirementGroup and Term changes nothing (M28). `:keep`: a blank cell keeps the
# value (K22). `:override`: a file may undo what the student has reviewed (M30); an equal value leaves the
# review in force.
_PLAN = text("""
insert into planned_student
select
    row_number,
    case
        when seen is null then 'created'
        when (username, student_id, last_name, first_name, telephone, dob, requirement_group, term, on_campus)
            is distinct from
            (old_username, held_student_id, old_last_name, old_first_name, old_telephone, old_dob,
             old_requirement_group, old_term, old_on_campus) then 'updated'
        else 'unchanged'
    end,
    seen, held_student_id, username_key, username, student_id, last_name, first_name, telephone,
    telephone_key, dob, requirement_group, term,
    case
        when (requirement_group, term) is not distinct from (old_requirement_group, old_term)
            then enrollment_source
        when requirement_group is not null then 'prefilled'
    end,
    on_campus,
    case
        when on_campus is not distinct from old_on_campus then on_campus_source
        when on_campus is not null then 'prefilled'
    end
from (
    select
        i.row_number, s.xmin as seen, s.student_id as held_student_id,
        s.enrollment_source, s.on_campus_source,
        s.username as old_username, s.last_name as old_last_name, s.first_name as old_first_name,
        s.telephone as old_telephone, s.dob as old_dob, s.requirement_group as old_requirement_group,
        s.term as old_term, s.on_campus as old_on_campus,
        i.username_key, i.username,
        case when i.student_id is null and :keep then s.student_id else i.student_id end as student_id,
        case when i.last_name is null and :keep then s.last_name else i.last_name end as last_name,
        case when i.first_name is null and :keep then s.first_name else i.first_name end as first_name,
        case when i.telephone is null and :keep then s.telephone else i.telephone end as telephone,
        case when i.telephone is null and :keep then s.telephone_key else i.telephone_key end
            as telephone_key,
        case when i.dob is null and :keep then s.dob else i.dob end as dob,
        case when pair.is_kept then s.requirement_group else i.requirement_group end as requirement_group,
        case when pair.is_kept then s.term else i.term end as term,
        case
            when s.on_campus_source = 'reviewed' and not :override or i.on_campus is null and :keep
                then s.on_campus
            else i.on_campus
        end as on_campus
    from incoming_student i
    left join store.student s on s.tenant_code = :tenant_code and s.username_key = i.username_key
    cross join lateral (
        select
            coalesce(s.enrollment_source = 'reviewed', false) and not :override
            or i.requirement_group is null and i.term is null and :keep
            or (i.requirement_group is null) <> (i.term is null) as is_kept
    ) pair
) planned
""")

# Judged against the state after the file (M23): a student who gives an id up in this very file makes room for
# another. One line per row that wants an id which somebody has or which several rows want: blocked at once
# when the holder keeps it or when it is contested (it goes to neither, whatever order the rows have), else
# depending on the holder's own row.
_CLAIMS = text("""
with claim as (
    select
        p.row_number, p.student_id, h.username_key as holder_key,
        count(*) over (partition by p.student_id) > 1 as is_contested
    from planned_student p
    left join store.student h on h.tenant_code = :tenant_code and h.student_id = p.student_id
    where p.student_id is distinct from p.held_student_id and p.student_id is not null
)
select
    c.row_number,
    coalesce(p.row_number, -1),
    c.is_contested or (c.holder_key is not null and p.row_number is null)
from claim c
left join planned_student p
    on p.username_key = c.holder_key and p.student_id is distinct from p.held_student_id
where c.is_contested or c.holder_key is not null
order by c.row_number
""")

_REJECT = text("""
delete from planned_student p using unnest(cast(:rows as bigint[])) r (row_number)
where p.row_number = r.row_number
""")

_COUNT = text("select outcome, count(*) as row_count from planned_student group by outcome")

_UPDATE = text("""
update store.student s
set username = p.username, student_id = p.student_id, last_name = p.last_name, first_name = p.first_name,
    telephone = p.telephone, telephone_key = p.telephone_key, dob = p.dob,
    requirement_group = p.requirement_group, term = p.term, enrollment_source = p.enrollment_source,
    on_campus = p.on_campus, on_campus_source = p.on_campus_source,
    updated_at = :now, changed_by_submission = :submission_id
from planned_student p
where p.outcome = 'updated' and s.tenant_code = :tenant_code and s.username_key = p.username_key
    and s.xmin = p.seen
""")

_INSERT = text("""
insert into store.student (
    tenant_code, username_key, username, student_id, last_name, first_name, telephone, telephone_key, dob,
    requirement_group, term, enrollment_source, on_campus, on_campus_source,
    created_at, updated_at, created_by_submission, changed_by_submission
)
select
    :tenant_code, username_key, username, student_id, last_name, first_name, telephone, telephone_key, dob,
    requirement_group, term, enrollment_source, on_campus, on_campus_source,
    :now, :now, :submission_id, :submission_id
from planned_student
where outcome = 'created'
order by username_key
""")

_INVITE = text("""
insert into store.invitation (tenant_code, username_key, queued_at, submission_id)
select :tenant_code, username_key, :now, :submission_id from planned_student where outcome = 'created'
on conflict do nothing
""")


def merge(
    connection: Connection,
    rows: pd.DataFrame,
    *,
    tenant_code: str,
    submission_id: str,
    policy: RosterPolicy,
    now: datetime,
) -> MergeResult:
    """Create and update the tenant's students from rows, one per Username, in the caller's transaction (M18).

    A row that changes nothing leaves its student untouched. Merges of one tenant take turns.

    :param rows: ``row`` int64 and ``TEXT_COLUMNS``; a NUL character cannot be stored.
    :raises SerializationConflict: a student was changed by somebody else meanwhile; run this again.
    :raises ValueError: two rows have the same Username; the feed has to settle that.
    """
    hold(connection, MERGE_LOCK, tenant_code)
    connection.exec_driver_sql(_TEMPORARY_TABLES)
    copy_rows(connection, ("incoming_student",), _chunks(rows))
    ours = {"tenant_code": tenant_code}
    change = {**ours, "now": now, "submission_id": submission_id}
    options = {"keep": policy.blank_cells == "keep", "override": policy.prefill_overrides_review}
    connection.execute(_PLAN, {**ours, **options})
    rejected = _rejected(connection.execute(_CLAIMS, ours).all())
    if rejected:
        connection.execute(_REJECT, {"rows": rejected})
    counts = {planned.outcome: planned.row_count for planned in connection.execute(_COUNT)}
    created, updated = counts.get("created", 0), counts.get("updated", 0)
    if connection.execute(_UPDATE, change).rowcount != updated:
        raise SerializationConflict(
            "serialization-conflict",
            "Somebody else changed students during the merge; it was rolled back and will be tried again.",
        )
    connection.execute(_INSERT, change)
    if policy.invite_new_students:
        connection.execute(_INVITE, change)
    connection.exec_driver_sql("drop table incoming_student, planned_student")
    return MergeResult(
        created=created,
        updated=updated,
        unchanged=counts.get("unchanged", 0),
        rejected=pd.DataFrame({"row": pd.Series(rejected, dtype="int64"), "code": STUDENT_ID_TAKEN}).astype(
            {"code": "str"}
        ),
    )


def _chunks(rows: pd.DataFrame) -> Iterator[pa.Table]:
    """Give the rows as COPY wants them: keys added, blank as null."""
    keys = username_key(rows["username"])
    if pc.count_distinct(keys).as_py() != len(rows):
        raise ValueError("rows to merge hold the same Username twice")
    for start in range(0, len(rows), CHUNK_ROWS):
        part = rows.iloc[start : start + CHUNK_ROWS]
        texts = {name: pa.array(part[name], type=pa.string(), from_pandas=True) for name in TEXT_COLUMNS}
        yield pa.table(
            {
                "row_number": pa.array(part["row"], type=pa.int64()),
                "username_key": keys.slice(start, len(part)),
                "telephone_key": telephone_key(part["telephone"]),
                **{name: pc.if_else(pc.equal(values, ""), None, values) for name, values in texts.items()},
            }
        )


def _rejected(claims: Sequence[Row[Any]]) -> list[int]:
    """Return the rows, in order, that cannot have the StudentId they want.

    A rejected row keeps its old id and so stands in the way of the row that wanted it: the answer runs along
    chains, which may be as long as the file. Each round looks twice as far ahead, so a long chain costs no
    more than a few rounds.

    :param claims: row, the row of the present holder who moves away (or -1), whether it is blocked; ordered
    by row.
    """
    if not claims:
        return []
    row, holder, is_blocked = (np.array(column) for column in zip(*claims, strict=True))
    end = len(row)
    place = np.searchsorted(row, holder)
    depends = (place < end) & (row[np.minimum(place, end - 1)] == holder)
    ahead = np.append(np.where(depends, place, end), end)
    rejected = np.append(is_blocked, False)
    for _ in range(end.bit_length()):
        rejected |= rejected[ahead]
        ahead = ahead[ahead]
    return [int(one) for one in row[rejected[:end]]]


def find(connection: Connection, tenant_code: str, username: str) -> Student | None:
    """Return the tenant's student of that Username, whatever its case (M20); None when there is none."""
    key = username_key(pd.Series([username], dtype="str"))[0].as_py()
    columns = [tables.student.c[name] for name in Student.__dataclass_fields__]
    row = connection.execute(
        select(*columns).where(
            tables.student.c.tenant_code == tenant_code, tables.student.c.username_key == key
        )
    ).one_or_none()
    return Student(**row._mapping) if row is not None else None


def count(connection: Connection, tenant_code: str) -> int:
    """Return how many students the tenant has."""
    query = select(func.count()).where(tables.student.c.tenant_code == tenant_code)
    return connection.execute(query).scalar_one()


def invited(connection: Connection, tenant_code: str) -> list[str]:
    """Return the keys of the tenant's students for whom an invitation is queued, in order (M19)."""
    column = tables.invitation.c.username_key
    query = select(column).where(tables.invitation.c.tenant_code == tenant_code).order_by(column)
    return [key for (key,) in connection.execute(query)]
