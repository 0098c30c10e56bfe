"""All steps in one process, without Airflow: ``exchange process``, the bench and tests (the same functions,
K17 answer).
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from sqlalchemy import Connection
from ulid import ULID

from partner_exchange.errors import ArchiveDamaged, StateConflict
from partner_exchange.ledger import audit, tombstones
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.states import State
from partner_exchange.ledger.submissions import Submission
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


def reopen(submission_id: str, *, by: str, is_forced: bool = False) -> None:
    """Take a failed submission up again from the kept original; ``run_steps`` or the next run goes on.

    :param is_forced: also when a later file of the tenant is loaded, whose values this one may undo (M18).
    :raises StateConflict: it has not failed, or a later file is loaded.
    :raises ArchiveDamaged: ``original-purged``, retention has taken its files.
    """
    with transaction() as connection:
        _require_original(connection, ledger.lock(connection, submission_id))
        submission = ledger.reopen(connection, submission_id)
        if submission.loaded_at is None and not is_forced and ledger.has_later_load(connection, submission):
            message = (
                f"A later file of {submission.tenant_code} is loaded already, and {submission_id} may undo "
                "its values; nothing was changed. Add --force to replay it all the same."
            )
            raise StateConflict("later-file-loaded", message, submission_id=submission_id)
        audit.record(
            connection,
            actor=by,
            tenant_code=submission.tenant_code,
            action="submission.replay",
            subject=submission_id,
            facts={"state": str(submission.state)},
        )


def _require_original(connection: Connection, submission: Submission) -> None:
    is_begun = tombstones.is_original_purged(connection, submission.submission_id)
    if submission.state is State.FAILED and (is_begun or submission.purged_at is not None):
        message = (
            f"The files of {submission.submission_id} were purged, as the retention of "
            f"{submission.tenant_code} says, so there is nothing to replay; nothing was changed. Ask the "
            "partner to send the file again: it is taken as a new one."
        )
        raise ArchiveDamaged("original-purged", message, submission_id=submission.submission_id)


def take_in(home: Home, tenant: Tenant, file: Path) -> Claimed:
    """Put a copy of a local file into the inbox as already claimed, so that no running stack takes it.

    :raises OSError: the file cannot be read.
    """
    inbox = tenant.inbox.folder
    home.ensure_folder(inbox)
    arriving = paths.dropped(inbox, f".{ULID()}.exchange")
    home.write(arriving, file.read_bytes())
    while True:
        name = free_name(home, tenant, file.name)
        # Another command may take the same name between the look and the rename.
        with contextlib.suppress(FileExistsError):
            home.rename(arriving, paths.processing(inbox, name))
            break
    submission = enter(home, tenant, name, file.stat().st_size)
    return Claimed(submission.submission_id, submission.file_name)
