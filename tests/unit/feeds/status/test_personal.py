"""Personal data is found where none belongs, and ordinary comments of hospitals pass (E08)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest

from partner_exchange.feeds.status.personal import (
    found_facts,
    personal_data,
    without_personal_titles,
)
from partner_exchange.feeds.status.recognise import Recognised, recognise
from partner_exchange.feeds.status.words import GIVEN_NAMES, ORDINARY_WORDS
from partner_exchange.readers.grid import column_title
from partner_exchange.readers.marks import Mark, Refusal
from partner_exchange.validation.catalogue import CATALOGUE
from partner_exchange.validation.wording import refusal_findings, word
from support.grids import a_grid, a_grid_of, a_status_tenant, cells, said

ARRIVED = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
CATALOGUE_OF_TYPES = a_status_tenant().status.catalogue


def found(columns: dict[str, Sequence[str]], **over: object) -> list[Mark]:
    grid, in_titles = without_personal_titles(a_grid(columns, **over), CATALOGUE_OF_TYPES, arrived_at=ARRIVED)
    recognised = recognise(grid, CATALOGUE_OF_TYPES)
    assert isinstance(recognised, Recognised), recognised
    marks = [*in_titles, *personal_data(grid, recognised, arrived_at=ARRIVED)]
    word(marks, columns=[column_title(header, at) for at, header in enumerate(grid.header)], cap=1000)
    return marks


def in_comment(text: str) -> set[str]:
    columns = {"Resource ID": ["1"], "ED Status": ["Open"], "ED Status Comment": [text]}
    return {mark.code for mark in found(columns)}


ORDINARY = """
Generator test on 11/03/2026
Call Dr. Lee
ED full, St. Mary, Room 4
Boarding 12 patients
Patient Transfer Center open
Patient Volume High
Patient surge expected 11/22/2026
Patient in Room 4 moved to ICU
Patients: Adult 12, Peds 3
8 patients per RN
patient Elevator out of order
3 ICU patients Boarding
1 pt. Call house supervisor
Waiting on PT, RT
PT department closed
PT Staffing short
MRN system down since 1400
Medical records down
medical record 2000 charts behind
DOB field missing in ADT feed
SSN feed down
Newborn nursery full
Twins born today
Staffing, Equipment
Saturation, Staffing
Boiler, Chiller
CLOSED, STAFFING
Open, Closed
Main, East
RN, Charge
Austin, Texas
AUSTIN, TX
Mercy General, Building 2
Contact: Dr. Smith, ext 4455
Call 512-555-0134 or 1-800-123-4567
ZIP 78701-1234
PO 123-456-7890
Serial 123456789
12-345-6789
000-12-3456
666-12-3456
912-12-3456
123-00-4567
123-45-0000
Survey 05/2019
ETA 2026-12-01 16:30
since 12/01/2024
9 of 10 beds, 3/4 staffed
Unit 2019-1/2
Masks, Gowns
Scrubs, Gowns
Epic, Cerner
Springfield, Peoria
Chicago, IL
Tyler, TX
Saint Mary, Saint Joseph
Patient Lifts down
Patient Hoyer down since 0800
Patient Garage full
Patient Escort down
Patient Ventilation issue
Patient Vocera offline
Pt Smith Pavilion full
Pt Smith pavilion full
Patient name: do not enter
Patient Name: leave blank
Chart # 4012 rev 2
"""

PERSONAL = {
    "SSN 123-45-6789": "ssn",
    "123-45-6789": "ssn",
    "123 45 6789": "ssn",
    "see 123\u201345\u20136789.": "ssn",
    "ssn: 123456789": "ssn",
    "Social Security no. 123456789": "ssn",
    "123456789 (SSN)": "ssn",
    "DOB 03/04/1985": "birth-date",
    "dob:3-4-85": "birth-date",
    "born 3/4/85": "birth-date",
    "Date of birth: March 4, 1985": "birth-date",
    "d.o.b. 4 Mar 1985": "birth-date",
    "DOB 2025-03-04": "birth-date",
    "seen 1985-03-04": "birth-date",
    "03/04/1985": "birth-date",
    "MRN 0012345": "record-number",
    "MRN#: A123456": "record-number",
    "mrn is 123456": "record-number",
    "medical record number 123456": "record-number",
    "chart # 45678": "record-number",
    "patient id 12345": "record-number",
    "Patient Smith moved to ICU": "name",
    "pt Jones coded": "name",
    "pt. Williams died": "name",
    "Patient: Maria Garcia": "name",
    "patient Mrs. Lopez waits": "name",
    "Patient name: john smith": "name",
    "Smith, John": "name",
    "Smith, John A.": "name",
    "SMITH, JOHN": "name",
    "O'Brien, Mary Ann": "name",
    "García, José": "name",
    "Kowalczyk, Anna": "name",
    "KOWALCZYK, ANNA": "name",
    "Nguyen, Thi": "name",
    "James, Lebronne": "name",
    "Zbyszko, Wladek J.": "name",
    "Zbyszko Jr., Wladek": "name",
    "Patient Smith down in ICU": "name",
    "Patient Jones, bed 4 down": "name",
    "Patient name is Kowalczyk": "name",
    "chart # 4012": "record-number",
    "chart no 4012, room 5": "record-number",
}


@pytest.mark.parametrize("text", ORDINARY.strip().splitlines())
def test_E08_ordinary_comments_of_a_hospital_pass(text: str) -> None:
    assert in_comment(text) == set()


@pytest.mark.parametrize(("text", "kind"), PERSONAL.items())
def test_E08_personal_data_in_a_comment_is_found(text: str, kind: str) -> None:
    assert in_comment(text) == {f"personal-{kind}"}


@pytest.mark.parametrize(
    "header",
    [
        "Patient Name", "PatientName", "patient_id", "Pt. Initials", "First Name", "LAST_NAME", "LastName",
        "Surname", "MRN", "Medical Record Number", "SSN", "Social Security #", "DOB",
        "Medical Record", "Medical Record #", "Medical Records No", "Chart #", "D.O.B.",
        "Date of Birth", "BirthDate", "Birth Date", "Home Address", "Patient Phone", "Patient's Phone",
        "Next of kin",
    ],
)  # fmt: skip
def test_E08_a_header_that_announces_personal_data_is_found(header: str) -> None:
    columns = {"Resource ID": ["1"], "ED Status": ["Open"], header: [""]}

    assert said(found(columns)) == {(0, header, "personal-data-header")}


@pytest.mark.parametrize(
    "header",
    ["ED Patients", "Patients", "Inpatient Id", "Facility Name", "Address", "Phone", "Unit Name",
     "Number of patients", "Patient Days", "Hospital", "Mother Baby Beds", "Birthing Rooms", "Dobson Wing",
     "Admissions", "Medical Records", "Medical Records Phone", "Medical Records Status",
     "Medical Record System", "Chart Room"],
)  # fmt: skip
def test_E08_other_headers_pass(header: str) -> None:
    assert found({"Resource ID": ["1"], "ED Status": ["Open"], header: [""]}) == []


def test_E08_text_is_looked_at_wherever_it_can_stand_and_rows_are_named() -> None:
    ssn, clean = "SSN 123-45-6789", "fine"
    marks = found(
        {
            "Resource ID": ["1", "2", "3"],
            "ED Status": ["Open"] * 3,
            "ED Status Comment": [clean, ssn, ssn],
            "ED Status Reason": [ssn, clean, clean],
            "Bed Availability Comment": [clean, clean, ssn],
            "Whatever": [clean, ssn, clean],
            "": [clean, clean, ssn],
        }
    )

    assert said(marks) == {
        (3, "ED Status Comment", "personal-ssn"),
        (4, "ED Status Comment", "personal-ssn"),
        (2, "ED Status Reason", "personal-ssn"),
        (4, "Bed Availability Comment", "personal-ssn"),
        (3, "Whatever", "personal-ssn"),
        (4, "column 7", "personal-ssn"),
    }


def test_E08_names_and_dates_may_stand_where_they_belong() -> None:
    columns = {"Resource ID": ["1"], "Resource Name": ["Mercy, Anna"], "Last Generator Test": ["01/01/2001"]}

    assert found({**columns, "NEDOCS": ["1"]}) == []


@pytest.mark.parametrize(
    ("header", "text", "kind"),
    [
        ("Resource ID", "219-09-9999", "ssn"),
        ("Resource ID", "MRN 1234567", "record-number"),
        ("Resource Name", "Doe, John SSN 219-09-9999", "ssn"),
        ("ED Status", "SSN 219-09-9999", "ssn"),
        ("ED Status", "DOB 01/02/1950", "birth-date"),
        ("NEDOCS", "219-09-9999", "ssn"),
        ("Last Generator Test", "DOB 01/02/1950", "birth-date"),
    ],
)
def test_E08_numbers_of_persons_are_found_in_every_column(header: str, text: str, kind: str) -> None:
    columns = {"Resource ID": ["1"], "ED Status": ["Open"], header: [text]}

    assert said(found(columns)) == {(2, header, f"personal-{kind}")}


@pytest.mark.parametrize(
    ("name", "beside", "value", "is_found"),
    [
        ("Patient", "Room", "John Smith", True),
        ("Patient", "Room", "smith", True),
        ("Patient", "Room", "12", False),
        ("Patient", "Room", "Adult", False),
        ("Name", "Age", "John Smith", True),
        ("Name", "Sex", "John Smith", True),
        ("Full Name", "Gender", "John Smith", True),
        ("Name", "DOB", "Mary-Ann O'Brien", True),
        ("Name", "MRN", "smith", True),
        ("Name", "Age", "Mercy General Hospital", False),
        ("Name", "Phone", "St. John", False),
        ("Name", "Telephone", "Mercy", False),
        ("Name", "Mobile", "Baptist", False),
        ("Name", "Beds", "John Smith", False),
        ("Resident", "Room", "John Smith", True),
        ("Client", "Room", "Zbyszko, Wladek", True),
        ("Client", "Room", "Baptist", False),
        ("Client", "Room", "Mercy General", False),
        ("City", "Room", "Chicago, IL", False),
        ("Location", "Room", "Peoria, IL", False),
        ("Location", "Room", "Springfield, Peoria", False),
    ],
)
def test_E08_names_are_found_below_a_header_that_speaks_of_persons(
    name: str, beside: str, value: str, is_found: bool
) -> None:
    marks = found({"Resource ID": ["1"], "ED Status": ["Open"], name: [value], beside: ["7"]})

    about_names = {mark for mark in said(marks) if mark[2] != "personal-data-header"}
    assert about_names == ({(2, name, "personal-name")} if is_found else set())


@pytest.mark.parametrize(
    ("header", "is_found"),
    [
        ("Last Survey", False), ("Tested on", False), ("Fire Inspection", False), ("Last Update", False),
        ("Go-Live Date", False), ("Date Opened", False), ("Contract Start", False), ("Last Modified", False),
        ("Change Date", False), ("Commissioned", False), ("Renewed", False), ("Unopened", True),
        ("Admit Date", True), ("Report Date", False),
        ("License Expires", False), ("Expiration", False), ("Due", False),
        ("Date", True), ("Whatever", True), ("Attested", True),
    ],
)  # fmt: skip
def test_E08_an_old_date_is_no_birth_where_the_header_says_what_it_is(header: str, is_found: bool) -> None:
    columns = {"Resource ID": ["1"] * 2, "ED Status": ["Open"] * 2, header: ["03/04/2019", "DOB 03/04/1985"]}

    expected = {(3, header, "personal-birth-date")} | (
        {(2, header, "personal-birth-date")} if is_found else set()
    )
    assert said(found(columns)) == expected


@pytest.mark.parametrize(
    ("header", "kinds"),
    [
        ("219-09-9998", {"ssn"}),
        ("Smith, John", {"name"}),
        ("Smith, John 219-09-9998", {"ssn"}),
        ("Patient: John Smith", {"name"}),
        ("DOB 01/02/1950 MRN 1234567", {"birth-date", "record-number"}),
    ],
)
def test_E08_a_header_that_holds_personal_data_is_called_by_its_number(header: str, kinds: set[str]) -> None:
    columns = [("Resource ID", ["1"]), ("ED Status", ["Open"]), (header, ["x"]), (header, ["x"])]
    about = Mark("cell-error", column_title(header, 2), np.array([2], dtype=np.int64))

    grid, marks = without_personal_titles(
        a_grid_of(columns, marks=(about,)), CATALOGUE_OF_TYPES, arrived_at=ARRIVED
    )

    assert grid.header == ("Resource ID", "ED Status", "", "")
    assert [mark.column for mark in grid.marks] in (["column 3"], ["column 4"])
    marked = {(1, f"column {at}", f"personal-{kind}") for at in (3, 4) for kind in kinds}
    assert {mark for mark in said(marks) if mark[2] != "personal-data-header"} == marked
    assert isinstance(recognise(grid, CATALOGUE_OF_TYPES), Recognised), "no header is quoted as a duplicate"


@pytest.mark.parametrize(
    "header",
    ["Patient Nutrition", "Beds, Available", "Census 01/02/2020", "ED Status", "12001", "123-456-7890"],
)
def test_E08_a_header_of_figures_stays(header: str) -> None:
    before = a_grid({"Resource ID": ["1"], header: ["x"]})

    grid, marks = without_personal_titles(before, CATALOGUE_OF_TYPES, arrived_at=ARRIVED)

    assert (grid, marks) == (before, [])


def test_E08_a_sheet_that_is_named_after_a_person_is_not_named() -> None:
    about = Mark("sheets-ignored", facts={"count": 1, "names": "Doe 219-09-9999"})
    before = a_grid({"Resource ID": ["1"], "ED Status": ["Open"]}, sheets=("Data", "Doe 219-09-9999"))

    grid, marks = without_personal_titles(
        dataclasses.replace(before, marks=(about,)), CATALOGUE_OF_TYPES, arrived_at=ARRIVED
    )

    assert said(marks) == {(0, "", "personal-data-aside")}
    assert "219" not in word([*grid.marks, *marks], columns=(), cap=9).table.to_csv()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Patient Name", "a header of personal data"),
        ("Patient Name (Last, First)", "a header of personal data"),
        ("DOB (mm/dd/yyyy)", "a header of personal data"),
        ("219-09-9999", "a Social Security number"),
        ("MRN 1234567", "a medical record number"),
        ("DOB 01/02/1950", "a birth date"),
        ("Patient: John Smith", "the name of a person"),
        ("Do not send a patient name", ""),
        ("No MRN", ""),
        ("Patients by hospital and day", ""),
        ("Mercy, Anna", ""),
        ("01/02/1950", ""),
        ("Patient Nutrition", ""),
        ("Medical Records", ""),
        ("Excluded: Patient Name", ""),
        ("Remove Patient ID", ""),
        ("Patient Name: do not enter", ""),
        ("Patient Name: Last, First", ""),
        ("Chart # 4012 rev 2", ""),
        ("Patient", ""),
        ("Patient Name:", "a header of personal data"),
        ("Chart # 40125", "a medical record number"),
    ],
)
def test_E08_what_stands_beside_the_table_is_looked_at(text: str, kind: str) -> None:
    marks = found({"Resource ID": ["1"], "ED Status": ["Open"]}, aside=cells("Daily status", text))

    assert [(mark.code, dict(mark.facts)) for mark in marks] == (
        [("personal-data-aside", {"kind": kind, "count": 1})] if kind else []
    )


@pytest.mark.parametrize(
    ("texts", "is_found"),
    [
        (("Patient", "Age", "Room"), True),
        (("PATIENT", "sex"), True),
        (("Patient", "Room"), True),
        (("Name", "Age"), True),
        (("Full Name", "Gender"), True),
        (("Name", "Room"), False),
        (("Name", "Phone"), False),
        (("Patients", "Rooms"), False),
        (("Age", "Room"), False),
    ],
)
def test_E08_a_list_of_persons_on_another_sheet_is_known_by_its_headers(
    texts: tuple[str, ...], is_found: bool
) -> None:
    marks = found({"Resource ID": ["1"], "ED Status": ["Open"]}, aside=cells(*texts, "Zbyszko Wladek"))

    facts = {"kind": "a header of personal data", "count": 1}
    assert [dict(mark.facts) for mark in marks] == ([facts] if is_found else [])


def test_E08_no_given_name_is_an_ordinary_word() -> None:
    assert not GIVEN_NAMES & ORDINARY_WORDS


def test_E08_words_of_the_tenants_catalogue_are_nobodys_name() -> None:
    columns = {"Resource ID": ["1"], "ED Status": ["Open"], "ED Status Comment": ["Advisory, Divert"]}

    assert found(columns) == []


def test_E08_records_without_column_form_are_looked_at_too() -> None:
    columns = {"Resource ID": ["1"], "ED Status": ["Open"]}
    over = {
        "faulty_rows": np.array([3, 4], dtype=np.int64),
        "faulty_text": cells("2,Open,x,SSN 123-45-6789", "3,Open,01/01/2001,x"),
    }

    assert said(found(columns, **over)) == {(3, "", "personal-ssn")}


def test_E08_no_mark_and_no_message_holds_what_was_found() -> None:
    texts = list(PERSONAL)
    columns = {"Resource ID": ["1"] * len(texts), "ED Status": ["Open"] * len(texts), "Whatever": texts}

    marks = found(columns)

    told = (
        repr([dataclasses.asdict(mark) for mark in marks])
        + word(marks, columns=list(columns), cap=1000).table.to_csv()
    )
    assert {mark.code for mark in marks} == {f"personal-{kind}" for kind in PERSONAL.values()}
    assert not [secret for secret in ("6789", "1985", "12345", "Smith", "Jones", "Garc") if secret in told]


def test_E08_findings_are_warnings_and_the_refusal_says_what_and_how_often() -> None:
    kinds = [code for code in CATALOGUE if code.startswith("personal-") and code != "personal-data"]
    aside = Mark("personal-data-aside", facts={"kind": "a birth date", "count": 4})
    facts = found_facts(
        [Mark("personal-data-header", "MRN"), Mark("personal-name", "x", np.arange(2)), aside]
    )
    refusal = refusal_findings(Refusal("personal-data", facts))

    assert len(kinds) == 6
    assert {CATALOGUE[code].severity for code in kinds} == {"warning"}
    assert all(CATALOGUE[code].is_audited for code in kinds)
    kinds_said = "a header of personal data, a birth date, the name of a person"
    assert f"Found: {kinds_said}; number of places: 7." in refusal.groups[0].message


def test_E08_a_table_without_rows_is_clean() -> None:
    assert found({"Resource ID": [], "ED Status": [], "Whatever": []}) == []
