"""Doses of patients without consent: all that is known of them, apart from the store (T62).

Called by the merge of immunizations and by ``consents``. A row is a dose with its patient and identifiers as
they were told, so that it can be released later as if it came then.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, text

from partner_exchange.stores import immunization_deletions
from partner_exchange.stores.immunization_frames import (
    DEMOGRAPHICS,
    DOSE_TEXTS,
    IDENTIFIER_TEXTS,
    KNOWN_TYPES,
    OBSERVATION_TEXTS,
    REFUSED,
    Batch,
    Origin,
    copy_into,
    copy_keys,
    instants,
    joined,
    or_now,
    or_null,
)
from partner_exchange.stores.immunization_rows import ask_for
from partner_exchange.stores.status_frames import read_frame

_KNOWN: LiteralString = """
select
    k.n::bigint, d.dose_key, d.payload->'dose'->>'completion', d.fingerprint::text, d.cvx, d.administered_on,
    d.is_given, (extract(epoch from d.reported_at) * 1000000)::bigint, d.held_no, d.held_at::text,
    (d.payload->'patient'->>'reported_us')::bigint
from asked_patient k
join store.held_dose d on d.tenant_code = {tenant_code} and d.patient_key = k.patient_key
"""
_KNOWN_TYPES = {
    **KNOWN_TYPES,
    "held_no": pa.int64(),
    "held_at": pa.string(),
    "told_us": pa.int64(),
}

_TAKE = text("""
delete from store.held_dose d using asked_patient k
where d.tenant_code = :tenant_code and d.patient_key = k.patient_key
returning d.held_no, d.patient_key, d.dose_key, d.action, d.is_given, d.fingerprint::text as fingerprint,
    (extract(epoch from d.reported_at) * 1000000)::bigint as reported_us, d.submission_id,
    d.payload::text as payload
""")

_REMOVE = text("""
delete from store.held_dose d using asked_dose k
where d.tenant_code = :tenant_code and d.patient_key = k.patient_key and d.dose_key = k.dose_key
""")

_REMOVE_OLD = text("""
delete from store.held_dose where tenant_code = :tenant_code and held_at < :before
""")

_COUNT_OLD = text("""
select count(*) from store.held_dose where tenant_code = :tenant_code and held_at < :before
""")

_ADD_IDENTIFIERS = text("""
insert into store.held_identifier (tenant_code, authority, identifier, type, patient_key, is_primary)
select :tenant_code, k.authority, k.identifier, k.type, k.patient_key, bool_or(k.is_primary = 'True')
from asked_identifier k
where exists (
    select from store.held_dose where tenant_code = :tenant_code and patient_key = k.patient_key
)
group by k.authority, k.identifier, k.type, k.patient_key
on conflict on constraint held_identifier_pkey
do update set patient_key = excluded.patient_key, is_primary = true
where excluded.is_primary and not held_identifier.is_primary
""")

_FORGET_IDENTIFIERS = text("""
delete from store.held_identifier i
where i.tenant_code = :tenant_code
    and not exists (
        select from store.held_dose d
        where d.tenant_code = i.tenant_code and d.patient_key = i.patient_key
    )
""")

_PEOPLE: LiteralString = """
select distinct on (patient_key)
    patient_key, payload->'patient'->>'last_name', payload->'patient'->>'first_name',
    payload->'patient'->>'birth_on'
from store.held_dose
where tenant_code = {tenant_code}
order by patient_key, (payload->'patient'->>'reported_us')::bigint desc, held_no desc
"""
PEOPLE_TYPES = dict.fromkeys(("patient_key", "last_name", "first_name", "birth_on"), pa.string())
"""Columns by which consent is asked for."""


def read_known(connection: Connection, tenant_code: str) -> pd.DataFrame:
    """Return the keys of all held doses of the patients asked for, as ``immunization_rows.read_known``."""
    return read_frame(connection, _KNOWN, {"tenant_code": tenant_code}, _KNOWN_TYPES)


def people(connection: Connection, tenant_code: str) -> pd.DataFrame:
    """Return key, names and birth date of all patients with held doses."""
    return read_frame(connection, _PEOPLE, {"tenant_code": tenant_code}, PEOPLE_TYPES)


def take(connection: Connection, keys: Sequence[str], tenant_code: str) -> Batch:
    """Remove all held doses of patients and return them as messages in their old order, one per dose."""
    ask_for(connection, keys)
    rows = sorted(connection.execute(_TAKE, {"tenant_code": tenant_code}).mappings(), key=_held_no)
    payloads = [json.loads(row["payload"]) for row in rows]
    doses = [
        {**_texts(payload["dose"], DOSE_TEXTS), **{name: row[name] for name in _OWN}, "message": n}
        for n, (row, payload) in enumerate(zip(rows, payloads, strict=True))
    ]
    identifiers = [
        {"message": n, "is_primary": one["is_primary"], **_texts(one, IDENTIFIER_TEXTS)}
        for n, payload in enumerate(payloads)
        for one in payload["identifiers"]
    ]
    observations = [
        {"n": n, "ordinal": one["ordinal"], **_texts(one, OBSERVATION_TEXTS)}
        for n, payload in enumerate(payloads)
        for one in payload["observations"]
    ]
    messages = [
        {
            "patient_key": row["patient_key"],
            **_texts(payload["patient"], DEMOGRAPHICS),
            "reported_us": payload["patient"]["reported_us"],
            "submission_id": row["submission_id"],
        }
        for row, payload in zip(rows, payloads, strict=True)
    ]
    forget_identifiers(connection, tenant_code)
    return Batch(
        messages=_frame(messages, ("patient_key", *DEMOGRAPHICS, "submission_id"), {"reported_us": "int64"}),
        identifiers=_frame(identifiers, IDENTIFIER_TEXTS, {"message": "int64", "is_primary": "bool"}),
        doses=_frame(
            doses,
            ("dose_key", "action", *DOSE_TEXTS, "fingerprint", "submission_id"),
            {"message": "int64", "is_given": "bool", "reported_us": "int64"},
        ),
        observations=_frame(observations, OBSERVATION_TEXTS, {"n": "int64", "ordinal": "int64"}),
    )


_OWN = ("dose_key", "action", "is_given", "fingerprint", "reported_us", "submission_id")


def _held_no(row: Any) -> int:
    return int(row["held_no"])


def _texts(part: dict[str, str], names: Sequence[str]) -> dict[str, str]:
    """Return the texts of a part of a payload, which leaves out what is blank."""
    return {name: part.get(name, "") for name in names}


def _frame(rows: Sequence[dict[str, Any]], texts: Sequence[str], others: dict[str, str]) -> pd.DataFrame:
    columns = [*texts, *others]
    return pd.DataFrame.from_records(list(rows), columns=columns).astype(
        {**dict.fromkeys(texts, "str"), **others}
    )


def remove(connection: Connection, keys: pd.DataFrame, tenant_code: str) -> int:
    """Remove held doses by ``patient_key`` and ``dose_key`` and return how many there were."""
    copy_keys(connection, "asked_dose", {name: keys[name] for name in ("patient_key", "dose_key")})
    return connection.execute(_REMOVE, {"tenant_code": tenant_code}).rowcount


def write(connection: Connection, batch: Batch, doses: pd.DataFrame, origin: Origin) -> None:
    """Hold doses whose keys are not held.

    :param doses: lines of ``batch.doses``, in order and with their index, with ``patient_key``, ``held_no``
        (0 for a new one) and ``held_at`` (text, "" for now).
    """
    columns = {
        **{
            name: pa.array(doses[name], pa.string())
            for name in ("patient_key", "dose_key", "action", "fingerprint", "submission_id")
        },
        **{name: or_null(doses[name]) for name in ("cvx", "administered_on")},
        "is_refusal": pa.array(doses["completion"] == REFUSED, pa.bool_()),
        "is_given": pa.array(doses["is_given"], pa.bool_()),
        "held_at": or_now(doses["held_at"], origin),
        "payload": _payloads(batch, doses),
        "reported_at": instants(doses["reported_us"]),
        "held_no": pa.array(doses["held_no"], pa.int64()),
    }
    rows = pa.table(columns)
    is_new = pc.equal(rows["held_no"], 0)
    fresh, again = rows.filter(is_new).drop_columns(["held_no"]), rows.filter(pc.invert(is_new))
    for some in (fresh, again):
        if some.num_rows:
            parts = dict(zip(some.column_names, some.columns, strict=True))
            copy_into(connection, "held_dose", parts, tenant_code=origin.tenant_code)


def add_identifiers(connection: Connection, identifiers: pd.DataFrame, tenant_code: str) -> None:
    """Keep the identifiers of patients who have held doses.

    :param identifiers: ``patient_key``, ``IDENTIFIER_TEXTS`` and ``is_primary``; each of one patient.
    """
    texts = {name: identifiers[name] for name in ("patient_key", *IDENTIFIER_TEXTS)}
    copy_keys(
        connection, "asked_identifier", {**texts, "is_primary": identifiers["is_primary"].astype("str")}
    )
    connection.execute(_ADD_IDENTIFIERS, {"tenant_code": tenant_code})


def forget_identifiers(connection: Connection, tenant_code: str) -> None:
    """Forget who the patients were of whom no dose is held any more."""
    connection.execute(_FORGET_IDENTIFIERS, {"tenant_code": tenant_code})


def count_before(connection: Connection, tenant_code: str, before: datetime) -> int:
    """Return how many doses are held since before ``before``."""
    parameters = {"tenant_code": tenant_code, "before": before}
    return int(connection.execute(_COUNT_OLD, parameters).scalar_one())


def remove_before(connection: Connection, tenant_code: str, before: datetime) -> int:
    """Remove the doses that are held since before ``before`` and return how many there were."""
    removed = connection.execute(_REMOVE_OLD, {"tenant_code": tenant_code, "before": before}).rowcount
    forget_identifiers(connection, tenant_code)
    immunization_deletions.forget(connection, tenant_code, before)
    return removed


def _payloads(batch: Batch, doses: pd.DataFrame) -> pa.Array:
    """Return the payload of each dose as JSON, written for whole columns at once."""
    messages = pa.array(doses["message"], pa.int64())
    reported = pa.array(batch.messages["reported_us"], pa.int64())
    patients = _objects(batch.messages, DEMOGRAPHICS, {"reported_us": reported})
    is_primary = pa.array(batch.identifiers["is_primary"], pa.bool_())
    identifiers = _listed(
        _objects(batch.identifiers, IDENTIFIER_TEXTS, {"is_primary": is_primary}),
        batch.identifiers["message"],
        len(batch.messages),
    )
    is_wanted = np.zeros(len(batch.doses), dtype=bool)
    is_wanted[doses.index] = True
    lines = batch.observations[is_wanted[batch.observations["n"].to_numpy()]]
    ordinals = pa.array(lines["ordinal"], pa.int64())
    observations = _listed(
        _objects(lines, OBSERVATION_TEXTS, {"ordinal": ordinals}), lines["n"], len(batch.doses)
    )
    return pc.binary_join_element_wise(
        '{"patient":',
        patients.take(messages),
        ',"identifiers":',
        identifiers.take(messages),
        ',"dose":',
        _objects(doses, DOSE_TEXTS),
        ',"observations":',
        observations.take(pa.array(doses.index.to_numpy(), pa.int64())),
        "}",
        "",
    )


def _objects(
    frame: pd.DataFrame, texts: Sequence[str], numbers: dict[str, pa.Array] | None = None
) -> pa.Array:
    """Return each line as a JSON object; blank texts are left out."""
    members = [_members(frame[name], name) for name in texts]
    members += [
        pc.binary_join_element_wise(f'"{name}":', values.cast(pa.string()), "")
        for name, values in (numbers or {}).items()
    ]
    inside = pc.binary_join_element_wise(*members, ",", null_handling="skip")
    return pc.binary_join_element_wise("{", inside, "}", "")


def _members(values: pd.Series[str], name: str) -> pa.Array:
    """Return ``"name":"value"`` for each value, null for a blank one."""
    texts = or_null(values)
    is_odd = pc.fill_null(pc.match_substring_regex(texts, r'["\\\x00-\x1f]'), False)
    if pc.any(is_odd).as_py():
        escaped = [json.dumps(one, ensure_ascii=False)[1:-1] for one in texts.filter(is_odd).to_pylist()]
        texts = pc.replace_with_mask(texts, is_odd, pa.array(escaped, pa.string()))
    return pc.binary_join_element_wise(f'"{name}":"', texts, '"', "")


def _listed(objects: pa.Array, groups: pd.Series[int], group_count: int) -> pa.Array:
    """Return the objects of each group as a JSON array; groups may come in any order."""
    order = np.argsort(groups.to_numpy(), kind="stable")
    inside = joined(objects.take(pa.array(order)), groups.iloc[order], group_count, ",")
    return pc.binary_join_element_wise("[", inside, "]", "")
