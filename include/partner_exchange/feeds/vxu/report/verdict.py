"""What became of a file in one sentence, and whose turn it is."""

from __future__ import annotations

from collections.abc import Sequence

from partner_exchange.feeds.vxu.report.document import Counts, Reason, Verdict
from partner_exchange.feeds.vxu.report.wording import many, number, was
from partner_exchange.ledger.states import Outcome
from partner_exchange.tenants.model import Tenant
from partner_exchange.validation.catalogue import CATALOGUE, Scope, Turn
from partner_exchange.validation.findings import Findings

NOTHING_ASKED = "Nothing is asked of you."
_NOT_AGAIN = "Nothing has to be sent again."
_MAY_BE_LOST = "Your turn: the end of the file may be lost"

_TURNS = {
    Turn.PARTNER: "Your turn: mend the cause and drop the file again; a name may be used again.",
    Turn.US: "Our turn: we look into it. Nothing is asked of you.",
    Turn.NOBODY: NOTHING_ASKED,
}


_TEST_MODE = " Test mode: nothing entered the registry; this is what production would have made of it."


_END_MARKS = {"batch-trailer-missing": "BTS", "file-trailer-missing": "FTS"}
"""What a file without it lacks, by the code that says so."""


def verdict(counts: Counts, findings: Findings, tenant: Tenant, outcome: Outcome | None) -> Verdict:
    """Return the sentences about a file that was taken; the mail says the same (X05)."""
    kept = _TEST_MODE if tenant.mode == "test" else ""
    sentence = f"{_messages(counts)} {_doses(counts)}{kept}"
    codes = {group.code for group in findings.groups}
    missing = [mark for code, mark in _END_MARKS.items() if code in codes]
    turn = [_turn(counts, missing), _held(counts, tenant)]
    return Verdict(str(outcome or Outcome.ACCEPTED), sentence, " ".join(filter(None, turn)))


def refused(findings: Findings) -> tuple[Verdict, Reason]:
    """Return the sentence about a file that was refused as a whole, and why it was.

    :raises LookupError: no finding says why.
    """
    reasons = [group for group in findings.groups if CATALOGUE[group.code].scope is Scope.REFUSAL]
    if not reasons:
        raise LookupError("a refused file without a finding that refuses it")
    entry = CATALOGUE[reasons[0].code]
    verdict = Verdict(
        str(Outcome.REFUSED), "The file as a whole was refused; nothing of it was taken.", _TURNS[entry.turn]
    )
    return verdict, Reason(entry.code, entry.title, reasons[0].message)


def _messages(counts: Counts) -> str:
    if not counts.messages_rejected:
        all_of = (
            "The one message was" if counts.messages == 1 else f"All {number(counts.messages)} messages were"
        )
        return f"{all_of} accepted."
    return (
        f"{number(counts.messages_accepted)} of {many(counts.messages, 'message')} "
        f"{was(counts.messages_accepted)} accepted, {number(counts.messages_rejected)} "
        f"{was(counts.messages_rejected)} rejected."
    )


def _doses(counts: Counts) -> str:
    outcomes = (
        ("stored", counts.doses_stored),
        ("held until there is consent", counts.doses_held),
        ("unchanged", counts.doses_unchanged),
        ("deleted", counts.doses_deleted),
        ("kept as refusals", counts.doses_refused),
        ("rejected", counts.doses_rejected),
    )
    told = ", ".join(f"{number(count)} {name}" for name, count in outcomes if count)
    return f"{many(counts.doses, 'dose')}: {told}." if told else "There are no doses in it."


def _turn(counts: Counts, missing_end_marks: Sequence[str]) -> str:
    mend = ""
    if counts.messages_rejected or counts.doses_rejected:
        mend = "Your turn: mend the causes below in your system and send what was rejected again."
    elif counts.errors:
        mend = "Your turn: mend the causes below in your system; what is marked as error was left out."
    if missing_end_marks:
        start = f"{mend} The end of the file may be lost, too" if mend else _MAY_BE_LOST
        return f"{start}: {_compare(counts, missing_end_marks)}"
    if mend:
        return mend
    if counts.warnings:
        return f"{_NOT_AGAIN} Please look at the causes below before your next file."
    return _NOT_AGAIN if counts.doses_held else NOTHING_ASKED


def _compare(counts: Counts, missing_end_marks: Sequence[str]) -> str:
    """Return how one finds out whether the end of a file is lost."""
    marks = f"{' and '.join(missing_end_marks)} {'is' if len(missing_end_marks) == 1 else 'are'} missing"
    return (
        f"{marks}. Compare the {many(counts.messages, 'message')} found here with the number that your "
        "system sent, and send the whole file again if some are missing."
    )


def _held(counts: Counts, tenant: Tenant) -> str:
    """Return what waits for a consent, where one reads of whom, and how long it waits (T62)."""
    if not counts.doses_held:
        return ""
    told = many(counts.doses_held, "dose")
    if counts.patients_held:
        told += f" of {many(counts.patients_held, 'patient')}"
    where = f"the consent notification (CNF) in {tenant.inbox.outbox} lists the patients"
    days = tenant.vxu.held_days
    if tenant.mode == "test":
        purged = f", and be purged after {many(days, 'day')} without one" if days else ""
        return f"In production {told} would wait for a consent{purged}; {where}."
    purged = (
        f"what waits longer than {many(days, 'day')} is purged" if days else "nothing is purged meanwhile"
    )
    waits, are = ("waits", "it is") if counts.doses_held == 1 else ("wait", "they are")
    return f"{told} {waits} for a consent: {where}. With the consent {are} stored; {purged}."
