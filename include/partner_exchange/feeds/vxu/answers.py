"""The answer to an immunization file: report, acknowledgements, consents; all made from the ledger and what
the checks left, so that they say the same (X05).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

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
    loaded = _loaded(material, submission)
    files = _reports(material, submission, issues, loaded)
    if is_acknowledged(submission):
        content = acknowledgements(
            material.tables("messages"), issues, tenant=material.tenant, submission=submission
        )
        files.append(AnswerFile(AnswerKind.ACKNOWLEDGEMENTS, "hl7", content))
    if loaded is not None:
        content = notification(
            loaded.reported, loaded.outcomes, tenant=material.tenant, submission=submission
        )
        files.append(AnswerFile(AnswerKind.CONSENTS, "csv", content))
    return files


@dataclass(frozen=True)
class _Loaded:
    """What became of the accepted messages of a file."""

    reported: pd.DataFrame
    """Who the patients are."""
    outcomes: pd.DataFrame
    """As ``ledger.messages.outcomes`` returns them."""

    @property
    def patients_held(self) -> int:
        """Return of how many different patients a dose is held."""
        rows = self.outcomes.loc[self.outcomes["doses_held"] > 0, "row"]
        return int(self.reported.loc[self.reported["row"].isin(rows), "patient_key"].nunique())


def _loaded(material: AnswerMaterial, submission: Submission) -> _Loaded | None:
    """Return what was loaded, None where nothing was accepted or the file was refused."""
    if submission.loaded_at is None or not submission.rows_accepted:
        return None
    with transaction() as connection:
        outcomes = messages.outcomes(connection, submission.submission_id)
    return _Loaded(material.tables("reported"), outcomes)


def _issues(material: AnswerMaterial, submission: Submission) -> pd.DataFrame:
    """Return every finding about a message: those of the checks, then those of the store."""
    if not is_acknowledged(submission):
        return empty(ISSUE_COLUMNS)
    of_store = from_findings(material.findings.table, _STORE_CODES, material.tables("doses"))
    return pd.concat([material.tables("issues"), of_store], ignore_index=True)


def _reports(
    material: AnswerMaterial, submission: Submission, issues: pd.DataFrame, loaded: _Loaded | None
) -> list[AnswerFile]:
    """Return the four forms of the report, of which the ledger keeps one for good (T58)."""
    is_judged = is_acknowledged(submission) and submission.outcome is not Outcome.REFUSED
    with transaction() as connection:
        made = report.build(
            submission=submission,
            tenant=material.tenant,
            findings=material.findings,
            tally=material.tables("tally") if is_judged else empty(TALLY_COLUMNS),
            earlier=messages.reports_before(connection, submission, limit=FILES_SHOWN),
            patients_held=loaded.patients_held if loaded is not None else 0,
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
