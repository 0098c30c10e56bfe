"""First step: take every file that lies in a tenant's inbox (M33, X02).

Nobody hands this step a list of files: it looks at the inbox itself, so a lost or doubled event changes
nothing. The rename to ``.processing`` is the claim, and only one of two claims can win it. What an earlier
claim or run left behind (a renamed file without a ledger row, a submission that is not finished) is taken up
again.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from partner_exchange import clock, log
from partner_exchange.ledger import intake
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.submissions import Submission
from partner_exchange.storage import paths
from partner_exchange.storage.answer_names import inbox_answers, is_answer
from partner_exchange.storage.archive import Archive, Kept
from partner_exchange.storage.folders import Entry, Home
from partner_exchange.storage.names import (
    SUSPENDED_NOTICE,
    StampedName,
    in_order,
    is_claimable,
    next_stamp,
    shortened,
    utc_stamp,
)
from partner_exchange.submissions.notice import put_notice, remove_notice
from partner_exchange.submissions.quota import watch_quota
from partner_exchange.tenants.model import Inbox, Tenant

_logger = logging.getLogger(__name__)

NOT_ARCHIVED = ""
"""Checksum of a file that is larger than the tenant may send: it stays in the home and is refused unread."""


@dataclass(frozen=True)
class Claimed:
    """One submission to process; the file name is for people who watch the run."""

    submission_id: str
    file_name: str


def claim(home: Home, tenant: Tenant, *, limit: int = 200) -> list[Claimed]:
    """Return the submissions to process now, oldest first; while intake is suspended no new ones (M39).

    What cannot be taken does not keep the rest from being taken; the next run tries it again.

    :param limit: how many new files one run takes at the most; the rest stays for the next ring.
    :raises StoreUnavailable: the ledger cannot be reached.
    :raises OSError: nothing could be taken, for this reason.
    """
    inbox = tenant.inbox.folder
    with transaction() as connection:
        suspension = intake.suspension(connection, tenant.code)
        unfinished = ledger.unfinished(connection, tenant.code)
    entries = sorted(home.entries(inbox), key=_in_order)
    watch_quota(tenant, entries)
    known = {(submission.file_name, submission.stamp) for submission in unfinished}
    wanted = [partial(_adopt, home, tenant, entry) for entry in entries if _is_orphan(entry, known)]
    if suspension is not None:
        put_notice(home, tenant, suspension)
        log.event(_logger, "claim.suspended", tenant=tenant.code, reason=suspension.reason_code)
    else:
        if any(entry.name == SUSPENDED_NOTICE for entry in entries):
            remove_notice(home, tenant)
        # A partner's answer to a delivered file lies here too, and is for exports.answers to take (X11).
        answers = inbox_answers(tenant)
        new = [
            entry
            for entry in entries
            if entry.is_file and is_claimable(entry.name) and not is_answer(entry.name, answers)
        ]
        in_use = names_in_use(entries)
        wanted += [partial(_take, home, tenant, entry, in_use) for entry in new[:limit]]
    claimed, errors = list(unfinished), []
    for take in wanted:
        try:
            submission = take()
        except OSError as error:
            log.event(_logger, "claim.failed", tenant=tenant.code, error=type(error).__name__)
            errors.append(error)
        else:
            claimed += [submission] if submission else []
    log.event(
        _logger,
        "claim",
        tenant=tenant.code,
        claimed=len(claimed),
        resumed=len(unfinished),
        failed=len(errors),
    )
    if errors and not claimed:
        raise errors[0]
    return [Claimed(submission.submission_id, submission.file_name) for submission in claimed]


def _in_order(entry: Entry) -> tuple[object, ...]:
    """Return what sorts files as they were dropped, those of one time as their names count."""
    return entry.modified_at_s, in_order(entry.name), entry.name


def _is_orphan(entry: Entry, known: set[tuple[str, str]]) -> bool:
    name = StampedName.parse_processing(entry.name)
    return entry.is_file and name is not None and (name.file_name, name.stamp) not in known


def _adopt(home: Home, tenant: Tenant, entry: Entry) -> Submission | None:
    """Enter a file that an earlier claim renamed, but did not live to write into the ledger."""
    name = StampedName.parse_processing(entry.name)
    if name is None:
        return None
    with transaction() as connection:
        known = ledger.find(connection, tenant.code, name.file_name, name.stamp)
    return enter(home, tenant, name, entry.size_bytes) if known is None else None


def _take(home: Home, tenant: Tenant, entry: Entry, in_use: set[tuple[str, str]]) -> Submission | None:
    """Rename the file and enter it; None when it vanished or another claim was first."""
    inbox = tenant.inbox.folder
    name = free_name(home, tenant, entry.name, in_use)
    in_use.add((name.stem, name.stamp))
    try:
        home.rename(paths.dropped(inbox, entry.name), paths.processing(inbox, name))
        return enter(home, tenant, name, entry.size_bytes)
    except FileNotFoundError:
        log.event(_logger, "claim.lost", tenant=tenant.code)
        return None


def names_in_use(entries: Iterable[Entry]) -> set[tuple[str, str]]:
    """Return stem and stamp of what is in hand or answered in an inbox."""
    names = (StampedName.parse_own(entry.name) for entry in entries)
    return {(name.stem, name.stamp) for name in names if name is not None}


def free_name(
    home: Home, tenant: Tenant, file_name: str, in_use: Container[tuple[str, str]] | None = None
) -> StampedName:
    """Return a stamped name that nothing carries yet: two drops in one second stay apart (K17).

    :param in_use: ``names_in_use`` of a listing that the caller has.
    """
    inbox = tenant.inbox
    if in_use is None:
        in_use = names_in_use(home.entries(inbox.folder))
    name = StampedName(shortened(file_name), utc_stamp(clock.now()))
    while (
        (name.stem, name.stamp) in in_use
        or (inbox.is_registry and _is_answered(tenant, name))
        or any(home.exists(place) for place in _places(inbox, name))
    ):
        name = StampedName(name.file_name, next_stamp(name.stamp))
    return name


def _places(inbox: Inbox, name: StampedName) -> tuple[str, ...]:
    folder = inbox.folder
    return paths.processing(folder, name), paths.completed(folder, name), paths.original(inbox, name)


def _is_answered(tenant: Tenant, name: StampedName) -> bool:
    """Say whether a file of this stem and time code was taken before: a registry's inbox shows it no more."""
    with transaction() as connection:
        names = ledger.stamped(connection, tenant.code, name.stamp)
    return any(StampedName(one, name.stamp).stem == name.stem for one in names)


def enter(home: Home, tenant: Tenant, name: StampedName, size_bytes: int) -> Submission:
    """Keep the original of a renamed file in the archive and write its ledger row."""
    place = paths.processing(tenant.inbox.folder, name)
    kept = Kept(NOT_ARCHIVED, size_bytes)
    if size_bytes <= tenant.max_file_bytes:
        kept = Archive().keep(tenant.code, home.read(place))
    first = StampedName(name.file_name, name.stamp, is_first=True)
    # Only a registry has originals without a time code; elsewhere there is nothing to ask the server for.
    is_name_free = not tenant.inbox.is_registry or not home.exists(paths.original(tenant.inbox, first))
    with transaction() as connection:
        submission = ledger.open_submission(
            connection,
            tenant_code=tenant.code,
            feed=tenant.feed,
            file_name=name.file_name,
            stamp=name.stamp,
            sha256=kept.sha256,
            size_bytes=kept.size_bytes,
            policy_sha256=tenant.policy_sha256,
            fixes_submission_id=_fixed_by(connection, tenant, name),
            is_name_free=is_name_free,
        )
    # A purge of the same content that did not see this row yet may have taken the original; it is over now.
    if kept.sha256 != NOT_ARCHIVED and not Archive().has_original(tenant.code, kept.sha256):
        Archive().keep(tenant.code, home.read(place))
    return submission


def _fixed_by(connection: Connection, tenant: Tenant, name: StampedName) -> str | None:
    """Return the first submission when this file is its fix-it file, mended and dropped again (N01)."""
    for first in StampedName.parse_fix_it(name.file_name):
        known = ledger.find(connection, tenant.code, first.file_name, first.stamp)
        if known is not None:
            return known.submission_id
    return None
