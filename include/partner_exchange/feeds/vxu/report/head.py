"""The head of a report: which file it is about."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from partner_exchange.feeds.expected import was_not_read
from partner_exchange.feeds.vxu import code_sets
from partner_exchange.feeds.vxu.report.document import Head, Instant
from partner_exchange.feeds.vxu.report.tallies import Tally
from partner_exchange.ledger.submissions import Submission
from partner_exchange.tenants.model import Tenant

_UTC = "UTC"


def head(submission: Submission, tenant: Tenant, tally: Tally) -> Head:
    """Return the head; every time in it is one that the ledger keeps, so it says the same at any time."""
    parts = submission.part_counts
    return Head(
        file_name=submission.file_name,
        tenant_name=tenant.name,
        import_code=tenant.import_code,
        mode=tenant.mode,
        submission_id=submission.submission_id,
        received=_instant(submission.claimed_at, tenant),
        checked=_instant(submission.validated_at, tenant) if submission.validated_at else None,
        size_bytes=submission.size_bytes,
        sha256=submission.sha256,
        batches_declared=parts.get("declared_batches"),
        batches_found=parts.get("found_batches"),
        messages_declared=parts.get("declared_messages"),
        messages_found=None if was_not_read(submission) else submission.rows_total or 0,
        first_message_on=min(_days(tally, "first"), default=""),
        last_message_on=max(_days(tally, "last"), default=""),
        rule_version=submission.rule_version or "",
        code_sets_version=code_sets.version(),
    )


def _instant(at: datetime, tenant: Tenant) -> Instant:
    local = ""
    if tenant.time_zone != _UTC:
        local = at.astimezone(ZoneInfo(tenant.time_zone)).strftime("%Y-%m-%d %H:%M:%S %Z")
    return Instant(at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"), local)


def _days(tally: Tally, name: str) -> list[str]:
    """Return the days of the instants; the time of day is nobody's business (T60)."""
    return [detail[:10] for told, detail, _ in tally.lines("time") if told == name and detail]
