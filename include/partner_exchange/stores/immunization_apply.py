"""Apply a batch of messages to the store, and to the held doses for patients without consent.

Called by the merge of immunizations, when it is known who the patients are and who has consent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import Connection

from partner_exchange.errors import CountsDoNotReconcile
from partner_exchange.stores import immunization_deletions, immunization_held, immunization_rows
from partner_exchange.stores.immunization_frames import (
    DEMOGRAPHICS,
    IDENTIFIER_TEXTS,
    OBSERVATION_TEXTS,
    REFUSED,
    Batch,
    Flags,
    Origin,
    Positions,
)
from partner_exchange.stores.immunization_people import People, newest
from partner_exchange.stores.immunization_plan import Plan, plan

Texts = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Applied:
    """What became of a batch."""

    messages: Texts
    """created, updated or unchanged, per message."""
    doses: Texts
    """One of ``ledger.states.DOSE_OUTCOMES``, per dose."""
    codes: Texts
    """Code of a finding about the dose, "" for none."""
    present: Positions
    """How many doses that a message tells are in the store now, per message; each counts in the last one of
    the messages that tell it.
    """


@dataclass(frozen=True)
class _Work:
    """What the steps below share."""

    connection: Connection
    origin: Origin
    batch: Batch
    people: People
    is_open: Flags
    """Of each patient: may enter the store."""
    patient: Positions
    """Of each dose."""
    known: pd.DataFrame
    plan: Plan

    @property
    def is_open_dose(self) -> Flags:
        """Return which doses are of patients who may enter the store."""
        return self.is_open[self.patient]


def apply(connection: Connection, batch: Batch, people: People, is_open: Flags, origin: Origin) -> Applied:
    """Merge the messages of patients who may enter the store there, and the others into the held doses.

    :param is_open: of each patient; what is known of the others must have been taken out of the store.
    :raises CountsDoNotReconcile: what was planned could not be done.
    """
    immunization_rows.ask_for(connection, people.keys.tolist())
    known_patients = immunization_rows.read_patients(connection, origin.tenant_code)
    known = _known(connection, is_open, origin.tenant_code)
    marks = immunization_deletions.read(connection, origin.tenant_code)
    patient = people.of_message[batch.doses["message"].to_numpy()]
    work = _Work(
        connection=connection,
        origin=origin,
        batch=batch,
        people=people,
        is_open=is_open,
        patient=patient,
        known=known,
        plan=plan(batch.doses.assign(patient=patient), known, marks),
    )
    patients_changed = _write_patients(work, known_patients)
    _write_stored(work)
    _write_held(work)
    _write_times(work, marks)
    is_new = _is_new(work, known_patients)
    return Applied(
        messages=_message_outcomes(work, patients_changed, is_new),
        doses=_dose_outcomes(work),
        codes=work.plan.codes,
        present=_present(work),
    )


def _known(connection: Connection, is_open: Flags, tenant_code: str) -> pd.DataFrame:
    """Return the doses that are known of the patients asked for, where their new ones go."""
    stored = immunization_rows.read_known(connection, tenant_code)
    held = immunization_held.read_known(connection, tenant_code)
    stored = stored[is_open[stored["patient"].to_numpy()]]
    held = held[~is_open[held["patient"].to_numpy()]]
    blank = {"created_at": "", "created_by_submission": ""}
    none = {"held_no": 0, "held_at": "", "told_us": 0}
    known: pd.DataFrame = pd.concat([stored.assign(**none), held.assign(**blank)], ignore_index=True)
    return known


def _write_patients(work: _Work, known: pd.DataFrame) -> Flags:
    """Write what is new about patients and return which messages told it."""
    batch, people, is_open = work.batch, work.people, work.is_open
    known = known[is_open[known["n"].to_numpy()]]
    count = len(people.keys)
    of_known = known["n"].to_numpy()
    now = newest(
        pd.concat([known, batch.messages], ignore_index=True)[[*DEMOGRAPHICS, "reported_us"]],
        np.concatenate([of_known, people.of_message]),
        count,
    )
    before = _aligned(known, of_known, count)
    is_known = np.zeros(count, dtype=bool)
    is_known[of_known] = True
    is_changed = np.zeros(count, dtype=bool)
    is_telling = np.zeros(len(batch.messages), dtype=bool)
    for name in DEMOGRAPHICS:
        value = now[name].to_numpy(dtype=object)
        is_other = is_known & is_open & (value != before[name].to_numpy(dtype=object))
        if is_other.any():
            is_changed |= is_other
            told = batch.messages[name].to_numpy(dtype=object)
            is_telling |= is_other[people.of_message] & (told == value[people.of_message])
    identifiers, is_adding = _new_identifiers(work)
    is_moved = is_known & is_open & (now["reported_us"] > before["reported_us"]).to_numpy()
    is_touched = (is_open & ~is_known) | is_changed | is_moved
    trail = _trail(work, before, is_known=is_known, is_changed=is_changed)
    patients = now.assign(patient_key=pd.Series(people.keys, dtype="str"), **trail)[is_touched]
    immunization_rows.replace_patients(work.connection, patients, identifiers, work.origin)
    return is_telling | is_adding


def _aligned(known: pd.DataFrame, of_known: Positions, count: int) -> pd.DataFrame:
    """Return a line per patient: what is known, blank and 0 for nothing."""
    columns: dict[str, npt.NDArray[np.object_] | Positions] = {}
    for name in known.columns:
        is_number = pd.api.types.is_integer_dtype(known[name])
        column = np.zeros(count, dtype=np.int64) if is_number else np.full(count, "", dtype=object)
        column[of_known] = known[name].to_numpy()
        columns[name] = column
    texts = [name for name, column in columns.items() if column.dtype == object]
    return pd.DataFrame(columns).astype(dict.fromkeys(texts, "str"))


def _trail(
    work: _Work, before: pd.DataFrame, *, is_known: Flags, is_changed: Flags
) -> dict[str, pd.Series[str]]:
    """Return since when patients are there and who changed them last."""
    of_message, submissions = work.people.of_message, work.batch.messages["submission_id"].to_numpy(object)
    first, last = (np.full(len(is_known), "", dtype=object) for _ in range(2))
    last[of_message] = submissions
    first[of_message[::-1]] = submissions[::-1]
    is_fresh = is_changed | ~is_known
    return {
        "patient_no": before["patient_no"],
        "created_at": before["created_at"],
        "updated_at": before["updated_at"].mask(is_fresh, ""),
        "created_by_submission": before["created_by_submission"].mask(~is_known, pd.Series(first)),
        "changed_by_submission": before["changed_by_submission"].mask(is_fresh, pd.Series(last)),
    }


def _new_identifiers(work: _Work) -> tuple[pd.DataFrame, Flags]:
    """Return the identifiers that the store does not know yet, and which messages have one."""
    fresh = work.people.new_identifiers
    fresh = fresh[work.is_open[fresh["patient"].to_numpy()]]
    named = fresh.assign(patient_key=pd.Series(work.people.keys[fresh["patient"]], fresh.index, dtype="str"))
    is_adding = np.zeros(len(work.batch.messages), dtype=bool)
    if len(fresh):
        own = work.batch.identifiers[work.people.is_own]
        told = own.merge(fresh[list(IDENTIFIER_TEXTS)], how="inner")
        is_adding[told["message"].to_numpy()] = True
        is_adding &= work.is_open[work.people.of_message]
    return named, is_adding


def _write_stored(work: _Work) -> None:
    """Remove, write and replace doses and refusals in the store."""
    the_plan, is_open = work.plan, work.is_open_dose
    gone = work.known.loc[the_plan.known[is_open & (the_plan.is_changed | the_plan.is_deleted)]]
    if len(gone):
        removed = immunization_rows.remove_doses(work.connection, _keyed(work, gone), work.origin.tenant_code)
        _require_equal(len(gone), removed)
    is_written = is_open & the_plan.is_written
    doses = _with_known(work, is_written, {"created_at": "", "created_by_submission": ""})
    is_new = (doses["created_by_submission"] == "").to_numpy()
    doses["created_by_submission"] = doses["created_by_submission"].mask(is_new, doses["submission_id"])
    observations = work.batch.observations
    n = observations["n"].to_numpy()
    is_taken = is_written[n]
    named = observations.loc[is_taken, ["ordinal", *OBSERVATION_TEXTS]].assign(
        patient_key=pd.Series(work.people.keys[work.patient[n[is_taken]]], dtype="str").to_numpy(),
        dose_key=work.batch.doses["dose_key"].to_numpy()[n[is_taken]],
    )
    immunization_rows.write_doses(work.connection, doses, named, work.origin)


def _write_held(work: _Work) -> None:
    """Remove, write and replace held doses; the same dose with newer facts about the patient takes those."""
    the_plan, is_shut = work.plan, ~work.is_open_dose
    told = work.batch.messages["reported_us"].to_numpy()[work.batch.doses["message"].to_numpy()]
    is_newer = the_plan.is_same & is_shut
    is_newer[is_newer] = told[is_newer] > work.known["told_us"].to_numpy()[the_plan.known[is_newer]]
    is_replaced = is_shut & the_plan.is_changed | is_newer
    gone = work.known.loc[the_plan.known[is_replaced | is_shut & the_plan.is_deleted]]
    code = work.origin.tenant_code
    if len(gone):
        _require_equal(len(gone), immunization_held.remove(work.connection, _keyed(work, gone), code))
    is_written = is_replaced | is_shut & the_plan.is_new
    if is_written.any():
        doses = _with_known(work, is_written, {"held_no": 0, "held_at": ""})
        immunization_held.write(work.connection, work.batch, doses, work.origin)
        identifiers = work.batch.identifiers[work.people.is_own]
        patient = work.people.of_message[identifiers["message"].to_numpy()]
        named = identifiers.assign(
            patient_key=pd.Series(work.people.keys[patient], identifiers.index, dtype="str")
        )
        immunization_held.add_identifiers(work.connection, named[~work.is_open[patient]], code)
    if (is_shut & the_plan.is_deleted).any():
        immunization_held.forget_identifiers(work.connection, code)


def _write_times(work: _Work, marks: pd.DataFrame) -> None:
    """Keep when doses were told last, and when they were deleted."""
    the_plan, code = work.plan, work.origin.tenant_code
    if the_plan.is_telling_again.any():
        immunization_rows.touch_doses(work.connection, _told(work, the_plan.is_telling_again), code)
    if the_plan.is_marked.any():
        immunization_deletions.mark(work.connection, _told(work, the_plan.is_marked), work.origin)
    if len(marks) and the_plan.is_written.any():
        immunization_deletions.unmark(work.connection, _told(work, the_plan.is_written), code)


def _told(work: _Work, is_some: Flags) -> pd.DataFrame:
    """Return key and time of some doses as they are told."""
    told = work.batch.doses.loc[is_some, ["dose_key", "reported_us"]]
    keys = pd.Series(work.people.keys[work.patient[is_some]], told.index, dtype="str")
    return told.assign(patient_key=keys)


def _present(work: _Work) -> Positions:
    """Return how many doses of each message are in the store."""
    present = pd.Series(work.plan.present)
    is_counted = (present >= 0) & work.is_open_dose & ~present.duplicated(keep="last")
    message = work.batch.doses["message"].to_numpy()[is_counted.to_numpy()]
    return np.bincount(message, minlength=len(work.batch.messages))


def _keyed(work: _Work, known: pd.DataFrame) -> pd.DataFrame:
    keys = pd.Series(work.people.keys[known["patient"].to_numpy()], known.index, dtype="str")
    return known[["dose_key"]].assign(patient_key=keys)


def _with_known(work: _Work, is_written: Flags, defaults: dict[str, str | int]) -> pd.DataFrame:
    """Return the doses to write, with ``patient_key`` and what stays of what had their key."""
    doses = work.batch.doses[is_written]
    position = work.plan.known[is_written]
    doses = doses.assign(
        patient_key=pd.Series(work.people.keys[work.patient[is_written]], doses.index, dtype="str")
    )
    for name, default in defaults.items():
        values = np.full(len(doses), default, dtype=object if isinstance(default, str) else np.int64)
        values[position >= 0] = work.known[name].to_numpy()[position[position >= 0]]
        kind = "str" if isinstance(default, str) else "int64"
        doses[name] = pd.Series(values, doses.index, dtype=kind)
    return doses


def _is_new(work: _Work, known_patients: pd.DataFrame) -> Flags:
    """Return which patients were neither stored nor held, and are now."""
    count = len(work.people.keys)
    is_stored, was_held, is_held = (np.zeros(count, dtype=bool) for _ in range(3))
    is_stored[known_patients["n"].to_numpy()] = True
    was_held[work.known["patient"].to_numpy()] = True
    is_held[work.patient[work.plan.is_new]] = True
    return np.where(work.is_open, ~is_stored, ~was_held & is_held)


def _message_outcomes(work: _Work, is_changed: Flags, is_new: Flags) -> Texts:
    """Return what became of each message; the first one of a new patient created it."""
    of_message = work.people.of_message
    has_effect = is_changed.copy()
    effective = work.plan.is_written | work.plan.is_deleted
    has_effect[work.batch.doses["message"].to_numpy()[effective]] = True
    outcomes = np.where(has_effect, "updated", "unchanged").astype(object)
    is_creating = is_new[of_message] & (work.is_open[of_message] | has_effect)
    creating = np.flatnonzero(is_creating)
    _, first = np.unique(of_message[creating], return_index=True)
    outcomes[creating[first]] = "created"
    return outcomes


def _dose_outcomes(work: _Work) -> Texts:
    is_written, is_open = work.plan.is_written, work.is_open_dose
    is_refusal = (work.batch.doses["completion"] == REFUSED).to_numpy()
    return np.select(
        [is_written & ~is_open, is_written & is_refusal, is_written, work.plan.is_deleted],
        ["held", "refused", "stored", "deleted"],
        default="unchanged",
    ).astype(object)


def _require_equal(planned: int, done: int) -> None:
    if planned != done:
        message = f"The store had {done} of {planned} doses to replace; nothing was committed."
        raise CountsDoNotReconcile("counts-do-not-reconcile", message, planned=planned, done=done)
