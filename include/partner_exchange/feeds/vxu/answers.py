"""The answer to an immunization file: report, acknowledgements, consents; all made from the ledger and what
the checks left, so that they say the same (X05).
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from sqlalchemy import Connection

from partner_exchange.feeds.base import AnswerFile, AnswerKind, AnswerMaterial
from partner_exchange.feeds.expected import is_acknowledged
from partner_exchange.feeds.vxu import report
from partner_exchange.feeds.vxu.acknowledge import acknowledgements
from partner_exchange.feeds.vxu.notification import notification
from partner_exchange.feeds.vxu.places import from_findings
from partner_exchange.feeds.vxu.report.trend import FILES_SHOWN
from partner_exchange.feeds.vxu.tables import ISSUE_COLUMNS, TALLY_COLUMNS, empty
from partner_exchange.ledger import messages
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.states import Outcome, State
from partner_exchange.ledger.submissions import Submission
from partner_exchange.validation.codes import vxu_store

_STORE_CODES = tuple(entry.code for entry in vxu_store.ENTRIES)


def answer_files(material: AnswerMaterial) -> Sequence[AnswerFile]:
    """Return all files of the answer; of a failed submission only the text that says so."""
    with transaction() as connection:
        submission = ledger.get(connection, material.submission_id)
    if submission.state is State.FAILED:
        content = report.failure_text(submission, tenant=material.tenant)
        return [AnswerFile(AnswerKind.REPORT, "txt", content)]
    issues = _issues(material, submission)
    files = _reports(material, submission, issues)
    if is_acknowledged(submission):
        content = acknowledgements(
            material.tables("messages"), issues, tenant=material.tenant, submission=submission
        )
        files.append(AnswerFile(AnswerKind.ACKNOWLEDGEMENTS, "hl7", content))
    if submission.loaded_at is not None and submission.rows_accepted:
        files.append(_consents(material, submission))
    return files


def _issues(material: AnswerMaterial, submission: Submission) -> pd.DataFrame:
    """Return every finding about a message: those of the checks, then those of the store."""
    if not is_acknowledged(submission):
        return empty(ISSUE_COLUMNS)
    of_store = from_findings(material.findings.table, _STORE_CODES, material.tables("doses"))
    return pd.concat([material.tables("issues"), of_store], ignore_index=True)


def _reports(material: AnswerMaterial, submission: Submission, issues: pd.DataFrame) -> list[AnswerFile]:
    """Return the four forms of the report, of which the ledger keeps one for good (T58)."""
    is_judged = is_acknowledged(submission) and submission.outcome is not Outcome.REFUSED
    with transaction() as connection:
        made = report.build(
            submission=submission,
            tenant=material.tenant,
            findings=material.findings,
            tally=material.tables("tally") if is_judged else empty(TALLY_COLUMNS),
            earlier=messages.reports_before(connection, submission, limit=FILES_SHOWN),
            patients_held=_patients_held(connection, material, submission),
        )
        kept = messages.record_report(connection, submission, score=made.score, document=made.as_json())
    document = report.Document.of(kept.document)
    contents = {
        "html": report.html(document),
        "txt": report.text(document),
        "csv": report.issues_csv(document, issues, newline=material.tenant.policy.newline),
        "json": report.json_bytes(document),
    }
    return [AnswerFile(AnswerKind.REPORT, ending, content) for ending, content in contents.items()]


def _patients_held(connection: Connection, material: AnswerMaterial, submission: Submission) -> int:
    """Return of how many different patients a dose is held."""
    if submission.loaded_at is None or not submission.part_counts.get("doses_held"):
        return 0
    outcomes = messages.outcomes(connection, submission.submission_id)
    rows = outcomes.loc[outcomes["doses_held"] > 0, "row"]
    reported = material.tables("reported")
    return int(reported.loc[reported["row"].isin(rows), "patient_key"].nunique())


def _consents(material: AnswerMaterial, submission: Submission) -> AnswerFile:
    with transaction() as connection:
        outcomes = messages.outcomes(connection, submission.submission_id)
    content = notification(
        material.tables("reported"), outcomes, tenant=material.tenant, submission=submission
    )
    return AnswerFile(AnswerKind.CONSENTS, "csv", content)
