"""Fifth step: put the mails for the tenant's contacts into the outbox and close the submission (E36).

Only the outbox is written here, in the same transaction that closes the submission;
``partner_exchange.notify`` sends. So a stopped mail server delays a mail, but neither loses it nor holds up
the file.
"""

from __future__ import annotations

import logging
from time import monotonic

from partner_exchange import log
from partner_exchange.ledger import mails
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.mails import Event
from partner_exchange.ledger.states import FINAL, Outcome, State
from partner_exchange.ledger.submissions import Submission
from partner_exchange.storage.archive import Archive
from partner_exchange.submissions.counts import Counts, counts_of
from partner_exchange.submissions.recipients import recipients
from partner_exchange.submissions.validate import IDENTICAL
from partner_exchange.tenants import registry
from partner_exchange.validation.findings import Findings, Severity

_logger = logging.getLogger(__name__)


def notify(submission_id: str) -> Counts:
    """Queue one mail per contact and set the final state; a second call changes nothing."""
    started_s = monotonic()
    with transaction() as connection:
        submission = ledger.lock(connection, submission_id)
        if submission.state is State.ANSWERED:
            tenant = registry.load_one(submission.tenant_code)
            findings = ledger.findings(connection, submission_id)
            event = event_of(submission, findings, is_suspending=tenant.policy.identical_file == "suspend")
            mails.enqueue(
                connection,
                submission_id=submission_id,
                tenant_code=submission.tenant_code,
                event=event,
                recipients=recipients(tenant.contacts, event),
            )
            submission = ledger.finish(connection, submission_id, seconds=monotonic() - started_s)
    if submission.state in FINAL:
        # Cell values stay no longer than they are needed; the archive has the original.
        Archive().clear_work(submission_id)
    counts = counts_of(submission, started_s)
    log.event(_logger, "notify", **counts.as_dict())
    return counts


def event_of(submission: Submission, findings: Findings, *, is_suspending: bool) -> Event:
    """Return what the contacts are told about a submission; an error rejects a row or a value."""
    if submission.outcome is Outcome.REFUSED:
        is_identical = any(group.code == IDENTICAL for group in findings.groups)
        return Event.SUSPENDED if is_identical and is_suspending else Event.REFUSAL
    return Event.FINDINGS if findings.count(Severity.ERROR) else Event.SUCCESS
