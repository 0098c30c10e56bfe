"""Accepted roster rows into the student store, and what the store rejects back into findings."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from partner_exchange.feeds.base import LoadOutcome
from partner_exchange.feeds.roster.contract import AS_SENT, KEYS, REPEATS, TITLES
from partner_exchange.readers.cells import as_cells
from partner_exchange.readers.marks import Mark
from partner_exchange.stores import students
from partner_exchange.tenants.model import Tenant
from partner_exchange.validation.dates import iso_dates
from partner_exchange.validation.wording import word


def load_rows(
    connection: Connection, accepted: pd.DataFrame, *, tenant: Tenant, submission_id: str, now: datetime
) -> LoadOutcome:
    """Merge the rows; repeated rows count as unchanged, or as rejected when the row they repeat is.

    :raises SerializationConflict: somebody else changed the same students meanwhile.
    :raises CountsDoNotReconcile: a row came to no outcome, or to two.
    """
    result = students.merge(
        connection,
        to_merge(accepted),
        tenant_code=tenant.code,
        submission_id=submission_id,
        policy=tenant.roster,
        now=now,
    )
    is_rejected = accepted["row"].isin(result.rejected["row"])
    rejected = _with_repeats(accepted[is_rejected])
    marks = [
        Mark(str(code), "StudentId", np.sort(rows.to_numpy(dtype=np.int64)))
        for code, rows in result.rejected.groupby("code")["row"]
    ]
    return LoadOutcome(
        created=result.created,
        updated=result.updated,
        unchanged=result.unchanged + int(accepted.loc[~is_rejected, REPEATS].sum()),
        rejected=rejected,
        findings=word(marks, columns=TITLES, cap=tenant.roster.max_findings_listed),
    )


def to_merge(accepted: pd.DataFrame) -> pd.DataFrame:
    """Return the rows as the store wants them: dates as yyyy-mm-dd.

    Half a pair of group and term stays as it is: the merge skips it, where two blanks might clear (M28, K22).
    """
    rows = accepted[["row", *KEYS]].copy(deep=False)
    rows["dob"] = iso_dates(as_cells(rows["dob"])).to_pandas().set_axis(rows.index)
    return rows


def _with_repeats(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows in the shape of rejected ones, each as often as the file holds it."""
    times = rows[REPEATS].to_numpy() + 1
    repeated = rows.loc[rows.index.repeat(times), ["row", *KEYS]].reset_index(drop=True)
    repeated[AS_SENT] = pd.Series("", index=repeated.index, dtype="str")
    return repeated
