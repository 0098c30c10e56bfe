"""Accepted values into the status store, and what came too late back into findings."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

from partner_exchange.feeds.base import LoadOutcome
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.columns import ColumnOutcome
from partner_exchange.readers.marks import Mark
from partner_exchange.stores import statuses
from partner_exchange.tenants.model import Tenant
from partner_exchange.validation.wording import word


def load_values(
    connection: Connection, accepted: pd.DataFrame, *, tenant: Tenant, submission_id: str, now: datetime
) -> LoadOutcome:
    """Merge the values; an accepted row without a value to load counts as unchanged.

    :raises CountsDoNotReconcile: a row came to no outcome, or to two.
    """
    merged = statuses.merge(connection, accepted, tenant=tenant, submission_id=submission_id, now=now)
    rows_accepted = ledger.get(connection, submission_id).rows_accepted or 0
    without_value = rows_accepted - accepted["row"].nunique()
    marks = [Mark("status-newer", column, rows) for column, rows in merged.late_rows.items()]
    counts = merged.columns[["column", "set", "unchanged", "late"]].itertuples(index=False, name=None)
    return LoadOutcome(
        created=merged.rows_created,
        updated=merged.rows_updated,
        unchanged=merged.rows_unchanged + without_value,
        rejected=pd.DataFrame(),
        findings=word(marks, columns=list(merged.late_rows), cap=tenant.status.max_findings_listed),
        columns=tuple(
            ColumnOutcome(column, set=changed, unchanged=unchanged, late=late)
            for column, changed, unchanged, late in counts
        ),
    )
