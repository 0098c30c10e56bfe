"""Remove what a tenant's retention lets go of (T39, K10); called by the command line and by the daily run.

A submission goes in one piece: tombstones first, then its files, then the ledger notes that it is purged.
Killed anywhere and run again, a purge takes up where it stopped, and no file is gone without a tombstone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from partner_exchange import log
from partner_exchange.ledger import retention, tombstones
from partner_exchange.ledger.database import CLAIM_LOCK, hold, transaction
from partner_exchange.ledger.submissions import Submission
from partner_exchange.ledger.tombstones import Kind, Removal, Tombstone
from partner_exchange.storage.archive import Archive
from partner_exchange.storage.folders import Home, sha256_of
from partner_exchange.submissions.retention import Due, find, forgotten
from partner_exchange.tenants.model import Tenant

_logger = logging.getLogger(__name__)

_IN_STORAGE = (Kind.ARCHIVE, Kind.ARRIVING, Kind.WORK)


@dataclass(frozen=True)
class Purged:
    """What became of a purge."""

    submissions: int = 0
    files: int = 0
    size_bytes: int = 0
    failed: int = 0
    """Submissions with a file that could not be removed; the next purge tries them again."""
    waiting: int = 0
    """Submissions that are due, but left for the next purge."""

    def as_dict(self) -> dict[str, int]:
        """Return plain values for a log line or an XCom."""
        return dict(vars(self))


def purge(home: Home, tenant: Tenant, *, by: str, limit: int | None = None) -> Purged:
    """Remove what is due, leave a tombstone for each thing, and keep in the audit trail who did it.

    What cannot be removed does not keep the rest; the next purge tries it again.

    :param limit: most submissions; unset: as the settings say.
    :raises StoreUnavailable: the ledger cannot be reached.
    :raises OSError: the home cannot be listed.
    """
    due = find(home, tenant, limit=limit)
    if due is None:
        return Purged()
    done = Purged(waiting=due.waiting)
    run = _Run(home, tenant, due, by)
    for submission in due.submissions:
        try:
            gone = run.take(submission)
        except OSError as error:
            log.event(_logger, "purge.failed", tenant=tenant.code, error=type(error).__name__)
            done = replace(done, failed=done.failed + 1)
        else:
            done = _with(done, gone or ())
            done = replace(done, submissions=done.submissions + (gone is not None))
    done = _with(done, run.take_forgotten())
    log.event(_logger, "purge", tenant=tenant.code, **done.as_dict())
    return done


def _with(done: Purged, gone: Iterable[Removal]) -> Purged:
    sizes = [one.size_bytes for one in gone]
    return replace(done, files=done.files + len(sizes), size_bytes=done.size_bytes + sum(sizes))


class _Run:
    """One purge of one tenant."""

    def __init__(self, home: Home, tenant: Tenant, due: Due, by: str) -> None:
        self._home = home
        self._tenant = tenant
        self._due = due
        self._by = by

    def take(self, submission: Submission) -> list[Tombstone] | None:
        """Purge one submission and return what is gone; None when it is not due any more.

        :raises OSError: a file cannot be removed.
        """
        submission_id, before = submission.submission_id, self._due.before
        removals = [self._with_checksum(one) for one in self._due.of(submission_id)]
        with transaction() as connection:
            if not retention.lock_expired(connection, submission, before=before):
                return None
            self._plan(connection, removals)
        with transaction() as connection:
            if not retention.lock_expired(connection, submission, before=before):
                # Replayed in between; nothing is removed yet.
                self._settle(connection, submission_id)
                return None
            self._remove(one for one in removals if one.kind is not Kind.ARCHIVE)
            # A claim of the same content is either seen here, or sees that the original is gone.
            hold(connection, CLAIM_LOCK, self._tenant.code)
            if not retention.is_original_needed(connection, submission, besides=()):
                self._remove(one for one in removals if one.kind is Kind.ARCHIVE)
            gone = self._settle(connection, submission_id)
            retention.mark_purged(connection, submission_id)
            self._audit(connection, submission_id, gone)
        return gone

    def take_forgotten(self) -> list[Tombstone]:
        """Purge what belongs to no submission and return what is gone."""
        removals = [self._with_checksum(one) for one in self._due.of(None)]
        with transaction() as connection:
            self._plan(connection, removals)
        # An upload may have gone on since it was listed.
        still = {(one.kind, one.path) for one in forgotten(self._home, self._tenant, self._due.before)}
        self._remove(one for one in removals if (one.kind, one.path) in still)
        with transaction() as connection:
            gone = self._settle(connection, None)
            if gone:
                self._audit(connection, self._tenant.code, gone)
        return gone

    def _with_checksum(self, one: Removal) -> Removal:
        if one.sha256 or one.kind in _IN_STORAGE:
            return one
        return replace(one, sha256=sha256_of(self._home, one.path))

    def _plan(self, connection: Connection, removals: Iterable[Removal]) -> None:
        tombstones.plan(connection, self._tenant.code, removals, policy_days=self._due.days)

    def _remove(self, removals: Iterable[Removal]) -> None:
        for one in removals:
            if one.kind is Kind.WORK and one.submission_id is not None:
                Archive().clear_work(one.submission_id)
            elif one.kind in _IN_STORAGE:
                Archive().remove(one.path)
            else:
                self._home.remove(one.path)

    def _settle(self, connection: Connection, submission_id: str | None) -> list[Tombstone]:
        planned = tombstones.planned(connection, self._tenant.code, submission_id)
        return tombstones.settle(connection, planned, is_there=self._is_there)

    def _is_there(self, one: Removal) -> bool:
        if one.kind is Kind.WORK and one.submission_id is not None:
            return Archive().work_bytes(one.submission_id) is not None
        if one.kind in _IN_STORAGE:
            return Archive().size_bytes(one.path) is not None
        return self._home.exists(one.path)

    def _audit(self, connection: Connection, subject: str, gone: Iterable[Removal]) -> None:
        tombstones.record_purge(
            connection, self._tenant.code, subject, gone, actor=self._by, policy_days=self._due.days
        )
