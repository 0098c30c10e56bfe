"""What a sequence of doses makes of the doses that are known: the meaning of A, U and D (T64).

Pure: frames in, outcomes out. Called by the merge of immunizations, for the store and for the held doses
alike. What decides is when a message was written, not when it came.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pandas as pd

from partner_exchange.stores.immunization_frames import REFUSED, Flags, Positions
from partner_exchange.stores.immunization_twins import Lines, Records, adopted, twins

UPDATE_OF_UNKNOWN = "update-of-unknown-dose"
DELETE_OF_UNKNOWN = "delete-of-unknown-dose"
ALREADY_REPORTED = "dose-already-reported"
SUPERSEDED = "dose-superseded"
REPLACED = "dose-replaced"
NEWER_ON_RECORD = "dose-newer-on-record"

_ADD, _UPDATE, _DELETE = "A", "U", "D"
_NEVER = np.iinfo(np.int64).min

Texts = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Plan:
    """What is to be done, per dose of the sequence."""

    is_new: Flags
    """To be written; there is nothing whose place it takes."""
    is_changed: Flags
    """To be written in the place of what is known."""
    is_deleted: Flags
    """What is known is to go."""
    is_same: Flags
    """There already, as it is told here."""
    is_telling_again: Flags
    """Of those the ones that a newer message tells."""
    is_marked: Flags
    """A deletion that older messages must not undo, whether there was a dose or not."""
    known: Positions
    """Position of what is known of the dose, -1 for nothing."""
    present: Positions
    """One number for each dose that is there afterwards, -1 for what is not; refusals are not."""
    codes: Texts
    """Code of a finding, "" for none."""

    @property
    def is_written(self) -> Flags:
        """Return which doses are there afterwards as they are told here, and were not before."""
        return self.is_new | self.is_changed


@dataclass(frozen=True)
class _Keys:
    """One number per patient and dose key, alike in all frames."""

    doses: Positions
    known: Positions
    marks: Positions


def plan(doses: pd.DataFrame, known: pd.DataFrame, marks: pd.DataFrame) -> Plan:
    """Return what the doses make of the known ones.

    Of several lines about one dose the newest one decides, of one time the last. A line that is older than
    what is on record of its dose, or than its deletion, changes nothing. What the patient has under another
    key already is told by ``immunization_twins``.

    :param doses: in their order: ``patient`` int64; ``dose_key``, ``action``, ``completion``, ``cvx``,
        ``fingerprint``, ``administered_on`` texts; ``is_given`` and ``reported_us``.
    :param known: the same without ``action``; each key once.
    :param marks: ``patient``, ``dose_key`` and ``reported_us`` of deletions; each key once.
    """
    order = np.argsort(doses["reported_us"].to_numpy(), kind="stable")
    in_time = _planned(doses.iloc[order].reset_index(drop=True), known, marks)
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return Plan(**{one.name: getattr(in_time, one.name)[back] for one in fields(Plan)})


def _planned(doses: pd.DataFrame, known: pd.DataFrame, marks: pd.DataFrame) -> Plan:
    """Return the plan for doses in the order of their messages' times."""
    keys = _keys(doses, known, marks)
    found = _position(keys.known, keys.doses)
    told_us, on_record_us = doses["reported_us"].to_numpy(), _at(known["reported_us"], found)
    marked_us = _at(marks["reported_us"], _position(keys.marks, keys.doses))
    is_last = ~pd.Series(keys.doses).duplicated(keep="last").to_numpy()
    action, fingerprint = (doses[name].to_numpy(dtype=object) for name in ("action", "fingerprint"))
    is_delete = action == _DELETE
    says_same = ~is_delete & (_texts_at(known["fingerprint"], found) == fingerprint)
    is_late = is_last & (told_us < np.maximum(on_record_us, marked_us))
    is_live = is_last & ~is_late
    lines = Lines(doses, keys.doses, found, is_telling=is_live & ~is_delete, is_deleting=is_live & is_delete)
    records = Records(known, keys.known, found[is_live & (found >= 0)])
    place = adopted(lines, records)
    # Older than what it would take the place of: that stays, and so does its number.
    is_outdated = (place >= 0) & (told_us < _at(known["reported_us"], place))
    place[is_outdated] = -1
    lines = lines.without(is_outdated)
    twin = twins(lines, records, place)
    place = np.where(place >= 0, place, twin.place)
    is_same = lines.is_telling & (found >= 0) & says_same & ~twin.is_repeated
    is_unknown = lines.is_telling & (found < 0) & (place < 0) & ~twin.is_repeated
    is_changed = lines.is_telling & ~is_same & ~twin.is_repeated & ~is_unknown
    is_deleted = lines.is_deleting & ((found >= 0) | (place >= 0))
    was_told = _told_before(keys.doses, ~is_delete)
    codes = np.full(len(doses), "", dtype=object)
    codes[is_unknown & (action == _UPDATE) & ~was_told] = UPDATE_OF_UNKNOWN
    codes[is_changed & (action == _ADD) & _is_other(doses, known, found)] = REPLACED
    codes[(is_changed | is_unknown) & (action == _ADD) & _is_told_otherwise(doses, keys.doses, is_delete)] = (
        REPLACED
    )
    codes[is_last & is_delete & ~is_deleted & (found < 0) & ~was_told] = DELETE_OF_UNKNOWN
    codes[twin.is_repeated] = ALREADY_REPORTED
    codes[is_late & ~says_same & ((found >= 0) | ~is_delete) | is_outdated] = NEWER_ON_RECORD
    codes[_contradicted(keys.doses, is_last, fingerprint, is_delete)] = SUPERSEDED
    is_there = is_same | is_changed | is_unknown
    is_there |= is_late & ~is_delete & (found >= 0) & (_texts_at(known["completion"], found) != REFUSED)
    is_there &= (doses["completion"] != REFUSED).to_numpy()
    return Plan(
        is_new=is_unknown,
        is_changed=is_changed,
        is_deleted=is_deleted,
        is_same=is_same,
        is_telling_again=is_same & (told_us > on_record_us),
        is_marked=lines.is_deleting,
        known=np.where(found >= 0, found, place),
        present=np.where(is_there, keys.doses, twin.leader),
        codes=codes,
    )


def _keys(doses: pd.DataFrame, known: pd.DataFrame, marks: pd.DataFrame) -> _Keys:
    frames = (doses, known, marks)
    patients = np.concatenate([frame["patient"].to_numpy(dtype=np.int64) for frame in frames])
    codes, names = pd.factorize(pd.concat([frame["dose_key"] for frame in frames], ignore_index=True))
    numbers = patients * max(1, len(names)) + codes
    return _Keys(*np.split(numbers, np.cumsum([len(frame) for frame in frames])[:-1]))


def _position(wanted_in: Positions, keys: Positions) -> Positions:
    """Return where each key is, -1 for nowhere."""
    return pd.Index(wanted_in).get_indexer(pd.Index(keys)).astype(np.int64)


def _at(values: pd.Series[int], positions: Positions) -> Positions:
    """Return the value at each position, the least of all numbers for -1."""
    return np.append(values.to_numpy(dtype=np.int64), _NEVER)[positions]


def _texts_at(values: pd.Series[str], positions: Positions) -> Texts:
    """Return the text at each position, None for -1."""
    texts = np.full(len(positions), None, dtype=object)
    texts[positions >= 0] = values.to_numpy(dtype=object)[positions[positions >= 0]]
    return texts


def _is_other(doses: pd.DataFrame, known: pd.DataFrame, found: Positions) -> Flags:
    """Return which doses are of another vaccine or day than what has their key."""
    is_other = np.zeros(len(doses), dtype=bool)
    for name in ("cvx", "administered_on"):
        is_other |= doses[name].to_numpy(dtype=object) != _texts_at(known[name], found)
    return is_other & (found >= 0)


def _is_told_otherwise(doses: pd.DataFrame, keys: Positions, is_delete: Flags) -> Flags:
    """Return which doses another line of the sequence says to be of another vaccine or day."""
    is_told = ~is_delete
    of, names = pd.factorize(doses["cvx"] + "\x1f" + doses["administered_on"])
    told = pd.Series(of[is_told]).groupby(keys[is_told])
    is_otherwise = np.zeros(len(doses), dtype=bool)
    if len(names) > 1:
        is_otherwise[is_told] = (told.transform("min") != told.transform("max")).to_numpy()
    return is_otherwise


def _told_before(keys: Positions, is_telling: Flags) -> Flags:
    """Return which lines come after a line that tells the same dose."""
    told = pd.Series(is_telling.astype(np.int64)).groupby(keys).cumsum().to_numpy()
    was_told: Flags = (told - is_telling) > 0
    return was_told


def _contradicted(keys: Positions, is_last: Flags, fingerprint: Texts, is_delete: Flags) -> Flags:
    """Return which lines say something else than the last line about their dose."""
    if is_last.all():
        return np.zeros(len(keys), dtype=bool)
    last = np.flatnonzero(is_last)[_position(keys[is_last], keys)]
    says_same = (is_delete == is_delete[last]) & (is_delete | (fingerprint == fingerprint[last]))
    is_contradicted: Flags = ~is_last & ~says_same
    return is_contradicted
