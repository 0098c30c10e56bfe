"""Judge what a row is about before its values are looked at: whose it is, and for when it reports."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from partner_exchange.feeds.status.identify import NOWHERE, identify
from partner_exchange.feeds.status.recognise import Recognised
from partner_exchange.feeds.status.reporting import Arrival, reporting_times
from partner_exchange.readers.cells import Cells
from partner_exchange.readers.grid import Grid
from partner_exchange.readers.marks import Mark
from partner_exchange.tenants.model import Tenant
from partner_exchange.validation.moments import Flags, Instants
from partner_exchange.validation.wording import rejected_rows


@dataclass(frozen=True)
class JudgedRows:
    """What the key columns say; every array is as long as the rows of the table."""

    resource_id: Cells
    """Resource ID in the tenant's mode, as the policy writes it; "" where the row is about none."""
    reported_at: Instants
    """Reporting time in UTC; NaT where the row gives none that can be taken."""
    is_stated: Flags
    """Whether the file says the time itself; else it is the arrival."""
    is_bad: Flags
    """Whether a mark rejects the row: none of its values is to be taken."""
    marks: tuple[Mark, ...]


def judge_rows(grid: Grid, recognised: Recognised, *, tenant: Tenant, arrival: Arrival) -> JudgedRows:
    """Return whose statuses each row is about and of when (E18, E19, E24, E32)."""
    found = identify(grid, recognised, tenant)
    times = reporting_times(grid, recognised.keys, zone=tenant.time_zone, arrival=arrival)
    marks = (*found.marks, *times.marks)
    ids = pa.array([*(each.id_in(tenant.mode) for each in tenant.status.resources), ""], pa.large_string())
    # The last one is "", which is what NOWHERE points to.
    place = np.where(found.place == NOWHERE, len(ids) - 1, found.place)
    return JudgedRows(
        resource_id=pa.chunked_array([ids.take(pa.array(place))]),
        reported_at=times.at,
        is_stated=times.is_stated,
        is_bad=np.isin(grid.rows, rejected_rows(marks)),
        marks=marks,
    )
