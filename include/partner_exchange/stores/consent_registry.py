"""The consents that the registry knows, and what they mean for a patient on a day (T61, T62).

Opt-in: without a consent there is none. A child's consent is the parents' and ends with childhood; adults
sign their own. Called by the merge of immunizations and by ``consents``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import LiteralString

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, text

from partner_exchange.stores.immunization_frames import copy_keys
from partner_exchange.stores.keys import person_name_key
from partner_exchange.stores.status_frames import read_frame

CHILD, ADULT = "CHILD", "ADULT"
YES, NO, PENDING, NOT_FOUND = "YES", "NO", "PENDING", "NOT_FOUND"
WITHDRAWN = "WITHDRAWN"

TYPES = (CHILD, ADULT)
STATUSES = (YES, NO, PENDING, WITHDRAWN)

RECORD_TEXTS = (
    "authority",
    "identifier",
    "last_name",
    "first_name",
    "birth_on",
    "type",
    "status",
    "consented_on",
)
"""Columns of consents to record: texts, dates as yyyy-mm-dd, "" for none."""

STATUS_COLUMNS = ("consent_status", "consent_type", "consent_on", "consent_expires_on")

SURE, OTHER, WEAK = "sure", "other", "weak"
"""How sure an identifier tells the person. Only by a sure one a record opens the store whoever it names; by
any other one the names have to be the same, but a refusal counts by any that is not weak.
"""

Days = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class Person:
    """Whose consent is asked for: ``people`` and ``identifiers`` meet in ``n``."""

    people: pd.DataFrame
    """``last_name``, ``first_name``, ``birth_on`` (yyyy-mm-dd or "") texts; ``n`` is the position."""
    identifiers: pd.DataFrame
    """``n`` int64, ``authority``, ``identifier``, and ``weight``: ``SURE`` for what names the person by
    itself, ``OTHER`` and ``WEAK`` for what others may have too.
    """


_RECORD = text("""
insert into store.consent (
    tenant_code, authority, identifier, last_name, first_name, last_name_key, first_name_key, birth_on, type,
    status, consented_on, recorded_at, source
)
select
    :tenant_code, i.authority, i.identifier, i.last_name, i.first_name, i.last_name_key, i.first_name_key,
    i.birth_on, i.type, i.status, i.consented_on, :now, :source
from (
    select
        n::integer, authority, identifier, last_name, first_name, last_name_key, first_name_key,
        nullif(birth_on, '')::date as birth_on, type, status, consented_on::date
    from incoming_consent
) i
left join (
    select distinct on (authority, identifier, last_name_key, first_name_key, birth_on, type, consented_on)
        authority, identifier, last_name_key, first_name_key, birth_on, type, consented_on, status
    from store.consent
    where tenant_code = :tenant_code
    order by authority, identifier, last_name_key, first_name_key, birth_on, type, consented_on,
        consent_no desc
) known
    on known.authority = i.authority and known.identifier = i.identifier
    and known.last_name_key = i.last_name_key and known.first_name_key = i.first_name_key
    and coalesce(known.birth_on, date '0001-01-01') = coalesce(i.birth_on, date '0001-01-01')
    and known.type = i.type and known.consented_on = i.consented_on
where known.status is distinct from i.status
order by i.n
""")

# Per person and type the newest record; one of the person's own number goes before all found by name, but a
# newer refusal counts whatever way it is found. Of all records of one name only the newest of each authority
# is looked at, or namesakes would be compared with each other. A record with another number of an authority
# that has given the person one is of a namesake.
_NEWEST: LiteralString = """
with asked_name as (
    select distinct last_name_key, first_name_key, birth_on::date as birth_on
    from asked_person
    where last_name_key <> '' and first_name_key <> ''
),
named as (
    select distinct on (c.last_name_key, c.first_name_key, c.birth_on, c.type, c.identifier = '', c.authority)
        c.last_name_key, c.first_name_key, c.birth_on, c.type, c.identifier <> '' as is_numbered,
        c.authority, c.status, c.consented_on, c.consent_no
    from asked_name a
    join store.consent c
        on c.tenant_code = {tenant_code} and c.last_name_key = a.last_name_key
        and c.first_name_key = a.first_name_key and c.birth_on = a.birth_on
    where c.consented_on <= {on}
    order by c.last_name_key, c.first_name_key, c.birth_on, c.type, c.identifier = '', c.authority,
        c.consented_on desc, c.consent_no desc
),
numbered as (
    select i.n, i.weight, c.last_name_key, c.first_name_key, c.birth_on, c.type, c.status, c.consented_on,
        c.consent_no
    from asked_identifier i
    join store.consent c
        on c.tenant_code = {tenant_code} and c.authority = i.authority and c.identifier = i.identifier
    where i.identifier <> '' and c.consented_on <= {on}
),
found as (
    select n, 0 as way, type, status, consented_on, consent_no from numbered where weight = {sure}
    union all
    select d.n, 1, d.type, d.status, d.consented_on, d.consent_no
    from numbered d
    join asked_person p
        on p.n = d.n and p.last_name_key = d.last_name_key and p.first_name_key = d.first_name_key
        and p.birth_on::date = d.birth_on
    where d.weight <> {sure} and p.last_name_key <> '' and p.first_name_key <> ''
    union all
    select p.n, 1, d.type, d.status, d.consented_on, d.consent_no
    from asked_person p
    join named d
        on d.last_name_key = p.last_name_key and d.first_name_key = p.first_name_key
        and d.birth_on = p.birth_on::date
    where not d.is_numbered or not exists (
        select from asked_identifier a where a.n = p.n and a.authority = d.authority
    )
    union all
    select n, 2, type, status, consented_on, consent_no from numbered where weight = {other}
),
newest as (
    select distinct on (n, type, way) n, type, way, status, consented_on, consent_no
    from found
    order by n, type, way, consented_on desc, consent_no desc
)
select distinct on (w.n, w.type) w.n::bigint, w.type, w.status, w.consented_on::text
from newest w
left join newest own on own.n = w.n and own.type = w.type and own.way = 0
where w.way = 0 or w.way = 1 and own.n is null
    or w.status in ('NO', 'WITHDRAWN') and (
        own.n is null or (w.consented_on, w.consent_no) > (own.consented_on, own.consent_no)
    )
order by w.n, w.type, w.consented_on desc, w.consent_no desc
"""

_COUNTS = text("""
select type, status, count(*) as count
from store.consent
where tenant_code = :tenant_code
group by type, status
order by type, status
""")

_LISTED = text("""
select authority, identifier, type, status, consented_on, recorded_at, source
from store.consent
where tenant_code = :tenant_code
order by consent_no
""")


@dataclass(frozen=True)
class ConsentCount:
    """How many records of one type and status there are."""

    type: str
    status: str
    count: int


@dataclass(frozen=True)
class ConsentRecord:
    """One record, without the names in it."""

    authority: str
    identifier: str
    type: str
    status: str
    consented_on: date
    recorded_at: datetime
    source: str


def record(
    connection: Connection, records: pd.DataFrame, *, tenant_code: str, source: str, now: datetime
) -> int:
    """Append consents and return how many are new; one that says what is on record already is left out.

    :param records: ``RECORD_TEXTS``; each says an identifier, or both names and a birth date.
    :param source: where they come from, such as the name of a file.
    """
    columns = {name: records[name] for name in RECORD_TEXTS}
    names = {f"{name}_key": person_name_key(records[name]) for name in ("last_name", "first_name")}
    copy_keys(connection, "incoming_consent", {"n": _numbers(len(records)), **columns, **names})
    parameters = {"tenant_code": tenant_code, "source": source, "now": now}
    return connection.execute(_RECORD, parameters).rowcount


def statuses(
    connection: Connection, asked: Person, *, tenant_code: str, adult_age_y: int, on: date
) -> pd.DataFrame:
    """Return what each person's consent is on a day: ``STATUS_COLUMNS``, texts with "" for none.

    A minor needs a child's consent, an adult an adult's one; a child's consent that grew out is NO, and a
    withdrawn one too. Records of an identifier go before those of the same names and birth date, except that
    a newer refusal counts by all of them.

    :param adult_age_y: from this birthday on a person is an adult; born on February 29, from March 1 in a
        year without that day.
    """
    people = asked.people
    n = pd.Series(asked.identifiers["n"].astype("str"))
    copy_keys(
        connection,
        "asked_identifier",
        {"n": n, **{name: asked.identifiers[name] for name in ("authority", "identifier", "weight")}},
    )
    is_dated = (people["birth_on"] != "").to_numpy()
    copy_keys(
        connection,
        "asked_person",
        {
            "n": pd.Series(_numbers(len(people)), dtype="str")[is_dated],
            **{
                f"{name}_key": person_name_key(people.loc[is_dated, name])
                for name in ("last_name", "first_name")
            },
            "birth_on": people.loc[is_dated, "birth_on"],
        },
    )
    types = {"n": pa.int64(), "type": pa.string(), "status": pa.string(), "consented_on": pa.string()}
    parameters = {"tenant_code": tenant_code, "on": on, "sure": SURE, "other": OTHER}
    found = read_frame(connection, _NEWEST, parameters, types)
    grown_up_on = birthdays(people["birth_on"], adult_age_y)
    return _decided(found, grown_up_on, on=on)


def birthdays(born_on: pd.Series[str], age_y: int) -> Days:
    """Return when people become so old; who was born on February 29 does on March 1 in a year without it.

    :param born_on: yyyy-mm-dd or "".
    """
    days = born_on.mask(born_on == "").to_numpy(dtype="datetime64[D]")
    months = days.astype("datetime64[M]")
    firsts = (months + np.timedelta64(12 * age_y, "M")).astype("datetime64[D]")
    found: Days = firsts + (days - months.astype("datetime64[D]"))
    return found


def _decided(found: pd.DataFrame, grown_up_on: Days, *, on: date) -> pd.DataFrame:
    """Return the statuses from the newest records of both types."""
    count = len(grown_up_on)
    of_type = {kind: _of_type(found, kind, count) for kind in TYPES}
    # Whose age is not known is treated as an adult: then no parents' consent can open the store.
    is_minor = np.datetime64(on, "D") < grown_up_on
    has_adult = ~is_minor & (of_type[ADULT]["status"] != "")
    is_child = ~has_adult & (of_type[CHILD]["status"] != "")
    chosen = {
        name: np.where(has_adult, of_type[ADULT][name], np.where(is_child, of_type[CHILD][name], ""))
        for name in ("status", "consented_on")
    }
    status = np.where(chosen["status"] == WITHDRAWN, NO, chosen["status"])
    expires = is_child & (of_type[CHILD]["status"] == YES) & ~np.isnat(grown_up_on)
    status = np.where(is_child & ~is_minor, NO, status)
    frame = {
        "consent_status": np.where(status == "", NOT_FOUND, status),
        "consent_type": np.where(has_adult, ADULT, np.where(is_child, CHILD, "")),
        "consent_on": chosen["consented_on"],
        "consent_expires_on": np.where(expires, np.datetime_as_string(grown_up_on), ""),
    }
    return pd.DataFrame({name: pd.Series(values, dtype="str") for name, values in frame.items()})


def _of_type(found: pd.DataFrame, kind: str, count: int) -> dict[str, npt.NDArray[np.object_]]:
    """Return the newest record of a type for each person, "" for none."""
    mine = found[found["type"] == kind]
    columns: dict[str, npt.NDArray[np.object_]] = {}
    for name in ("status", "consented_on"):
        columns[name] = np.full(count, "", dtype=object)
        columns[name][mine["n"].to_numpy()] = mine[name].to_numpy(dtype=object)
    return columns


def counts(connection: Connection, tenant_code: str) -> list[ConsentCount]:
    """Return how many records there are, by type and status."""
    return [ConsentCount(*row) for row in connection.execute(_COUNTS, {"tenant_code": tenant_code})]


def listed(connection: Connection, tenant_code: str) -> list[ConsentRecord]:
    """Return all records, oldest first."""
    return [ConsentRecord(*row) for row in connection.execute(_LISTED, {"tenant_code": tenant_code})]


def _numbers(count: int) -> Sequence[str]:
    return [str(number) for number in range(count)]
