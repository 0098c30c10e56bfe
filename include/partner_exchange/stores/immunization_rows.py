"""Patients, doses, observations and refusals in their tables: read, remove, write.

Called by the merge of immunizations, which knows what is to be done. What changes is removed and written
anew, because that is one way for all and hardly dearer than an update of half the columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, text

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
    or_now,
    or_null,
)
from partner_exchange.stores.status_frames import read_frame

_PATIENTS: LiteralString = """
select
    k.n::bigint, p.patient_no, (extract(epoch from p.reported_at) * 1000000)::bigint, p.created_at::text,
    p.updated_at::text, p.created_by_submission, p.changed_by_submission,
    p.last_name, p.first_name, p.middle_name, p.suffix, p.birth_on, p.sex, p.mother_maiden_name, p.race,
    p.ethnicity, p.street, p.city, p.state, p.zip, p.country, p.phone, p.email, p.is_multiple_birth,
    p.birth_order, p.died_on, p.death_indicator, p.publicity_code, p.protection_claim, p.registry_status
from asked_patient k
join store.patient p on p.tenant_code = {tenant_code} and p.patient_key = k.patient_key
order by 1
"""
_PATIENT_TYPES = {
    "n": pa.int64(),
    "patient_no": pa.int64(),
    "reported_us": pa.int64(),
    "created_at": pa.string(),
    "updated_at": pa.string(),
    "created_by_submission": pa.string(),
    "changed_by_submission": pa.string(),
    **dict.fromkeys(DEMOGRAPHICS, pa.string()),
}

_KNOWN: LiteralString = """
select
    k.n::bigint, d.dose_key, d.completion, d.fingerprint::text, d.cvx, d.administered_on, d.is_given,
    (extract(epoch from d.reported_at) * 1000000)::bigint, d.created_at::text, d.created_by_submission
from asked_patient k
join store.dose d on d.tenant_code = {tenant_code} and d.patient_key = k.patient_key
union all
select
    k.n::bigint, r.dose_key, {refused}, r.fingerprint::text, r.cvx, r.refused_on, false,
    (extract(epoch from r.reported_at) * 1000000)::bigint, r.created_at::text, r.created_by_submission
from asked_patient k
join store.refusal r on r.tenant_code = {tenant_code} and r.patient_key = k.patient_key
"""
_KNOWN_TYPES = {
    **KNOWN_TYPES,
    "created_at": pa.string(),
    "created_by_submission": pa.string(),
}

_DOSES: LiteralString = """
select
    k.n::bigint, d.dose_key, d.completion, d.cvx, d.ndc, d.mvx, d.administered_on, d.amount::text, d.unit,
    d.information_source, d.lot, d.expires_on, d.route, d.site, d.refusal_reason, d.provider_id, d.location,
    d.is_given, d.fingerprint::text, (extract(epoch from d.reported_at) * 1000000)::bigint,
    d.created_by_submission
from asked_patient k
join store.dose d on d.tenant_code = {tenant_code} and d.patient_key = k.patient_key
union all
select
    k.n::bigint, r.dose_key, {refused}, r.cvx, '', '', r.refused_on, '', '', r.information_source, '', null,
    '', '', r.refusal_reason, r.provider_id, r.location, false, r.fingerprint::text,
    (extract(epoch from r.reported_at) * 1000000)::bigint, r.created_by_submission
from asked_patient k
join store.refusal r on r.tenant_code = {tenant_code} and r.patient_key = k.patient_key
order by 1, 2
"""
_DOSE_TYPES = {
    "message": pa.int64(),
    "dose_key": pa.string(),
    **dict.fromkeys(DOSE_TEXTS, pa.string()),
    "is_given": pa.bool_(),
    "fingerprint": pa.string(),
    "reported_us": pa.int64(),
    "submission_id": pa.string(),
}

_OBSERVATIONS: LiteralString = """
select
    k.n::bigint, o.dose_key, o.ordinal, o.observation, o.sub_id, o.type, o.value, o.unit, o.observed_on,
    o.method
from asked_patient k
join store.observation o on o.tenant_code = {tenant_code} and o.patient_key = k.patient_key
"""
_OBSERVATION_TYPES = {
    "message": pa.int64(),
    "dose_key": pa.string(),
    "ordinal": pa.int64(),
    **dict.fromkeys(OBSERVATION_TEXTS, pa.string()),
}

_IDENTIFIERS: LiteralString = """
select k.n::bigint, o.authority, o.identifier, o.type, o.is_primary
from asked_patient k
join store.patient_identifier o on o.tenant_code = {tenant_code} and o.patient_key = k.patient_key
order by 1, 2, 3
"""
_IDENTIFIER_TYPES = {
    "message": pa.int64(),
    **dict.fromkeys(IDENTIFIER_TEXTS, pa.string()),
    "is_primary": pa.bool_(),
}

_REMOVE_DOSES = text("""
with gone_dose as (
    delete from store.dose d using asked_dose k
    where d.tenant_code = :tenant_code and d.patient_key = k.patient_key and d.dose_key = k.dose_key
    returning 1
),
gone_refusal as (
    delete from store.refusal d using asked_dose k
    where d.tenant_code = :tenant_code and d.patient_key = k.patient_key and d.dose_key = k.dose_key
    returning 1
),
gone_observation as (
    delete from store.observation d using asked_dose k
    where d.tenant_code = :tenant_code and d.patient_key = k.patient_key and d.dose_key = k.dose_key
)
select (select count(*) from gone_dose) + (select count(*) from gone_refusal)
""")

# Of each key there is a line in one of the three.
_TOUCH = (
    text("""
        update store.dose d
        set reported_at = timestamptz 'epoch' + k.reported_us::bigint * interval '1 us'
        from touched_dose k
        where d.tenant_code = :tenant_code and d.patient_key = k.patient_key and d.dose_key = k.dose_key
    """),
    text("""
        update store.refusal d
        set reported_at = timestamptz 'epoch' + k.reported_us::bigint * interval '1 us'
        from touched_dose k
        where d.tenant_code = :tenant_code and d.patient_key = k.patient_key and d.dose_key = k.dose_key
    """),
    text("""
        update store.held_dose d
        set reported_at = timestamptz 'epoch' + k.reported_us::bigint * interval '1 us'
        from touched_dose k
        where d.tenant_code = :tenant_code and d.patient_key = k.patient_key and d.dose_key = k.dose_key
    """),
)

_TAKE_IDENTIFIERS = text("""
delete from store.patient_identifier o using taken_identifier k
where o.tenant_code = :tenant_code and o.authority = k.authority and o.identifier = k.identifier
    and o.type = k.type
""")

_REMOVE_PATIENTS = text("""
delete from store.patient p using asked_patient k
where p.tenant_code = :tenant_code and p.patient_key = k.patient_key
""")

_REMOVE_ALL = (
    _REMOVE_PATIENTS,
    text("""
        delete from store.patient_identifier p using asked_patient k
        where p.tenant_code = :tenant_code and p.patient_key = k.patient_key
    """),
    text("""
        delete from store.dose p using asked_patient k
        where p.tenant_code = :tenant_code and p.patient_key = k.patient_key
    """),
    text("""
        delete from store.observation p using asked_patient k
        where p.tenant_code = :tenant_code and p.patient_key = k.patient_key
    """),
    text("""
        delete from store.refusal p using asked_patient k
        where p.tenant_code = :tenant_code and p.patient_key = k.patient_key
    """),
)


def ask_for(connection: Connection, keys: Sequence[str]) -> None:
    """Say which patients the functions of this module and of the held doses are about."""
    numbers = [str(number) for number in range(len(keys))]
    copy_keys(connection, "asked_patient", {"n": numbers, "patient_key": keys})


def read_patients(connection: Connection, tenant_code: str) -> pd.DataFrame:
    """Return what the store has of the patients asked for; ``n`` is the place of the key."""
    return read_frame(connection, _PATIENTS, {"tenant_code": tenant_code}, _PATIENT_TYPES)


def read_known(connection: Connection, tenant_code: str) -> pd.DataFrame:
    """Return the keys of all their doses and refusals, with what tells whether one is the same again."""
    return read_frame(connection, _KNOWN, {"tenant_code": tenant_code, "refused": REFUSED}, _KNOWN_TYPES)


def take(connection: Connection, keys: Sequence[str], tenant_code: str) -> Batch:
    """Remove patients with all that the store has of them, and return it as messages, one per patient."""
    ask_for(connection, keys)
    ours = {"tenant_code": tenant_code}
    patients = read_patients(connection, tenant_code)
    doses = read_frame(connection, _DOSES, {**ours, "refused": REFUSED}, _DOSE_TYPES)
    observations = read_frame(connection, _OBSERVATIONS, ours, _OBSERVATION_TYPES).merge(
        doses[["message", "dose_key"]].assign(n=np.arange(len(doses))), on=["message", "dose_key"]
    )
    batch = Batch(
        messages=patients[[*DEMOGRAPHICS, "reported_us"]].assign(
            patient_key=pd.Series(list(keys), dtype="str"), submission_id=patients["changed_by_submission"]
        ),
        identifiers=read_frame(connection, _IDENTIFIERS, ours, _IDENTIFIER_TYPES),
        doses=doses.assign(action="A"),
        observations=observations.sort_values(["n", "ordinal"], ignore_index=True)[
            ["n", "ordinal", *OBSERVATION_TEXTS]
        ],
    )
    for statement in _REMOVE_ALL:
        connection.execute(statement, ours)
    return batch


def replace_patients(
    connection: Connection, patients: pd.DataFrame, identifiers: pd.DataFrame, origin: Origin
) -> None:
    """Write patients in the place of those that have their keys.

    :param patients: ``patient_key``, ``DEMOGRAPHICS``, ``reported_us``, ``patient_no`` (0 for a new one),
        ``created_at``, ``updated_at`` (text, "" for now), ``created_by_submission`` and
        ``changed_by_submission``.
    :param identifiers: ``patient_key``, ``IDENTIFIER_TEXTS``, ``is_primary``, and ``is_known`` for those that
        take the place of a line that is there.
    """
    is_new = (patients["patient_no"] == 0).to_numpy()
    if not is_new.all():
        ask_for(connection, patients.loc[~is_new, "patient_key"].tolist())
        connection.execute(_REMOVE_PATIENTS, {"tenant_code": origin.tenant_code})
    for is_some in (is_new, ~is_new):
        some = patients[is_some]
        columns = {
            **_patient_columns(some, origin),
            **({} if is_some is is_new else {"patient_no": pa.array(some["patient_no"], pa.int64())}),
        }
        copy_into(connection, "patient", columns, tenant_code=origin.tenant_code)
    taken = identifiers[identifiers["is_known"]]
    if len(taken):
        copy_keys(connection, "taken_identifier", {name: taken[name] for name in IDENTIFIER_TEXTS})
        connection.execute(_TAKE_IDENTIFIERS, {"tenant_code": origin.tenant_code})
    texts = {name: pa.array(identifiers[name], pa.string()) for name in ("patient_key", *IDENTIFIER_TEXTS)}
    columns = {**texts, "is_primary": pa.array(identifiers["is_primary"], pa.bool_())}
    copy_into(connection, "patient_identifier", columns, tenant_code=origin.tenant_code)


def _patient_columns(patients: pd.DataFrame, origin: Origin) -> dict[str, pa.Array]:
    return {
        "patient_key": pa.array(patients["patient_key"], pa.string()),
        **{name: or_null(patients[name]) for name in DEMOGRAPHICS},
        "reported_at": instants(patients["reported_us"]),
        **{name: or_now(patients[name], origin) for name in ("created_at", "updated_at")},
        **{
            name: pa.array(patients[name], pa.string())
            for name in ("created_by_submission", "changed_by_submission")
        },
    }


def remove_doses(connection: Connection, keys: pd.DataFrame, tenant_code: str) -> int:
    """Remove doses and refusals by ``patient_key`` and ``dose_key`` and return how many there were."""
    copy_keys(connection, "asked_dose", {name: keys[name] for name in ("patient_key", "dose_key")})
    return int(connection.execute(_REMOVE_DOSES, {"tenant_code": tenant_code}).scalar_one())


def touch_doses(connection: Connection, doses: pd.DataFrame, tenant_code: str) -> None:
    """Keep that doses, refusals and held ones were told again by a newer message.

    :param doses: ``patient_key``, ``dose_key`` and ``reported_us``.
    """
    told = {"reported_us": doses["reported_us"].astype("str")}
    copy_keys(connection, "touched_dose", {name: doses[name] for name in ("patient_key", "dose_key")} | told)
    for statement in _TOUCH:
        connection.execute(statement, {"tenant_code": tenant_code})


def write_doses(
    connection: Connection, doses: pd.DataFrame, observations: pd.DataFrame, origin: Origin
) -> None:
    """Write doses and refusals that are not there, with the observations.

    :param doses: ``patient_key``, ``dose_key``, ``DOSE_TEXTS``, ``is_given``, ``fingerprint``,
        ``reported_us``, ``submission_id``, ``created_at`` (text, "" for now) and ``created_by_submission``.
    :param observations: ``patient_key``, ``dose_key``, ``ordinal`` and ``OBSERVATION_TEXTS``.
    """
    is_refusal = (doses["completion"] == REFUSED).to_numpy()
    refusals, given = doses[is_refusal], doses[~is_refusal]
    own = {name: or_null(given[name]) for name in DOSE_TEXTS}
    columns = {**own, "is_given": pa.array(given["is_given"], pa.bool_()), **_trail(given, origin)}
    copy_into(connection, "dose", columns, tenant_code=origin.tenant_code)
    names = ("cvx", "refusal_reason", "information_source", "provider_id", "location")
    own = {name: or_null(refusals[name]) for name in names}
    columns = {**own, "refused_on": or_null(refusals["administered_on"]), **_trail(refusals, origin)}
    copy_into(connection, "refusal", columns, tenant_code=origin.tenant_code)
    columns = {
        **{name: pa.array(observations[name], pa.string()) for name in ("patient_key", "dose_key")},
        "ordinal": pa.array(observations["ordinal"], pa.int32()),
        **{name: or_null(observations[name]) for name in OBSERVATION_TEXTS},
    }
    copy_into(connection, "observation", columns, tenant_code=origin.tenant_code)


def _trail(doses: pd.DataFrame, origin: Origin) -> dict[str, pa.Array]:
    """Return keys and origin of doses and refusals."""
    return {
        **{
            name: pa.array(doses[name], pa.string())
            for name in ("patient_key", "dose_key", "fingerprint", "created_by_submission")
        },
        "changed_by_submission": pa.array(doses["submission_id"], pa.string()),
        "reported_at": instants(doses["reported_us"]),
        "created_at": or_now(doses["created_at"], origin),
        "updated_at": pa.repeat(origin.now.isoformat(), len(doses)),
    }
