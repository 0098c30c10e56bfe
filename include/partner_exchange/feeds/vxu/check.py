"""Check the messages of a piece: what is wrong where, and what of them can be taken (T43, T64, K23).

Called by ``examine.py`` piece by piece. Header first, then single values, then what can be left out by
itself, then patients and doses by what is left, then how far the errors reach.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from partner_exchange.feeds.vxu import rules
from partner_exchange.feeds.vxu.cascade import Rejected, keep_parts, reject, spare_deletions
from partner_exchange.feeds.vxu.cells import Flags
from partner_exchange.feeds.vxu.comparisons import compare, voided
from partner_exchange.feeds.vxu.duplicates import FileMemory, keys_of
from partner_exchange.feeds.vxu.issues import issue_table
from partner_exchange.feeds.vxu.piece import CheckContext, Piece
from partner_exchange.feeds.vxu.predicates import PLACEHOLDER, when
from partner_exchange.feeds.vxu.tables import Flat
from partner_exchange.feeds.vxu.tally import tally_of
from partner_exchange.feeds.vxu.vaccines import NO_VACCINE
from partner_exchange.feeds.vxu.values import judge_codes, judge_dates, judge_numbers, take_out

__all__ = ["CheckContext", "Checked", "FileMemory", "check"]


@dataclass(frozen=True)
class Checked:
    """A piece of a file after the checks."""

    flat: Flat
    """Without what counts as empty: values are blank; identifiers, relatives and observations are gone.

    ``doses`` has in addition ``cvx``, ``ndc``, ``mvx`` (what RXA-5 comes to; of the manufacturer RXA-17 goes
    first) and ``is_given`` (given now by the sender); RXA-20 and RXA-21 hold what is assumed where they were
    blank, and ORC-3 is 9999, as for none, where different doses of a message share it.
    """
    issues: pd.DataFrame
    """All issues, those of the structure too: ``ISSUE_COLUMNS``."""
    is_message_rejected: Flags
    is_dose_rejected: Flags
    tally: pd.DataFrame
    """Numbers for the report: ``TALLY_COLUMNS``."""


def check(flat: Flat, context: CheckContext) -> Checked:
    """Return what is wrong with the messages and what is left of them; never raises for what they hold.

    :raises SuiteBroken: a rule raised instead of judging: our fault.
    """
    piece = Piece(flat, context)
    context.memory.has_vxu |= bool(piece.tables["messages"].of("MSH-9.1", "VXU").any())
    found = compare(piece, rules.HEADER)
    for each in found:
        piece.set_unread(each.lines)
    of_codes, code_counts = judge_codes(piece)
    found += [*of_codes, *judge_dates(piece), *judge_numbers(piece)]
    _assume(piece)
    of_parts = compare(piece, rules.PARTS)
    take_out(piece, voided(of_parts))
    found += of_parts
    keep_parts(piece, found)
    of_body = compare(piece, rules.BODY)
    take_out(piece, voided(of_body))
    piece.doses.put("ORC-3", when(piece, "is_order_shared"), PLACEHOLDER)
    found = spare_deletions(piece, [*found, *of_body])
    rejected = reject(piece, found)
    piece.is_repeated = context.memory.repeated_control_ids(flat.messages["MSH-10"], ~rejected.messages)
    of_control_ids = compare(piece, rules.CONTROL_IDS)
    if of_control_ids:
        found += of_control_ids
        rejected = reject(piece, found)
    _remember_doses(piece, rejected)
    found += [*compare(piece, rules.REPEATED), *rejected.found]
    issues = issue_table(piece, found)
    return Checked(
        flat=_cleaned(piece),
        issues=issues,
        is_message_rejected=rejected.messages,
        is_dose_rejected=rejected.doses,
        tally=tally_of(piece, found, issues, rejected, code_counts),
    )


def _assume(piece: Piece) -> None:
    """Fill in what stands for a blank completion or action."""
    doses = piece.doses
    is_blank = piece.is_judged("RXA-20") & ~doses.is_filled("RXA-20")
    is_no_vaccine = piece.vaccines.of(frozenset({NO_VACCINE}))
    doses.put("RXA-20", is_blank & is_no_vaccine, "NA")
    doses.put("RXA-20", is_blank & ~is_no_vaccine, "CP")
    doses.put("RXA-21", piece.is_judged("RXA-21") & ~doses.is_filled("RXA-21"), "A")


def _remember_doses(piece: Piece, rejected: Rejected) -> None:
    """Find the doses to be added that are equal to one before them in the file: patient, vaccine and day.

    Of what says that no vaccine was given, such as an immunity, there may be several on a day.
    """
    patient = piece.patient_keys[piece.doses.message]
    dose = keys_of(piece.vaccines.text("cvx"), piece.doses.coded("RXA-3").text.str.slice(0, 8))
    is_no_vaccine = piece.doses.of("RXA-20", "NA") | piece.vaccines.of(frozenset({NO_VACCINE}))
    is_taken = ~rejected.doses & piece.doses.of("RXA-21", "A") & ~is_no_vaccine
    mixed = keys_of(pd.Series(patient), pd.Series(dose))
    piece.is_dose_repeated = piece.context.memory.repeated_doses(mixed, is_taken)


def _cleaned(piece: Piece) -> Flat:
    vaccines = piece.vaccines
    mvx = piece.doses.coded("RXA-17").text
    return replace(
        piece.flat,
        **{
            name: table.cleaned(piece.kept.get(name))
            for name, table in piece.tables.items()
            if name != "doses"
        },
        doses=piece.doses.cleaned(
            cvx=vaccines.text("cvx"),
            ndc=vaccines.text("ndc"),
            mvx=mvx.where(mvx != "", vaccines.text("mvx")),
            is_given=when(piece, "is_given") if len(piece.doses) else np.zeros(0, dtype=np.bool_),
        ),
    )
