"""What acknowledgements and consent notifications are made from, without a ledger and without a file."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from partner_exchange.feeds.vxu.tables import ISSUE_COLUMNS, empty
from partner_exchange.ledger.states import DOSE_OUTCOMES, Outcome, State
from partner_exchange.ledger.submissions import Submission
from partner_exchange.tenants.model import Tenant

AT = datetime(2026, 11, 21, 7, 47, 12, tzinfo=UTC)

_SUBMISSION = Submission(
    submission_id="01KAJ4X7M0Z8V3T9QH2RC5WNYE",
    seq=7,
    tenant_code="aaa-ssl",
    feed="vxu",
    file_name="AAA-SSL26325.hl7",
    stamp="20261121T074712Z",
    sha256="0" * 64,
    size_bytes=1234,
    state=State.LOADED,
    outcome=Outcome.ACCEPTED,
    rule_version="vxu-1.0",
    policy_sha256="1" * 64,
    rows_total=1,
    rows_accepted=1,
    rows_rejected=0,
    rows_created=1,
    rows_updated=0,
    rows_unchanged=0,
    template=None,
    lines_to_load=1,
    is_first_of_name=True,
    part_counts={},
    fixes_submission_id=None,
    failure_code=None,
    failure_message=None,
    claimed_at=AT,
    validated_at=AT,
    loaded_at=AT,
    answered_at=None,
    finished_at=None,
    step_seconds={},
)


def a_loaded_submission(**over: Any) -> Submission:
    """A file of the demo clinic, checked and loaded at ``AT``."""
    return replace(_SUBMISSION, **over)


def a_clinic(**over: Any) -> Tenant:
    """A tenant with the immunization feed; ``over`` sets options of its policy."""
    inbox = {
        "folder": "HL7-Dropoff",
        "outbox": "Receive",
        "answers": "registry",
        "accepted": "Accepted",
        "reports": "DQA-Report",
    }
    return Tenant.model_validate(
        {
            "code": "aaa-ssl",
            "name": "Clinic",
            "feed": "vxu",
            "mode": "production",
            "time_zone": "America/Chicago",
            "inbox": inbox,
            "vxu": over,
        }
    )


def headers(*over: dict[str, Any]) -> pd.DataFrame:
    """One line per message as the checks leave it for acknowledgements; numbered from 1."""
    plain = {
        "is_rejected": False,
        "MSH-3": "EHR",
        "MSH-4": "CLINIC",
        "MSH-5": "REG",
        "MSH-6": "STATE",
        "MSH-11": "P",
    }
    return pd.DataFrame(
        [{"row": row, **plain, "MSH-10": f"C-{row}", **one} for row, one in enumerate(over, 1)]
    )


def issues(*over: dict[str, Any]) -> pd.DataFrame:
    """An issue table; what a line does not say is 0."""
    plain: dict[str, Any] = {
        "row": 1,
        "dose": 0,
        "line": 1,
        "segment": "MSH",
        "sequence": 1,
        "field": 0,
        "repetition": 0,
        "component": 0,
        "is_warning": False,
    }
    if not over:
        return empty(ISSUE_COLUMNS)
    return pd.DataFrame([{**plain, **one} for one in over])[list(ISSUE_COLUMNS)].astype(dict(ISSUE_COLUMNS))


def reported(*over: dict[str, Any]) -> pd.DataFrame:
    """One line per accepted message with its patient; numbered from 1 unless told otherwise."""
    plain = {
        "patient_key": "CLINIC|P1|MR",
        "authority": "CLINIC",
        "identifier": "P1",
        "last_name": "Pecos",
        "first_name": "Sawyer",
        "middle_name": "",
        "birth_on": "2019-07-25",
        "sex": "F",
        "protection_claim": "N",
    }
    return pd.DataFrame(
        [{"row": row, "control_id": f"C-{row}", **plain, **one} for row, one in enumerate(over, 1)]
    )


def outcomes(*over: dict[str, Any]) -> pd.DataFrame:
    """What became of the accepted messages, in the form of the ledger."""
    plain = {
        "outcome": "created",
        "consent_status": "YES",
        "consent_type": "CHILD",
        "consent_on": "2020-01-01",
        "consent_expires_on": "2037-07-25",
        **{f"doses_{name}": 0 for name in DOSE_OUTCOMES},
        "doses_present": 0,
    }
    return pd.DataFrame([{"row": row, **plain, **one} for row, one in enumerate(over, 1)])
