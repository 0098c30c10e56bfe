"""Hospitals that report to NHSN, and what they report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection
from ulid import ULID

from partner_exchange.stores import statuses
from partner_exchange.tenants.catalogue import CatalogueName, ready
from partner_exchange.tenants.model import Tenant

STARRED_IDS = tuple(range(55001, 55017))
"""The required values: twelve of capacity and occupancy, four of COVID-19."""


def a_hospital(number: int = 1, *, frequency: str | None = "daily", **nhsn: Any) -> dict[str, Any]:
    """Return a resource as a tenant file has it."""
    return {
        "name": f"Hospital {number}",
        "production_id": f"{10_000 + number}",
        "test_id": f"{90_000 + number}",
        "nhsn": {
            "org_id": f"{30_100 + number}",
            "test_org_id": f"{39_100 + number}",
            "frequency": frequency,
            **nhsn,
        },
    }


def a_hospital_group(*hospitals: dict[str, Any], status: dict[str, Any] | None = None, **over: Any) -> Tenant:
    """Return a status tenant in production with the CDC catalogues; without ``hospitals`` with two."""
    policy = {
        "catalogues": ["cdc-hrd", "cdc-bed-capacity"],
        "resources": list(hospitals) or [a_hospital(1), a_hospital(2, frequency="weekly")],
        **(status or {}),
    }
    return Tenant.model_validate(
        {
            "code": "mercy",
            "name": "Mercy",
            "feed": "status",
            "mode": "production",
            "time_zone": "America/Chicago",
            "status": policy,
            **over,
        }
    )


def hrd_id(name: str) -> int:
    """Return the number of an HRD or bed-capacity status type."""
    types = (*ready(CatalogueName.CDC_HRD), *ready(CatalogueName.CDC_BED_CAPACITY))
    return next(one.id for one in types if one.name == name)


def sound_values() -> dict[str, int]:
    """Return the sixteen required values, in no contradiction with each other."""
    return {
        "numInPtBeds": 100,
        "numInPtBedsAdult": 80,
        "numInPtBedsPed": 20,
        "numInPtBedsOcc": 60,
        "numInPtBedsOccAdult": 50,
        "numInPtBedsOccPed": 10,
        "numICUBeds": 15,
        "numICUBedsAdult": 10,
        "numICUBedsPed": 5,
        "numICUBedsOcc": 9,
        "numICUBedsOccAdult": 7,
        "numICUBedsOccPed": 2,
        "numConfC19HospPatsAdult": 4,
        "numConfC19HospPatsPed": 1,
        "numConfC19ICUPatsAdult": 2,
        "numConfC19ICUPatsPed": 0,
    }


def report(
    connection: Connection,
    tenant: Tenant,
    values: Mapping[str, int | str | None],
    *,
    recorded_at: datetime,
    reported_at: datetime | None = None,
    resource_id: str = "10001",
) -> None:
    """Bring values into the status store as a file would; None is "not applicable".

    :param reported_at: the time that the file says itself; without one it reports for its arrival.
    """
    numbers = [float(value) if isinstance(value, int) else float("nan") for value in values.values()]
    frame = pd.DataFrame(
        {
            "row": 2,
            "resource_id": resource_id,
            "status_type_id": [hrd_id(name) for name in values],
            "value": ["" if value is None else str(value) for value in values.values()],
            "number": numbers,
            "colour": "",
            "level": "",
            "reason": "",
            "comment": "",
            "is_not_applicable": [value is None for value in values.values()],
            "reported_at": pd.Timestamp(reported_at or recorded_at),
            "is_stated": reported_at is not None,
            "column": list(values),
        }
    )
    texts = ("resource_id", "value", "colour", "level", "reason", "comment", "column")
    frame = frame.astype(
        {
            "row": "int64",
            "status_type_id": "int32",
            "reported_at": "datetime64[us, UTC]",
            **dict.fromkeys(texts, "str"),
        }
    )
    statuses.merge(connection, frame, tenant=tenant, submission_id=f"{ULID()}", now=recorded_at)
