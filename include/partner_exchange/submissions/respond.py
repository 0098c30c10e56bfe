"""Fourth step: the answer in the partner's folders (K17, M34, N01).

The result file comes last: whoever sees ``.completed`` finds the original and all other answers in their
places.
"""

from __future__ import annotations

import logging
from functools import partial
from time import monotonic

import pandas as pd

from partner_exchange import log
from partner_exchange.feeds.answer import Totals, result_file
from partner_exchange.feeds.base import AnswerMaterial
from partner_exchange.feeds.registry import get_feed
from partner_exchange.ledger import intake
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.states import State
from partner_exchange.ledger.submissions import Submission
from partner_exchange.storage import paths
from partner_exchange.storage.archive import Archive
from partner_exchange.storage.folders import Home
from partner_exchange.storage.names import StampedName
from partner_exchange.submissions.claim import NOT_ARCHIVED
from partner_exchange.submissions.counts import Counts, counts_of
from partner_exchange.submissions.load import REJECTED_AT_LOAD
from partner_exchange.submissions.notice import put_notice
from partner_exchange.submissions.validate import REJECTED, examine, tables_of
from partner_exchange.tenants import registry
from partner_exchange.tenants.model import Tenant
from partner_exchange.validation.findings import Findings

_logger = logging.getLogger(__name__)


def respond(submission_id: str, home: Home) -> Counts:
    """Write all answer files and put the original away; a second call changes nothing.

    A failed submission is answered too: the partner is told that it was our fault.

    :raises StateConflict: rows are still to be loaded.
    :raises OSError: the home cannot be written.
    """
    started_s = monotonic()
    with transaction() as connection:
        submission = ledger.get(connection, submission_id)
    if submission.answered_at is None and submission.state is not State.CLAIMED:
        submission = _answer(submission, home, started_s)
    counts = counts_of(submission, started_s)
    log.event(_logger, "respond", **counts.as_dict())
    return counts


def _answer(submission: Submission, home: Home, started_s: float) -> Submission:
    ledger.require_answerable(submission)
    tenant = registry.load_one(submission.tenant_code)
    name = submission.name
    with transaction() as connection:
        findings = ledger.findings(connection, submission.submission_id)
    # A registry's reports stand in place of the result file, also for what was refused or failed (T58).
    is_reported = tenant.inbox.is_registry
    if submission.state is State.LOADED or is_reported:
        _write_answer_files(submission, tenant, home, name, findings)
    put_away(submission, tenant, home, name)
    if not is_reported:
        _write_result(submission, tenant, home, name, findings)
    with transaction() as connection:
        suspension = intake.suspension(connection, tenant.code)
    if suspension is not None:
        put_notice(home, tenant, suspension)
    with transaction() as connection:
        return ledger.record_answer(connection, submission.submission_id, seconds=monotonic() - started_s)


def _write_answer_files(
    submission: Submission, tenant: Tenant, home: Home, name: StampedName, findings: Findings
) -> None:
    material = AnswerMaterial(
        tenant=tenant,
        file_name=submission.file_name,
        original=partial(Archive().original, tenant.code, submission.sha256),
        rejected=rejected_rows(submission, tenant) if submission.state is State.LOADED else pd.DataFrame(),
        findings=findings,
        submission_id=submission.submission_id,
        tables=tables_of(submission, tenant),
    )
    for file in get_feed(submission.feed).answer_files(material):
        place = paths.answer_file(tenant.inbox, name, file.kind, file.ending)
        _write(home, place, file.content)


def _write(home: Home, place: str, content: bytes) -> None:
    home.ensure_folder(place.rpartition("/")[0])
    home.write(place, content)


def rejected_rows(submission: Submission, tenant: Tenant) -> pd.DataFrame:
    """Return the rows to mend, those of the checks and those of the store, in the order of the file.

    What the feed noted in the frame's ``attrs`` at the checks stays with it.
    """
    archive = Archive()
    try:
        rejected = archive.read_table(submission.submission_id, REJECTED)
    except FileNotFoundError:
        rejected = examine(submission, tenant).rejected
    if archive.has_part(submission.submission_id, REJECTED_AT_LOAD):
        at_load = archive.read_table(submission.submission_id, REJECTED_AT_LOAD)
        if not at_load.empty:
            attrs = rejected.attrs
            rejected = pd.concat([rejected, at_load], ignore_index=True) if not rejected.empty else at_load
            rejected.attrs = attrs
    return rejected if rejected.empty else rejected.sort_values("row", kind="stable", ignore_index=True)


def put_away(submission: Submission, tenant: Tenant, home: Home, name: StampedName) -> None:
    """Move the byte-exact original away (K15); written anew from the archive if it is gone."""
    place = paths.original(tenant.inbox, name)
    home.ensure_folder(place.rpartition("/")[0])
    if home.exists(place):
        return
    try:
        home.rename(paths.processing(tenant.inbox.folder, name), place)
    except FileNotFoundError:
        if submission.sha256 != NOT_ARCHIVED:
            home.write(place, Archive().original(tenant.code, submission.sha256))


def _write_result(
    submission: Submission, tenant: Tenant, home: Home, name: StampedName, findings: Findings
) -> None:
    """Write the result file from the ledger alone, so that mail, page and file say the same (X05)."""
    with transaction() as connection:
        columns = ledger.column_outcomes(connection, submission.submission_id)
    content = result_file(
        file_name=submission.file_name,
        totals=Totals.of(submission),
        findings=findings,
        columns=columns,
        newline=tenant.policy.newline,
        support=tenant.contacts.support,
    )
    copy = paths.result_copy(tenant.inbox, name)
    if copy is not None:
        _write(home, copy, content)
    home.write(paths.completed(tenant.inbox.folder, name), content)
