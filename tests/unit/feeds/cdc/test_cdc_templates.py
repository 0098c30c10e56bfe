"""The templates as data: their headers and versions, and how a new one differs."""

from __future__ import annotations

from pathlib import Path

import pytest

from partner_exchange.feeds.status.drift import Drift, drift
from partner_exchange.feeds.status.template import FOLDER, KeyName, Template, load, templates
from partner_exchange.settings import PROJECT_DIR
from partner_exchange.tenants.catalogue import Catalogue, CatalogueName, build, ready
from partner_exchange.tenants.status_types import StatusType
from partner_exchange.validation.catalogue import CATALOGUE

EVERYTHING = build(tuple(CatalogueName), ())
WITHOUT_CDC = build((CatalogueName.STARTER,), ())
HRD, BED_CAPACITY, BULK = (
    next(template for template in templates() if template.name == name)
    for name in ("cdc_respiratory", "cdc_bed_capacity", "bulk_status")
)
CDC = pytest.mark.parametrize("template", [HRD, BED_CAPACITY], ids=lambda template: template.name)


def _named(template: Template, *headers: str, catalogue: Catalogue = EVERYTHING) -> list[str]:
    """Return what each header names: a key, a status type, or nothing."""
    named = []
    for header in headers:
        status_type = template.element_of(header, catalogue)
        named.append(template.key_of(header) or (status_type.name if status_type else ""))
        assert template.knows(header, catalogue) == bool(named[-1])
    return named


def _header_of(template: Template) -> list[str]:
    return [key.header for key in template.keys] + [element.header for element in template.elements]


def test_E16_E17_each_template_has_all_its_elements_and_known_codes_in_its_rules() -> None:
    assert [len(template.elements) for template in (HRD, BED_CAPACITY, BULK)] == [55, 73, 0]
    assert len({(template.name, template.version) for template in templates()}) == len(templates())
    assert {rule.code for template in templates() for rule in template.rules} <= set(CATALOGUE)


def test_E16_the_counts_of_a_period_are_the_new_admissions_and_nothing_else() -> None:
    admissions = {one.status_type_id for one in HRD.elements if "NewAdm" in one.header}
    assert len(admissions) == 21
    assert set(HRD.period_counts) == admissions
    assert BED_CAPACITY.period_counts == BULK.period_counts == frozenset()


def test_E16_names_of_nhsn_and_of_data_cdc_gov_are_the_same_columns() -> None:
    assert _named(HRD, "numInPtBeds", "numinptbeds", " NUMINPTBEDS ") == ["numInPtBeds"] * 3
    assert _named(HRD, "numconfc19newadmadult75plus") == ["numConfC19NewAdmAdult75plus"]
    assert _named(HRD, "numInPtBeds (55001)", "55001") == ["numInPtBeds"] * 2
    assert _named(HRD, "AllBedsOccupied", "ED Status", "12001", "") == ["", "", "", ""]


def test_E16_a_file_names_the_week_or_the_day_in_the_words_of_nhsn_and_its_forms() -> None:
    weekly = ("weekEndingDate", "weekendingdate", "Weekending Date", "Week Ending Date", "week_ending_date")
    daily = ("collectionDate", "collectiondate", "Reporting For Date", "collection_date")

    assert set(_named(HRD, *weekly)) == {KeyName.WEEK_ENDING}
    assert set(_named(HRD, *daily)) == {KeyName.COLLECTION_DATE}
    assert HRD.one_of == ((KeyName.WEEK_ENDING, KeyName.COLLECTION_DATE),)


@CDC
def test_E18_rows_are_keyed_by_org_id_and_context(template: Template) -> None:
    assert set(_named(template, "orgID", "orgid", "NHSN Org ID", "NHSN OrgID", "HHS/CDC OrgID")) == {"org_id"}
    assert set(_named(template, "reportingContext", "Reporting Context", "reporting_context")) == {"context"}
    assert {key.key for key in template.keys if key.is_required} >= {KeyName.ORG_ID, KeyName.CONTEXT}
    assert template.nine_means_not_applicable


@pytest.mark.parametrize("status_type", ready(CatalogueName.CDC_BED_CAPACITY), ids=lambda one: one.name)
def test_E17_code_label_and_loinc_number_name_a_measure(status_type: StatusType) -> None:
    number = status_type.standard.removeprefix("LOINC ")
    headers = (status_type.name, status_type.description, number, f"LOINC {number}")

    assert _named(BED_CAPACITY, *headers) == [status_type.name] * 4


def test_E17_codes_of_the_ballot_that_were_renamed_still_name_their_measure() -> None:
    assert _named(BED_CAPACITY, "NICUOccupied", "NICUUnoccupied", "PedsEDCensus") == [
        "NICUTotalOccupied",
        "NICUTotalUnoccupied",
        "PedsEDTotalCensus",
    ]


def test_E14_E15_the_bulk_template_takes_whatever_the_tenant_has() -> None:
    assert _named(BULK, "Resource ID", "resource_id", "ResourceID") == ["resource_id"] * 3
    assert _named(BULK, "Update Date/Time", "Resource Name") == ["updated_at", "resource_name"]
    assert _named(BULK, "numInPtBeds", "ED Status (12001)", "No Such Thing") == [
        "numInPtBeds",
        EVERYTHING.get(12001).name,
        "",
    ]
    assert not BULK.nine_means_not_applicable


@CDC
def test_E15_an_element_that_the_tenant_does_not_have_is_unknown(template: Template) -> None:
    header = template.elements[0].header

    assert _named(template, header, catalogue=WITHOUT_CDC) == [""]


@CDC
def test_E16_E17_our_own_versions_do_not_drift_from_the_catalogue(template: Template) -> None:
    assert drift(_header_of(template), template, EVERYTHING) == Drift((), (), ())


def test_E16_one_of_week_and_day_is_enough() -> None:
    weekly = [header for header in _header_of(HRD) if header != "collectionDate"]
    neither = [header for header in weekly if header != "weekEndingDate"]

    assert drift(weekly, HRD, EVERYTHING).missing == ()
    assert drift(neither, HRD, EVERYTHING).missing == ("weekEndingDate", "collectionDate")


def test_E17_a_new_template_is_compared_with_ours() -> None:
    changed = {
        "AdultPCUOccupied": "AdultPCUBedsOccupied",
        "BurnOccupied": "Xyz",
        "collectionDate": "asOfDate",
    }
    headers = [changed.get(header, header) for header in _header_of(BED_CAPACITY)]

    found = drift(headers, BED_CAPACITY, EVERYTHING)

    assert found.missing == ("collectionDate", "AdultPCUOccupied", "BurnOccupied")
    assert found.unknown == ("asOfDate", "AdultPCUBedsOccupied", "Xyz")
    assert found.renamed == (("AdultPCUBedsOccupied", "AdultPCUOccupied"),)


def test_E16_an_element_that_the_tenants_catalogue_lacks_is_drift() -> None:
    found = drift(["orgID", "numInPtBeds"], HRD, WITHOUT_CDC)

    assert found.unknown == ("numInPtBeds",)
    assert "numInPtBeds" in found.missing


PUBLIC = {
    "nhsn_2020_covid19-test-csv-import.csv": (
        "collectiondate,numTotBeds,numbeds,numBedsOcc,numICUBeds,numICUBedsOcc,numVent,numVentUse,"
        "numC19HospPats,numC19MechVentPats,numC19HOPats,numC19OverflowPats,numC19OFMechVentPats,numC19Died",
        {"collection_date", "numICUBeds", "numICUBedsOcc"},
        {"collection_date"},
    ),
    "nhsn_hrd_weekly_newadm_by_jurisdiction": (
        "weekendingdate,jurisdiction,totalconfc19newadm,numconfc19newadmunk,numconfrsvnewadmadult18to49",
        {"week_ending", "numConfC19NewAdmUnk", "numConfRSVNewAdmAdult18to49"},
        set(),
    ),
    "wa_health_Test.Facility.BedCapacity.csv": (
        "facility_guid,facility_name,reporting_date,icu_beds_adult_currently_occupied,icu_beds_adult_capacity",
        set(),
        set(),
    ),
}


@pytest.mark.parametrize("sample", PUBLIC)
def test_E16_E17_public_files_of_other_programmes_lack_what_a_row_is_keyed_by(sample: str) -> None:
    header, of_hrd, of_bed_capacity = PUBLIC[sample]

    assert {*_named(HRD, *header.split(","))} - {""} == of_hrd
    assert {*_named(BED_CAPACITY, *header.split(","))} - {""} == of_bed_capacity
    assert {*_named(BULK, *header.split(","))} & {key.key for key in BULK.keys} == set()


@pytest.mark.parametrize("template", templates(), ids=lambda template: template.name)
def test_E16_E17_the_page_about_templates_names_every_version_spelling_and_rule(template: Template) -> None:
    page = (PROJECT_DIR / "docs" / "templates.md").read_text(encoding="utf-8")
    spellings = [spelling for key in template.keys for spelling in (key.header, *key.aliases)]
    codes = {(rule.code, CATALOGUE[rule.code].severity.value) for rule in template.rules}

    assert f"| `{template.name}` | `{template.version}` |" in page
    assert [spelling for spelling in spellings if f"`{spelling}`" not in page] == []
    assert [code for code, severity in codes if f"| `{code}` | {severity} |" not in page] == []


def _version(folder: Path, text: str) -> Path:
    source = FOLDER / "cdc_respiratory" / "versions" / "2024-11.yaml"
    (folder / source.name).write_bytes(source.read_bytes())
    path = folder / "2027-01.yaml"
    path.write_text("based_on: 2024-11\neffective_from: 2027-01-02\n" + text)
    return path


def test_E16_a_real_template_is_dropped_in_as_a_version_without_code(tmp_path: Path) -> None:
    path = _version(
        tmp_path,
        "source: the template as NHSN published it\n"
        "keys:\n"
        "  - { key: org_id, header: Facility, required: true, confirmed: true }\n"
        "  - { key: context, header: Unit, required: true, confirmed: true }\n"
        "  - { key: week_ending, header: Week, confirmed: true }\n"
        "  - { key: collection_date, header: Day, confirmed: true }\n"
        "aliases:\n"
        "  numInPtBeds: [2a. All hospital inpatient beds]\n",
    )

    new = load(path, "cdc_respiratory")

    assert (new.version, new.effective_from.isoformat()) == ("2027-01", "2027-01-02")
    assert _named(new, "facility", "UNIT", "orgID") == ["org_id", "context", ""]
    assert _named(new, "2a. All hospital inpatient beds", "numInPtBeds") == ["numInPtBeds"] * 2
    assert (new.title, new.rules, new.one_of) == (HRD.title, HRD.rules, HRD.one_of)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("aliases:\n  numNoSuch: [x]\n", "'numNoSuch' is no element"),
        ("aliases:\n  numICUBeds: [org id]\n", "the header 'org id' names two columns"),
        ("period_counts: [numNone]\n", "'numNone' is no element"),
        ("rules:\n  - {code: a, left: numICUBeds, relation: equal, right: [nope]}\n", "'nope' is no element"),
        ("rules:\n  - {code: a, left: numICUBeds, relation: near, right: [numInPtBeds]}\n", "at_least"),
        ("colour: red\n", "colour"),
    ],
)
def test_E16_a_version_that_contradicts_itself_is_told(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        load(_version(tmp_path, text), "cdc_respiratory")
