"""Judge the messages of a stream piece by piece, so that a large file costs little more than its results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from partner_exchange.feeds.base import Examination, ExamineContext
from partner_exchange.feeds.vxu.accept import accept
from partner_exchange.feeds.vxu.check import CheckContext, FileMemory, check
from partner_exchange.feeds.vxu.flatten import flatten
from partner_exchange.feeds.vxu.places import as_marks, columns_of
from partner_exchange.feeds.vxu.tables import TALLY_COLUMNS, Flat
from partner_exchange.readers.hl7 import Stream
from partner_exchange.readers.marks import Mark
from partner_exchange.stores.immunizations import Accepted
from partner_exchange.validation.wording import word

PIECE_MESSAGES = 5_000
NO_VXU = "hl7-no-vxu"

_ACKNOWLEDGED = ("row", "MSH-3", "MSH-4", "MSH-5", "MSH-6", "MSH-10", "MSH-11")
"""What an acknowledgement repeats of its message."""


_REPORTED = (
    "row",
    "patient_key",
    "authority",
    "identifier",
    "last_name",
    "first_name",
    "middle_name",
    "birth_on",
    "sex",
    "protection_claim",
)


@dataclass(frozen=True)
class _Piece:
    """The results of one piece, without what it was made of."""

    messages: pd.DataFrame
    issues: pd.DataFrame
    tally: pd.DataFrame
    accepted: Accepted
    doses: int
    doses_rejected: int


def examine_stream(stream: Stream, context: ExamineContext, marks: Sequence[Mark]) -> Examination:
    """Return what was found in the messages of a file.

    A file without a single VXU message is refused as a whole, and each message of it acknowledged (T02).

    :param marks: what was found about the file itself.
    """
    checking = CheckContext(tenant=context.tenant, arrived_at=context.arrived_at, memory=FileMemory())
    pieces = [_judged(flatten(piece), checking) for piece in stream.pieces(PIECE_MESSAGES)]
    messages = pd.concat([piece.messages for piece in pieces], ignore_index=True)
    issues = pd.concat([piece.issues for piece in pieces], ignore_index=True)
    rejected = int(messages["is_rejected"].sum())
    is_refused = not checking.memory.has_vxu
    accepted = _together([piece.accepted for piece in pieces])
    said = [*marks, *([Mark(NO_VXU)] if is_refused else []), *as_marks(issues)]
    return Examination(
        is_refused=is_refused,
        rows_total=len(messages),
        rows_accepted=len(messages) - rejected,
        rows_rejected=rejected,
        findings=word(said, columns=columns_of(issues), cap=context.tenant.vxu.max_findings_listed),
        accepted=accepted.patients,
        tables={
            "messages": messages,
            "reported": _reported(accepted.patients, messages),
            "issues": issues,
            "tally": _summed([piece.tally for piece in pieces]),
            "identifiers": accepted.identifiers,
            "doses": accepted.doses,
            "observations": accepted.observations,
        },
        part_counts={
            "acknowledged": len(messages),
            "doses_total": sum(piece.doses for piece in pieces),
            "doses_rejected": sum(piece.doses_rejected for piece in pieces),
            "found_batches": stream.found_batches,
            **{name: count for name, count in _declared(stream) if count is not None},
        },
    )


def _declared(stream: Stream) -> tuple[tuple[str, int | None], ...]:
    return (
        ("declared_messages", stream.declared_messages),
        ("declared_batches", stream.declared_batches),
    )


def _judged(flat: Flat, checking: CheckContext) -> _Piece:
    as_sent = flat.messages[list(_ACKNOWLEDGED)]
    checked = check(flat, checking)
    return _Piece(
        messages=as_sent.assign(is_rejected=checked.is_message_rejected),
        issues=checked.issues,
        tally=checked.tally,
        accepted=accept(checked, zone=checking.tenant.time_zone),
        doses=len(checked.is_dose_rejected),
        doses_rejected=int(checked.is_dose_rejected.sum()),
    )


def _reported(patients: pd.DataFrame, messages: pd.DataFrame) -> pd.DataFrame:
    """Return what a consent notification says of a patient: who it is, and in which message (T61)."""
    control_ids = messages[["row", "MSH-10"]].rename(columns={"MSH-10": "control_id"})
    return patients[list(_REPORTED)].merge(control_ids, on="row", how="left")


def _together(parts: Sequence[Accepted]) -> Accepted:
    return Accepted(
        *(
            pd.concat([getattr(part, name) for part in parts], ignore_index=True)
            for name in ("patients", "identifiers", "doses", "observations")
        )
    )


def _summed(tallies: Sequence[pd.DataFrame]) -> pd.DataFrame:
    keys = [name for name in TALLY_COLUMNS if name != "count"]
    return pd.concat(tallies, ignore_index=True).groupby(keys, sort=True)["count"].sum().reset_index()
