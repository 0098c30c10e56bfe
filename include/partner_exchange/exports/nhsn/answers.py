"""What NHSN says of a set: of the set as a whole, or of each hospital (E39, X11).

The sources know the words (Submitted, Not Submitted, Error, Warning) and that NHSN's message is kept as the
comment; in which file they come is reconstructed. A confirmation without lines says Submitted of every
hospital in the set, a refusal says Error. A CSV with the columns Org ID and Status, and Context and Message
where there are such, says it per hospital; for one that it does not name, nothing changes.

Called by ``exports.answers`` in the transaction that records the answer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from partner_exchange.exports.answers.reading import Reading, one_line, text_of
from partner_exchange.exports.answers.table import TableBroken, table_of
from partner_exchange.exports.nhsn.selection import Reason, recorded_id
from partner_exchange.ledger import nhsn as ledger
from partner_exchange.ledger.deliveries import Delivery
from partner_exchange.ledger.delivery_answers import Verdict
from partner_exchange.ledger.nhsn import KeptSet, NhsnOrigin, NhsnOutcome, NhsnState
from partner_exchange.tenants.model import Tenant
from partner_exchange.tenants.nhsn_sets import frequency_of

_STATES = {
    "submitted": NhsnState.SUBMITTED,
    "accepted": NhsnState.SUBMITTED,
    "ok": NhsnState.SUBMITTED,
    "success": NhsnState.SUBMITTED,
    "warning": NhsnState.WARNING,
    "not submitted": NhsnState.NOT_SUBMITTED,
    "error": NhsnState.ERROR,
    "rejected": NhsnState.ERROR,
    "refused": NhsnState.ERROR,
}
_REASONS = {
    NhsnState.WARNING: Reason.NHSN_WARNING,
    NhsnState.NOT_SUBMITTED: Reason.NHSN_NOT_SUBMITTED,
    NhsnState.ERROR: Reason.NHSN_ERROR,
}
_BAD = frozenset({NhsnState.NOT_SUBMITTED, NhsnState.ERROR})
_NO_WORDS = {
    NhsnState.WARNING: "NHSN has it, with a warning, and does not say which.",
    NhsnState.NOT_SUBMITTED: "NHSN did not take it, and does not say why.",
    NhsnState.ERROR: "NHSN refused it, and does not say why.",
}


@dataclass(frozen=True)
class Lines:
    """An answer that says something of single hospitals."""

    outcomes: tuple[NhsnOutcome, ...]
    unmatched: int
    """Lines about no hospital in the set."""
    unreadable: int
    """Lines with a status that nobody knows."""

    def reading(self, *, is_accepted: bool) -> Reading:
        """Return what the answer comes to: refused when its name, or the line of one hospital, says so.

        :param is_accepted: what its name says.
        """
        if not self.outcomes:
            return Reading(Verdict.UNREADABLE, self._summary())
        is_refused = not is_accepted or any(one.state in _BAD for one in self.outcomes)
        return Reading(Verdict.REFUSED if is_refused else Verdict.ACCEPTED, self._summary())

    def _summary(self) -> str:
        counts = Counter(one.state for one in self.outcomes)
        parts = [f"{counts[state]} {state}" for state in NhsnState if counts[state]]
        parts += [f"{self.unmatched} of no hospital in the set"] if self.unmatched else []
        parts += [f"{self.unreadable} with an unknown status"] if self.unreadable else []
        return f"By hospital: {', '.join(parts) or 'nothing'}."


def read_lines(connection: Connection, tenant: Tenant, delivery: Delivery, content: bytes) -> Lines | None:
    """Return what the answer says of single hospitals; None for one that speaks of the set as a whole.

    A line without any status, such as a cut one, counts among those with an unknown status.
    """
    try:
        table = table_of(text_of(content) or "")
    except TableBroken:
        return None
    if table is None or not {"orgid", "status"} <= {*table.columns}:
        return None
    sent = _sent(connection, tenant, delivery)
    outcomes: dict[str, NhsnOutcome] = {}
    unmatched = unreadable = 0
    for row in table.rows:
        words = " ".join(re.findall(r"[^\W\d_]+", row["status"])).casefold()
        found = _hospitals(row, sent)
        if row["status"] and not words:
            # "--": nothing is said yet.
            continue
        if not found:
            unmatched += 1
        elif words not in _STATES:
            unreadable += 1
        else:
            message = one_line(row.get("message") or row.get("comment") or "")
            outcomes |= {one: _outcome(one, _STATES[words], message) for one in found}
    return Lines(tuple(outcomes.values()), unmatched, unreadable)


def record(connection: Connection, delivery: Delivery, reading: Reading, lines: Lines | None) -> int:
    """Add to the history of each hospital what is new in the answer; return how many events that are.

    :param reading: what the answer comes to, of a set as a whole.
    :param lines: what it says of single hospitals.
    """
    frequency = frequency_of(delivery.export_name)
    if frequency is None or delivery.due_at is None:
        return 0
    if lines is not None:
        outcomes: Iterable[NhsnOutcome] = lines.outcomes
    else:
        state = NhsnState.SUBMITTED if reading.verdict is Verdict.ACCEPTED else NhsnState.ERROR
        there = ledger.in_set(connection, delivery.tenant_code, frequency, delivery.due_at)
        outcomes = [_outcome(one, state, reading.comment) for one in there]
    known = {
        (one.resource_id, one.state, one.reason_code, one.comment)
        for one in ledger.states(connection, delivery.tenant_code, frequency, delivery.due_at)
        if one.origin is NhsnOrigin.ANSWER
    }
    return ledger.append(
        connection,
        delivery.tenant_code,
        frequency,
        delivery.due_at,
        [one for one in outcomes if (one.resource_id, one.state, one.reason_code, one.comment) not in known],
        origin=NhsnOrigin.ANSWER,
        kept=KeptSet(delivery.archive_path, delivery.sha256),
    )


def _sent(connection: Connection, tenant: Tenant, delivery: Delivery) -> dict[tuple[str, str], str]:
    """Return the resources in the set by Org ID and context, as the tenant file has them now."""
    frequency = frequency_of(delivery.export_name)
    if frequency is None or delivery.due_at is None:
        return {}
    there = ledger.in_set(connection, tenant.code, frequency, delivery.due_at)
    return {
        (one.org_id_in(tenant.mode), one.nhsn.context.casefold()): recorded_id(tenant, one)
        for one in tenant.status.resources
        if one.nhsn is not None and recorded_id(tenant, one) in there
    }


def _hospitals(row: Mapping[str, str], sent: Mapping[tuple[str, str], str]) -> list[str]:
    """Return the resources that a line is about; an Org ID without a context is all of that id."""
    # A spreadsheet takes the zeros in front away.
    org_id = row["orgid"].zfill(5)
    context = (row.get("context") or row.get("reportingcontext") or "").casefold()
    return [one for (id_, of), one in sent.items() if id_ == org_id and context in ("", of)]


def _outcome(resource_id: str, state: NhsnState, message: str) -> NhsnOutcome:
    return NhsnOutcome(resource_id, state, _REASONS.get(state, ""), message or _NO_WORDS.get(state, ""))
