"""Second step: reader and suite, findings to the ledger, accepted rows to the work area."""

from __future__ import annotations

import logging
import unicodedata
from fnmatch import fnmatchcase
from time import monotonic

import pandas as pd
from sqlalchemy import Connection

from partner_exchange import clock, log
from partner_exchange.errors import ArchiveDamaged
from partner_exchange.feeds.base import Examination, ExamineContext, Tables
from partner_exchange.feeds.refusal import refusal
from partner_exchange.feeds.registry import get_feed
from partner_exchange.ledger import audit, intake
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.states import Outcome, State
from partner_exchange.ledger.submissions import Submission
from partner_exchange.storage.archive import Archive
from partner_exchange.submissions.claim import NOT_ARCHIVED
from partner_exchange.submissions.counts import Counts, counts_of
from partner_exchange.tenants import registry
from partner_exchange.tenants.model import Tenant
from partner_exchange.validation.catalogue import CATALOGUE
from partner_exchange.validation.findings import Severity

_logger = logging.getLogger(__name__)

ACCEPTED = "accepted.parquet"
REJECTED = "rejected.parquet"
IDENTICAL = "identical-file"


def validate(submission_id: str) -> Counts:
    """Examine the file once; a second call finds the verdict in the ledger and changes nothing.

    :raises ArchiveDamaged: the kept original is missing or changed.
    :raises StoreUnavailable: the ledger cannot be reached.
    """
    started_s = monotonic()
    with transaction() as connection:
        submission = ledger.get(connection, submission_id)
    if submission.state is State.CLAIMED:
        submission = _judge(submission, started_s)
    return counts_of(submission, started_s)


def validate_anew(submission_id: str) -> Submission:
    """Return the submission, examined again when policy or rules are not those it was judged by (E19).

    A new verdict takes the place of the old one in one transaction, so a crash leaves one of them. Nothing is
    done once rows are loaded, or when somebody else was first.

    :raises ArchiveDamaged: the kept original is missing or changed.
    :raises StoreUnavailable: the ledger cannot be reached.
    """
    with transaction() as connection:
        submission = ledger.get(connection, submission_id)
    if _is_judged_by_other_rules(submission, registry.load_one(submission.tenant_code)):
        log.event(_logger, "validate.rules_changed", submission_id=submission_id)
        submission = _judge(submission, monotonic())
    return submission


def _is_judged_by_other_rules(submission: Submission, tenant: Tenant) -> bool:
    return submission.state is State.VALIDATED and _is_by_other_rules(submission, tenant)


def _judge(submission: Submission, started_s: float) -> Submission:
    submission_id = submission.submission_id
    tenant = registry.load_one(submission.tenant_code)
    feed = get_feed(submission.feed)
    identical = _is_identical_in_succession(submission, tenant)
    examination = refusal(IDENTICAL) if identical else examine(submission, tenant)
    archive = Archive()
    archive.write_table(submission_id, ACCEPTED, examination.accepted)
    archive.write_table(submission_id, REJECTED, examination.rejected)
    for name, table in examination.tables.items():
        archive.write_table(submission_id, part_of(name), table)
    with transaction() as connection:
        locked = ledger.lock(connection, submission_id)
        is_again = _is_judged_by_other_rules(locked, tenant)
        if is_again:
            ledger.take_back_validation(connection, submission_id)
        submission = ledger.record_validation(
            connection,
            submission_id,
            outcome=outcome_of(examination),
            rule_version=feed.rule_version,
            rows_total=examination.rows_total,
            rows_accepted=examination.rows_accepted,
            rows_rejected=examination.rows_rejected,
            findings=examination.findings,
            seconds=monotonic() - started_s,
            policy_sha256=tenant.policy_sha256,
            lines_to_load=len(examination.accepted),
            template=examination.template,
            columns=examination.columns,
            part_counts=examination.part_counts,
        )
        if is_again or locked.state is State.CLAIMED:
            _audit(connection, submission, examination, is_again=is_again)
        if identical and tenant.policy.identical_file == "suspend":
            _suspend(connection, submission)
    counts = counts_of(submission, started_s)
    log.event(_logger, "validate", findings=examination.findings.total, **counts.as_dict())
    return submission


def part_of(name: str) -> str:
    """Return the name in the work area of one of ``Examination.tables``."""
    return f"table-{name}.parquet"


def tables_of(submission: Submission, tenant: Tenant) -> Tables:
    """Return what hands out the tables that the checks left, made anew when the work area was lost.

    What it returns raises ``ArchiveDamaged`` when rows are loaded and the rules are others meanwhile: tables
    made anew would not be those of the load.
    """
    anew: dict[str, pd.DataFrame] = {}

    def table(name: str) -> pd.DataFrame:
        if not anew:
            try:
                return Archive().read_table(submission.submission_id, part_of(name))
            except FileNotFoundError:
                _require_same_rules(submission, tenant)
                anew.update(examine(submission, tenant).tables)
        return anew[name]

    return table


def _require_same_rules(submission: Submission, tenant: Tenant) -> None:
    if submission.loaded_at is not None and _is_by_other_rules(submission, tenant):
        message = (
            f"The work area of submission {submission.submission_id} is lost, and policy or rules are others "
            "than at its load, so it cannot be answered as it was loaded. Restore the work area or the "
            "tenant's file, then retry."
        )
        raise ArchiveDamaged("work-area-lost", message, submission_id=submission.submission_id)


def _is_by_other_rules(submission: Submission, tenant: Tenant) -> bool:
    is_same_policy = submission.policy_sha256 == tenant.policy_sha256
    return not is_same_policy or submission.rule_version != get_feed(submission.feed).rule_version


def examine(submission: Submission, tenant: Tenant) -> Examination:
    """Run the feed over the archived original; the same bytes give the same examination at any time of that
    day.
    """
    unread = refuse_unread(
        tenant,
        submission.file_name,
        submission.size_bytes,
        is_fix_it=submission.fixes_submission_id is not None,
    )
    if unread is not None:
        return unread
    with transaction() as connection:
        first_arrived_at = ledger.first_claimed_at(connection, submission)
    context = ExamineContext(
        tenant=tenant,
        file_name=submission.file_name,
        today=clock.today(),
        arrived_at=submission.claimed_at,
        first_arrived_at=first_arrived_at,
    )
    # No name for the content here, so that the feed can let go of it when it is read.
    return get_feed(submission.feed).examine(Archive().original(tenant.code, submission.sha256), context)


def refuse_unread(tenant: Tenant, file_name: str, size_bytes: int, *, is_fix_it: bool) -> Examination | None:
    """Return the refusal of a file by its name or size alone, None for one that is to be read (E06).

    :param is_fix_it: whether it mends an earlier file: then it has the name that we gave it.
    """
    if size_bytes > tenant.max_file_bytes:
        return refusal("file-too-large", limit_bytes=tenant.max_file_bytes, size_bytes=size_bytes)
    agreed = tenant.inbox.file_names
    name = unicodedata.normalize("NFC", file_name).casefold()
    is_agreed = not agreed or any(
        fnmatchcase(name, unicodedata.normalize("NFC", one).casefold()) for one in agreed
    )
    if is_agreed or is_fix_it:
        return None
    return refusal("file-name-not-agreed", names=", ".join(agreed))


def outcome_of(examination: Examination) -> Outcome:
    """Return the verdict: infos alone leave a file clean."""
    if examination.is_refused:
        return Outcome.REFUSED
    clean = not examination.findings.count(Severity.ERROR) and not examination.findings.count(
        Severity.WARNING
    )
    return Outcome.ACCEPTED if clean else Outcome.ACCEPTED_WITH_FINDINGS


def _audit(
    connection: Connection, submission: Submission, examination: Examination, *, is_again: bool
) -> None:
    """Keep in the audit trail what somebody should look at, by code and count (E08, E19)."""
    for group in examination.findings.groups:
        if CATALOGUE[group.code].is_audited:
            audit.record(
                connection,
                actor=audit.PIPELINE,
                tenant_code=submission.tenant_code,
                action=f"finding.{group.code}",
                subject=submission.submission_id,
                facts={"count": group.count, **({"checked": "again"} if is_again else {})},
            )


def _is_identical_in_succession(submission: Submission, tenant: Tenant) -> bool:
    """Say whether the last file had the very same content (M39); a refused or failed one does not count.

    Files of one drop are validated side by side, so predecessors without a verdict are settled first.
    """
    if tenant.policy.identical_file == "allow" or submission.sha256 == NOT_ARCHIVED:
        return False
    with transaction() as connection:
        if not ledger.has_same_content_before(connection, submission):
            return False
    while True:
        with transaction() as connection:
            last = ledger.last_counted_before(connection, submission)
        if last is None or last.state is not State.CLAIMED:
            return last is not None and last.sha256 == submission.sha256
        validate(last.submission_id)


def _suspend(connection: Connection, submission: Submission) -> None:
    reason = "the same file was dropped twice in succession"
    intake.suspend(
        connection,
        submission.tenant_code,
        reason_code=IDENTICAL,
        reason=reason,
        submission_id=submission.submission_id,
    )
    audit.record(
        connection,
        actor=audit.PIPELINE,
        tenant_code=submission.tenant_code,
        action="intake.suspend",
        subject=submission.submission_id,
        facts={"reason_code": IDENTICAL},
    )
