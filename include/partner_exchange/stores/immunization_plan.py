"""What a sequence of doses makes of the doses that are known: the meaning of A, U and D (T64).

Pure: frames in, outcomes out. Called by the merge of immunizations, for the store and for the held doses
alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from partner_exchange.stores.immunization_frames import Flags

UPDATE_OF_UNKNOWN = "update-of-unknown-dose"
DELETE_OF_UNKNOWN = "delete-of-unknown-dose"
ALREADY_REPORTED = "dose-already-reported"
SUPERSEDED = "dose-superseded"

_ADD, _UPDATE, _DELETE = "A", "U", "D"


@dataclass(frozen=True)
class Plan:
    """What is to be done, per dose of the sequence."""

    is_new: Flags
    """To be written; there is none of its key yet."""
    is_changed: Flags
    """To be written in the place of what has its key."""
    is_deleted: Flags
    """What has its key is to go."""
    is_same: Flags
    """There already, as it is told here."""
    known: npt.NDArray[np.int64]
    """Position of what has its key, -1 for none."""
    codes: npt.NDArray[np.object_]
    """Code of a finding, "" for none."""

    @property
    def is_written(self) -> Flags:
        """Return which doses are there afterwards as they are told here, and were not before."""
        return self.is_new | self.is_changed


def plan(doses: pd.DataFrame, known: pd.DataFrame) -> Plan:
    """Return what the doses make of the known ones.

    Of several lines about one dose the last one decides. A new dose is not taken when the patient has a given
    dose of the same vaccine and day under another key, as things are after all lines: so the order of the
    lines does not matter, except that of equal ones the first is taken.

    :param doses: in their order: ``patient`` int64, ``dose_key``, ``action``, ``fingerprint``, ``cvx``,
        ``administered_on`` texts and ``is_given``.
    :param known: the same without ``action``; each key once.
    """
    of_known, keys = _keys(known, doses)
    found = _position(of_known, keys)
    is_last = ~pd.Series(keys).duplicated(keep="last").to_numpy()
    action = doses["action"].to_numpy(dtype=object)
    is_delete = action == _DELETE
    is_known = found >= 0
    fingerprint = doses["fingerprint"].to_numpy(dtype=object)
    held = known["fingerprint"].to_numpy(dtype=object)
    is_same = np.zeros(len(doses), dtype=bool)
    is_same[is_known] = fingerprint[is_known] == held[found[is_known]]
    is_telling = is_last & ~is_delete
    is_candidate = is_telling & ~is_known
    is_repeated = _repeated(doses, known, is_candidate, is_settled=is_telling & is_known, gone=found[is_last])
    was_told = _told_before(keys, ~is_delete)
    codes = np.full(len(doses), "", dtype=object)
    codes[is_candidate & (action == _UPDATE) & ~was_told] = UPDATE_OF_UNKNOWN
    codes[is_last & is_delete & ~is_known & ~was_told] = DELETE_OF_UNKNOWN
    codes[is_repeated] = ALREADY_REPORTED
    codes[_contradicted(keys, is_last, fingerprint, is_delete)] = SUPERSEDED
    return Plan(
        is_new=is_candidate & ~is_repeated,
        is_changed=is_telling & is_known & ~is_same,
        is_deleted=is_last & is_delete & is_known,
        is_same=is_telling & is_same,
        known=found,
        codes=codes,
    )


def _keys(known: pd.DataFrame, doses: pd.DataFrame) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return one number per patient and dose key, alike in both frames."""
    patients = np.concatenate([known["patient"].to_numpy(), doses["patient"].to_numpy()])
    codes, names = pd.factorize(pd.concat([known["dose_key"], doses["dose_key"]], ignore_index=True))
    numbers = patients.astype(np.int64) * max(1, len(names)) + codes
    return numbers[: len(known)], numbers[len(known) :]


def _position(wanted_in: npt.NDArray[np.int64], keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return where each key is, -1 for nowhere."""
    return pd.Index(wanted_in).get_indexer(pd.Index(keys)).astype(np.int64)


def _told_before(keys: npt.NDArray[np.int64], is_telling: Flags) -> Flags:
    """Return which lines come after a line that tells the same dose."""
    told = pd.Series(is_telling.astype(np.int64)).groupby(keys).cumsum().to_numpy()
    was_told: Flags = (told - is_telling) > 0
    return was_told


def _contradicted(
    keys: npt.NDArray[np.int64], is_last: Flags, fingerprint: npt.NDArray[np.object_], is_delete: Flags
) -> Flags:
    """Return which lines say something else than the last line about their dose."""
    if is_last.all():
        return np.zeros(len(keys), dtype=bool)
    last = np.flatnonzero(is_last)[_position(keys[is_last], keys)]
    says_same = (is_delete == is_delete[last]) & (is_delete | (fingerprint == fingerprint[last]))
    is_contradicted: Flags = ~is_last & ~says_same
    return is_contradicted


def _repeated(
    doses: pd.DataFrame,
    known: pd.DataFrame,
    is_candidate: Flags,
    *,
    is_settled: Flags,
    gone: npt.NDArray[np.int64],
) -> Flags:
    """Return which new doses the patient has under another key already, or earlier among the new ones.

    :param is_settled: doses that take the place of known ones.
    :param gone: positions of known doses that are not what they were, -1 for none.
    """
    is_kept = np.ones(len(known), dtype=bool)
    is_kept[gone[gone >= 0]] = False
    columns = ["patient", "cvx", "administered_on"]
    is_given = (doses["is_given"] & (doses["cvx"] != "") & (doses["administered_on"] != "")).to_numpy()
    taken = pd.concat(
        [
            known.loc[is_kept & known["is_given"].to_numpy(dtype=bool), columns],
            doses.loc[is_given & is_settled, columns],
        ],
        ignore_index=True,
    )
    fresh = doses.loc[is_given & is_candidate, columns]
    together = pd.concat([taken, fresh], ignore_index=True)
    is_repeated = np.zeros(len(doses), dtype=bool)
    is_repeated[fresh.index] = together.duplicated().to_numpy()[len(taken) :]
    return is_repeated
