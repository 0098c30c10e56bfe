"""Merge observations that add to the end of the history of their status, or nothing, as one set.

That is nearly all of nearly every file. What has to go into the middle is given back untouched, for
``status_late``. Called by the merge of statuses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, text

from partner_exchange.ledger.copying import CHUNK_ROWS, copy_rows
from partner_exchange.stores.status_outcomes import Outcome, Outcomes, require_equal


@dataclass(frozen=True)
class Origin:
    """Where observations come from."""

    tenant_code: str
    submission_id: str
    now: datetime


# Time as microseconds: writing times as text costs more than all the rest of a line. A null reason or comment
# is not given.
_INCOMING = """
create temporary table incoming_status (
    n integer, row_number integer, resource_id text, status_type_id integer, reported_us bigint,
    is_stated boolean, number double precision, is_not_applicable boolean, is_computed boolean,
    value text, colour text, level text, reason text, comment text
) on commit drop
"""

# `known_at` is null for a status without a value yet. A report for the very time of the status now is a
# correction of it; the history then takes all that the corrected status says as given. A late report that the
# history tells already ends here; it is at most one more confirmation.
_MERGE = text("""
with judged as materialized (
    select
        i.n, i.row_number, i.resource_id, i.status_type_id, i.reported_at, i.is_stated, i.number,
        i.is_not_applicable, i.is_computed, i.value, i.colour, i.level,
        s.confirmed_at as known_at, s.reported_at as shown_at,
        case
            when s.confirmed_at is null then 'c'
            when i.reported_at < s.confirmed_at then 'x'
            when not said.is_same or i.reason <> s.reason or i.comment <> s.comment then 's'
            else 'u'
        end as outcome,
        coalesce(i.reason, case when said.is_same then s.reason end, '') as reason,
        coalesce(i.comment, case when said.is_same then s.comment end, '') as comment,
        i.reason is not null or coalesce(i.reported_at = s.confirmed_at, false) as is_reason_given,
        i.comment is not null or coalesce(i.reported_at = s.confirmed_at, false) as is_comment_given
    from (
        select
            n, row_number, resource_id, status_type_id, is_stated, number, is_not_applicable, is_computed,
            timestamptz 'epoch' + reported_us * interval '1 microsecond' as reported_at,
            coalesce(value, '') as value, coalesce(colour, '') as colour, coalesce(level, '') as level,
            reason, comment
        from incoming_status
    ) i
    left join store.status s
        on s.tenant_code = :tenant_code and s.resource_id = i.resource_id
        and s.status_type_id = i.status_type_id
    cross join lateral (
        select
            i.value = s.value and i.is_not_applicable = s.is_not_applicable
            and i.is_computed = s.is_computed as is_same
    ) said
),
late as materialized (
    select
        j.n, c.reported_at as told_at,
        coalesce(
            c.value = j.value and c.is_not_applicable = j.is_not_applicable
            and c.is_computed = j.is_computed and (not j.is_reason_given or c.reason = j.reason)
            and (not j.is_comment_given or c.comment = j.comment),
            false
        ) as is_told
    from judged j
    left join lateral (
        select reported_at, value, is_not_applicable, is_computed, reason, comment
        from store.status_change
        where tenant_code = :tenant_code and resource_id = j.resource_id
            and status_type_id = j.status_type_id and reported_at <= j.reported_at
        order by reported_at desc, merge_no desc
        limit 1
    ) c on true
    where j.outcome = 'x'
),
created as (
    insert into store.status (
        tenant_code, resource_id, status_type_id, row_number, reported_at, confirmed_at, recorded_at,
        number, is_not_applicable, is_computed, value, colour, level, reason, comment, submission_id
    )
    select
        :tenant_code, resource_id, status_type_id, row_number, reported_at, reported_at, :now,
        number, is_not_applicable, is_computed, value, colour, level, reason, comment, :submission_id
    from judged
    where outcome = 'c'
),
changed as (
    update store.status s
    set row_number = j.row_number, reported_at = j.reported_at, confirmed_at = j.reported_at,
        recorded_at = :now, number = j.number, is_not_applicable = j.is_not_applicable,
        is_computed = j.is_computed, value = j.value, colour = j.colour, level = j.level,
        reason = j.reason, comment = j.comment, submission_id = :submission_id
    from judged j
    where j.outcome = 's' and s.tenant_code = :tenant_code and s.resource_id = j.resource_id
        and s.status_type_id = j.status_type_id
    returning 1
),
moved as (
    update store.status s
    set confirmed_at = j.reported_at,
        reported_at = case when j.is_stated then j.reported_at else s.reported_at end
    from judged j
    where j.outcome = 'u' and (j.reported_at > j.known_at or j.is_stated and j.reported_at > j.shown_at)
        and s.tenant_code = :tenant_code and s.resource_id = j.resource_id
        and s.status_type_id = j.status_type_id
),
noted as (
    insert into store.status_change (
        tenant_code, resource_id, status_type_id, row_number, reported_at, merge_no, recorded_at, number,
        is_not_applicable, is_computed, is_reason_given, is_comment_given, is_late, value, colour, level,
        reason, comment, submission_id
    )
    select
        :tenant_code, resource_id, status_type_id, row_number, reported_at, :merge_no, :now, number,
        is_not_applicable, is_computed, is_reason_given, is_comment_given, false, value, colour, level,
        reason, comment, :submission_id
    from judged
    where outcome in ('c', 's')
),
confirmed as (
    insert into store.status_confirmation (
        tenant_code, resource_id, reported_at, merge_no, is_reason_given, is_comment_given, status_type_ids
    )
    select
        :tenant_code, resource_id, reported_at, :merge_no, is_reason_given, is_comment_given,
        array_agg(status_type_id)
    from judged j
    left join late using (n)
    where j.outcome = 'u' and j.reported_at > j.known_at
        or late.is_told and j.reported_at > late.told_at and not exists (
            select
            from store.status_confirmation
            where tenant_code = :tenant_code and resource_id = j.resource_id
                and reported_at = j.reported_at and j.status_type_id = any(status_type_ids)
        )
    group by resource_id, reported_at, is_reason_given, is_comment_given
)
select
    coalesce(string_agg(case when late.is_told then 'l' else j.outcome end, '' order by j.n), '') as outcomes,
    (select count(*) from changed) as changed
from judged j
left join late using (n)
""")

_LARGE = 1_000
# Statistics lag behind a tenant's first large file: a plan made for the few statuses of before would compare
# each with each.
_HASH_JOINS = "set local enable_nestloop = off"
_ANY_JOINS = "set local enable_nestloop to default"

_NEXT_MERGE = text("select nextval('store.status_merge_no')")


def next_merge_no(connection: Connection) -> int:
    """Return a number greater than those of all earlier merges of the tenant."""
    return int(connection.execute(_NEXT_MERGE).scalar_one())


def merge_newest(connection: Connection, observations: pd.DataFrame, origin: Origin) -> Outcomes:
    """Merge observations, one per status; what does not end here is untouched and has outcome ``BETWEEN``.

    :param observations: as ``statuses.merge`` takes them; ``row`` is null where a formula computed the value.
    :raises CountsDoNotReconcile: a status to change was not there any more.
    """
    connection.exec_driver_sql(_INCOMING)
    copy_rows(connection, ("incoming_status",), _chunks(observations))
    parameters = {**vars(origin), "merge_no": next_merge_no(connection)}
    is_large = len(observations) >= _LARGE
    connection.exec_driver_sql(_HASH_JOINS if is_large else _ANY_JOINS)
    done = connection.execute(_MERGE, parameters).one()
    connection.exec_driver_sql(f"{_ANY_JOINS}; drop table incoming_status")
    outcomes: Outcomes = np.frombuffer(done.outcomes.encode("ascii"), dtype="S1").astype("U1")
    require_equal(len(observations), len(outcomes))
    require_equal(int((outcomes == Outcome.SET).sum()), done.changed)
    return outcomes


def _chunks(observations: pd.DataFrame) -> Iterator[pa.Table]:
    """Give the observations as COPY wants them: numbered, blank as null."""
    for start in range(0, len(observations), CHUNK_ROWS):
        part = observations.iloc[start : start + CHUNK_ROWS]
        rows = pa.array(part["row"], pa.int32(), from_pandas=True)
        texts = {
            name: pa.array(part[name], pa.string(), from_pandas=True)
            for name in ("value", "colour", "level", "reason", "comment")
        }
        yield pa.table(
            {
                "n": pa.array(np.arange(start, start + len(part)), pa.int32()),
                "row_number": rows,
                "resource_id": pa.array(part["resource_id"], pa.string(), from_pandas=True),
                "status_type_id": pa.array(part["status_type_id"], pa.int32()),
                "reported_us": microseconds(part["reported_at"]),
                "is_stated": pa.array(part["is_stated"], pa.bool_()),
                "number": pa.array(part["number"], pa.float64(), from_pandas=True),
                "is_not_applicable": pa.array(part["is_not_applicable"], pa.bool_()),
                "is_computed": pc.is_null(rows),
                **{name: pc.if_else(pc.equal(cells, ""), None, cells) for name, cells in texts.items()},
            }
        )


def microseconds(instants: pd.Series[pd.Timestamp]) -> pa.Array:
    """Return aware instants as microseconds since 1970, int64."""
    return pa.array(instants, pa.timestamp("us", tz="UTC")).cast(pa.int64())
