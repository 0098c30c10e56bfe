"""What must not stand in a file twice: control IDs and doses, over all pieces of the file (T64)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from partner_exchange.feeds.vxu.cells import Flags

Keys = npt.NDArray[np.uint64]


class FileMemory:
    """What the pieces of one file have had so far; hashes only, no value of a message."""

    def __init__(self) -> None:
        self.has_vxu = False
        """Whether the file has any VXU message."""
        self._control_ids: set[int] = set()
        self._doses: set[int] = set()
        self._patients: set[int] = set()

    def repeated_control_ids(self, control_ids: pd.Series[str], is_taken: Flags) -> Flags:
        """Return which messages have a control ID that one before them in the file has; and remember those
        of messages that are taken, for no other is the first one of two.
        """
        is_told = (control_ids != "").to_numpy()
        return _repeated(keys_of(control_ids), is_told, self._control_ids, is_told & is_taken)

    def repeated_doses(self, doses: Keys, is_taken: Flags) -> Flags:
        """Return which doses taken are equal to one taken before; and remember them."""
        return _repeated(doses, is_taken, self._doses, is_taken)

    def new_patients(self, patients: Keys) -> int:
        """Return how many different patients are here for the first time; and remember them."""
        before = len(self._patients)
        self._patients.update(patients.tolist())
        return len(self._patients) - before


def keys_of(*columns: pd.Series[str]) -> Keys:
    """Return one number per line that is equal where all columns are."""
    frame = pd.DataFrame(dict(enumerate(columns)))
    return pd.util.hash_pandas_object(frame, index=False).to_numpy().astype(np.uint64)


def _repeated(keys: Keys, is_asked: Flags, seen: set[int], is_counted: Flags) -> Flags:
    """Return which lines asked about have a key of a line before them that counts, or one that was seen."""
    asked = np.flatnonzero(is_asked)
    found = pd.Series(keys[asked])
    counted = pd.Series(np.where(is_counted[asked], np.arange(len(asked)), len(asked)))
    is_repeated = (counted.groupby(found).transform("min") < np.arange(len(asked))).to_numpy(copy=True)
    if seen:
        is_repeated |= np.fromiter((key in seen for key in found.tolist()), dtype=np.bool_, count=len(found))
    seen.update(found[is_counted[asked]].tolist())
    flags = np.zeros(len(keys), dtype=np.bool_)
    flags[asked] = is_repeated
    return flags
