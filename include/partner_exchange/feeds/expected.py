"""Which answer files a submission gets, decided from what the ledger holds alone (X05).

The feeds write by it, mail and command line name by it, so that nobody names a file that is not there. That
is why the ending of the dropped name says what the fix-it file is: the ledger does not know the content.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from partner_exchange.feeds.base import AnswerKind
from partner_exchange.ledger.columns import ColumnOutcome
from partner_exchange.ledger.states import DOSE_OUTCOMES, Outcome, State
from partner_exchange.ledger.submissions import Submission
from partner_exchange.storage import paths
from partner_exchange.tenants.model import Inbox, Tenant
from partner_exchange.validation.findings import Findings, Severity

REPORT_ENDINGS = ("html", "txt", "csv", "json")
"""Forms of a data quality report, the one for people first (T58)."""

EXTENSION_DIFFERS = "extension-differs"
"""Code of a file whose content is of another kind than its name says."""


def fix_it_ending(file_name: str) -> str:
    """Return ``xlsx`` for the name of a workbook, old or new, and ``csv`` for every other one."""
    return "xlsx" if _ending(file_name) in ("xls", "xlsx") else "csv"


def has_annotated(file_name: str, findings: Findings) -> bool:
    """Say whether a loaded file comes back with marked cells: an XLSX with an error or a warning.

    Infos alone would send every good file back.
    """
    is_xlsx = _ending(file_name) == "xlsx" and all(one.code != EXTENSION_DIFFERS for one in findings.groups)
    return is_xlsx and bool(findings.count(Severity.ERROR) or findings.count(Severity.WARNING))


def has_rejected(submission: Submission, columns: Iterable[ColumnOutcome]) -> bool:
    """Say whether a row or a value of a loaded submission is to be mended."""
    return _is_loaded(submission) and bool(submission.rows_rejected or any(one.rejected for one in columns))


def is_acknowledged(submission: Submission) -> bool:
    """Say whether the messages of a file could be read, so that each of them is acknowledged (T50)."""
    return bool(submission.part_counts.get("acknowledged"))


def was_not_read(submission: Submission) -> bool:
    """Say whether a file was refused before its rows were counted."""
    return submission.outcome is Outcome.REFUSED and not submission.rows_total


def dose_counts(part_counts: Mapping[str, int]) -> dict[str, int]:
    """Return how many doses of a loaded file had which outcome, by its name; {} for a file without (T64).

    :param part_counts: as the ledger keeps them.
    """
    if not part_counts.get("doses_total"):
        return {}
    return {name: part_counts.get(f"doses_{name}", 0) for name in (*DOSE_OUTCOMES, "rejected")}


def places(
    submission: Submission, columns: Iterable[ColumnOutcome], findings: Findings, tenant: Tenant
) -> dict[str, str]:
    """Return where the partner finds each part of the answer in the own home, by what it is called."""
    inbox, name = tenant.inbox, submission.name
    if inbox.is_registry:
        return _registry_places(inbox, submission)
    completed, copy = paths.completed(inbox.folder, name), paths.result_copy(inbox, name)
    found = {"Result file": copy, "The same": completed} if copy else {"Result file": completed}
    if has_rejected(submission, columns):
        ending = fix_it_ending(submission.file_name)
        found["Fix-it file"] = paths.answer_file(inbox, name, AnswerKind.FIX_IT, ending)
    if _is_loaded(submission) and has_annotated(submission.file_name, findings):
        found["Annotated"] = paths.answer_file(inbox, name, AnswerKind.ANNOTATED, "xlsx")
    return {**found, "Original": paths.original(inbox, name)}


def _registry_places(inbox: Inbox, submission: Submission) -> dict[str, str]:
    """Return where a registry's partner finds everything (T28, T29, T31, T50)."""
    name = submission.name
    report, acknowledgements = AnswerKind.REPORT, AnswerKind.ACKNOWLEDGEMENTS
    found = {"Report": paths.answer_file(inbox, name, report, "html")}
    if submission.state is State.FAILED:
        return {"Report": paths.answer_file(inbox, name, report, "txt")}
    for ending in REPORT_ENDINGS[1:]:
        form = "text" if ending == "txt" else ending.upper()
        found[f"The same as {form}"] = paths.answer_file(inbox, name, report, ending)
    if is_acknowledged(submission):
        found["Acknowledgements"] = paths.answer_file(inbox, name, acknowledgements, "hl7")
    if _is_loaded(submission) and submission.rows_accepted:
        found["Consents"] = paths.answer_file(inbox, name, AnswerKind.CONSENTS, "csv")
    return {**found, "Original": paths.original(inbox, name)}


def _is_loaded(submission: Submission) -> bool:
    """A submission that failed after its load gets no files until it is replayed."""
    return submission.loaded_at is not None and submission.state is not State.FAILED


def _ending(file_name: str) -> str:
    stem, _, ending = file_name.rpartition(".")
    return ending.casefold() if stem else ""
