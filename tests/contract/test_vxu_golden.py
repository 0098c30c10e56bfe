"""Acknowledgements and consents of one batch, byte by byte, against files that were reviewed by eye.

After a wanted change, write them anew with ``UPDATE_GOLDEN=1`` and read what git shows.
"""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import hl7
import pytest

from partner_exchange.feeds.base import Examination, ExamineContext
from partner_exchange.feeds.registry import get_feed
from partner_exchange.feeds.vxu.acknowledge import acknowledgements
from partner_exchange.feeds.vxu.notification import COLUMNS, notification
from support.batches import batch, dose, file_name, historical, message, refusal
from support.vxu_answers import a_clinic, a_loaded_submission, outcomes

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parent / "golden"
NOW = datetime(2026, 11, 21, 7, 47, 12, tzinfo=UTC)
TODAY = date(2026, 11, 21)


def _messages() -> tuple[str, ...]:
    """Good ones, one defect each, and two that are no VXU of this version."""
    vaccine_unknown = [line.replace("|94^", "|ZZZ^") for line in dose("D9")]
    no_vaccine_date = dose("D10", on="")
    route_unknown = [line.replace("C38299^", "C99999^") for line in dose("D11")]
    return (
        message("GOOD-1", dose("D1"), historical("D2", on="20200820")),
        message("GOOD-2", refusal(), patient="P2", name="Doe^Ann^^^^^L", born="20080229"),
        message("GOOD-1-AGAIN", dose("D3", on="20261119", cvx="03"), name="Pecos^Sam^^^^^L"),
        message("NO-SUCH-VACCINE", vaccine_unknown, dose("D8", on="20261119"), patient="P3"),
        message("NO-DATE", no_vaccine_date, patient="P4"),
        message("ROUTE", route_unknown, patient="P5", born="19800101"),
        message("BORN-TOMORROW", dose("D4"), patient="P6", born="20261201"),
        message("NO-NAME", dose("D5"), patient="P7", name=""),
        message("OLD-VERSION", dose("D6"), version="2.3.1"),
        message("ADMISSION", kind="ADT^A04^ADT_A01"),
        message("QUERY", kind="QBP^Q11^QBP_Q11"),
        message("GOOD-1", dose("D7"), patient="P8"),
        message(r"ODD\T\ID Zo\XC3AB\ ", dose("D12"), patient="P9", processing="X"),
    )


def _examined() -> Examination:
    context = ExamineContext(tenant=a_clinic(), file_name=file_name(TODAY), today=TODAY, arrived_at=NOW)
    return get_feed("vxu").examine(batch(*_messages()), context)


def _equals_golden(content: bytes, name: str) -> None:
    """Git keeps the files with plain line ends, one segment or row per line."""
    golden = GOLDEN / name
    shown = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_bytes(shown)
    assert shown.decode() == golden.read_bytes().decode()


def test_T50_acknowledgements_of_a_batch() -> None:
    found = _examined()

    content = acknowledgements(
        found.tables["messages"],
        found.tables["issues"],
        tenant=a_clinic(),
        submission=a_loaded_submission(),
    )

    _equals_golden(content, "ack/batch.ack.hl7")
    parsed = hl7.parse_file(content.decode())
    (only,) = parsed
    assert [str(message.segment("MSA")[2]) for message in only] == [
        str(one) for one in found.tables["messages"]["MSH-10"].map(_as_sent)
    ]


def _as_sent(control_id: str) -> str:
    return control_id.replace("&", r"\T\ ".strip())


def test_T61_consents_of_a_batch() -> None:
    found = _examined()
    accepted = found.tables["reported"]
    nothing = {"consent_status": "NOT_FOUND", "consent_type": "", "consent_on": "", "consent_expires_on": ""}
    known: dict[str, dict[str, Any]] = {
        "GOOD-1": {"doses_stored": 2, "doses_present": 2},
        "GOOD-2": {**nothing, "consent_status": "NO", "consent_type": "CHILD", "doses_held": 1},
        "GOOD-1-AGAIN": {"doses_stored": 1, "doses_present": 1},
        "ROUTE": {**nothing, "consent_status": "PENDING", "doses_held": 1},
    }
    done = outcomes(
        *(
            {"row": row, **known.get(control_id, {**nothing, "doses_held": 1})}
            for row, control_id in zip(accepted["row"], accepted["control_id"], strict=True)
        )
    )

    content = notification(accepted, done, tenant=a_clinic(), submission=a_loaded_submission())

    assert content.startswith(",".join(COLUMNS).encode())
    _equals_golden(content, "cnf/batch.cnf.csv")
