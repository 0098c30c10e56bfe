"""Doses that a patient has under another key already: the same vaccine on the same day (T64).

Pure; called by the plan of a merge. A dose without a number of its own takes the number that it is told with
later, and a dose that somebody gave takes the place of what was only learnt of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from partner_exchange.stores.immunization_frames import REFUSED, Flags, Positions

_NUMBERLESS = "~"
_OWN = ("~", "!")
"""How keys begin that are made of vaccine and day."""

_GIVEN = ("CP", "PA")
_NO_VACCINE = ("", "998", "999")
"""None, no vaccine, an unknown one: two of a day may be two doses."""

_KEPT_GIVEN, _NEW_GIVEN, _KEPT_LEARNT, _NEW_LEARNT = range(4)
"""Who stays of twins, the least first."""


@dataclass(frozen=True)
class Lines:
    """The lines of a sequence that decide about their doses."""

    doses: pd.DataFrame
    keys: Positions
    found: Positions
    """Position of what is known under the key, -1 for none."""
    is_telling: Flags
    is_deleting: Flags

    def without(self, is_out: Flags) -> Lines:
        """Return the lines without some of them."""
        return replace(self, is_telling=self.is_telling & ~is_out, is_deleting=self.is_deleting & ~is_out)


@dataclass(frozen=True)
class Records:
    """What is known."""

    known: pd.DataFrame
    keys: Positions
    told: Positions
    """Positions of those about which a line decides."""


@dataclass(frozen=True)
class Twins:
    """What is found out about each line."""

    is_repeated: Flags
    """The patient has the dose under another key."""
    place: Positions
    """Position of what is known of the dose under another key, and gives way to it; -1 for none."""
    leader: Positions
    """Key number under which the patient has a repeated dose, -1 for what is not repeated."""


def adopted(lines: Lines, records: Records) -> Positions:
    """Return which known dose without a number of its own gets that of a line; -1 for none.

    Only where there is exactly one of that patient, vaccine and day, and no line speaks of it itself.
    """
    doses, known = lines.doses, records.known
    place = np.full(len(doses), -1, dtype=np.int64)
    is_free = known["dose_key"].str.startswith(_NUMBERLESS).to_numpy(dtype=bool, copy=True)
    is_free &= (known["completion"] != REFUSED).to_numpy(dtype=bool)
    is_free[records.told] = False
    action = doses["action"].to_numpy(dtype=object)
    is_refusal = (doses["completion"] == REFUSED).to_numpy(bool)
    is_asking = (lines.is_telling & ~(is_refusal & (action == "A")) | lines.is_deleting) & (lines.found < 0)
    if not is_free.any() or not is_asking.any():
        return place
    is_asking &= ~doses["dose_key"].str.startswith(_OWN).to_numpy(bool)
    of_line, of_known = _groups(doses, known)
    free = pd.Series(np.flatnonzero(is_free), index=of_known[is_free])
    free = free[~free.index.duplicated(keep=False)]
    asking = np.flatnonzero(is_asking & (of_line >= 0))
    asking = asking[~pd.Series(of_line[asking]).duplicated().to_numpy()]
    position = free.reindex(of_line[asking]).fillna(-1).to_numpy(dtype=np.int64, copy=True)
    # What somebody gave is not made into what was only heard of, unless it is corrected so.
    is_lesser = (action[asking] == "A") & ~doses["is_given"].to_numpy(bool)[asking]
    position[is_lesser & np.append(known["is_given"].to_numpy(bool), False)[position]] = -1
    place[asking] = position
    return place


def twins(lines: Lines, records: Records, place: Positions) -> Twins:
    """Return which lines tell a dose that the patient has under another key, as things are after all lines.

    Of equal ones that which is known stays, of new ones the first; but a new one that somebody gave goes
    before all that was only learnt from elsewhere, and takes the place of such a one that is known.

    :param place: what ``adopted`` returned.
    """
    doses, known = lines.doses, records.known
    count = len(doses)
    result = Twins(np.zeros(count, dtype=bool), np.full(count, -1), np.full(count, -1))
    of_line, of_known = _groups(doses, known)
    is_kept = known["completion"].isin(_GIVEN).to_numpy(bool) & (of_known >= 0)
    is_kept[records.told] = False
    is_kept[place[place >= 0]] = False
    is_told = lines.is_telling & doses["completion"].isin(_GIVEN).to_numpy(bool) & (of_line >= 0)
    is_settled = (lines.found >= 0) | (place >= 0)
    at = np.concatenate([np.flatnonzero(is_kept), np.flatnonzero(is_told)])
    is_line = np.arange(len(at)) >= is_kept.sum()
    group = np.concatenate([of_known[is_kept], of_line[is_told]])
    is_given = np.concatenate(
        [known["is_given"].to_numpy(bool)[is_kept], doses["is_given"].to_numpy(bool)[is_told]]
    )
    is_new = is_line & ~np.concatenate([np.zeros(is_kept.sum(), dtype=bool), is_settled[is_told]])
    rank = np.where(
        is_given, np.where(is_new, _NEW_GIVEN, _KEPT_GIVEN), np.where(is_new, _NEW_LEARNT, _KEPT_LEARNT)
    )
    order = np.lexsort((rank, group))
    is_first = ~pd.Series(group[order]).duplicated().to_numpy()
    leader = order[np.maximum.accumulate(np.where(is_first, np.arange(len(order)), 0))]
    others, leader = order[~is_first], leader[~is_first]
    key = np.concatenate([records.keys[is_kept], lines.keys[is_told]])
    is_repeated = is_new[others]
    _note(result, at, others[is_repeated], key[leader[is_repeated]])
    gives_way = (rank[others] == _KEPT_LEARNT) & (rank[leader] == _NEW_GIVEN)
    gives_way &= ~pd.Series(leader).where(gives_way, -1).duplicated().to_numpy()
    for one, new in zip(others[gives_way], leader[gives_way], strict=True):
        line = at[one]
        if is_line[one]:
            result.place[at[new]] = lines.found[line] if lines.found[line] >= 0 else place[line]
        else:
            result.place[at[new]] = line
    is_displaced = gives_way & is_line[others]
    _note(result, at, others[is_displaced], key[leader[is_displaced]])
    return result


def _note(result: Twins, at: Positions, which: Positions, keys: Positions) -> None:
    result.is_repeated[at[which]] = True
    result.leader[at[which]] = keys


def _groups(doses: pd.DataFrame, known: pd.DataFrame) -> tuple[Positions, Positions]:
    """Return one number per patient, vaccine and day, alike in both frames; -1 where they tell no dose."""
    columns = ["patient", "cvx", "administered_on"]
    both = pd.concat([doses[columns], known[columns]], ignore_index=True)
    vaccine, _ = pd.factorize(both["cvx"])
    day, days = pd.factorize(both["administered_on"])
    width = max(1, len(days))
    numbers = (both["patient"].to_numpy(np.int64) * (vaccine.max(initial=0) + 1) + vaccine) * width + day
    is_telling = ~both["cvx"].isin(_NO_VACCINE).to_numpy(bool) & (both["administered_on"] != "").to_numpy()
    numbers = np.where(is_telling, numbers, -1)
    return numbers[: len(doses)], numbers[len(doses) :]
