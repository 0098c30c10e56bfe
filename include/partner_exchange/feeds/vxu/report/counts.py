"""What came in a file and what became of it, from the ledger and the tally."""

from __future__ import annotations

from partner_exchange.feeds.vxu.report.document import Counts
from partner_exchange.feeds.vxu.report.quality import CONSEQUENCES
from partner_exchange.feeds.vxu.report.tallies import Tally
from partner_exchange.ledger.submissions import Submission
from partner_exchange.validation.findings import Findings, Severity


def counts(submission: Submission, findings: Findings, tally: Tally, *, patients_held: int) -> Counts:
    """Return the counts; what became of messages and doses is as the ledger says."""
    parts = submission.part_counts
    return Counts(
        messages=submission.rows_total or 0,
        messages_accepted=submission.rows_accepted or 0,
        messages_rejected=submission.rows_rejected or 0,
        messages_created=submission.rows_created or 0,
        messages_updated=submission.rows_updated or 0,
        messages_unchanged=submission.rows_unchanged or 0,
        duplicate_control_ids=tally.one("count", "duplicate_control_ids"),
        patients=tally.one("count", "patients"),
        doses=parts.get("doses_total", 0),
        doses_stored=parts.get("doses_stored", 0),
        doses_held=parts.get("doses_held", 0),
        doses_unchanged=parts.get("doses_unchanged", 0),
        doses_deleted=parts.get("doses_deleted", 0),
        doses_refused=parts.get("doses_refused", 0),
        doses_rejected=parts.get("doses_rejected", 0),
        doses_given=tally.one("count", "doses_given"),
        doses_historical=tally.one("count", "doses_historical"),
        deletions=tally.one("count", "deletions"),
        errors=_count(findings, Severity.ERROR),
        warnings=_count(findings, Severity.WARNING),
        infos=_count(findings, Severity.INFO),
        patients_held=patients_held,
    )


def _count(findings: Findings, severity: Severity) -> int:
    """Return how many findings of a severity there are; what only follows from others is none of its own."""
    groups = (group for group in findings.groups if group.code not in CONSEQUENCES)
    return sum(group.count for group in groups if group.severity is severity)
