"""Build sets: values into the archive, outcomes into the ledger; each due time once (E38, E39).

Called by the outbound DAGs and by ``exchange nhsn build``.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from sqlalchemy import Connection

from partner_exchange import log
from partner_exchange.exports.nhsn.schedule import DueTime, due_times, latest_due
from partner_exchange.exports.nhsn.selection import select
from partner_exchange.exports.nhsn.writer import set_csv
from partner_exchange.ledger import nhsn as ledger
from partner_exchange.ledger.database import MERGE_LOCK, hold, transaction
from partner_exchange.ledger.nhsn import KeptSet, NhsnOrigin, NhsnState
from partner_exchange.storage import paths
from partner_exchange.storage.archive import Archive
from partner_exchange.storage.names import utc_stamp
from partner_exchange.tenants.model import Tenant
from partner_exchange.tenants.nhsn_sets import export_name
from partner_exchange.tenants.resources import Frequency

_logger = logging.getLogger(__name__)

CATCH_UP = timedelta(days=14)
"""How far back sets are built after an outage; what is older tells CDC nothing about now."""


@dataclass(frozen=True)
class BuiltSet:
    """What holds of one due time after ``build``."""

    due: DueTime
    states: dict[NhsnState, int]
    """How many resources are in each state now; answers since then included."""
    kept: KeptSet | None
    """The set; None when no resource went."""
    is_new: bool
    """False when it had been built before, and nothing was changed."""

    def as_dict(self) -> dict[str, Any]:
        """Return counts and names for logs, XCom and ``--json``; never a value."""
        return {
            "export": self.due.name,
            "due_at": self.due.at.isoformat(),
            "is_new": self.is_new,
            "states": _plain(self.states),
            "path": self.kept.path if self.kept else None,
            "sha256": self.kept.sha256 if self.kept else None,
        }


def pending(tenant: Tenant, frequency: Frequency, *, until: datetime) -> list[DueTime]:
    """Return the due times to build, earliest first: what is not recorded of the last 14 days.

    It does not begin before the first due time ever recorded; a tenant without any begins with the last one.

    :raises StoreUnavailable: the database cannot be reached.
    """
    latest = latest_due(frequency, at=until)
    earliest = until - CATCH_UP
    with transaction() as connection:
        first = ledger.first_due(connection, tenant.code, frequency)
        done = ledger.recorded_dues(connection, tenant.code, frequency, since=earliest)
    if first is None:
        return [latest]
    return [
        due
        for due in due_times(frequency, after=earliest, until=latest.at)
        if due.at > first and due.at not in done
    ]


def catch_up(tenant: Tenant, frequency: Frequency, *, until: datetime) -> list[BuiltSet]:
    """Build every pending set with its own values, earliest first, and return what was built.

    The first one that cannot be built ends it: the next call takes up there.

    :raises StoreUnavailable: the database cannot be reached.
    """
    return [build(tenant, due) for due in pending(tenant, frequency, until=until)]


def build(tenant: Tenant, due: DueTime) -> BuiltSet:
    """Build the set of one due time and record the outcome of each resource; a second call changes nothing.

    :raises StoreUnavailable: the database cannot be reached.
    :raises ArchiveDamaged: the set was built before, and what lies in the archive is not what was built.
    """
    started_s = monotonic()
    with transaction() as connection:
        # A load that is under way comes first: its rows carry a time before the due time, and no later set
        # would look there. Two builders take turns by the same lock.
        hold(connection, MERGE_LOCK, tenant.code)
        known = ledger.states(connection, tenant.code, due.frequency, due.at)
        if known:
            kept = ledger.set_of(connection, tenant.code, due.frequency, due.at)
            built = BuiltSet(due, _by_state(one.state for one in known), kept, is_new=False)
        else:
            built = _build(connection, tenant, due)
    if built.kept and not built.is_new:
        Archive().check_export(built.kept.path, built.kept.sha256)
    counts = {str(state).lower().replace(" ", "_"): count for state, count in built.states.items()}
    log.event(
        _logger,
        "nhsn.build",
        tenant=tenant.code,
        export=due.name,
        due_at=due.at.isoformat(),
        is_new=built.is_new,
        **counts,
        seconds=monotonic() - started_s,
    )
    return built


def summary(tenant: Tenant, frequency: Frequency) -> dict[str, Any]:
    """Return the last due time and how many resources are in which state there; no resource is named.

    :raises StoreUnavailable: the database cannot be reached.
    """
    with transaction() as connection:
        due_at = ledger.last_due(connection, tenant.code, frequency)
        known = ledger.states(connection, tenant.code, frequency, due_at) if due_at else []
    return {
        "export": export_name(frequency),
        "due_at": due_at.isoformat() if due_at else None,
        "states": _plain(_by_state(one.state for one in known)),
    }


def _build(connection: Connection, tenant: Tenant, due: DueTime) -> BuiltSet:
    selection = select(connection, tenant, due)
    kept = None
    if selection.rows:
        path = paths.export(tenant.code, due.name, utc_stamp(due.at))
        with TemporaryDirectory(prefix="exchange-nhsn-") as folder:
            local = Path(folder) / "set.csv"
            local.write_bytes(set_csv(selection.template, due, selection.rows))
            # Before the commit: a crash in between leaves a file that the next try replaces, not a lost set.
            kept = KeptSet(path, Archive().keep_export_file(path, local).sha256)
    ledger.append(
        connection,
        tenant.code,
        due.frequency,
        due.at,
        selection.outcomes,
        origin=NhsnOrigin.SET,
        kept=kept,
    )
    return BuiltSet(due, _by_state(one.state for one in selection.outcomes), kept, is_new=True)


def _by_state(states: Iterable[NhsnState]) -> dict[NhsnState, int]:
    counts = Counter(states)
    return {state: counts[state] for state in NhsnState if counts[state]}


def _plain(states: Mapping[NhsnState, int]) -> dict[str, int]:
    return {str(state): count for state, count in states.items()}
