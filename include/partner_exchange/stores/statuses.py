"""Statuses: what resources report. Merge a file's observations as one set, and look statuses up.

Called by the status feed inside the transaction that also moves the submission, and by everything that shows
statuses. The order of files and rows decides nothing: the reporting time does, and of two reports for one
time the later merge (E24, N07). All that was ever said stays in the history.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from partner_exchange.ledger.database import MERGE_LOCK, hold
from partner_exchange.stores import status_definitions
from partner_exchange.stores.status_formulas import computed
from partner_exchange.stores.status_late import merge_late
from partner_exchange.stores.status_newest import Origin, merge_newest, microseconds
from partner_exchange.stores.status_outcomes import Outcome, Outcomes, StatusMerge, tally
from partner_exchange.stores.status_queries import (
    OverdueStatus,
    Status,
    StatusChange,
    as_of,
    changed_between,
    history,
    now,
    overdue,
)
from partner_exchange.tenants.model import Tenant

__all__ = [
    "OverdueStatus",
    "Status",
    "StatusChange",
    "StatusMerge",
    "as_of",
    "changed_between",
    "history",
    "merge",
    "now",
    "overdue",
]

# Compiling a plan costs more than it ever saves here.
_SETTINGS = "set local work_mem = '64MB'; set local jit = off"


def merge(
    connection: Connection, observations: pd.DataFrame, *, tenant: Tenant, submission_id: str, now: datetime
) -> StatusMerge:
    """Merge the observations of one file into the tenant's statuses, in the caller's transaction.

    An observation wins when its reporting time is not before the last confirmation of the status; else it is
    late and goes to the history only. The same value again confirms the status, and moves its reporting time
    when the file states that; a changed value without a comment has none. What formulas make of the statuses
    is merged with them. Merges of one tenant take turns; the tenant's catalogue and resources are brought up
    to date first. Merging a file twice adds nothing.

    :param observations: one line per value: ``row`` int64, ``resource_id`` str, ``status_type_id`` int32,
        ``value`` str, ``number`` float64, ``colour``, ``level``, ``reason``, ``comment`` str ("" for none),
        ``is_not_applicable`` bool, ``reported_at`` datetime64[us, UTC], ``is_stated`` bool, ``column`` str; a
        NUL character cannot be stored.
    :param now: when the values are written, aware.
    :raises CountsDoNotReconcile: an observation or a status was lost; nothing may be committed.
    :raises ValueError: two observations are of one status and time; the feed has to settle that.
    """
    hold(connection, MERGE_LOCK, tenant.code)
    connection.exec_driver_sql(_SETTINGS)
    status_definitions.sync(connection, tenant, now=now)
    origin = Origin(tenant.code, submission_id, now)
    outcomes = _apply(connection, observations, origin)
    made = computed(connection, tenant.status.catalogue, observations, tenant_code=tenant.code)
    _apply(connection, made, origin)
    return tally(observations, outcomes)


def _apply(connection: Connection, observations: pd.DataFrame, origin: Origin) -> Outcomes:
    """Merge observations and return what became of each."""
    if observations.empty:
        return np.empty(0, dtype="U1")
    outcomes: Outcomes = np.full(len(observations), "", dtype="U1")
    is_several = _several(observations)
    if not is_several.all():
        outcomes[~is_several] = merge_newest(connection, observations[~is_several], origin)
    is_left = is_several | (outcomes == Outcome.BETWEEN)
    if is_left.any():
        outcomes[is_left] = merge_late(connection, observations[is_left], origin)
    return outcomes


def _several(observations: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which observations are of a status that has more than one here.

    :raises ValueError: two are of one status and time.
    """
    resources, _ = pd.factorize(observations["resource_id"])
    status_types, known = pd.factorize(observations["status_type_id"])
    keys = pd.Series(resources * len(known) + status_types)
    is_several = keys.duplicated(keep=False)
    if is_several.any():
        times = np.asarray(microseconds(observations["reported_at"]))
        if pd.DataFrame({"key": keys, "at": times})[is_several].duplicated().any():
            raise ValueError("observations to merge hold two of one status and time")
    return is_several.to_numpy()
