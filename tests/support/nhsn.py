"""Hospitals that report to NHSN, and what they report."""

from __future__ import annotations

from typing import Any

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
