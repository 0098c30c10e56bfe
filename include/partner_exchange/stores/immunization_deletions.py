"""Marks of doses that were deleted, so that an older message does not bring them back (T64).

Called by the merge of immunizations, for the store and for the held doses alike. A mark says nothing of the
dose but its key.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import LiteralString

import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, text

from partner_exchange.stores.immunization_frames import Origin, copy_keys
from partner_exchange.stores.status_frames import read_frame

_MARKS: LiteralString = """
select k.n::bigint, d.dose_key, (extract(epoch from d.reported_at) * 1000000)::bigint
from asked_patient k
join store.dose_deletion d on d.tenant_code = {tenant_code} and d.patient_key = k.patient_key
"""
_MARK_TYPES = {"patient": pa.int64(), "dose_key": pa.string(), "reported_us": pa.int64()}

_SET = text("""
insert into store.dose_deletion (tenant_code, patient_key, dose_key, reported_at, marked_at)
select
    :tenant_code, k.patient_key, k.dose_key,
    timestamptz 'epoch' + max(k.reported_us::bigint) * interval '1 us', :now
from marked_dose k
group by k.patient_key, k.dose_key
on conflict on constraint dose_deletion_pkey
do update set reported_at = greatest(dose_deletion.reported_at, excluded.reported_at)
""")

_REMOVE = text("""
delete from store.dose_deletion d using marked_dose k
where d.tenant_code = :tenant_code and d.patient_key = k.patient_key and d.dose_key = k.dose_key
""")

_FORGET = text("""
delete from store.dose_deletion d
where d.tenant_code = :tenant_code and d.marked_at < :before
    and not exists (
        select from store.patient p where p.tenant_code = d.tenant_code and p.patient_key = d.patient_key
    )
    and not exists (
        select from store.held_dose h where h.tenant_code = d.tenant_code and h.patient_key = d.patient_key
    )
""")


def read(connection: Connection, tenant_code: str) -> pd.DataFrame:
    """Return the marks of the patients asked for (``immunization_rows.ask_for``): ``patient`` int64, the
    place of the key, ``dose_key``, and ``reported_us`` int64 of the deletion.
    """
    return read_frame(connection, _MARKS, {"tenant_code": tenant_code}, _MARK_TYPES)


def mark(connection: Connection, deleted: pd.DataFrame, origin: Origin) -> None:
    """Set marks: ``patient_key``, ``dose_key`` and ``reported_us`` of each deletion."""
    told = {"reported_us": deleted["reported_us"].astype("str")}
    _ask(connection, deleted, told)
    connection.execute(_SET, {"tenant_code": origin.tenant_code, "now": origin.now})


def unmark(connection: Connection, told: pd.DataFrame, tenant_code: str) -> None:
    """Remove the marks of doses that are there again, by ``patient_key`` and ``dose_key``."""
    _ask(connection, told, {})
    connection.execute(_REMOVE, {"tenant_code": tenant_code})


def forget(connection: Connection, tenant_code: str, before: datetime) -> None:
    """Remove the marks set before ``before`` of patients of whom nothing is known any more."""
    connection.execute(_FORGET, {"tenant_code": tenant_code, "before": before})


def _ask(connection: Connection, doses: pd.DataFrame, more: Mapping[str, pd.Series[str]]) -> None:
    keys = {name: doses[name] for name in ("patient_key", "dose_key")}
    copy_keys(connection, "marked_dose", {**keys, **more})
