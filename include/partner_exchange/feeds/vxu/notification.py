"""The consent notification file: each reported patient with the consent that the registry knows (T31, T61).

The layout of the state's own file is not public; ours tells who the patient is, as the partner sent it, and
two numbers of doses: no dose, no address, no telephone number. Called by the feed's answers, for the messages
that were accepted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from partner_exchange.errors import CountsDoNotReconcile
from partner_exchange.ledger.states import DOSE_OUTCOMES
from partner_exchange.ledger.submissions import Submission
from partner_exchange.readers.cells import as_cells, csv_text
from partner_exchange.stores.consent_registry import birthdays
from partner_exchange.tenants.model import Tenant

COLUMNS = (
    "ImportCode",
    "SourceFile",
    "MessageControlId",
    "PatientId",
    "AssigningAuthority",
    "LastName",
    "FirstName",
    "MiddleName",
    "BirthDate",
    "Sex",
    "AgeGroup",
    "ConsentStatus",
    "ConsentType",
    "ConsentDate",
    "ConsentExpires",
    "ReportedIndicator",
    "DosesReported",
    "DosesStored",
    "NotifiedAt",
)
"""Titles of the file, in its first line."""

_TEXTS: Mapping[str, str] = {
    "MessageControlId": "control_id",
    "PatientId": "identifier",
    "AssigningAuthority": "authority",
    "LastName": "last_name",
    "FirstName": "first_name",
    "MiddleName": "middle_name",
    "Sex": "sex",
    "ConsentStatus": "consent_status",
    "ConsentType": "consent_type",
    "ReportedIndicator": "protection_claim",
}
_DAYS: Mapping[str, str] = {
    "BirthDate": "birth_on",
    "ConsentDate": "consent_on",
    "ConsentExpires": "consent_expires_on",
}
_DOSE_COUNTS = tuple(f"doses_{name}" for name in DOSE_OUTCOMES)


def notification(
    patients: pd.DataFrame, outcomes: pd.DataFrame, *, tenant: Tenant, submission: Submission
) -> bytes:
    """Return the file: UTF-8 CSV, CRLF or LF by policy, one row per patient in the order of the messages.

    Of several messages about one patient the first one says who it is and what the consent is; the doses of
    all are summed up. ``DosesReported`` counts the doses that were not rejected, refusals and deletions among
    them. ``DosesStored`` counts those that the store has now, newly or already, each once and no refusal.

    :param patients: of each accepted message ``row`` int64 and the texts ``patient_key``, ``authority`` and
        ``identifier`` (of the identifier that the patient is known by), ``control_id``,
        ``last_name``, ``first_name``, ``middle_name``, ``birth_on`` (yyyy-mm-dd), ``sex`` and
        ``protection_claim``.
    :param outcomes: of each accepted message what ``ledger.messages.outcomes`` returns.
    :param submission: loaded; the age of a patient counts on that day in the tenant's zone.
    :raises CountsDoNotReconcile: a message or a dose is missing on either side, or told twice (X04).
    :raises ValueError: the submission is not loaded.
    """
    if submission.loaded_at is None:
        raise ValueError("consents are told of a loaded submission")
    end = "\r\n" if tenant.policy.newline == "crlf" else "\n"
    told = _by_patient(patients, outcomes)
    _require_equal("doses", int(outcomes[list(_DOSE_COUNTS)].to_numpy().sum()), int(told["reported"].sum()))
    columns = _columns(told, tenant=tenant, submission=submission, loaded_at=submission.loaded_at)
    body = csv_text([as_cells(columns[title]) for title in COLUMNS], newline=end)
    return (",".join(COLUMNS) + end).encode() + body


def _by_patient(patients: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return the first message of each patient with what became of it, and the doses of all the patient's."""
    joined = patients.merge(outcomes, on="row", how="inner", suffixes=("", "_outcome")).sort_values("row")
    for given in (patients, outcomes):
        _require_equal("messages", len(given), len(joined))
    joined["reported"] = joined[list(_DOSE_COUNTS)].sum(axis="columns")
    sums = joined.groupby("patient_key", sort=False)[["reported", "doses_present"]].sum()
    firsts = joined.drop_duplicates("patient_key").drop(columns=["reported", "doses_present"])
    return firsts.merge(sums, left_on="patient_key", right_index=True)


def _columns(
    told: pd.DataFrame, *, tenant: Tenant, submission: Submission, loaded_at: datetime
) -> Mapping[str, list[str]]:
    today = loaded_at.astimezone(ZoneInfo(tenant.time_zone)).date()
    at = loaded_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "ImportCode": [tenant.import_code] * len(told),
        "SourceFile": [submission.file_name] * len(told),
        "AgeGroup": age_groups(told["birth_on"], today, adult_age_y=tenant.vxu.adult_age_y),
        "DosesReported": [str(count) for count in told["reported"]],
        "DosesStored": [str(count) for count in told["doses_present"]],
        "NotifiedAt": [at] * len(told),
        **{title: told[name].tolist() for title, name in _TEXTS.items()},
        **{title: [day.replace("-", "") for day in told[name]] for title, name in _DAYS.items()},
    }


def age_groups(born_on: pd.Series[str], today: date, *, adult_age_y: int) -> list[str]:
    """Return MINOR or ADULT for each day of birth (yyyy-mm-dd), "" when it is not known.

    Who is born on February 29 grows up on March 1 of a year without that day, as consents have it.
    """
    grown_up_on = birthdays(born_on, adult_age_y)
    groups = np.where(grown_up_on <= np.datetime64(today, "D"), "ADULT", "MINOR")
    told: list[str] = np.where(np.isnat(grown_up_on), "", groups).tolist()
    return told


def _require_equal(what: str, given: int, told: int) -> None:
    if given != told:
        raise CountsDoNotReconcile(
            "counts-do-not-reconcile",
            f"Of {given} {what} the consent notification tells {told}; the file was not written. "
            "This is a fault of the exchange, not of the file.",
            given=given,
            told=told,
        )
