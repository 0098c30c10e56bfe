"""Data quality reports, byte by byte, against files that were reviewed by eye (T58, T59).

After a wanted change, write them anew with ``UPDATE_GOLDEN=1`` and read what git shows; look at the pages in
a browser.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from partner_exchange.feeds.base import ExamineContext
from partner_exchange.feeds.registry import get_feed
from partner_exchange.feeds.vxu import report
from partner_exchange.feeds.vxu.report import Document
from partner_exchange.feeds.vxu.tables import ISSUE_COLUMNS, empty
from partner_exchange.ledger.states import State
from partner_exchange.local.vxu_maker import make_batch
from support.quality import TYPICAL, Case, a_refused, a_report, earlier, the_clinic, the_submission

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parent / "golden" / "dqa"
AT = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)

_DOCUMENTS: dict[str, Callable[[], Document]] = {
    "typical": lambda: a_report(
        TYPICAL, earlier=earlier(71.2, 74.9, 80.3, 79.1, 83.4, 82.2), patients_held=44
    ),
    "clean-test-mode": lambda: a_report(Case(lags={}), tenant=the_clinic(mode="test")),
    "refused": lambda: a_refused("hl7-name-in-future", example="AAA-SSL26325.hl7"),
}
_FORMS: dict[str, Callable[[Document], bytes]] = {
    "html": report.html,
    "txt": report.text,
    "json": report.json_bytes,
    "csv": lambda document: report.issues_csv(document, empty(ISSUE_COLUMNS), "lf"),
}


def _pinned(document: Document) -> Document:
    """A code that CDC adds changes no report but for this."""
    return replace(document, head=replace(document.head, code_sets_version="0123456789ab"))


def _equals_golden(content: bytes, name: str) -> None:
    golden = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_bytes(content)
    assert content.decode() == golden.read_bytes().decode()


@pytest.mark.parametrize("form", _FORMS)
@pytest.mark.parametrize("name", _DOCUMENTS)
def test_T58_reports_are_those_that_were_reviewed(name: str, form: str) -> None:
    document = _pinned(_DOCUMENTS[name]())

    _equals_golden(_FORMS[form](document), f"{name}.{form}")


def test_T58_the_report_of_a_failure_is_the_one_that_was_reviewed() -> None:
    submission = the_submission(Case(), state=State.FAILED)

    _equals_golden(report.failure_text(submission, tenant=the_clinic()), "failed.txt")


def test_T58_a_batch_through_the_real_checks_gives_the_report_that_was_reviewed() -> None:
    clinic = the_clinic()
    made = make_batch(messages=60, seed=26, import_code=clinic.import_code, at=AT, faulty=20)
    context = ExamineContext(clinic, "AAA-SSL26325.hl7", date(2026, 11, 21), AT)
    found = get_feed("vxu").examine(made.content, context)
    doses = found.part_counts["doses_total"] - found.part_counts["doses_rejected"]
    submission = the_submission(
        Case(),
        rows_total=found.rows_total,
        rows_accepted=found.rows_accepted,
        rows_rejected=found.rows_rejected,
        rows_created=found.rows_accepted,
        rows_updated=0,
        part_counts={**found.part_counts, "doses_stored": doses},
    )

    document = report.build(
        submission=submission,
        tenant=clinic,
        findings=found.findings,
        tally=found.tables["tally"],
        earlier=earlier(93.5),
    )

    _equals_golden(report.text(_pinned(document)), "batch.txt")
    _equals_golden(report.issues_csv(document, found.tables["issues"], "lf"), "batch.csv")
