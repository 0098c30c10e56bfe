"""The way out when a step failed for good and it was our fault: the partner is told that nothing is asked of them."""

from __future__ import annotations

import logging
from time import monotonic

from partner_exchange import log
from partner_exchange.ledger import mails
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.mails import Event
from partner_exchange.ledger.states import FINAL
from partner_exchange.storage.folders import Home
from partner_exchange.storage.names import StampedName
from partner_exchange.submissions.counts import Counts, counts_of
from partner_exchange.submissions.notify import recipients
from partner_exchange.submissions.respond import put_away, write_result
from partner_exchange.tenants import registry

_logger = logging.getLogger(__name__)


def fail(submission_id: str, home: Home, *, code: str) -> Counts:
    """Close an unfinished submission as failed, answer it and queue the mails; a finished one is left as it is.

    :param code: the code of the error that ended it; the text of an exception never reaches the partner.
    """
    started_s = monotonic()
    with transaction() as connection:
        submission = ledger.get(connection, submission_id)
    if submission.state in FINAL:
        return counts_of(submission, started_s)
    tenant = registry.load().get(submission.tenant_code)
    name = StampedName(submission.file_name, submission.stamp)
    with transaction() as connection:
        message = "A step failed on our side; the original is kept and nothing is asked of the partner."
        submission = ledger.fail(connection, submission_id, code=code, message=message)
        mails.enqueue(
            connection,
            submission_id=submission_id,
            tenant_code=tenant.code,
            event=Event.FAILURE,
            recipients=recipients(tenant.contacts, Event.FAILURE),
        )
    put_away(submission, tenant, home, name)
    write_result(submission, tenant, home, name)
    counts = counts_of(submission, started_s)
    log.event(_logger, "fail", code=code, **counts.as_dict())
    return counts
