"""What became of a file in one sentence, and whose turn it is."""

from __future__ import annotations

from partner_exchange.feeds.vxu.report.document import Counts, Reason, Verdict
from partner_exchange.feeds.vxu.report.wording import many, number, was
from partner_exchange.ledger.states import Outcome
from partner_exchange.tenants.model import Tenant
from partner_exchange.validation.catalogue import CATALOGUE, Scope, Turn
from partner_exchange.validation.findings import Findings

NOTHING_ASKED = "Nothing is asked of you."

_TURNS = {
    Turn.PARTNER: "Your turn: mend the cause and drop the file again; a name may be used again.",
    Turn.US: "Our turn: we look into it. Nothing is asked of you.",
    Turn.NOBODY: NOTHING_ASKED,
}


_TEST_MODE = " Test mode: nothing entered the registry; this is what production would have made of it."


def verdict(counts: Counts, tenant: Tenant, outcome: Outcome | None) -> Verdict:
    """Return the sentence about a file that was taken."""
    kept = _TEST_MODE if tenant.mode == "test" else ""
    sentence = f"{_messages(counts)} {_doses(counts)}{kept}"
    return Verdict(str(outcome or Outcome.ACCEPTED), sentence, _turn(counts))


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


def _turn(counts: Counts) -> str:
    if counts.messages_rejected or counts.doses_rejected:
        return "Your turn: mend the causes below in your system and send what was rejected again."
    if counts.errors:
        return "Your turn: mend the causes below in your system; what is marked as error was left out."
    if counts.warnings:
        return "Nothing has to be sent again. Please look at the causes below before your next file."
    return NOTHING_ASKED
