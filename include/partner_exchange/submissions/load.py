"""Third step: accepted rows into the store, ledger state and data in one transaction.

Files of one tenant are loaded in the order they were claimed, whatever order Airflow runs their tasks in: a
later file must win over an earlier one. A load therefore first brings earlier submissions of its tenant this
far (they are idempotent, so their own tasks then find the work done). Nobody waits for anybody, so nothing
can stand still.
"""

from __future__ import annotations

import logging
from time import monotonic

import pandas as pd

from partner_exchange import clock, log
from partner_exchange.errors import CountsDoNotReconcile, SerializationConflict, Transient
from partner_exchange.feeds.registry import get_feed
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.states import Outcome, State
from partner_exchange.ledger.submissions import Submission
from partner_exchange.storage.archive import Archive
from partner_exchange.submissions.counts import Counts, counts_of
from partner_exchange.submissions.validate import ACCEPTED, examine, tables_of, validate, validate_anew
from partner_exchange.tenants import registry

_logger = logging.getLogger(__name__)

REJECTED_AT_LOAD = "rejected_at_load.parquet"


def load(submission_id: str) -> Counts:
    """Merge the accepted rows once; a second call, and a refused file, change nothing.

    :raises StoreUnavailable: the database cannot be reached.
    :raises SerializationConflict: two transactions met.
    :raises CountsDoNotReconcile: rows in differ from the sum of outcomes; nothing was committed (X04).
    """
    started_s = monotonic()
    with transaction() as connection:
        submission = ledger.get(connection, submission_id)
        earlier = ledger.unresolved_before(connection, submission) if _is_loadable(submission) else []
    for other in earlier:
        _bring_along(other)
    if _is_loadable(submission):
        submission = _merge(submission)
    counts = counts_of(submission, started_s)
    log.event(_logger, "load", **counts.as_dict())
    return counts


def _is_loadable(submission: Submission) -> bool:
    return submission.state is State.VALIDATED and submission.outcome is not Outcome.REFUSED


def _bring_along(other: Submission) -> None:
    """Validate and load an earlier submission; its own task reports it if that cannot be done."""
    try:
        validate(other.submission_id)
        with transaction() as connection:
            other = ledger.get(connection, other.submission_id)
        if _is_loadable(other):
            _merge(other)
    except Exception as error:
        if isinstance(error, Transient):
            # To go on would put the files out of order for an outage that passes.
            raise
        code = getattr(error, "code", type(error).__name__)
        log.event(_logger, "load.earlier_failed", submission_id=other.submission_id, code=code)


def _merge(submission: Submission) -> Submission:
    started_s = monotonic()
    submission = validate_anew(submission.submission_id)
    if not _is_loadable(submission):
        return submission
    tenant = registry.load_one(submission.tenant_code)
    accepted = _accepted_rows(submission)
    with transaction() as connection:
        locked = ledger.lock(connection, submission.submission_id)
        if not _is_loadable(locked):
            return locked
        if locked.validated_at != submission.validated_at:
            raise SerializationConflict(
                "verdict-changed",
                f"Submission {locked.submission_id} was checked anew meanwhile; its load is tried again.",
                submission_id=locked.submission_id,
            )
        outcome = get_feed(locked.feed).load(
            connection,
            accepted,
            tables=tables_of(locked, tenant),
            tenant=tenant,
            submission_id=locked.submission_id,
            now=clock.now(),
        )
        # Before the commit: a crash in between leaves a part that the next try replaces, not a gap.
        Archive().write_table(locked.submission_id, REJECTED_AT_LOAD, outcome.rejected)
        return ledger.record_load(
            connection,
            locked.submission_id,
            created=outcome.created,
            updated=outcome.updated,
            unchanged=outcome.unchanged,
            rejected_at_load=len(outcome.rejected),
            findings=outcome.findings,
            columns=outcome.columns,
            part_counts=outcome.part_counts,
            seconds=monotonic() - started_s,
        )


def _accepted_rows(submission: Submission) -> pd.DataFrame:
    """Return what validate left; examined anew from the original when the work area was lost.

    :raises CountsDoNotReconcile: it is not what the checks counted.
    """
    accepted = _left_by_validate(submission)
    if accepted is None or len(accepted) != submission.lines_to_load:
        accepted = examine(submission, registry.load_one(submission.tenant_code)).accepted
    if len(accepted) != submission.lines_to_load:
        message = (
            f"Submission {submission.submission_id} left {submission.lines_to_load} lines to load, but "
            f"{len(accepted)} are there; nothing was loaded. Replay it when the work area is sound again."
        )
        raise CountsDoNotReconcile(
            "lines-to-load-differ",
            message,
            submission_id=submission.submission_id,
            counted=submission.lines_to_load,
            found=len(accepted),
        )
    return accepted


def _left_by_validate(submission: Submission) -> pd.DataFrame | None:
    try:
        return Archive().read_table(submission.submission_id, ACCEPTED)
    except FileNotFoundError:
        return None
