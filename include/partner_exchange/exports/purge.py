"""Remove what a tenant's retention lets go of that went out (T39, K10); called by the command line and the
daily run.

A delivery goes in one piece: tombstones first, then its files, then the ledger notes that it is purged.
Killed anywhere and run again, a purge takes up where it stopped, and no file is gone without a tombstone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from partner_exchange import log
from partner_exchange.errors import DeliveryWaits
from partner_exchange.exports.retention import Due, find, is_its_file, left_overs
from partner_exchange.exports.runs.turns import alone
from partner_exchange.ledger import delivery_retention as ledger
from partner_exchange.ledger import tombstones
from partner_exchange.ledger.database import PURGE_LOCK, hold, transaction
from partner_exchange.ledger.deliveries import Delivery
from partner_exchange.ledger.tombstones import Kind, Removal, Tombstone
from partner_exchange.storage import paths
from partner_exchange.storage.archive import Archive
from partner_exchange.storage.folders import Home, sha256_of
from partner_exchange.tenants.model import Tenant

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Purged:
    """What became of a purge of what went out."""

    deliveries: int = 0
    files: int = 0
    """Of deliveries, answers and left-overs together."""
    size_bytes: int = 0
    failed: int = 0
    """Deliveries, answers and left-overs that could not be removed; the next purge tries them again."""
    waiting: int = 0
    """Deliveries that are due, but left for the next purge."""

    def as_dict(self) -> dict[str, int]:
        """Return plain values for a log line or an XCom."""
        return dict(vars(self))


def purge(home: Home, tenant: Tenant, *, by: str, limit: int | None = None) -> Purged:
    """Remove what is due, leave a tombstone for each thing, and keep in the audit trail who did it.

    What cannot be removed, and an export that is being sent now, do not keep the rest; the next purge tries
    them again. Of two purges at once one waits for the other.

    :param limit: most deliveries, and most answers; unset: as the settings say.
    :raises StoreUnavailable: the ledger cannot be reached.
    :raises OSError: the home cannot be listed.
    """
    with transaction() as turn:
        hold(turn, PURGE_LOCK, tenant.code)
        due = find(home, tenant, limit=limit)
        if due is None:
            return Purged()
        done = _Run(home, tenant, due, by).take_all()
    log.event(_logger, "purge.outbound", tenant=tenant.code, **done.as_dict())
    return done


class _Run:
    """One purge of one tenant."""

    def __init__(self, home: Home, tenant: Tenant, due: Due, by: str) -> None:
        self._home = home
        self._tenant = tenant
        self._due = due
        self._by = by
        self._done = Purged(waiting=due.waiting)

    def take_all(self) -> Purged:
        """Purge everything that is due and return what became of it."""
        for delivery in self._due.deliveries:
            try:
                self._take(delivery.delivery_id)
            except DeliveryWaits:
                self._done = replace(self._done, waiting=self._done.waiting + 1)
            except OSError as error:
                self._failed(error)
        self._take_loose()
        return self._done

    def _take(self, delivery_id: str) -> None:
        """Purge one delivery; nobody sends anything of its export meanwhile.

        :raises DeliveryWaits: somebody does now.
        :raises OSError: a file cannot be removed.
        """
        removals = self._due.of(delivery_id)
        with alone(delivery_id) as delivery:
            self._plan(removals)
            for one in removals:
                self._remove(delivery, one)
            with transaction() as connection:
                gone = self._settle(connection, delivery)
                ledger.mark_purged(connection, delivery, keeps_keys=ledger.has_cursor(connection, delivery))
                self._audit(connection, delivery_id, gone)
        folder = paths.delivery_folder(delivery.tenant_code, delivery.export_name, delivery_id)
        Archive().remove_empty(folder)
        self._done = replace(self._done, deliveries=self._done.deliveries + 1)
        self._count(gone)

    def _take_loose(self) -> None:
        """Purge answers that were put away, and left-overs."""
        removals = [self._with_checksum(one) for one in self._due.loose]
        self._plan(removals)
        # A file of that name may have come anew since it was listed.
        still = {one.path for one in left_overs(self._home, self._tenant, self._due.before)}
        for one in removals:
            if one.kind is Kind.LEFT_OVER and one.path not in still:
                continue
            try:
                self._home.remove(one.path)
            except OSError as error:
                self._failed(error)
        with transaction() as connection:
            gone = self._settle(connection, None)
            if gone:
                self._audit(connection, self._tenant.code, gone)
        self._count(gone)

    def _with_checksum(self, one: Removal) -> Removal:
        return one if one.sha256 else replace(one, sha256=sha256_of(self._home, one.path))

    def _plan(self, removals: Iterable[Removal]) -> None:
        with transaction() as connection:
            tombstones.plan(connection, self._tenant.code, removals, policy_days=self._due.days)

    def _remove(self, delivery: Delivery, one: Removal) -> None:
        if one.kind is Kind.OUTBOUND:
            Archive().remove(one.path)
            return
        # Since it was listed, a newer file may have got its name.
        folder, _, name = one.path.rpartition("/")
        if is_its_file(self._home, delivery, folder, name):
            self._home.remove(one.path)

    def _settle(self, connection: Connection, delivery: Delivery | None) -> list[Tombstone]:
        delivery_id = delivery.delivery_id if delivery else None
        planned = tombstones.planned_outbound(connection, self._tenant.code, delivery_id)
        return tombstones.settle(connection, planned, is_there=self._is_there)

    def _is_there(self, one: Tombstone) -> bool:
        if one.kind is Kind.OUTBOUND:
            return Archive().size_bytes(one.path) is not None
        if not self._home.exists(one.path):
            return False
        # After a killed purge another file may have got its name; the other kinds have names of their own.
        return one.kind is not Kind.DELIVERED or sha256_of(self._home, one.path) == one.sha256

    def _count(self, gone: Iterable[Removal]) -> None:
        sizes = [one.size_bytes for one in gone]
        self._done = replace(
            self._done,
            files=self._done.files + len(sizes),
            size_bytes=self._done.size_bytes + sum(sizes),
        )

    def _failed(self, error: OSError) -> None:
        log.event(_logger, "purge.failed", tenant=self._tenant.code, error=type(error).__name__)
        self._done = replace(self._done, failed=self._done.failed + 1)

    def _audit(self, connection: Connection, subject: str, gone: Iterable[Removal]) -> None:
        tombstones.record_purge(
            connection, self._tenant.code, subject, gone, actor=self._by, policy_days=self._due.days
        )
