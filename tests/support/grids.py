"""Tables as the reader gives them, from plain lists; for tests of the status feed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from partner_exchange.readers.cells import Cells
from partner_exchange.readers.grid import Grid, TableFormat
from partner_exchange.readers.marks import Mark
from partner_exchange.tenants.model import Tenant


def cells(*values: str) -> Cells:
    """Return one column."""
    return pa.chunked_array([pa.array(values, pa.large_string())])


def a_grid(columns: Mapping[str, Sequence[str]], **over: Any) -> Grid:
    """Return a table with these columns by header; its rows start below the header."""
    return a_grid_of(list(columns.items()), **over)


def a_grid_of(columns: Sequence[tuple[str, Sequence[str]]], **over: Any) -> Grid:
    """Return a table whose headers may repeat."""
    size = len(columns[0][1]) if columns else 0
    values: dict[str, Any] = {
        "format": TableFormat.CSV,
        "header": tuple(header for header, _ in columns),
        "header_row": 1,
        "rows": np.arange(size, dtype=np.int64) + 2,
        "columns": tuple(cells(*values) for _, values in columns),
    }
    return Grid(**{**values, **over})


def a_hospital(number: int, **nhsn: Any) -> dict[str, Any]:
    """Return a resource for the policy: ids ``1000n`` and ``T1000n``, Org IDs ``2000n`` and ``9000n``."""
    return {
        "name": f"Hospital {number}",
        "production_id": f"1000{number}",
        "test_id": f"T1000{number}",
        "nhsn": {"org_id": f"2000{number}", "test_org_id": f"9000{number}", **nhsn},
    }


def a_status_tenant(**over: Any) -> Tenant:
    """Return a tenant in production in Chicago with two hospitals and all ready status types.

    What the policy of the status feed says differently goes into ``status``.
    """
    status = {
        "catalogues": ["starter", "edxl-have", "cdc-hrd", "cdc-bed-capacity"],
        "resources": [a_hospital(1), a_hospital(2)],
        **over.pop("status", {}),
    }
    return Tenant.model_validate(
        {
            "code": "mercy-hospital",
            "name": "Mercy Hospital",
            "feed": "status",
            "mode": "production",
            "time_zone": "America/Chicago",
            "status": status,
            **over,
        }
    )


def said(marks: Iterable[Mark]) -> set[tuple[int, str, str]]:
    """Return what marks state as (row, column, code); row 0 stands for the whole file."""
    return {(row, mark.column, mark.code) for mark in marks for row in mark.rows.tolist() or [0]}
