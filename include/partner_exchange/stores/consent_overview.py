"""How many patients have consent and how many have not (T61, T62).

Called by reports. What a consent means on a day is in ``consent_registry``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import Connection

from partner_exchange.stores import consent_registry, immunization_held
from partner_exchange.stores.consent_registry import Person
from partner_exchange.stores.immunization_people import all_identifiers
from partner_exchange.stores.status_frames import read_frame
from partner_exchange.tenants.model import Tenant

_STORED: LiteralString = """
select patient_key, last_name, first_name, birth_on from store.patient where tenant_code = {tenant_code}
"""


@dataclass(frozen=True)
class ConsentGroup:
    """The patients of one consent status."""

    status: str
    """``YES``, ``NO``, ``PENDING`` or ``NOT_FOUND``."""
    type: str
    """``CHILD`` or ``ADULT``; "" where none is on record."""
    stored: int
    """Patients in the store."""
    held: int
    """Patients outside of it, whose doses wait."""


def by_status(connection: Connection, tenant: Tenant, *, now: datetime) -> list[ConsentGroup]:
    """Return how many patients there are of each status on the tenant's day of ``now``, by status and type.

    Nothing is changed but temporary tables.
    """
    stored = read_frame(connection, _STORED, {"tenant_code": tenant.code}, immunization_held.PEOPLE_TYPES)
    held = immunization_held.people(connection, tenant.code)
    held = held[~held["patient_key"].isin(stored["patient_key"])].reset_index(drop=True)
    of_stored, of_held = (_counts(connection, tenant, people, now) for people in (stored, held))
    return [
        ConsentGroup(status, kind, of_stored[status, kind], of_held[status, kind])
        for status, kind in sorted({*of_stored, *of_held})
    ]


def _counts(
    connection: Connection, tenant: Tenant, people: pd.DataFrame, now: datetime
) -> Counter[tuple[str, str]]:
    asked = Person(people, all_identifiers(connection, people["patient_key"].tolist(), tenant.code))
    found = consent_registry.statuses(
        connection,
        asked,
        tenant_code=tenant.code,
        adult_age_y=tenant.vxu.adult_age_y,
        on=now.astimezone(ZoneInfo(tenant.time_zone)).date(),
    )
    return Counter(zip(found["consent_status"], found["consent_type"], strict=True))
