"""The 55 HRD values of each resource as of a due time, and what stands in for those never reported.

Called by the selection. A value says one of three things: a text, not applicable, or nothing was reported
that could go. In the set, not applicable is 9999 and unknown is blank: CDC reads both as "not applicable",
but only 9999 is what a hospital has said, and a reader of the set can tell the two apart.

Beds, patients and supplies are as of a moment and hold until something else is said. New admissions count
what happened in one day or one week, so they go only when they were reported for the very day of the set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from partner_exchange.exports.nhsn.schedule import DueTime
from partner_exchange.feeds.cdc_bed_capacity.bridge import bridge
from partner_exchange.feeds.status.template import Template, templates
from partner_exchange.stores import statuses
from partner_exchange.tenants.catalogue import CatalogueName, ready
from partner_exchange.tenants.model import Tenant
from partner_exchange.tenants.status_types import StatusKind

TEMPLATE = "cdc_respiratory"
NOT_APPLICABLE = "9999"
UNKNOWN = ""


@dataclass(frozen=True)
class HrdValues:
    """Values of some resources, one row per resource."""

    text: pd.DataFrame
    """Index resource id, columns status type ids in the order of the template; canonical text, ``9999`` for
    not applicable, "" for unknown: never reported, or new admissions not reported for the day of the set."""
    numbers: pd.DataFrame
    """The same for the counts only, float64; NaN where there is no number."""
    bridged: dict[str, tuple[int, ...]]
    """Status type ids of values that bed capacity stands in for, by resource id."""

    def of(self, resource_ids: Sequence[str]) -> HrdValues:
        """Return the values of these resources, in this order."""
        wanted = list(resource_ids)
        bridged = {one: self.bridged[one] for one in wanted if one in self.bridged}
        return HrdValues(self.text.loc[wanted], self.numbers.loc[wanted], bridged)

    def without_bridge(self, resource_ids: Iterable[str]) -> HrdValues:
        """Return the values with nothing standing in at these resources."""
        text, numbers = self.text.copy(), self.numbers.copy()
        bridged = dict(self.bridged)
        for resource_id in resource_ids:
            ids = list(bridged.pop(resource_id, ()))
            text.loc[resource_id, ids] = UNKNOWN
            numbers.loc[resource_id, ids] = np.nan
        return HrdValues(text, numbers, bridged)


def hrd_template(on: date) -> Template:
    """Return the version of the HRD template that is in force on a day; before the first one, the first."""
    versions = [one for one in templates() if one.name == TEMPLATE]
    return next((one for one in versions if one.effective_from <= on), versions[-1])


def read_values(
    connection: Connection, tenant: Tenant, due: DueTime, resource_ids: Sequence[str]
) -> HrdValues:
    """Return the values of the resources as of a due time; missing ones from bed capacity where it says them.

    :raises StoreUnavailable: the database cannot be reached.
    """
    template = hrd_template(due.reports_on)
    hrd = {element.status_type_id: element.header for element in template.elements}
    beds = {one.id: one.name for one in ready(CatalogueName.CDC_BED_CAPACITY)}
    counts = [one.id for one in ready(CatalogueName.CDC_HRD) if one.kind is StatusKind.NUMBER]
    known = _known(connection, tenant, due, {*hrd, *beds}, template.period_counts)
    is_number = ~known["is_not_applicable"]
    known = known.assign(
        text=known["value"].where(is_number, NOT_APPLICABLE), number=known["number"].where(is_number)
    )
    number = _wide(known, "number", resource_ids)
    values = HrdValues(
        text=_wide(known, "text", resource_ids).reindex(columns=list(hrd)).astype("str").fillna(UNKNOWN),
        numbers=number.reindex(columns=[one for one in hrd if one in counts]).astype("float64"),
        bridged={},
    )
    reported_beds = number.reindex(columns=list(beds)).rename(columns=beds).astype("float64")
    ids = {header: status_type_id for status_type_id, header in hrd.items()}
    is_picu = tenant.status.nicu_counts_as_pediatric_icu
    return _with_bridge(values, reported_beds, ids, nicu_is_pediatric_icu=is_picu)


def _known(
    connection: Connection, tenant: Tenant, due: DueTime, wanted: Set[int], period_counts: Set[int]
) -> pd.DataFrame:
    zone = tenant.time_zone
    lasting = statuses.as_of(connection, tenant.code, wanted - period_counts, at=due.values_at(zone))
    counted = statuses.as_of(
        connection, tenant.code, period_counts, at=due.counts_at(zone), since=due.counts_from(zone)
    )
    return pd.concat([lasting, counted], ignore_index=True)


def _wide(known: pd.DataFrame, column: str, resource_ids: Sequence[str]) -> pd.DataFrame:
    wide = known.set_index(["resource_id", "status_type_id"])[column].unstack()
    return wide.reindex(index=pd.Index(list(resource_ids), dtype="str", name="resource_id"))


def _with_bridge(
    values: HrdValues, beds: pd.DataFrame, ids: Mapping[str, int], *, nicu_is_pediatric_icu: bool
) -> HrdValues:
    """Fill what was never reported, and only that, from what bed capacity says (K24)."""
    text, numbers = values.text.copy(), values.numbers.copy()
    bridged = {}
    for resource_id, row in beds.dropna(how="all").iterrows():
        now = {str(name): None if np.isnan(number) else float(number) for name, number in row.items()}
        derived = bridge(now, nicu_is_pediatric_icu=nicu_is_pediatric_icu)
        missing = {
            ids[name]: number
            for name, number in derived.items()
            if text.at[resource_id, ids[name]] == UNKNOWN
        }
        for status_type_id, number in missing.items():
            text.at[resource_id, status_type_id] = f"{number:.0f}"
            numbers.at[resource_id, status_type_id] = number
        if missing:
            bridged[str(resource_id)] = tuple(missing)
    return HrdValues(text, numbers, bridged)
