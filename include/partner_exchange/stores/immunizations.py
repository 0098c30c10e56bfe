"""Immunizations: merge a file's messages as one set, and keep store and consents together.

Called by the immunization feed inside the transaction that also moves the submission, and by ``consents``.
Patients without consent have nothing in the store: what is reported of them is held apart (T62). The
newest message decides, about a dose and about a patient; within a file and a time the last line (T64).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from partner_exchange.errors import CountsDoNotReconcile
from partner_exchange.ledger.database import MERGE_LOCK, hold
from partner_exchange.ledger.states import DOSE_OUTCOMES
from partner_exchange.stores import consent_registry, immunization_held, immunization_rows
from partner_exchange.stores.consent_registry import YES, Person
from partner_exchange.stores.immunization_apply import Applied, apply
from partner_exchange.stores.immunization_frames import Accepted, Batch, Flags, Origin, Positions, as_batch
from partner_exchange.stores.immunization_people import People, all_identifiers, persons, resolve
from partner_exchange.stores.status_frames import read_frame
from partner_exchange.tenants.model import Tenant

__all__ = ["Accepted", "ImmunizationMerge", "Moved", "merge", "settle"]

IDENTIFIER_OF_ANOTHER = "identifier-of-another-patient"

# Compiling a plan costs more than it ever saves here.
_SETTINGS = "set local work_mem = '64MB'; set local jit = off"

_ROUNDS = 3
"""How often patients may change sides before a merge: each time others may turn out to be the same."""

_STORED_PEOPLE: LiteralString = """
select patient_key, last_name, first_name, birth_on from store.patient where tenant_code = {tenant_code}
"""


@dataclass(frozen=True)
class ImmunizationMerge:
    """What became of a file's accepted messages and doses."""

    messages: pd.DataFrame
    """By row, as ``ledger.messages.record_outcomes`` takes it."""
    doses: pd.DataFrame
    """``row``, ``dose`` int64, ``outcome`` and ``code`` (of a finding about the dose, "" for none) str."""
    findings: pd.DataFrame
    """``row`` int64 and ``code`` str of each finding about the patient of a message."""


@dataclass(frozen=True)
class Moved:
    """How many doses and refusals went from one place to the other."""

    released: int
    taken_out: int


def merge(
    connection: Connection, accepted: Accepted, *, tenant: Tenant, submission_id: str, now: datetime
) -> ImmunizationMerge:
    """Merge the accepted messages of one file, in the caller's transaction.

    Where the tenant needs consent, only patients who have it on the day of ``now`` enter the store; the
    others' doses are held. In test mode all is worked out and nothing kept (K7). Merges of one tenant take
    turns. Merging a file twice changes nothing the second time.

    :param accepted: texts must not hold NUL; keys and identifiers 200 characters at the most.
    :param now: when it is written, aware.
    :raises CountsDoNotReconcile: a dose came to no outcome; nothing may be committed.
    """
    hold(connection, MERGE_LOCK, tenant.code)
    connection.exec_driver_sql(_SETTINGS)
    batch, places = as_batch(accepted, submission_id)
    origin = Origin(tenant.code, now)
    with _kept_if(connection, is_kept=tenant.mode != "test"):
        found = _find(connection, batch, tenant, now)
        for _ in range(_ROUNDS):
            if not _settle_found(connection, found, origin):
                break
            found = _find(connection, batch, tenant, now)
        applied = apply(connection, batch, found.people, found.is_open, origin)
    consents = found.consents.iloc[found.people.of_message].reset_index(drop=True)
    present = applied.present if tenant.mode != "test" else np.zeros_like(applied.present)
    messages = consents.assign(doses_present=present)
    return _result(accepted, places, applied, messages, _others(batch, found.people))


def settle(connection: Connection, tenant: Tenant, *, now: datetime) -> Moved:
    """Release the held doses of all patients who have consent now, and take those of all others out of the
    store, in the caller's transaction.

    Released doses are merged in their old order, as if they came now. A patient of whom the store has no dose
    is forgotten when consent is gone.
    """
    hold(connection, MERGE_LOCK, tenant.code)
    connection.exec_driver_sql(_SETTINGS)
    origin = Origin(tenant.code, now)
    ours = {"tenant_code": tenant.code}
    stored = read_frame(connection, _STORED_PEOPLE, ours, immunization_held.PEOPLE_TYPES)
    out = stored.loc[~_may_enter(connection, stored, tenant, now), "patient_key"].tolist()
    taken_out = _take_out(connection, out, origin)
    held = immunization_held.people(connection, tenant.code)
    back = held.loc[_may_enter(connection, held, tenant, now), "patient_key"].tolist()
    return Moved(released=_release(connection, back, origin), taken_out=taken_out)


@dataclass(frozen=True)
class _Found:
    """The patients of a batch and what may become of them."""

    people: People
    consents: pd.DataFrame
    is_open: Flags


def _find(connection: Connection, batch: Batch, tenant: Tenant, now: datetime) -> _Found:
    people = resolve(connection, batch, tenant.code)
    asked = persons(connection, batch, people, tenant.code)
    consents = _consents(connection, asked, tenant, now)
    return _Found(people, consents, _is_open(consents, tenant))


def _settle_found(connection: Connection, found: _Found, origin: Origin) -> bool:
    """Move what is on the wrong side of consent; return whether there was anything.

    Consent may have begun or ended since the last file without anybody's doing, such as with a birthday.
    """
    people, is_open = found.people, found.is_open
    out = people.keys[people.is_stored & ~is_open].tolist()
    back = people.keys[people.is_held & is_open].tolist()
    _take_out(connection, out, origin)
    _release(connection, back, origin)
    return bool(out or back)


def _may_enter(connection: Connection, people: pd.DataFrame, tenant: Tenant, now: datetime) -> Flags:
    """Return which patients of the tenant may be in the store."""
    identifiers = all_identifiers(connection, people["patient_key"].tolist(), tenant.code)
    return _is_open(_consents(connection, Person(people, identifiers), tenant, now), tenant)


def _consents(connection: Connection, asked: Person, tenant: Tenant, now: datetime) -> pd.DataFrame:
    today = now.astimezone(ZoneInfo(tenant.time_zone)).date()
    return consent_registry.statuses(
        connection, asked, tenant_code=tenant.code, adult_age_y=tenant.vxu.adult_age_y, on=today
    )


def _is_open(consents: pd.DataFrame, tenant: Tenant) -> Flags:
    has_consent: Flags = (consents["consent_status"] == YES).to_numpy(dtype=bool)
    return has_consent | (tenant.vxu.consent == "not_required")


def _take_out(connection: Connection, keys: Sequence[str], origin: Origin) -> int:
    """Hold all that the store has of patients and return how many doses and refusals that is."""
    if not keys:
        return 0
    return _again(connection, immunization_rows.take(connection, keys, origin.tenant_code), origin, False)


def _release(connection: Connection, keys: Sequence[str], origin: Origin) -> int:
    """Merge the held doses of patients into the store and return how many there were."""
    if not keys:
        return 0
    return _again(connection, immunization_held.take(connection, keys, origin.tenant_code), origin, True)


def _again(connection: Connection, batch: Batch, origin: Origin, may_enter: bool) -> int:
    people = resolve(connection, batch, origin.tenant_code)
    apply(connection, batch, people, np.full(len(people.keys), may_enter), origin)
    return len(batch.doses)


@contextmanager
def _kept_if(connection: Connection, *, is_kept: bool) -> Iterator[None]:
    """Undo what is done in the block unless it is to be kept."""
    if is_kept:
        yield
        return
    savepoint = connection.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()


def _others(batch: Batch, people: People) -> Positions:
    """Return the messages with an identifier of another patient."""
    return np.unique(batch.identifiers["message"].to_numpy()[~people.is_own])


def _result(
    accepted: Accepted, places: pd.DataFrame, applied: Applied, more: pd.DataFrame, others: Positions
) -> ImmunizationMerge:
    """Return the result, with ``more`` of each message, and findings about the ``others``."""
    doses = places.assign(
        outcome=pd.Series(applied.doses, dtype="str"), code=pd.Series(applied.codes, dtype="str")
    )
    messages = pd.DataFrame(
        {
            "row": accepted.patients["row"].sort_values(ignore_index=True),
            "outcome": pd.Series(applied.messages, dtype="str"),
        }
    )
    counts = {
        f"doses_{name}": doses["row"][doses["outcome"] == name].value_counts() for name in DOSE_OUTCOMES
    }
    of_row = {name: messages["row"].map(found).fillna(0).astype("int64") for name, found in counts.items()}
    told = sum(int(count.sum()) for count in of_row.values())
    if told != len(accepted.doses):
        message = (
            f"{len(accepted.doses)} doses were accepted, {told} came to an outcome; nothing was committed."
        )
        raise CountsDoNotReconcile(
            "counts-do-not-reconcile", message, accepted=len(accepted.doses), told=told
        )
    findings = pd.DataFrame({"row": messages["row"].to_numpy()[others]}).assign(
        code=pd.Series(IDENTIFIER_OF_ANOTHER, range(len(others)), dtype="str")
    )
    return ImmunizationMerge(pd.concat([messages.assign(**of_row), more], axis=1), doses, findings)
