"""Merge observations that a history has to take in between: late ones, and several of one status.

Called by the merge of statuses for what ``status_newest`` cannot do as one set. The past of the statuses in
question is read, folded in memory (``status_fold``) and written as additions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, Row, text

from partner_exchange.ledger.copying import CHUNK_ROWS, copy_rows
from partner_exchange.stores.status_fold import Confirmation, Folded, Report, State, fold
from partner_exchange.stores.status_newest import Origin, next_merge_no
from partner_exchange.stores.status_outcomes import Outcome, Outcomes

Key = tuple[str, int]
"""Resource id and status type id."""

_TEXTS = ("value", "colour", "level", "reason", "comment")
_SAID = ("number", "is_not_applicable", *_TEXTS)
_NEW = ("row", "resource_id", "status_type_id", "reported_at", "is_stated", *_SAID)

_TEMPORARY_TABLES = """
create temporary table late_status (
    resource_id text, status_type_id integer, since timestamptz
) on commit drop;
create temporary table folded_status (like store.status) on commit drop
"""

_STATUSES = text("""
select s.*
from late_status l
join store.status s
    on s.tenant_code = :tenant_code and s.resource_id = l.resource_id
    and s.status_type_id = l.status_type_id
""")

# What was in force before the first of the new reports, and all that came after; of one time the last word.
_CHANGES = text("""
select distinct on (c.resource_id, c.status_type_id, c.reported_at) c.*
from late_status l
cross join lateral (
    (
        select *
        from store.status_change
        where tenant_code = :tenant_code and resource_id = l.resource_id
            and status_type_id = l.status_type_id and reported_at < l.since
        order by reported_at desc, merge_no desc
        limit 1
    )
    union all
    select *
    from store.status_change
    where tenant_code = :tenant_code and resource_id = l.resource_id
        and status_type_id = l.status_type_id and reported_at >= l.since
) c
order by c.resource_id, c.status_type_id, c.reported_at, c.merge_no desc
""")

_CONFIRMATIONS = text("""
select c.resource_id, l.status_type_id, c.reported_at, c.is_reason_given, c.is_comment_given
from (select resource_id, min(since) as since from late_status group by resource_id) r
join store.status_confirmation c
    on c.tenant_code = :tenant_code and c.resource_id = r.resource_id and c.reported_at >= r.since
cross join lateral unnest(c.status_type_ids) as said (status_type_id)
join late_status l
    on l.resource_id = c.resource_id and l.status_type_id = said.status_type_id
    and c.reported_at >= l.since
""")

_COLUMNS = """
    tenant_code, resource_id, status_type_id, row_number, reported_at, confirmed_at, recorded_at, number,
    is_not_applicable, is_computed, value, colour, level, reason, comment, submission_id
"""
_UPSERT = f"""
insert into store.status ({_COLUMNS})
select {_COLUMNS} from folded_status
on conflict (tenant_code, resource_id, status_type_id) do update
set row_number = excluded.row_number, reported_at = excluded.reported_at,
    confirmed_at = excluded.confirmed_at, recorded_at = excluded.recorded_at, number = excluded.number,
    is_not_applicable = excluded.is_not_applicable, is_computed = excluded.is_computed,
    value = excluded.value, colour = excluded.colour, level = excluded.level, reason = excluded.reason,
    comment = excluded.comment, submission_id = excluded.submission_id
"""  # noqa: S608 - names of our own


@dataclass(frozen=True)
class _New:
    """One observation of the file."""

    n: int
    row: int | None
    is_stated: bool
    report: Report


@dataclass(frozen=True)
class _Past:
    """What the store has of the statuses in question."""

    statuses: Mapping[Key, Row[Any]]
    bases: Mapping[Key, State]
    known: Mapping[Key, dict[datetime, Report | Confirmation]]


def merge_late(connection: Connection, observations: pd.DataFrame, origin: Origin) -> Outcomes:
    """Merge observations, any number per status and of any age.

    :param observations: as ``statuses.merge`` takes them; all of a status at once.
    """
    new = _by_key(observations)
    connection.exec_driver_sql(_TEMPORARY_TABLES)
    since = {key: min(reports) for key, reports in new.items()}
    copy_rows(connection, ("late_status",), _tables([(*key, at) for key, at in since.items()], _LATE))
    past = _read(connection, origin.tenant_code, since)
    writer = _Writer(origin, next_merge_no(connection))
    outcomes: Outcomes = np.full(len(observations), Outcome.LATE.value, dtype="U1")
    for key, reports in new.items():
        said = {at: one.report for at, one in reports.items()}
        folded = fold(past.bases.get(key), past.known.get(key, {}), said)
        held = past.statuses.get(key)
        for at, one in reports.items():
            outcomes[one.n] = _outcome(at, folded, None if held is None else held.confirmed_at, min(reports))
        writer.take(key, reports, folded, held)
    writer.write(connection)
    connection.exec_driver_sql("drop table late_status, folded_status")
    return outcomes


def _by_key(observations: pd.DataFrame) -> dict[Key, dict[datetime, _New]]:
    """Return the observations by status and time."""
    new: dict[Key, dict[datetime, _New]] = defaultdict(dict)
    lines = pa.Table.from_pandas(observations[list(_NEW)], preserve_index=False).to_pylist()
    for n, line in enumerate(lines):
        state = State(is_computed=line["row"] is None, **{name: line[name] for name in _SAID})
        report = Report(state, is_reason_given=state.reason != "", is_comment_given=state.comment != "")
        one = _New(n, line["row"], line["is_stated"], report)
        new[line["resource_id"], line["status_type_id"]][line["reported_at"]] = one
    return new


def _read(connection: Connection, tenant_code: str, since: Mapping[Key, datetime]) -> _Past:
    ours = {"tenant_code": tenant_code}
    statuses = {_key(row): row for row in connection.execute(_STATUSES, ours)}
    bases: dict[Key, State] = {}
    known: dict[Key, dict[datetime, Report | Confirmation]] = defaultdict(dict)
    for row in connection.execute(_CONFIRMATIONS, ours):
        known[_key(row)][row.reported_at] = Confirmation(row.is_reason_given, row.is_comment_given)
    for row in connection.execute(_CHANGES, ours):
        state = State(is_computed=row.is_computed, **{name: getattr(row, name) for name in _SAID})
        key = _key(row)
        if row.reported_at < since[key]:
            bases[key] = state
        else:
            known[key][row.reported_at] = Report(state, row.is_reason_given, row.is_comment_given)
    return _Past(statuses, bases, known)


def _key(row: Row[Any]) -> Key:
    return row.resource_id, row.status_type_id


def _outcome(at: datetime, folded: Folded, known_at: datetime | None, first_at: datetime) -> Outcome:
    if known_at is not None and at < known_at:
        return Outcome.LATE
    if known_at is None and at == first_at:
        return Outcome.CREATED
    return Outcome.SET if at in folded.changed_by else Outcome.UNCHANGED


_INSTANT = pa.timestamp("us", tz="UTC")
_LATE = {"resource_id": pa.string(), "status_type_id": pa.int32(), "since": _INSTANT}
_STATE = {
    "number": pa.float64(),
    "is_not_applicable": pa.bool_(),
    "is_computed": pa.bool_(),
    **dict.fromkeys(_TEXTS, pa.string()),
}
_WHERE = {"tenant_code": pa.string(), "resource_id": pa.string(), "status_type_id": pa.int32()}
_SOURCE = {"submission_id": pa.string(), "row_number": pa.int32()}
_STATUS = {
    **_WHERE,
    **_STATE,
    "reported_at": _INSTANT,
    "confirmed_at": _INSTANT,
    "recorded_at": _INSTANT,
    **_SOURCE,
}
_CHANGE = {
    **_WHERE,
    **_STATE,
    "is_reason_given": pa.bool_(),
    "is_comment_given": pa.bool_(),
    "is_late": pa.bool_(),
    "reported_at": _INSTANT,
    "merge_no": pa.int64(),
    "recorded_at": _INSTANT,
    **_SOURCE,
}
_CONFIRMATION = {
    "tenant_code": pa.string(),
    "resource_id": pa.string(),
    "reported_at": _INSTANT,
    "merge_no": pa.int64(),
    "is_reason_given": pa.bool_(),
    "is_comment_given": pa.bool_(),
    "status_type_ids": pa.string(),
}


class _Writer:
    """Gathers what the folds add and writes it at once."""

    def __init__(self, origin: Origin, merge_no: int) -> None:
        self._origin, self._merge_no = origin, merge_no
        self._statuses: list[Sequence[object]] = []
        self._changes: list[Sequence[object]] = []
        self._confirmed: dict[tuple[str, datetime, Confirmation], list[int]] = defaultdict(list)

    def take(self, key: Key, reports: Mapping[datetime, _New], folded: Folded, held: Row[Any] | None) -> None:
        """Take what one status adds to history and store."""
        origin = self._origin
        for at, change in folded.changes.items():
            # What only follows from a late report stands in no row of the file.
            row = reports[at].row if at in reports else None
            is_late = held is not None and at < held.confirmed_at
            given = change.is_reason_given, change.is_comment_given, is_late
            self._changes.append(
                (
                    *(origin.tenant_code, *key, *_values(change.state), *given),
                    *(at, self._merge_no, origin.now, origin.submission_id, row),
                )
            )
        for at, confirmation in folded.confirmations.items():
            self._confirmed[key[0], at, confirmation].append(key[1])
        self._statuses.append(
            (origin.tenant_code, *key, *_values(folded.final), *self._seen(reports, folded, held))
        )

    def _seen(
        self, reports: Mapping[datetime, _New], folded: Folded, held: Row[Any] | None
    ) -> Sequence[object]:
        """Return when the status was reported, confirmed and recorded, and by which submission and row."""
        first = min(reports)
        shown = first if held is None else held.reported_at
        known = first if held is None else held.confirmed_at
        recorded, source = self._origin.now, (self._origin.submission_id, reports[first].row)
        if held is not None:
            recorded, source = held.recorded_at, (held.submission_id, held.row_number)
        for at in sorted(at for at in reports if at >= known):
            known = at
            if at in folded.changed_by:
                shown, recorded = at, self._origin.now
                source = (self._origin.submission_id, reports[at].row)
            elif reports[at].is_stated:
                shown = max(shown, at)
        return shown, known, recorded, *source

    def write(self, connection: Connection) -> None:
        """Add all of it to the store."""
        copy_rows(connection, ("store", "status_change"), _tables(self._changes, _CHANGE))
        confirmations = [
            (
                *(self._origin.tenant_code, resource_id, at, self._merge_no),
                *(said.is_reason_given, said.is_comment_given),
                "{" + ",".join(map(str, status_type_ids)) + "}",
            )
            for (resource_id, at, said), status_type_ids in self._confirmed.items()
        ]
        copy_rows(connection, ("store", "status_confirmation"), _tables(confirmations, _CONFIRMATION))
        copy_rows(connection, ("folded_status",), _tables(self._statuses, _STATUS))
        connection.exec_driver_sql(_UPSERT)


def _values(state: State) -> Iterable[object]:
    """Return what a state says, in the order of ``_STATE``."""
    return [getattr(state, name) for name in _STATE]


def _tables(lines: Sequence[Sequence[object]], types: Mapping[str, pa.DataType]) -> Iterator[pa.Table]:
    """Give lines as tables of the names and types."""
    for start in range(0, len(lines), CHUNK_ROWS):
        columns = zip(*lines[start : start + CHUNK_ROWS], strict=True)
        yield pa.table(
            {
                name: pa.array(column, kind)
                for column, (name, kind) in zip(columns, types.items(), strict=True)
            }
        )
