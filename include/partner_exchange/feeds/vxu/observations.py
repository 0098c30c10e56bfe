"""What the observations of a dose come to together: eligibility, vaccine information statement, set IDs.

Own readings: an eligibility of the visit (VXC41) stands for all doses of its message; set IDs may begin anew
with each dose, but must rise within it; a statement counts when it was sent, also with an unknown document.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from partner_exchange.feeds.vxu.cells import Flags, Places
from partner_exchange.feeds.vxu.code_sets import codes
from partner_exchange.feeds.vxu.dates import Numbers
from partner_exchange.feeds.vxu.piece import Piece, any_of

ELIGIBILITY = "64994-7"
FUNDING = "30963-3"
VIS_DOCUMENT = "69764-9"
VIS_VACCINE = "30956-7"
VIS_PUBLISHED = "29768-9"
VIS_PRESENTED = "29769-7"
IMMUNITY = "59784-9"
_OF_THE_VISIT = "VXC41"
_WITHDRAWN = ("D", "W", "X")
"""OBX-11 of an observation that is deleted, was wrong, or could not be made."""


def is_withdrawn(piece: Piece) -> Flags:
    """Return the observations that say of themselves that they do not count."""
    return piece.tables["observations"].of("OBX-11", *_WITHDRAWN)


def sent(piece: Piece, code: str) -> Flags:
    """Return the observations of a code that were sent with a value, good or bad."""
    table = piece.tables["observations"]
    is_sent = table.of("OBX-3", code) & table.is_filled("OBX-5") & ~is_withdrawn(piece)
    return piece.is_judged("OBX-3") & is_sent


def doses_with(piece: Piece, observations: Flags) -> Flags:
    """Return the doses that have one of the observations."""
    return any_of(piece.dose_of[observations], len(piece.doses))


def has_eligibility(piece: Piece) -> Flags:
    """Return the doses whose eligibility is told, by themselves or by their visit."""
    table = piece.tables["observations"]
    told = sent(piece, ELIGIBILITY)
    visits = any_of(table.message[told & table.of("OBX-17", _OF_THE_VISIT)], len(piece.rows))
    return doses_with(piece, told) | piece.of_doses(visits)


def has_eligibilities(piece: Piece) -> Flags:
    """Return the doses with more than one eligibility."""
    of = piece.dose_of[sent(piece, ELIGIBILITY)]
    more: Flags = np.bincount(of, minlength=len(piece.doses)) > 1
    return more


def is_without_vis(piece: Piece) -> Flags:
    """Return the doses of vaccines with a statement of which not all facts are told under one sub-ID."""
    is_asked = piece.vaccines.of(frozenset(codes("vis-vaccine")))
    presented = _groups(piece, VIS_PRESENTED)
    by_document = np.intersect1d(_groups(piece, VIS_DOCUMENT), presented)
    by_vaccine = np.intersect1d(
        _groups(piece, VIS_VACCINE), np.intersect1d(_groups(piece, VIS_PUBLISHED), presented)
    )
    complete = np.concatenate([by_document, by_vaccine]) // _sub_ids(piece)
    return is_asked & ~any_of(complete, len(piece.doses))


def is_out_of_order(piece: Piece) -> Flags:
    """Return the observations whose set ID is not above the one before, in the same dose."""
    numbers = _numbers(piece, "OBX-1")
    late = np.zeros(len(numbers), dtype=np.bool_)
    late[1:] = (numbers[1:] <= numbers[:-1]) & (piece.dose_of[1:] == piece.dose_of[:-1])
    return late


def _sub_ids(piece: Piece) -> int:
    return max(1, len(piece.tables["observations"].coded("OBX-4").values))


def _groups(piece: Piece, code: str) -> Places:
    """Return a number for each dose and sub-ID under which a code was sent."""
    told = sent(piece, code)
    at = piece.tables["observations"].coded("OBX-4").at
    groups: Places = np.unique(piece.dose_of[told] * _sub_ids(piece) + at[told])
    return groups


def _numbers(piece: Piece, column: str) -> Numbers:
    coded = piece.tables["observations"].coded(column)
    values = pd.to_numeric(pd.Series(coded.values.to_pylist(), dtype="str"), errors="coerce")
    numbers: Numbers = values.to_numpy(dtype=np.float64)[coded.at]
    return numbers
