"""The consent notification file: who, which consent, how many doses."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import pytest

from partner_exchange.errors import CountsDoNotReconcile
from partner_exchange.feeds.vxu.notification import COLUMNS, age_groups, notification
from support.vxu_answers import a_clinic, a_loaded_submission, outcomes, reported


def rows(patients: pd.DataFrame, done: pd.DataFrame, **policy: Any) -> list[dict[str, str]]:
    """The file as a program reads it."""
    content = notification(patients, done, tenant=a_clinic(**policy), submission=a_loaded_submission())
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_T61_one_row_tells_patient_and_consent() -> None:
    (row,) = rows(
        reported({"middle_name": "K"}),
        outcomes({"doses_stored": 2, "doses_unchanged": 1, "doses_present": 3}),
    )

    assert row == {
        "ImportCode": "AAA-SSL",
        "SourceFile": "AAA-SSL26325.hl7",
        "MessageControlId": "C-1",
        "PatientId": "P1",
        "AssigningAuthority": "CLINIC",
        "LastName": "Pecos",
        "FirstName": "Sawyer",
        "MiddleName": "K",
        "BirthDate": "20190725",
        "Sex": "F",
        "AgeGroup": "MINOR",
        "ConsentStatus": "YES",
        "ConsentType": "CHILD",
        "ConsentDate": "20200101",
        "ConsentExpires": "20370725",
        "ReportedIndicator": "N",
        "DosesReported": "3",
        "DosesStored": "3",
        "NotifiedAt": "2026-11-21T07:47:12Z",
    }


def test_T61_messages_about_one_patient_make_one_row_with_the_first_control_id() -> None:
    patients = reported(
        {"row": 2},
        {"row": 3, "patient_key": "CLINIC|P2|MR", "identifier": "P2"},
        {"row": 5, "first_name": "Sam"},
    )
    patients["control_id"] = ["B", "C", "E"]
    done = outcomes({"row": 2, "doses_stored": 1}, {"row": 3}, {"row": 5, "doses_stored": 2})

    found = rows(patients.sample(frac=1, random_state=1), done.iloc[::-1])

    assert [(row["MessageControlId"], row["PatientId"], row["DosesReported"]) for row in found] == [
        ("B", "P1", "3"),
        ("C", "P2", "0"),
    ]
    assert found[0]["FirstName"] == "Sawyer"


@pytest.mark.parametrize("status", ["NO", "PENDING", "NOT_FOUND"])
def test_T62_without_consent_no_dose_is_stored(status: str) -> None:
    done = outcomes(
        {
            "consent_status": status,
            "consent_type": "",
            "consent_on": "",
            "consent_expires_on": "",
            "doses_held": 2,
            "doses_unchanged": 1,
        }
    )

    (row,) = rows(reported({}), done)

    assert (row["ConsentStatus"], row["ConsentType"], row["ConsentDate"], row["ConsentExpires"]) == (
        status,
        "",
        "",
        "",
    )
    assert (row["DosesReported"], row["DosesStored"]) == ("3", "0")


def test_T62_a_tenant_without_opt_in_stores_whatever_the_consent() -> None:
    done = outcomes({"consent_status": "NOT_FOUND", "doses_stored": 2, "doses_present": 2})

    (row,) = rows(reported({}), done, consent="not_required")

    assert (row["ConsentStatus"], row["DosesStored"]) == ("NOT_FOUND", "2")


def test_T61_refusals_and_deletions_are_reported_not_stored() -> None:
    done = {"doses_stored": 1, "doses_refused": 1, "doses_deleted": 1, "doses_present": 1}
    (row,) = rows(reported({}), outcomes(done))

    assert (row["DosesReported"], row["DosesStored"]) == ("3", "1")


@pytest.mark.parametrize(
    ("born_on", "today", "expected"),
    [
        ("2008-11-22", "2026-11-21", "MINOR"),
        ("2008-11-21", "2026-11-21", "ADULT"),
        ("2008-02-29", "2026-02-28", "MINOR"),
        ("2008-02-29", "2026-03-01", "ADULT"),
        ("1910-01-01", "2026-03-01", "ADULT"),
        ("2026-03-01", "2026-03-01", "MINOR"),
        ("", "2026-03-01", ""),
    ],
)
def test_T61_minors_grow_up_on_their_birthday(born_on: str, today: str, expected: str) -> None:
    born = pd.Series([born_on], dtype="str")
    assert age_groups(born, date.fromisoformat(today), adult_age_y=18) == [expected]


def test_T61_the_day_that_counts_is_the_tenants() -> None:
    """At 3:00 UTC it is still the evening before in Texas."""
    submission = a_loaded_submission(loaded_at=datetime(2026, 11, 21, 3, tzinfo=UTC))
    patients = reported({"birth_on": "2008-11-21"})

    in_texas = notification(patients, outcomes({}), tenant=a_clinic(), submission=submission)
    in_greenwich = notification(
        patients,
        outcomes({}),
        tenant=a_clinic().model_copy(update={"time_zone": "UTC"}),
        submission=submission,
    )

    assert b",MINOR," in in_texas
    assert b",ADULT," in in_greenwich


def test_T61_the_age_of_adults_is_policy() -> None:
    (row,) = rows(reported({"birth_on": "2006-01-01"}), outcomes({}), adult_age_y=21)

    assert row["AgeGroup"] == "MINOR"


def test_K16_lines_end_as_the_policy_says() -> None:
    crlf, lf = (
        notification(
            reported({}), outcomes({}), tenant=a_clinic(newline=newline), submission=a_loaded_submission()
        )
        for newline in ("crlf", "lf")
    )

    assert crlf.count(b"\r\n") == 2
    assert crlf.replace(b"\r\n", b"\n") == lf


def test_T61_no_cell_is_a_formula_and_quotes_survive() -> None:
    patients = reported(
        {"last_name": "=1+1", "first_name": 'Ann, "Lee"', "authority": "A", "identifier": "+5|6"}
    )

    (row,) = rows(patients, outcomes({}))

    assert (row["LastName"], row["FirstName"]) == ("'=1+1", 'Ann, "Lee"')
    assert (row["AssigningAuthority"], row["PatientId"]) == ("A", "'+5|6")


def test_T61_an_identifier_without_authority_stays_whole() -> None:
    (row,) = rows(reported({"authority": "", "identifier": "P9"}), outcomes({}))

    assert (row["AssigningAuthority"], row["PatientId"]) == ("", "P9")


def test_T61_without_accepted_messages_only_titles_remain() -> None:
    content = notification(
        reported({}).head(0), outcomes({}).head(0), tenant=a_clinic(), submission=a_loaded_submission()
    )

    assert content.decode() == ",".join(COLUMNS) + "\r\n"


@pytest.mark.parametrize(
    ("patients", "done"),
    [
        (reported({}, {}), outcomes({})),
        (reported({}), outcomes({}, {})),
        (reported({"row": 1}, {"row": 1}), outcomes({})),
        (reported({"row": 1}), outcomes({"row": 2})),
    ],
)
def test_X04_every_message_is_told_once(patients: pd.DataFrame, done: pd.DataFrame) -> None:
    with pytest.raises(CountsDoNotReconcile):
        rows(patients, done)


def test_T61_nothing_is_told_before_the_load() -> None:
    with pytest.raises(ValueError, match="loaded"):
        notification(
            reported({}),
            outcomes({}),
            tenant=a_clinic(),
            submission=replace(a_loaded_submission(), loaded_at=None),
        )
