"""Accepted messages for the immunization store, in small words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from partner_exchange.stores.immunization_frames import (
    DEMOGRAPHICS,
    DOSE_TEXTS,
    IDENTIFIER_TEXTS,
    OBSERVATION_TEXTS,
    Accepted,
)
from partner_exchange.tenants.model import Tenant

AUTHORITY = "CLINIC"


@dataclass(frozen=True)
class ADose:
    """One dose: its key, what is done with it, and what differs from a usual one."""

    key: str
    action: str = "A"
    values: Mapping[str, str] = field(default_factory=dict)
    given: bool = True
    observations: Sequence[str] = ("V01",)


@dataclass(frozen=True)
class AMessage:
    """One message about a patient known as ``ids``."""

    ids: Sequence[str]
    doses: Sequence[ADose] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    at: str = "2026-11-20T10:00:00-06:00"


def a_message(*ids: str, doses: Sequence[ADose] = (), at: str = "", **values: str) -> AMessage:
    """Return a message about the patient with these identifiers, the first of them primary; they are of type
    MR unless they say another one, as in ``77:SS``.
    """
    return AMessage(ids, doses, values, at or "2026-11-20T10:00:00-06:00")


def a_dose(key: str, action: str = "A", *, given: bool = True, **values: str) -> ADose:
    """Return a dose of vaccine 03 on 2026-11-01, changed by ``values``."""
    return ADose(key, action, values, given)


_PATIENT = {"last_name": "Example", "first_name": "Ann", "birth_on": "2020-02-03", "sex": "F"}
_DOSE = {"completion": "CP", "cvx": "03", "administered_on": "2026-11-01", "amount": "0.5", "unit": "mL"}


def accepted(*messages: AMessage) -> Accepted:
    """Return the frames of these messages, numbered from 1."""
    patients: list[dict[str, Any]] = []
    identifiers: list[dict[str, Any]] = []
    doses: list[dict[str, Any]] = []
    observations: list[dict[str, Any]] = []
    for row, message in enumerate(messages, start=1):
        values = {**_PATIENT, **message.values}
        key = f"{AUTHORITY}|{message.ids[0]}"
        patients.append({"row": row, "patient_key": key, "reported_at": message.at, **values})
        identifiers += [
            {
                "row": row,
                "authority": AUTHORITY,
                "identifier": one.partition(":")[0],
                "type": one.partition(":")[2] or "MR",
                "is_primary": number == 0,
            }
            for number, one in enumerate(message.ids)
        ]
        for number, dose in enumerate(message.doses, start=1):
            place = {"row": row, "dose": number}
            texts = {**_DOSE, **dose.values}
            own = {"dose_key": dose.key, "action": dose.action, "given": dose.given}
            doses.append({**place, **own, **texts})
            observations += [
                {**place, "ordinal": ordinal, "observation": "64994-7", "type": "CE", "value": value}
                for ordinal, value in enumerate(dose.observations, start=1)
            ]
    return Accepted(
        patients=_frame(patients, ("patient_key", "reported_at", *DEMOGRAPHICS), {"row": "int64"}),
        identifiers=_frame(identifiers, IDENTIFIER_TEXTS, {"row": "int64", "is_primary": "bool"}),
        doses=_frame(
            doses,
            ("dose_key", "action", *DOSE_TEXTS),
            {"row": "int64", "dose": "int64", "given": "bool"},
        ),
        observations=_frame(
            observations, OBSERVATION_TEXTS, dict.fromkeys(("row", "dose", "ordinal"), "int64")
        ),
    )


def _frame(rows: list[dict[str, Any]], texts: Sequence[str], others: Mapping[str, str]) -> pd.DataFrame:
    blank = dict.fromkeys(texts, "")
    frame = pd.DataFrame([{**blank, **row} for row in rows], columns=[*others, *texts])
    return frame.astype({**dict.fromkeys(texts, "str"), **others})


def a_registry_tenant(*, consent: str = "not_required", mode: str = "production", **vxu: Any) -> Tenant:
    """Return a tenant with the immunization feed, whose day ends at midnight UTC."""
    inbox = {
        "folder": "HL7-Dropoff",
        "accepted": "Accepted",
        "reports": "DQA-Report",
        "outbox": "Receive",
        "answers": "registry",
    }
    return Tenant.model_validate(
        {
            "code": "aaa-ssl",
            "name": "AAA Clinic",
            "feed": "vxu",
            "mode": mode,
            "time_zone": "UTC",
            "inbox": inbox,
            "vxu": {"consent": consent, **vxu},
        }
    )
