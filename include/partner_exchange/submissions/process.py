"""All steps in one process, without Airflow: ``exchange process``, the bench and tests (the same functions,
K17 answer).
"""

from __future__ import annotations

from pathlib import Path

from partner_exchange.ledger import audit
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.storage import paths
from partner_exchange.storage.folders import Home
from partner_exchange.submissions.claim import Claimed, enter, free_name
from partner_exchange.submissions.counts import Counts
from partner_exchange.submissions.load import load
from partner_exchange.submissions.notify import notify
from partner_exchange.submissions.respond import respond
from partner_exchange.submissions.validate import validate
from partner_exchange.tenants.model import Tenant


def run_steps(submission_id: str, home: Home) -> Counts:
    """Take one claimed submission through the remaining steps and return its end."""
    validate(submission_id)
    load(submission_id)
    respond(submission_id, home)
    return notify(submission_id)


def replay(submission_id: str, home: Home, *, by: str) -> Counts:
    """Take a failed submission up again from the kept original and bring it to its end.

    :raises StateConflict: it has not failed.
    """
    with transaction() as connection:
        submission = ledger.reopen(connection, submission_id)
        audit.record(
            connection,
            actor=by,
            tenant_code=submission.tenant_code,
            action="submission.replay",
            subject=submission_id,
            facts={"state": str(submission.state)},
        )
    return run_steps(submission_id, home)


def take_in(home: Home, tenant: Tenant, file: Path) -> Claimed:
    """Put a copy of a local file into the inbox as already claimed, so that no running stack takes it.

    :raises OSError: the file cannot be read.
    """
    inbox = tenant.inbox.folder
    home.ensure_folder(inbox)
    name = free_name(home, tenant, file.name)
    home.write(paths.processing(inbox, name), file.read_bytes())
    submission = enter(home, tenant, name, file.stat().st_size)
    return Claimed(submission.submission_id, submission.file_name)
