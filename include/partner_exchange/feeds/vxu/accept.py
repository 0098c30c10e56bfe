"""Shape what the checks have left of messages for the immunization store (T64).

Called by ``examine.py`` piece by piece; the store takes the pieces of a file together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from partner_exchange.feeds.vxu.cells import Flags, coded, flags_of
from partner_exchange.feeds.vxu.check import Checked
from partner_exchange.feeds.vxu.dates import read_stamps
from partner_exchange.feeds.vxu.predicates import PLACEHOLDER, UNKNOWN_AMOUNT
from partner_exchange.readers.cells import as_cells
from partner_exchange.stores.immunizations import Accepted

KEY_CHARACTERS = 200
"""Longest key: an index cannot hold one of any length. Of a longer text its checksum is taken."""

_REFUSED, _NONE_GIVEN = "RE", "NA"
_MEDICAL_RECORD = "MR"
_AMOUNT = r"\A[+-]?(?:[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})\z"

_PATIENT_TEXTS: Mapping[str, str] = {
    "last_name": "PID-5.1",
    "first_name": "PID-5.2",
    "middle_name": "PID-5.3",
    "suffix": "PID-5.4",
    "sex": "PID-8",
    "mother_maiden_name": "PID-6.1",
    "race": "PID-10",
    "ethnicity": "PID-22",
    "street": "PID-11.1",
    "city": "PID-11.3",
    "state": "PID-11.4",
    "zip": "PID-11.5",
    "country": "PID-11.6",
    "phone": "PID-13",
    "email": "PID-13.4",
    "is_multiple_birth": "PID-24",
    "birth_order": "PID-25",
    "death_indicator": "PID-30",
    "publicity_code": "PD1-11",
    "protection_claim": "PD1-12",
    "registry_status": "PD1-16",
}
_PATIENT_DAYS = {"birth_on": "PID-7", "died_on": "PID-29"}
_CALENDAR_S = tuple(np.array(["0001-01-02", "9999-12-30"], "datetime64[s]").astype(np.int64).tolist())
"""First and last time that the store is given: beyond them an offset leads out of the calendar."""

_SHOWN = ("authority", "identifier")
_IDENTIFIER_TEXTS = {"authority": "PID-3.4", "identifier": "PID-3.1", "type": "PID-3.5"}
_DOSE_TEXTS: Mapping[str, str] = {
    "action": "RXA-21",
    "completion": "RXA-20",
    "cvx": "cvx",
    "ndc": "ndc",
    "mvx": "mvx",
    "unit": "RXA-7",
    "information_source": "RXA-9",
    "lot": "RXA-15",
    "route": "RXR-1",
    "site": "RXR-2",
    "refusal_reason": "RXA-18",
    "provider_id": "RXA-10",
    "location": "RXA-11.4",
}
_DOSE_DAYS = {"administered_on": "RXA-3", "expires_on": "RXA-16"}
_OBSERVATION_TEXTS: Mapping[str, str] = {
    "observation": "OBX-3",
    "sub_id": "OBX-4",
    "type": "OBX-2",
    "value": "OBX-5",
    "unit": "OBX-6",
    "method": "OBX-17",
}
_OBSERVATION_DAYS = {"observed_on": "OBX-14"}


def accept(checked: Checked, *, zone: str) -> Accepted:
    """Return accepted messages and doses in the form of the store.

    A dose or refusal is known by ORC-3 with its namespace; where that says nothing, by vaccine and day, and
    where none was given also by what is said instead. The patient is known by the first identifier of type
    MR, else by the first one; patients have it as it was sent in ``authority`` and ``identifier`` too. An
    amount of 999 is unknown and left out with its unit.

    :param zone: of message times without an offset.
    """
    flat = checked.flat
    is_taken = ~checked.is_message_rejected
    messages, people = flat.messages[is_taken], flat.patients[is_taken]
    rows = messages["row"].to_numpy(dtype=np.int64)
    sent, identifiers = _identifiers(flat.identifiers, rows)
    doses = _doses(flat.doses[~checked.is_dose_rejected], flat.observations)
    patients = pd.DataFrame(
        {
            "row": rows,
            "line": people["line"].to_numpy(),
            **_primary(sent, identifiers, rows),
            **_columns(people, _PATIENT_TEXTS, _PATIENT_DAYS),
            "reported_at": _instants(messages["MSH-7"], zone),
        }
    )
    return Accepted(
        patients=patients.astype(dict.fromkeys(("patient_key", "authority", "identifier"), "str")),
        identifiers=identifiers,
        doses=doses,
        observations=_observations(flat.observations, doses),
    )


def _columns(
    frame: pd.DataFrame, texts: Mapping[str, str], days: Mapping[str, str]
) -> dict[str, pd.Series[str]]:
    """Return columns under the names of the store, dates as yyyy-mm-dd."""
    return {
        **{name: _storable(frame[place]) for name, place in texts.items()},
        **{name: _days(frame[place]) for name, place in days.items()},
    }


def _storable(texts: pd.Series[str]) -> pd.Series[str]:
    """Return texts without NUL, which an escape sequence can bring in and no database holds."""
    cells = as_cells(texts)
    if pc.any(pc.match_substring(cells, "\0")).as_py():
        cells = pc.replace_substring(cells, "\0", "")
    return _series(cells)


def _days(texts: pd.Series[str]) -> pd.Series[str]:
    """Return the days of HL7 times as yyyy-mm-dd, as they are written, "" where there is none."""
    distinct = coded(texts)
    days = read_stamps(distinct.values).day
    is_day = ~np.isnan(days)
    written = np.datetime_as_string(np.where(is_day, days, 0).astype("datetime64[D]"))
    return _series(pa.array(np.where(is_day, written, ""), pa.string()).take(pa.array(distinct.at)))


def _instants(texts: pd.Series[str], zone: str) -> pd.Series[str]:
    """Return HL7 times as ISO instants in UTC."""
    distinct = coded(texts)
    seconds = np.clip(read_stamps(distinct.values).utc(zone), *_CALENDAR_S).astype(np.int64)
    written = np.char.add(np.datetime_as_string(seconds.astype("datetime64[s]")), "Z")
    return _series(pa.array(written, pa.string()).take(pa.array(distinct.at)))


def _identifiers(identifiers: pd.DataFrame, rows: npt.NDArray[np.int64]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the identifiers of these messages as they were sent, and as the store knows them."""
    taken = identifiers[_is_in(identifiers["row"], rows)].reset_index(drop=True)
    sent = pd.DataFrame({"row": taken["row"], **_columns(taken, _IDENTIFIER_TEXTS, {})})
    is_other = sent["type"] != _MEDICAL_RECORD
    order = sent.assign(is_other=is_other).sort_values(["row", "is_other"], kind="stable")
    is_primary = ~order["row"].duplicated().sort_index()
    bounded = {name: _bounded(sent[name]) for name in _IDENTIFIER_TEXTS}
    return sent, pd.DataFrame({"row": sent["row"], **bounded, "is_primary": is_primary.astype("bool")})


def _primary(
    sent: pd.DataFrame, identifiers: pd.DataFrame, rows: npt.NDArray[np.int64]
) -> dict[str, npt.NDArray[np.object_]]:
    """Return key, authority and identifier of each message's patient."""
    first = sent[identifiers["is_primary"]].set_index("row").loc[rows]
    key = _key(first["authority"], first["identifier"], first["type"])
    return {"patient_key": key.to_numpy(), **{name: first[name].to_numpy() for name in _SHOWN}}


def _doses(taken: pd.DataFrame, observations: pd.DataFrame) -> pd.DataFrame:
    taken = taken.reset_index(drop=True)
    columns = _columns(taken, _DOSE_TEXTS, _DOSE_DAYS)
    is_known = flags_of(pc.match_substring_regex(as_cells(taken["RXA-6"]), _AMOUNT))
    is_known &= (taken["RXA-6"] != UNKNOWN_AMOUNT).to_numpy()
    return pd.DataFrame(
        {
            **{name: taken[name] for name in ("row", "dose", "line", "rxa")},
            "dose_key": _dose_keys(taken, columns, observations),
            **columns,
            "amount": taken["RXA-6"].where(is_known, ""),
            "unit": columns["unit"].where(is_known, ""),
            "given": taken["is_given"].astype("bool"),
        }
    )


def _dose_keys(
    doses: pd.DataFrame, columns: Mapping[str, pd.Series[str]], observations: pd.DataFrame
) -> pd.Series[str]:
    """Return the key of each dose; of those without a number refusals begin with ``!``, others with ``~``."""
    number = _storable(doses["ORC-3"])
    own = _key(number, _storable(doses["ORC-3.2"]))
    is_numberless = number.isin(["", PLACEHOLDER])
    if not is_numberless.any():
        return own
    named = _key(columns["cvx"], columns["administered_on"])
    is_none_given = is_numberless & (columns["completion"] == _NONE_GIVEN)
    if is_none_given.any():
        named = named.mask(is_none_given, _with_reason(named, doses, observations))
    start = pd.Series("~", doses.index, dtype="str").mask(columns["completion"] == _REFUSED, "!")
    return _bounded(own.mask(is_numberless, start + named))


def _with_reason(named: pd.Series[str], doses: pd.DataFrame, observations: pd.DataFrame) -> pd.Series[str]:
    """Return keys with what is said first in the place of a dose, and its number among equal ones."""
    first = observations.drop_duplicates(["row", "dose"])[["row", "dose", "OBX-3", "OBX-5"]]
    said = doses[["row", "dose"]].merge(first, on=["row", "dose"], how="left")
    reason = _key(*(_storable(said[name].fillna("").astype("str")) for name in ("OBX-3", "OBX-5")))
    keys = named + "|" + reason.set_axis(named.index)
    at = pd.DataFrame({"row": doses["row"], "key": keys}).groupby(["row", "key"]).cumcount()
    return keys.mask(at > 0, keys + "|" + (at + 1).astype("str"))


def _observations(observations: pd.DataFrame, doses: pd.DataFrame) -> pd.DataFrame:
    taken = observations.merge(doses[["row", "dose"]], on=["row", "dose"], how="inner")
    frame = pd.DataFrame(
        {"row": taken["row"], "dose": taken["dose"]} | _columns(taken, _OBSERVATION_TEXTS, _OBSERVATION_DAYS)
    )
    ordinal = frame.groupby(["row", "dose"], sort=False).cumcount() + 1
    return frame.assign(ordinal=ordinal.astype("int64"))


def _is_in(values: pd.Series[int], rows: npt.NDArray[np.int64]) -> Flags:
    is_in: Flags = values.isin(rows).to_numpy()
    return is_in


def _key(*parts: pd.Series[str]) -> pd.Series[str]:
    """Return a key that only the same parts have, and that never begins as one of vaccine and day does."""
    escaped = [_series(pc.replace_substring_regex(as_cells(part), r"([\\|])", r"\\\1")) for part in parts]
    whole = escaped[0]
    for part in escaped[1:]:
        whole = whole + "|" + part
    safe = _series(pc.replace_substring_regex(as_cells(whole), r"\A([~!#])", r"\\\1"))
    return _bounded(safe.set_axis(parts[0].index))


def _bounded(texts: pd.Series[str]) -> pd.Series[str]:
    """Return texts that fit into an index."""
    is_long = flags_of(pc.greater(pc.utf8_length(as_cells(texts)), KEY_CHARACTERS))
    if not is_long.any():
        return texts
    sums = ["#" + hashlib.sha256(one.encode()).hexdigest() for one in texts[is_long]]
    return texts.mask(is_long, pd.Series(sums, texts.index[is_long], dtype="str").reindex(texts.index))


def _series(cells: pa.Array | pa.ChunkedArray) -> pd.Series[str]:
    return pd.Series(pd.array(cells, dtype="str"))
