"""Who the messages are about: the patient of each message, by any identifier, and what is told of them.

Called by the merge of immunizations. Messages are taken in the order of the file, so that a file means the
same the second time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection

from partner_exchange.stores.consent_registry import Person
from partner_exchange.stores.immunization_frames import (
    DEMOGRAPHICS,
    IDENTIFIER_TEXTS,
    Batch,
    Flags,
    Positions,
    copy_keys,
)
from partner_exchange.stores.status_frames import read_frame

Identifier = tuple[str, str]
"""Authority and identifier."""

Owner = tuple[tuple[int, int], str]
"""Rank, of which the least is the oldest, and patient key."""

_STORED, _HELD, _NEW = 0, 1, 2

_OWNERS: LiteralString = """
select i.authority, i.identifier, p.patient_key, {stored}, p.patient_no
from asked_owner i
join store.patient_identifier o
    on o.tenant_code = {tenant_code} and o.authority = i.authority and o.identifier = i.identifier
join store.patient p on p.tenant_code = {tenant_code} and p.patient_key = o.patient_key
union all
select i.authority, i.identifier, o.patient_key, {held}, first.held_no
from asked_owner i
join store.held_identifier o
    on o.tenant_code = {tenant_code} and o.authority = i.authority and o.identifier = i.identifier
cross join lateral (
    select min(held_no) as held_no from store.held_dose
    where tenant_code = {tenant_code} and patient_key = o.patient_key
) first
"""

_ALL_IDENTIFIERS: LiteralString = """
select p.n::bigint, o.authority, o.identifier
from asked_patient p
join store.patient_identifier o on o.tenant_code = {tenant_code} and o.patient_key = p.patient_key
union
select p.n::bigint, o.authority, o.identifier
from asked_patient p
join store.held_identifier o on o.tenant_code = {tenant_code} and o.patient_key = p.patient_key
"""


@dataclass(frozen=True)
class People:
    """The patients of a batch, numbered as they come."""

    of_message: Positions
    """Number of the patient of each message."""
    keys: npt.NDArray[np.object_]
    """``patient_key`` of each patient."""
    is_stored: Flags
    """Whether the store has the patient."""
    is_held: Flags
    """Whether the patient is known from held doses alone."""
    new_identifiers: pd.DataFrame
    """``patient`` int64 and ``IDENTIFIER_TEXTS``: those that no patient of the store has, each once."""


def resolve(connection: Connection, batch: Batch, tenant_code: str) -> People:
    """Return the patient of each message: the oldest one that has any of its identifiers, else a new one."""
    owners = _owners(connection, batch.identifiers, tenant_code)
    in_store = {identifier for identifier, (rank, _) in owners.items() if rank[0] == _STORED}
    numbers: dict[str, int] = {}
    ranks: list[tuple[int, int]] = []
    of_message: list[int] = []
    fresh: dict[Identifier, tuple[int, str]] = {}
    own_keys = batch.messages["patient_key"].tolist()
    for own_key, identifiers in zip(own_keys, _by_message(batch), strict=True):
        known = [owners[one[:2]] for one in identifiers if one[:2] in owners]
        rank, key = min(known, default=((_NEW, len(ranks)), own_key))
        number = numbers.setdefault(key, len(numbers))
        if number == len(ranks):
            ranks.append(rank)
        ranks[number] = min(ranks[number], rank)
        of_message.append(number)
        for authority, identifier, kind in identifiers:
            owners.setdefault((authority, identifier), (rank, key))
            if (authority, identifier) not in in_store:
                fresh.setdefault((authority, identifier), (number, kind))
    places = np.array([place for place, _ in ranks], dtype=np.int64)
    return People(
        of_message=np.array(of_message, dtype=np.int64),
        keys=np.array(list(numbers), dtype=object),
        is_stored=places == _STORED,
        is_held=places == _HELD,
        new_identifiers=_as_frame(fresh),
    )


def _owners(connection: Connection, identifiers: pd.DataFrame, tenant_code: str) -> dict[Identifier, Owner]:
    asked = identifiers[["authority", "identifier"]].drop_duplicates()
    copy_keys(connection, "asked_owner", {name: asked[name] for name in asked.columns})
    texts = dict.fromkeys(("authority", "identifier", "patient_key"), pa.string())
    types = {**texts, "place": pa.int64(), "number": pa.int64()}
    parameters = {"tenant_code": tenant_code, "stored": _STORED, "held": _HELD}
    found = read_frame(connection, _OWNERS, parameters, types)
    owners: dict[Identifier, Owner] = {}
    columns = (found[name].tolist() for name in found.columns)
    for authority, identifier, key, place, number in zip(*columns, strict=True):
        owner = ((place, number), key)
        owners[authority, identifier] = min(owner, owners.get((authority, identifier), owner))
    return owners


def _by_message(batch: Batch) -> Sequence[list[tuple[str, str, str]]]:
    found: list[list[tuple[str, str, str]]] = [[] for _ in range(len(batch.messages))]
    columns = (batch.identifiers[name].tolist() for name in ("message", *IDENTIFIER_TEXTS))
    for message, authority, identifier, kind in zip(*columns, strict=True):
        found[message].append((authority, identifier, kind))
    return found


def _as_frame(fresh: dict[Identifier, tuple[int, str]]) -> pd.DataFrame:
    rows = [(number, *identifier, kind) for identifier, (number, kind) in fresh.items()]
    frame = pd.DataFrame.from_records(rows, columns=["patient", *IDENTIFIER_TEXTS])
    return frame.astype({"patient": "int64", **dict.fromkeys(IDENTIFIER_TEXTS, "str")})


def newest(messages: pd.DataFrame, patients: Positions, count: int) -> pd.DataFrame:
    """Return ``DEMOGRAPHICS`` and ``reported_us`` of each patient.

    Each value is the newest one that was told; a blank tells nothing. Of one time the later message wins.

    :param messages: ``DEMOGRAPHICS`` and ``reported_us``; each patient has one at least.
    :param patients: number of the patient of each message.
    """
    order = np.argsort(messages["reported_us"].to_numpy(), kind="stable")
    of_line = patients[order]
    found: dict[str, pd.Series[str]] = {}
    for name in DEMOGRAPHICS:
        values = messages[name].to_numpy(dtype=object)[order]
        lines = np.flatnonzero(values != "")
        # Of several assignments to one place the last one stays.
        source = np.full(count, -1, dtype=np.int64)
        source[of_line[lines]] = lines
        found[name] = pd.Series(np.where(source >= 0, values[source] if len(values) else "", ""), dtype="str")
    reported = np.zeros(count, dtype=np.int64)
    reported[of_line] = messages["reported_us"].to_numpy()[order]
    return pd.DataFrame(found).assign(reported_us=reported)


def persons(connection: Connection, batch: Batch, people: People, tenant_code: str) -> Person:
    """Return for whom consent is asked: by all identifiers of each patient, from here and from before."""
    told = newest(batch.messages, people.of_message, len(people.keys))
    own = pd.DataFrame(
        {
            "n": people.of_message[batch.identifiers["message"].to_numpy()],
            "authority": batch.identifiers["authority"],
            "identifier": batch.identifiers["identifier"],
        }
    )
    known = all_identifiers(connection, people.keys.tolist(), tenant_code)
    return Person(
        people=told[["last_name", "first_name", "birth_on"]],
        identifiers=pd.concat([own, known], ignore_index=True).drop_duplicates(ignore_index=True),
    )


def all_identifiers(connection: Connection, keys: Sequence[str], tenant_code: str) -> pd.DataFrame:
    """Return the known identifiers of patients: ``n`` int64, position of the key, ``authority`` and
    ``identifier``.
    """
    numbers = [str(number) for number in range(len(keys))]
    copy_keys(connection, "asked_patient", {"n": numbers, "patient_key": keys})
    types = {"n": pa.int64(), "authority": pa.string(), "identifier": pa.string()}
    return read_frame(connection, _ALL_IDENTIFIERS, {"tenant_code": tenant_code}, types)
