"""Who the messages are about: the patient of each message, and what is told of them (T64).

Called by the merge of immunizations. The primary identifier decides; another one leads to a known patient
only when birth date and names agree, because numbers are shared and mistyped. Messages are taken in the order
of the file, so that a file means the same the second time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import LiteralString

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection

from partner_exchange.stores.consent_registry import OTHER, SURE, WEAK, Person
from partner_exchange.stores.immunization_frames import (
    DEMOGRAPHICS,
    IDENTIFIER_TEXTS,
    Batch,
    Flags,
    Positions,
    copy_keys,
)
from partner_exchange.stores.keys import person_name_key
from partner_exchange.stores.status_frames import read_frame

Identifier = tuple[str, str, str]
"""Authority, identifier and type."""

Who = tuple[str, str, str]
"""Birth date, last and first name as they are compared; "" for what is not known."""

_SOCIAL_SECURITY = ("SS", "SR")
_PLACEHOLDER = re.compile(r"(\d)\1{2,}|123456789")
_NO_ONE: Who = ("", "", "")
_ALIVE = "N"

_STORED, _HELD, _NEW = 0, 1, 2

_OWNERS: LiteralString = """
select
    i.authority, i.identifier, i.type, o.is_primary, p.patient_key, {stored}, p.last_name, p.first_name,
    p.birth_on::text
from asked_owner i
join store.patient_identifier o
    on o.tenant_code = {tenant_code} and o.authority = i.authority and o.identifier = i.identifier
    and o.type = i.type
join store.patient p on p.tenant_code = {tenant_code} and p.patient_key = o.patient_key
union all
select
    i.authority, i.identifier, i.type, o.is_primary, o.patient_key, {held}, told.patient->>'last_name',
    told.patient->>'first_name', told.patient->>'birth_on'
from asked_owner i
join store.held_identifier o
    on o.tenant_code = {tenant_code} and o.authority = i.authority and o.identifier = i.identifier
    and o.type = i.type
cross join lateral (
    select payload->'patient' as patient from store.held_dose
    where tenant_code = {tenant_code} and patient_key = o.patient_key
    order by (payload->'patient'->>'reported_us')::bigint desc, held_no desc
    limit 1
) told
"""
_OWNER_TYPES = {
    **dict.fromkeys(IDENTIFIER_TEXTS, pa.string()),
    "is_primary": pa.bool_(),
    "patient_key": pa.string(),
    "place": pa.int64(),
    **dict.fromkeys(("last_name", "first_name", "birth_on"), pa.string()),
}

_ALL_IDENTIFIERS: LiteralString = """
select p.n::bigint, o.authority, o.identifier, o.type, o.is_primary
from asked_patient p
join store.patient_identifier o on o.tenant_code = {tenant_code} and o.patient_key = p.patient_key
union
select p.n::bigint, o.authority, o.identifier, o.type, o.is_primary
from asked_patient p
join store.held_identifier o on o.tenant_code = {tenant_code} and o.patient_key = p.patient_key
"""
_ALL_TYPES = {
    "n": pa.int64(),
    **dict.fromkeys(IDENTIFIER_TEXTS, pa.string()),
    "is_primary": pa.bool_(),
}


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
    is_own: Flags
    """Of each identifier of the batch: it belongs to the patient of its message, not to another one."""
    new_identifiers: pd.DataFrame
    """``patient`` int64, ``IDENTIFIER_TEXTS``, ``is_primary``, and ``is_known`` for what takes the place of
    a line of the store: those that the store does not have like this, each once.
    """


@dataclass
class _Owner:
    """Whose an identifier is."""

    key: str
    is_primary: bool


@dataclass
class _Known:
    """What is known of patients and identifiers, and grows with the messages."""

    owners: dict[Identifier, _Owner] = field(default_factory=dict)
    stored: dict[Identifier, tuple[str, bool]] = field(default_factory=dict)
    """Owners in the store, as they were before."""
    places: dict[str, int] = field(default_factory=dict)
    """By patient key: the least of ``_STORED``, ``_HELD`` and ``_NEW``."""
    who: dict[str, Who] = field(default_factory=dict)

    def patient(self, own_key: str, who: Who, identifiers: Sequence[tuple[Identifier, bool]]) -> str:
        """Return the key of the patient of a message."""
        for identifier, is_primary in identifiers:
            owner = self.owners.get(identifier)
            if is_primary and owner and owner.is_primary:
                return owner.key
        for identifier, _ in identifiers:
            owner = self.owners.get(identifier)
            if owner and not is_weak(*identifier[1:]) and "" not in who and self.who[owner.key] == who:
                return owner.key
        self.who.setdefault(own_key, who)
        self.places.setdefault(own_key, _NEW)
        return own_key

    def claim(self, key: str, identifier: Identifier, is_primary: bool) -> None:
        """Give a patient an identifier; one that another patient is known by first of all stays there."""
        owner = self.owners.get(identifier)
        if owner is None:
            self.owners[identifier] = _Owner(key, is_primary)
        elif is_primary and not owner.is_primary:
            self.owners[identifier] = _Owner(key, True)


def is_weak(identifier: str, kind: str) -> bool:
    """Say whether a number tells nothing for sure: one of social security, or a placeholder such as 9999."""
    return kind in _SOCIAL_SECURITY or bool(_PLACEHOLDER.fullmatch(identifier.replace("-", "")))


def resolve(connection: Connection, batch: Batch, tenant_code: str) -> People:
    """Return the patient of each message: the known one, else a new one.

    A patient is known by the primary identifier, whatever the others say. Where that is not known, or known
    as a further number of somebody only, any identifier leads to the patient whose birth date and names are
    the same; numbers of social security and placeholders never do.
    """
    known = _known(connection, batch.identifiers, tenant_code)
    numbers: dict[str, int] = {}
    keys: list[str] = []
    by_message = _by_message(batch)
    for own_key, who, identifiers in zip(
        batch.messages["patient_key"].tolist(), _who(batch.messages), by_message, strict=True
    ):
        key = known.patient(own_key, who, identifiers)
        keys.append(key)
        numbers.setdefault(key, len(numbers))
        for identifier, is_primary in identifiers:
            known.claim(key, identifier, is_primary)
    of_message = np.array([numbers[key] for key in keys], dtype=np.int64)
    places = np.array([known.places[key] for key in numbers], dtype=np.int64)
    own = [
        [known.owners[identifier].key == key for identifier, _ in identifiers]
        for key, identifiers in zip(keys, by_message, strict=True)
    ]
    return People(
        of_message=of_message,
        keys=np.array(list(numbers), dtype=object),
        is_stored=places == _STORED,
        is_held=places == _HELD,
        is_own=np.array([one for some in own for one in some], dtype=bool),
        new_identifiers=_new_identifiers(known, numbers),
    )


def _known(connection: Connection, identifiers: pd.DataFrame, tenant_code: str) -> _Known:
    asked = identifiers[list(IDENTIFIER_TEXTS)].drop_duplicates()
    copy_keys(connection, "asked_owner", {name: asked[name] for name in asked.columns})
    parameters = {"tenant_code": tenant_code, "stored": _STORED, "held": _HELD}
    found = read_frame(connection, _OWNERS, parameters, _OWNER_TYPES)
    known = _Known()
    ranks: dict[Identifier, tuple[bool, int]] = {}
    texts = (found[name].tolist() for name in IDENTIFIER_TEXTS)
    others = (found[name].tolist() for name in ("patient_key", "is_primary", "place"))
    for *identifier, key, is_primary, place, who in zip(*texts, *others, _who(found), strict=True):
        one: Identifier = (identifier[0], identifier[1], identifier[2])
        if place == _STORED:
            known.stored[one] = (key, is_primary)
        rank = (not is_primary, place)
        if rank < ranks.get(one, (True, _NEW)):
            ranks[one] = rank
            known.owners[one] = _Owner(key, is_primary)
        known.places[key] = min(place, known.places.get(key, place))
        if place == known.places[key]:
            known.who[key] = who
    return known


def _who(people: pd.DataFrame) -> list[Who]:
    """Return by what it is told whether two people are the same."""
    names = (person_name_key(people[name]).to_pylist() for name in ("last_name", "first_name"))
    return list(zip(people["birth_on"].tolist(), *names, strict=True))


def _by_message(batch: Batch) -> Sequence[list[tuple[Identifier, bool]]]:
    found: list[list[tuple[Identifier, bool]]] = [[] for _ in range(len(batch.messages))]
    columns = (batch.identifiers[name].tolist() for name in ("message", *IDENTIFIER_TEXTS, "is_primary"))
    for message, authority, identifier, kind, is_primary in zip(*columns, strict=True):
        found[message].append(((authority, identifier, kind), is_primary))
    return found


def _new_identifiers(known: _Known, numbers: dict[str, int]) -> pd.DataFrame:
    rows = [
        (numbers[owner.key], *identifier, owner.is_primary, identifier in known.stored)
        for identifier, owner in known.owners.items()
        if owner.key in numbers and known.stored.get(identifier) != (owner.key, owner.is_primary)
    ]
    columns = ["patient", *IDENTIFIER_TEXTS, "is_primary", "is_known"]
    frame = pd.DataFrame.from_records(rows, columns=columns)
    types = {"patient": "int64", "is_primary": "bool", "is_known": "bool"}
    return frame.astype({**types, **dict.fromkeys(IDENTIFIER_TEXTS, "str")})


def newest(messages: pd.DataFrame, patients: Positions, count: int) -> pd.DataFrame:
    """Return ``DEMOGRAPHICS`` and ``reported_us`` of each patient.

    Each value is the newest one that was told; a blank tells nothing. Of one time the later message wins.
    Who is told to be alive has not died, whatever was told before.

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
    found["died_on"] = found["died_on"].mask(found["death_indicator"] == _ALIVE, "")
    reported = np.zeros(count, dtype=np.int64)
    reported[of_line] = messages["reported_us"].to_numpy()[order]
    return pd.DataFrame(found).assign(reported_us=reported)


def persons(connection: Connection, batch: Batch, people: People, tenant_code: str) -> Person:
    """Return for whom consent is asked: by all own identifiers of each patient, from here and from before."""
    told = newest(batch.messages, people.of_message, len(people.keys))
    own = batch.identifiers[people.is_own]
    told_here = own[[*IDENTIFIER_TEXTS, "is_primary"]].assign(n=people.of_message[own["message"].to_numpy()])
    known = _all_identifiers(connection, people.keys.tolist(), tenant_code)
    return Person(
        people=told[["last_name", "first_name", "birth_on"]],
        identifiers=_weighed(pd.concat([told_here, known], ignore_index=True)),
    )


def all_identifiers(connection: Connection, keys: Sequence[str], tenant_code: str) -> pd.DataFrame:
    """Return the known identifiers of patients in the form of ``Person``; ``n`` is the place of the key."""
    return _weighed(_all_identifiers(connection, keys, tenant_code))


def _all_identifiers(connection: Connection, keys: Sequence[str], tenant_code: str) -> pd.DataFrame:
    numbers = [str(number) for number in range(len(keys))]
    copy_keys(connection, "asked_patient", {"n": numbers, "patient_key": keys})
    return read_frame(connection, _ALL_IDENTIFIERS, {"tenant_code": tenant_code}, _ALL_TYPES)


def _weighed(identifiers: pd.DataFrame) -> pd.DataFrame:
    """Return each identifier once, with how sure it tells the person."""
    names = ("identifier", "type")
    weak = [is_weak(*one) for one in zip(*(identifiers[name].tolist() for name in names), strict=True)]
    is_primary = identifiers["is_primary"].to_numpy(dtype=bool)
    weight = np.select([is_primary, np.array(weak, dtype=bool)], [SURE, WEAK], OTHER)
    weighed = identifiers.assign(weight=pd.Series(weight, identifiers.index, dtype="str"))
    first = weighed.iloc[np.argsort(~is_primary, kind="stable")].drop_duplicates(
        ["n", "authority", "identifier"]
    )
    return first[["n", "authority", "identifier", "weight"]].reset_index(drop=True)
