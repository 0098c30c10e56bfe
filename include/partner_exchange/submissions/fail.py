"""The way out when a step failed for good and it was our fault: the partner is told that nothing is asked of
them.
"""

from __future__ import annotations

import logging

from partner_exchange import log
from partner_exchange.ledger import mails
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.mails import Event
from partner_exchange.ledger.states import FINAL
from partner_exchange.storage.folders import Home
from partner_exchange.submissions.counts import Counts
from partner_exchange.submissions.recipients import recipients
from partner_exchange.submissions.respond import respond
from partner_exchange.tenants import registry

_logger = logging.getLogger(__name__)


def fail(submission_id: str, home: Home, *, code: str) -> Counts:
    """Close an unfinished submission as failed, queue the mails and answer it; leave a finished one.

    :param code: the code of the error that ended it; the text of an exception never reaches the partner.
    :raises OSError: the home cannot be written; the next claim of the tenant answers it.
    """
    with transaction() as connection:
        submission = ledger.lock(connection, submission_id)
        if submission.state not in FINAL:
            message = "A step failed on our side; the original is kept and nothing is asked of the partner."
            submission = ledger.fail(connection, submission_id, code=code, message=message)
            mails.enqueue(
                connection,
                submission_id=submission_id,
                tenant_code=submission.tenant_code,
                event=Event.FAILURE,
                recipients=recipients(registry.load_one(submission.tenant_code).contacts, Event.FAILURE),
            )
            log.event(_logger, "fail", submission_id=submission_id, code=code)
    return respond(submission_id, home)
