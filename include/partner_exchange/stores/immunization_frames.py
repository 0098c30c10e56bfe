"""The frames of immunizations on their way into the store, and their way through COPY.

Called by the merge of immunizations and its parts. A ``Batch`` is what all parts work on, whether it comes
from a file, from the doses that were held, or out of the store itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from partner_exchange.ledger.copying import CHUNK_ROWS, copy_rows
from partner_exchange.stores.keys import as_texts
from partner_exchange.stores.tables import SCHEMA

Positions = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

DEMOGRAPHICS = (
    "last_name",
    "first_name",
    "middle_name",
    "suffix",
    "birth_on",
    "sex",
    "mother_maiden_name",
    "race",
    "ethnicity",
    "street",
    "city",
    "state",
    "zip",
    "country",
    "phone",
    "email",
    "is_multiple_birth",
    "birth_order",
    "died_on",
    "death_indicator",
    "publicity_code",
    "protection_claim",
    "registry_status",
)
"""What is known of a patient: texts, dates as yyyy-mm-dd, "" for what is not known."""

DOSE_TEXTS = (
    "completion",
    "cvx",
    "ndc",
    "mvx",
    "administered_on",
    "amount",
    "unit",
    "information_source",
    "lot",
    "expires_on",
    "route",
    "site",
    "refusal_reason",
    "provider_id",
    "location",
)
"""What is known of a dose, in the same form; amounts are decimal numbers."""

OBSERVATION_TEXTS = ("observation", "sub_id", "type", "value", "unit", "observed_on", "method")
"""What is known of an observation, in the same form."""

IDENTIFIER_TEXTS = ("authority", "identifier", "type")

KNOWN_TYPES = {
    "patient": pa.int64(),
    "dose_key": pa.string(),
    "completion": pa.string(),
    "fingerprint": pa.string(),
    "cvx": pa.string(),
    "administered_on": pa.string(),
    "is_given": pa.bool_(),
    "reported_us": pa.int64(),
}
"""What is asked of a dose on record, stored or held, before anything is decided about it."""

REFUSED = "RE"
"""Completion of a refusal."""


@dataclass(frozen=True)
class Origin:
    """For whom and when the store is changed."""

    tenant_code: str
    now: datetime


@dataclass(frozen=True)
class Accepted:
    """The accepted messages of a file with their accepted doses; texts are str, "" for none."""

    patients: pd.DataFrame
    """One line per message: ``row`` int64, ``patient_key``, ``DEMOGRAPHICS`` and ``reported_at`` (ISO, with
    an offset).
    """
    identifiers: pd.DataFrame
    """``row`` int64, ``IDENTIFIER_TEXTS`` and ``is_primary`` bool: the patient is named by it first of all,
    as ``patient_key`` says; those of a message in its order.
    """
    doses: pd.DataFrame
    """``row``, ``dose`` int64, ``dose_key``, ``action`` (A, U or D), ``DOSE_TEXTS`` and ``given`` bool: by
    the sender, not learnt from elsewhere.
    A key that begins with ``~`` stands for a dose without a number of its own.
    """
    observations: pd.DataFrame
    """``row``, ``dose``, ``ordinal`` int64 (from 1 in its dose) and ``OBSERVATION_TEXTS``."""


@dataclass(frozen=True)
class Batch:
    """Messages in their order; ``message`` and ``n`` are positions in ``messages`` and ``doses``."""

    messages: pd.DataFrame
    """``patient_key``, ``DEMOGRAPHICS``, ``reported_us`` int64 (microseconds since 1970) and
    ``submission_id``.
    """
    identifiers: pd.DataFrame
    """Sorted by ``message`` int64: ``IDENTIFIER_TEXTS`` and ``is_primary``."""
    doses: pd.DataFrame
    """``message`` int64, ``dose_key``, ``action``, ``DOSE_TEXTS``, ``is_given``, ``fingerprint``,
    ``reported_us`` int64 and ``submission_id``.
    """
    observations: pd.DataFrame
    """Sorted by ``n`` int64 and ``ordinal`` int64: ``OBSERVATION_TEXTS``."""


def as_batch(accepted: Accepted, submission_id: str) -> tuple[Batch, pd.DataFrame]:
    """Return the batch of a file, and ``row`` and ``dose`` of its doses in the order of the batch."""
    patients = accepted.patients.sort_values("row", kind="stable", ignore_index=True)
    rows = patients["row"].to_numpy()
    doses = accepted.doses.sort_values(["row", "dose"], kind="stable", ignore_index=True)
    places = doses[["row", "dose"]]
    observations = accepted.observations.merge(
        places.assign(n=np.arange(len(places))), on=["row", "dose"], how="inner"
    ).sort_values(["n", "ordinal"], kind="stable", ignore_index=True)
    reported = pd.to_datetime(patients["reported_at"], format="ISO8601", utc=True).dt.as_unit("us")
    messages = patients[["patient_key", *DEMOGRAPHICS]].assign(
        reported_us=reported.astype("int64"), submission_id=submission_id
    )
    identifiers = accepted.identifiers.sort_values("row", kind="stable", ignore_index=True)
    of_dose = np.searchsorted(rows, doses["row"])
    batch_doses = doses[["dose_key", "action", *DOSE_TEXTS]].assign(
        message=of_dose,
        reported_us=messages["reported_us"].to_numpy()[of_dose],
        is_given=doses["given"],
        submission_id=submission_id,
    )
    kept = observations[["n", "ordinal", *OBSERVATION_TEXTS]]
    batch = Batch(
        messages=messages,
        identifiers=identifiers[[*IDENTIFIER_TEXTS, "is_primary"]].assign(
            message=np.searchsorted(rows, identifiers["row"])
        ),
        doses=batch_doses.assign(fingerprint=fingerprints(batch_doses, kept)),
        observations=kept,
    )
    return batch, places


def fingerprints(doses: pd.DataFrame, observations: pd.DataFrame) -> pd.Series[str]:
    """Return a checksum of each dose with its observations, as a UUID in text.

    Other columns, or another order of them, make all doses look changed once.
    """
    is_given = pa.array(doses["is_given"], pa.bool_()).cast(pa.string())
    own = pc.binary_join_element_wise(*(as_texts(doses[name]) for name in DOSE_TEXTS), is_given, "\x1f")
    lines = pc.binary_join_element_wise(*(as_texts(observations[name]) for name in OBSERVATION_TEXTS), "\x1f")
    whole = pc.binary_join_element_wise(own, joined(lines, observations["n"], len(doses), "\x1e"), "\x1d")
    sums = (hashlib.blake2b(one.encode(), digest_size=16).hexdigest() for one in whole.to_pylist())
    return pd.Series([f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}" for h in sums], dtype="str")


def joined(texts: pa.Array, groups: pd.Series[int], group_count: int, separator: str) -> pa.Array:
    """Return per group its texts joined, "" for a group without any; ``groups`` ascends."""
    counts = np.bincount(groups.to_numpy(), minlength=group_count)
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), texts)
    return pc.binary_join(lists, separator)


def or_null(values: pd.Series[str]) -> pa.Array:
    """Return texts with null for the blank ones."""
    texts = as_texts(values)
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def or_now(instants_as_text: pd.Series[str], origin: Origin) -> pa.Array:
    """Return instants with the origin's own for the blank ones."""
    return pa.array(instants_as_text.mask(instants_as_text == "", origin.now.isoformat()), pa.string())


def instants(microseconds: pd.Series[int]) -> pa.Array:
    """Return microseconds since 1970 as instants."""
    return pa.array(microseconds, pa.int64()).cast(pa.timestamp("us", tz="UTC"))


def copy_into(
    connection: Connection, table: str, columns: Mapping[str, pa.Array], *, tenant_code: str = ""
) -> None:
    """Append columns to a table of the store, or to a temporary one when there is no tenant."""
    if tenant_code:
        length = len(next(iter(columns.values())))
        columns = {"tenant_code": pa.repeat(tenant_code, length), **columns}
    name = (SCHEMA, table) if tenant_code else (table,)
    copy_rows(connection, name, _chunks(pa.table(dict(columns))))


def _chunks(table: pa.Table) -> Iterator[pa.Table]:
    for start in range(0, table.num_rows, CHUNK_ROWS):
        yield table.slice(start, CHUNK_ROWS)


def copy_keys(connection: Connection, table: str, keys: Mapping[str, Sequence[str] | pd.Series[str]]) -> None:
    """Make a temporary table of text columns that lives until the transaction ends, anew if it is there."""
    columns = ", ".join(f"{name} text not null" for name in keys)
    connection.exec_driver_sql(
        f"drop table if exists pg_temp.{table}; create temporary table {table} ({columns}) on commit drop"
    )
    copy_into(connection, table, {name: pa.array(values, pa.string()) for name, values in keys.items()})
    connection.exec_driver_sql(f"analyze {table}")
