"""Names of the sets for NHSN: exports as any other, but no tenant file lists them (E38)."""

from __future__ import annotations

from typing import get_args

from partner_exchange.tenants.resources import Frequency

PREFIX = "nhsn_"
"""Begins the names of sets, and of no export of a tenant file."""
FREQUENCIES: tuple[Frequency, ...] = get_args(Frequency)


def export_name(frequency: Frequency) -> str:
    """Return what the set is called in DAG ids, paths and deliveries, such as ``nhsn_daily``."""
    return f"{PREFIX}{frequency}"


def frequency_of(export_name: str) -> Frequency | None:
    """Return how often the set of this name goes; None for an export of a tenant file."""
    return _FREQUENCY_OF.get(export_name)


_FREQUENCY_OF = {export_name(frequency): frequency for frequency in FREQUENCIES}
