"""Every code a finding may carry, once; the modules in ``codes`` say what each means.

``docs/findings.md`` is generated from here (``python -m partner_exchange.validation.docs``), so an
undocumented code cannot exist. Wording never holds a cell value; the names in braces are counts, positions
and words from the tenant's own policy.
"""

from __future__ import annotations

from collections.abc import Mapping

from partner_exchange.validation.codes import (
    cdc,
    consents,
    privacy,
    reading,
    roster,
    status,
    vxu,
    vxu_file,
    vxu_store,
    workbook,
)
from partner_exchange.validation.entry import Entry, Scope, Turn

__all__ = ["CATALOGUE", "Entry", "Scope", "Turn"]

_MODULES = (reading, workbook, roster, status, cdc, privacy, vxu_file, vxu, vxu_store, consents)

CATALOGUE: Mapping[str, Entry] = {entry.code: entry for module in _MODULES for entry in module.ENTRIES}
"""All entries by code, in the order of the documentation."""
