"""The header alone tells the template and what each column is (E14-E17)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_exchange.feeds.status.nedocs import NedocsInput
from partner_exchange.feeds.status.recognise import Recognised, Role, knows, recognise
from partner_exchange.feeds.status.template import KeyName
from partner_exchange.readers.marks import Refusal
from partner_exchange.tenants.catalogue import Catalogue
from partner_exchange.validation.wording import refusal_findings
from support.grids import a_grid, a_grid_of, a_status_tenant, said

ALL = a_status_tenant().status.catalogue
STARTER = a_status_tenant(status={"catalogues": ["starter"]}).status.catalogue
HRD_KEYS = ("orgID", "reportingContext", "weekEndingDate")
BED_KEYS = ("orgID", "reportingContext", "collectionDate")


def recognised(*header: str, catalogue: Catalogue = ALL) -> Recognised:
    result = recognise(a_grid_of([(each, ["x"]) for each in header]), catalogue)
    assert isinstance(result, Recognised), result
    return result


def refused(*header: str, catalogue: Catalogue = ALL) -> Refusal:
    result = recognise(a_grid_of([(each, ["x"]) for each in header]), catalogue)
    assert isinstance(result, Refusal)
    assert refusal_findings(result).total == 1
    assert result.rows_total == 1
    return result


def roles(result: Recognised) -> list[tuple[str, int, str]]:
    return [(one.title, one.status_type.id, one.role.value) for one in result.elements]


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (("Resource ID", "ED Status"), "bulk_status"),
        (("RESOURCE_ID ", "ed  status"), "bulk_status"),
        (("Resource ID", "12001"), "bulk_status"),
        (("Resource ID", "Emergency Department (12001)"), "bulk_status"),
        (("Resource ID", "numInPtBeds"), "bulk_status"),
        ((*HRD_KEYS, "numInPtBeds"), "cdc_respiratory"),
        (("orgid", "reportingcontext", "collectiondate", "numinptbeds"), "cdc_respiratory"),
        ((*BED_KEYS, "AllBedsOccupied"), "cdc_bed_capacity"),
        ((*BED_KEYS, "112579-8"), "cdc_bed_capacity"),
        ((*BED_KEYS, "All Beds Census", "collectionTime"), "cdc_bed_capacity"),
    ],
)
def test_E14_one_inbox_takes_all_templates_and_the_header_decides(header: Sequence[str], name: str) -> None:
    assert recognised(*header).template.name == name
    assert knows(ALL)(header)


def test_E21_keys_and_elements_keep_their_places_and_blank_headers_are_nothing() -> None:
    result = recognised("ED Status", "", "Resource Name", "Resource ID", "Update Date/Time", "12002")

    assert result.keys == {KeyName.RESOURCE_NAME: 2, KeyName.RESOURCE_ID: 3, KeyName.UPDATED_AT: 4}
    assert [(one.position, one.title) for one in result.elements] == [(0, "ED Status"), (5, "12002")]
    assert (result.unknown, result.marks) == ((), ())


@pytest.mark.parametrize(
    "header",
    [
        (),
        ("", ""),
        ("Resource ID", "Resource Name"),
        ("Resource ID", "Hair Colour"),
        ("ED Status", "12002"),
        ("1001", "Open"),
        ("orgID", "reportingContext", "numInPtBeds"),
    ],
)
def test_E14_a_row_that_is_no_header_of_ours_is_not_known(header: Sequence[str]) -> None:
    assert not knows(ALL)(header)


def test_E14_an_unknown_header_is_refused_with_the_nearest_template_and_what_is_missing() -> None:
    assert refused("Facility", "ED Status", "NEDOCS", catalogue=STARTER).facts == {
        "template": "EMResource Bulk Data Upload File",
        "missing": "Resource ID",
    }
    published = refused("weekendingdate", "jurisdiction", "totalconfc19newadm", "numconfc19newadmunk")
    assert published.code == "template-unknown"
    assert published.facts["missing"] == "orgID, reportingContext"
    assert "Hospital Respiratory Data" in str(published.facts["template"])
    assert refused("orgID", "reportingContext", "numInPtBeds").facts["missing"] == (
        "weekEndingDate or collectionDate"
    )


def test_E14_a_header_that_is_only_spelled_alike_is_told_what_comes_near() -> None:
    assert refused("Resorce-ID", "Foo").facts["missing"] == "Resource ID"
    assert (
        refused("Org-ID", "Reporting-Context", "Collection-Date", "Foo").facts["missing"].startswith("orgID")
    )


def test_E14_a_header_like_nothing_of_ours_is_refused_without_a_guess() -> None:
    refusal = refused("facility_guid", "icu_beds_adult_capacity")

    assert (refusal.code, dict(refusal.facts)) == ("template-unknown", {})


@pytest.mark.parametrize(
    "header",
    [
        (*BED_KEYS, "numInPtBeds", "AllBedsOccupied"),
        ("Resource ID", *HRD_KEYS, "numInPtBeds"),
        ("Resource ID", *BED_KEYS, "AllBedsOccupied"),
    ],
)
def test_E14_a_header_of_several_templates_is_refused(header: Sequence[str]) -> None:
    refusal = refused(*header)

    assert refusal.code == "template-ambiguous"
    assert " and " in str(refusal.facts["templates"])
    assert knows(ALL)(header)


def test_E14_keys_of_cdc_in_a_bulk_file_without_measures_are_unknown_columns_only() -> None:
    result = recognised("Resource ID", *HRD_KEYS, "ED Status")

    assert result.template.name == "bulk_status"
    assert said(result.marks) == {(0, key, "column-unknown") for key in HRD_KEYS}


def test_E15_keys_without_any_status_type_are_refused() -> None:
    assert refused("Resource ID", "Hair Colour").code == "no-known-columns"
    assert refused("Resource ID", "HHS/CDC OrgID Comment").code == "no-known-columns"
    assert refused(*BED_KEYS, "Hair Colour").code == "no-known-columns"


def test_E16_a_template_that_was_not_agreed_for_the_tenant_is_refused_as_such() -> None:
    refusal = refused(*HRD_KEYS, "numInPtBeds", catalogue=STARTER)

    assert refusal.code == "template-not-configured"
    assert "Hospital Respiratory Data" in str(refusal.facts["template"])
    assert knows(STARTER)((*HRD_KEYS, "numInPtBeds"))


def test_E16_one_element_that_was_not_agreed_is_ignored_with_a_warning() -> None:
    own = [{"id": 55001, "name": "numInPtBeds", "kind": "number"}]
    catalogue = a_status_tenant(status={"catalogues": [], "status_types": own}).status.catalogue

    result = recognised(*HRD_KEYS, "numInPtBeds", "numICUBeds", catalogue=catalogue)

    assert roles(result) == [("numInPtBeds", 55001, "value")]
    assert said(result.marks) == {(0, "numICUBeds", "column-not-configured")}


@pytest.mark.parametrize(
    ("twice", "columns"),
    [
        (("ED Status", "ED Status"), "ED Status (column 2) and ED Status (column 3)"),
        (("ED Status", "12001"), "ED Status (column 2) and 12001 (column 3)"),
        (("12001 Reason", "ED Status Reason"), "12001 Reason (column 2) and ED Status Reason (column 3)"),
        (("Notes", "NOTES"), "Notes (column 2) and NOTES (column 3)"),
        (("ResourceID", "NEDOCS"), "Resource ID (column 1) and ResourceID (column 2)"),
    ],
)
def test_E14_two_columns_that_are_the_same_are_refused_by_name_and_place(
    twice: Sequence[str], columns: str
) -> None:
    refusal = refused("Resource ID", *twice, "Ventilators Available")

    assert (refusal.code, refusal.facts["columns"]) == ("header-duplicate", columns)


def test_E16_label_and_code_of_one_measure_are_a_duplicate() -> None:
    assert refused(*BED_KEYS, "AllBedsOccupied", "112579-8").code == "header-duplicate"


def test_E15_unknown_columns_are_warned_of_by_name_with_the_nearest_match() -> None:
    result = recognised("Resource ID", "ED Status", "Ventilator Available", "Hair Colour")

    assert result.unknown == (2, 3)
    assert [(mark.column, mark.code, dict(mark.facts)) for mark in result.marks] == [
        ("Ventilator Available", "column-unknown", {"nearest": "Ventilators Available"}),
        ("Hair Colour", "column-unknown", {}),
    ]


def test_E16_a_column_beside_a_cdc_template_is_for_information_unless_it_is_nearly_one_of_it() -> None:
    columns = ("numInPtBeds", "numInPtBedsAdul", "Helipads", "totalConfC19NewAdm", "TOTALCONFFLUICUPATS")
    result = recognised(*HRD_KEYS, *columns)

    assert [(mark.column, mark.code, dict(mark.facts)) for mark in result.marks] == [
        ("numInPtBedsAdul", "column-unknown", {"nearest": "numInPtBedsAdult"}),
        ("Helipads", "column-not-in-template", {}),
        ("totalConfC19NewAdm", "column-derived-total", {}),
        ("TOTALCONFFLUICUPATS", "column-derived-total", {}),
    ]


@pytest.mark.parametrize(
    "header",
    [
        "ED Status Comment",
        "ed_status comment",
        "12001 Comment",
        "ED Status (12001) Comment",
        "ED Status Comment (12001)",
    ],
)
def test_E15_a_comment_names_its_status_type_in_any_of_its_ways(header: str) -> None:
    result = recognised("Resource ID", "ED Status", header)

    assert roles(result) == [("ED Status", 12001, "value"), (header, 12001, "comment")]


def test_E15_a_status_type_whose_name_ends_like_a_companion_is_a_value() -> None:
    result = recognised(
        "Resource ID",
        "Bed Availability Comment",
        "Bed Availability Comment Comment",
        "NEDOCS Comment",
        "NEDOCS",
    )

    assert [(kind, number) for _, number, kind in roles(result)] == [
        ("value", 12005),
        ("comment", 12005),
        ("comment", 12003),
        ("value", 12003),
    ]
    renamed = recognised("Resource ID", "Bed Remark Comment (12005)")
    assert roles(renamed) == [("Bed Remark Comment (12005)", 12005, "value")]


def test_E15_reasons_go_with_multi_types_and_inputs_with_nedocs_only() -> None:
    result = recognised(
        "Resource ID", "ED Status", "12001 Reason", "Ventilators Available", "Ventilators Available Reason",
        "ED Status ED Beds",
    )  # fmt: skip

    assert [kind for _, _, kind in roles(result)] == ["value", "reason", "value"]
    assert {code for _, _, code in said(result.marks)} == {"column-unknown"}


def test_E15_the_inputs_of_nedocs_need_no_column_of_the_score() -> None:
    headers = [f"NEDOCS {one.label}" for one in NedocsInput]

    result = recognised("Resource ID", *headers, "NEDOCS (12003) Comment")

    assert [one.nedocs_input for one in result.elements] == [*NedocsInput, None]
    assert result.elements[-1].role is Role.COMMENT
    assert result.marks == ()


def test_E15_a_companion_without_its_column_is_ignored_with_a_warning() -> None:
    result = recognised("Resource ID", "NEDOCS", "ED Status Comment", "12001 Reason")

    assert roles(result) == [("NEDOCS", 12003, "value")]
    assert said(result.marks) == {
        (0, "ED Status Comment", "companion-without-column"),
        (0, "12001 Reason", "companion-without-column"),
    }
    assert result.unknown == (2, 3)


def test_E15_what_cannot_be_set_is_ignored_with_a_warning() -> None:
    own: list[dict[str, Any]] = [
        {"id": 1, "name": "Sum", "kind": "calculated", "formula": "st(12002,0) + 1"},
        {"id": 2, "name": "Old", "kind": "number", "active": False},
    ]
    catalogue = a_status_tenant(status={"status_types": own}).status.catalogue
    header = ("Resource ID", "NEDOCS", "Sum", "Old", "Old Comment", "HHS/CDC Last Reporting Result (12010)")

    result = recognised(*header, catalogue=catalogue)

    assert roles(result) == [("NEDOCS", 12003, "value")]
    assert said(result.marks) == {
        (0, "Sum", "calculated-not-settable"),
        (0, "Old", "status-type-inactive"),
        (0, "Old Comment", "status-type-inactive"),
        (0, "HHS/CDC Last Reporting Result (12010)", "status-type-read-only"),
    }
    assert refused("Resource ID", "Sum", "Old", "12007", catalogue=catalogue).code == "no-known-columns"


def test_E16_of_week_and_day_the_filled_one_counts_and_both_are_refused() -> None:
    columns = {"orgID": ["1"], "reportingContext": ["HOSP"], "weekEndingDate": [""], "collectionDate": ["x"]}
    columns["numInPtBeds"] = ["1"]

    daily = recognise(a_grid(columns), ALL)
    weekly = recognise(a_grid({**columns, "weekEndingDate": ["x"], "collectionDate": [""]}), ALL)
    neither = recognise(a_grid({**columns, "collectionDate": [""]}), ALL)
    both = recognise(a_grid({**columns, "weekEndingDate": ["x"]}), ALL)

    assert isinstance(daily, Recognised)
    assert (daily.keys.get(KeyName.COLLECTION_DATE), daily.keys.get(KeyName.WEEK_ENDING)) == (3, None)
    assert isinstance(weekly, Recognised)
    assert (weekly.keys.get(KeyName.COLLECTION_DATE), weekly.keys.get(KeyName.WEEK_ENDING)) == (None, 2)
    assert isinstance(neither, Recognised)
    assert KeyName.WEEK_ENDING in neither.keys
    assert isinstance(both, Refusal)
    assert (both.code, both.facts["columns"]) == ("dates-ambiguous", "weekEndingDate and collectionDate")


def test_E14_a_long_or_unprintable_header_is_shown_cut() -> None:
    (mark,) = recognised("Resource ID", "NEDOCS", "x\ty" * 100).marks

    assert len(mark.column) <= 60
    assert mark.column.isprintable()


@given(st.permutations(["Resource ID", "ED Status", "12001 Comment", "Foo", "NEDOCS ED Beds", "Sum Comment"]))
def test_E14_what_a_column_is_does_not_depend_on_the_order_of_columns(header: list[str]) -> None:
    result = recognised(*header)

    assert sorted(roles(result)) == [
        ("12001 Comment", 12001, "comment"),
        ("ED Status", 12001, "value"),
        ("NEDOCS ED Beds", 12003, "nedocs_input"),
    ]
    assert said(result.marks) == {(0, "Foo", "column-unknown"), (0, "Sum Comment", "column-unknown")}


@given(st.lists(st.text(max_size=20), max_size=8))
def test_E14_no_header_whatever_raises(header: list[str]) -> None:
    grid = a_grid_of([(each, ["x"]) for each in ("Resource ID", *header)])

    assert isinstance(recognise(grid, ALL), Refusal | Recognised)
    knows(ALL)(header)
