"""A tenant with every kind of status type that the store treats differently, and reports of its resources."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from partner_exchange.tenants.model import Tenant

BEDS, VENTILATORS, ED, NOTE, SCORE, RATIO = 1, 2, 3, 4, 5, 6
SETTABLE = (BEDS, VENTILATORS, ED, NOTE)
MONDAY = datetime(2026, 11, 16, 12, tzinfo=UTC)

_TYPES: list[dict[str, Any]] = [
    {"id": BEDS, "name": "Beds", "kind": "number", "update_every_h": 24, "section": "Capacity"},
    {"id": VENTILATORS, "name": "Ventilators", "kind": "number"},
    {
        "id": ED,
        "name": "ED",
        "kind": "multi",
        "update_every_h": 12,
        "statuses": [{"name": "Open", "colour": "green"}, {"name": "Closed", "update_every_h": 2}],
    },
    {"id": NOTE, "name": "Note", "kind": "text"},
    {
        "id": SCORE,
        "name": "Score",
        "kind": "saturation_score",
        "formula": f"st({BEDS},0) + 10 * st({VENTILATORS},0)",
    },
    {
        "id": RATIO,
        "name": "Ratio",
        "kind": "calculated",
        "formula": f"st({BEDS},4) / (st({VENTILATORS},3) - 1)",
    },
]


def a_status_tenant(code: str = "mercy-hospital", **over: Any) -> Tenant:
    """Return a tenant with the resources R1 and R2, and T1 and T2 for testing."""
    resources = [
        {"name": f"Hospital {number}", "production_id": f"R{number}", "test_id": f"T{number}"}
        for number in (1, 2)
    ]
    status = {"status_types": _TYPES, "resources": resources, **over}
    return Tenant.model_validate(
        {"code": code, "name": "Mercy", "feed": "status", "mode": "production", "status": status}
    )


def hours(number: float) -> datetime:
    """Return an instant so many hours after ``MONDAY``."""
    return MONDAY + timedelta(hours=number)


def a_report(
    value: str | int | float | None,
    status_type_id: int = BEDS,
    *,
    at: float = 0,
    resource: str = "R1",
    row: int = 2,
    **over: Any,
) -> dict[str, Any]:
    """Return one observation; no value is not applicable."""
    return {
        "row": row,
        "resource_id": resource,
        "status_type_id": status_type_id,
        "value": "" if value is None else str(value),
        "number": float(value) if isinstance(value, (int, float)) else np.nan,
        "colour": "",
        "level": "",
        "reason": "",
        "comment": "",
        "is_not_applicable": value is None,
        "reported_at": hours(at),
        "is_stated": True,
        "column": f"type {status_type_id}",
        **over,
    }


def observations(*reports: dict[str, Any]) -> pd.DataFrame:
    """Return reports in the form that ``statuses.merge`` takes."""
    table = pd.DataFrame(list(reports) or [a_report(0)]).iloc[: len(reports)]
    texts = ("resource_id", "value", "colour", "level", "reason", "comment", "column")
    return table.astype(
        {
            "row": "int64",
            "status_type_id": "int32",
            "number": "float64",
            "is_not_applicable": "bool",
            "is_stated": "bool",
            "reported_at": "datetime64[us, UTC]",
            **dict.fromkeys(texts, "str"),
        }
    )
