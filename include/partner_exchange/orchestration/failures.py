"""The end of a run in which not every submission came to its end; called by the task ``report_failures``."""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING

from partner_exchange import log
from partner_exchange.errors import ExchangeError
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.states import FINAL, State
from partner_exchange.notify import outbox
from partner_exchange.orchestration.inbox import open_home
from partner_exchange.submissions.fail import fail

if TYPE_CHECKING:
    from partner_exchange.tenants.model import Tenant

_logger = logging.getLogger(__name__)

STEP_FAILED = "step-failed"
"""Code in the ledger when a task of the run failed for good; the task's own log says why."""


def close_unfinished(tenant: Tenant, submission_ids: list[str]) -> list[str]:
    """Close each unfinished submission as failed, answer it, mail it; return the ids of all that failed.

    A held submission waits for a person and is left alone. One that cannot be answered does not keep the
    others from being answered; its error is raised afterwards, so that Airflow tries again.

    :raises ExchangeError: the first error that stood in the way, for example an inbox that is away.
    """
    started_s = monotonic()
    with transaction() as connection:
        states = {each: ledger.get(connection, each).state for each in submission_ids}
    unfinished = [each for each, state in states.items() if state not in FINAL and state is not State.HELD]
    errors = _close(tenant, unfinished) if unfinished else []
    failed = [*(each for each, state in states.items() if state is State.FAILED), *unfinished]
    log.event(
        _logger,
        "report_failures",
        tenant=tenant.code,
        submissions=len(submission_ids),
        failed=len(failed),
        closed=len(unfinished) - len(errors),
        seconds=monotonic() - started_s,
    )
    if errors:
        raise errors[0]
    return failed


def _close(tenant: Tenant, submission_ids: list[str]) -> list[ExchangeError | OSError]:
    errors: list[ExchangeError | OSError] = []
    try:
        with open_home(tenant) as home:
            for submission_id in submission_ids:
                try:
                    fail(submission_id, home, code=STEP_FAILED)
                except (ExchangeError, OSError) as error:
                    errors.append(error)
    finally:
        for submission_id in submission_ids:
            outbox.deliver(submission_id=submission_id)
    return errors
