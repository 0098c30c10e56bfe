"""How far an error reaches: its value, its segment, its dose, its message (K23, IG table 3-1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from partner_exchange.feeds.vxu.cells import Flags
from partner_exchange.feeds.vxu.found import Found, with_errors
from partner_exchange.feeds.vxu.piece import Piece, any_of, table_of
from partner_exchange.feeds.vxu.places import is_of_a_dose
from partner_exchange.feeds.vxu.predicates import when

PARTS = ("identifiers", "relatives", "observations")
_NEEDED = {"identifiers": ("PID-3.1",), "relatives": (), "observations": ("OBX-2", "OBX-3", "OBX-5")}
"""Values without which a part says nothing; one that was left out takes the part with it."""
_ASKED_OF_DELETIONS = ("ORC", "ORC-3")


@dataclass(frozen=True)
class Rejected:
    """What is not taken."""

    messages: Flags
    doses: Flags
    """Those of rejected messages too."""
    found: tuple[Found, ...]
    """The consequences, as findings of their own."""


def keep_parts(piece: Piece, found: Sequence[Found]) -> None:
    """Say which identifiers, relatives and observations count: those without an error that say something."""
    for table in PARTS:
        kept = ~with_errors(piece, table, found)
        for column in _NEEDED[table]:
            kept &= piece.is_left(column)
        piece.kept[table] = kept


def spare_deletions(piece: Piece, found: Sequence[Found]) -> list[Found]:
    """Return the findings without those about doses to be deleted, of which only the order number counts."""
    is_deletion = when(piece, "is_deletion")
    if not is_deletion.any():
        return list(found)
    return [_spared(piece, each, is_deletion) for each in found]


def _spared(piece: Piece, found: Found, is_deletion: Flags) -> Found:
    if not is_of_a_dose(found.place) or found.place in _ASKED_OF_DELETIONS:
        return found
    doses = piece.dose_of[found.lines] if table_of(found.place) == "observations" else found.lines
    return replace(found, lines=found.lines[~is_deletion[doses]])


def reject(piece: Piece, found: Sequence[Found]) -> Rejected:
    """Return what the errors take down.

    A message without order groups stands: it tells about the patient alone. One whose order groups are all
    rejected does not.
    """
    by_header = ~piece.is_read | with_errors(piece, "messages", found)
    by_patient = (with_errors(piece, "patients", found) | piece.has_two_patients) & ~by_header
    of = piece.doses.message
    doses = with_errors(piece, "doses", found)
    has_doses = any_of(of, len(piece.rows))
    by_doses = has_doses & ~any_of(of[~doses], len(piece.rows)) & ~by_header & ~by_patient
    messages = by_header | by_patient | by_doses
    first_dose = np.flatnonzero(np.append(True, of[1:] != of[:-1])[: len(of)])
    consequences = (
        Found("message-rejected", "MSH", np.flatnonzero(by_header)),
        Found("message-rejected", "PID", np.flatnonzero(by_patient)),
        Found("message-rejected", "RXA", first_dose[by_doses[of[first_dose]]]),
        *_dose_rejected(piece, doses & ~messages[of]),
    )
    return Rejected(messages, doses | messages[of], consequences)


def _dose_rejected(piece: Piece, doses: Flags) -> tuple[Found, Found]:
    has_rxa = piece.flat.doses["rxa"].to_numpy() > 0
    return (
        Found("dose-rejected", "RXA", np.flatnonzero(doses & has_rxa)),
        Found("dose-rejected", "ORC", np.flatnonzero(doses & ~has_rxa)),
    )
