"""The ready sets hold what the format pages count, and a header leads to one status type or to none."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from partner_exchange.feeds.status.template import templates
from partner_exchange.tenants import catalogue_docs
from partner_exchange.tenants.catalogue import FOLDER, Catalogue, CatalogueName, build, header_key, ready
from partner_exchange.tenants.catalogue_rules import RESERVED_HEADERS
from partner_exchange.tenants.status_policy import StatusPolicy
from partner_exchange.tenants.status_types import StatusKind, StatusType

ALL = tuple(CatalogueName)


def number(id: int, name: str, **over: Any) -> dict[str, Any]:
    return {"id": id, "name": name, "kind": "number", **over}


def policy(*own: dict[str, Any], catalogues: tuple[str, ...] = ()) -> StatusPolicy:
    return StatusPolicy.model_validate({"catalogues": catalogues, "status_types": own})


def mistakes(*own: dict[str, Any], catalogues: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        policy(*own, catalogues=catalogues)
    return [(".".join(map(str, one["loc"])), one["msg"]) for one in caught.value.errors()]


class TestReadySets:
    """The data files."""

    def test_E16_the_cdc_sets_have_as_many_elements_as_cdc_counts(self) -> None:
        assert len(ready(CatalogueName.CDC_HRD)) == 55
        kinds = [one.kind for one in ready(CatalogueName.CDC_HRD)]
        assert (kinds.count(StatusKind.NUMBER), kinds.count(StatusKind.MULTI)) == (45, 10)

    def test_E17_the_bed_capacity_set_has_73_measures_each_with_its_own_loinc_number(self) -> None:
        status_types = ready(CatalogueName.CDC_BED_CAPACITY)
        assert len(status_types) == len({one.standard for one in status_types}) == 73
        assert all(one.standard.startswith("LOINC ") for one in status_types)

    def test_E15_a_bed_type_of_edxl_has_all_four_counts(self) -> None:
        standards = [one.standard for one in ready(CatalogueName.EDXL_HAVE)]
        for count in (
            "AvailableCount",
            "BaselineCount",
            "AdditionalCapacityCount24Hr",
            "AdditionalCapacityCount72Hr",
        ):
            assert sum(standard.endswith(f" {count}") for standard in standards) == 14

    def test_E15_all_ready_sets_go_together(self) -> None:
        catalogue = policy(catalogues=ALL).catalogue
        assert len(catalogue) == sum(len(ready(name)) for name in ALL)
        assert all(catalogue.find(one.header) is catalogue.find(one.name) is one for one in catalogue)

    def test_E15_every_ready_type_says_what_it_is_and_where_it_stands(self) -> None:
        assert [one.id for name in ALL for one in ready(name) if not (one.description or one.standard)] == []
        assert all(one.section for name in ALL for one in ready(name))

    def test_E15_divert_wants_a_reason_and_a_comment(self) -> None:
        statuses = {one.name: one for one in policy(catalogues=ALL).catalogue.get(12001).statuses}
        assert list(statuses) == ["Open", "Advisory", "Divert", "Closed"]
        assert (statuses["Divert"].comment, statuses["Divert"].reason_required) == ("mandatory", True)
        assert (statuses["Closed"].comment, statuses["Closed"].reason_required) == ("mandatory", False)

    def test_P4_no_data_file_is_without_a_name(self) -> None:
        assert {path.stem for path in FOLDER.glob("*.yaml")} == {str(name) for name in ALL}


class TestFind:
    """A header and what it means."""

    CATALOGUE = policy(
        number(12001, "ED Status"),
        number(12002, "Beds (2)", former_names=["Beds Two", "Second Beds"]),
        number(7, "Seven"),
    ).catalogue

    @pytest.mark.parametrize(
        ("header", "expected"),
        [
            ("ED Status", 12001),
            ("  ed   STATUS ", 12001),
            ("ED_Status", 12001),
            ("ED\u00a0Status", 12001),
            ("12001", 12001),
            (" 12001 ", 12001),
            ("ED Status (12001)", 12001),
            ("ed status(12001)", 12001),
            ("ED Status ( 12001 )", 12001),
            ("ED\nStatus (12001)", 12001),
            ("Was renamed since (12001)", 12001),
            ("ED Status (7)", 7),
            ("Beds (2)", 12002),
            ("Beds (2) (12002)", 12002),
            ("beds two", 12002),
            ("Second Beds", 12002),
            ("ED Status (12009)", None),
            ("12009", None),
            ("ED", None),
            ("", None),
            ("()", None),
            ("9" * 5_000, None),
            ("(" + "9" * 5_000 + ")", None),
            ("１２００１", None),
        ],
    )
    def test_E15_a_column_is_named_by_name_by_number_or_by_both(
        self, header: str, expected: int | None
    ) -> None:
        found = self.CATALOGUE.find(header)
        assert (found.id if found else None) == expected

    def test_E14_types_are_had_by_number(self) -> None:
        assert self.CATALOGUE.get(7).name == "Seven"
        assert (7 in self.CATALOGUE, 8 in self.CATALOGUE) == (True, False)
        with pytest.raises(KeyError):
            self.CATALOGUE.get(8)

    def test_E14_a_name_goes_before_a_former_name(self) -> None:
        one = StatusType.model_validate(number(1, "New", former_names=["Old"]))
        other = StatusType.model_validate(number(2, "Old"))
        assert Catalogue([one, other]).find("old") is other


class TestOwnTypes:
    """What a tenant lays over the ready sets."""

    def test_E15_an_own_type_with_the_number_of_a_ready_one_replaces_it(self) -> None:
        own = number(12002, "Ventilators Free", former_names=["Ventilators Available"])
        catalogue = policy(own, catalogues=("starter",)).catalogue
        assert len(catalogue) == len(ready(CatalogueName.STARTER))
        assert catalogue.get(12002).name == "Ventilators Free"
        assert catalogue.find("ventilators available") is catalogue.get(12002)

    def test_E15_the_catalogue_is_built_once(self) -> None:
        found = policy(catalogues=ALL)
        assert found.catalogue is found.catalogue is build(ALL, ())

    def test_E15_the_checksum_covers_every_option_of_every_type(self) -> None:
        sums = {
            policy(number(1, "Beds"), **over).catalogue.sha256
            for over in ({}, {"catalogues": ("starter",)}, {"catalogues": ("starter", "cdc-hrd")})
        }
        assert len(sums | {policy(number(1, "Beds", decimals=1)).catalogue.sha256}) == 4

    @pytest.mark.parametrize(
        ("own", "place", "words"),
        [
            ([number(1, "A"), number(1, "B")], "status_types.1.id", "the number 1 stands twice"),
            ([number(1, "Beds"), number(2, "beds ")], "status_types.0.name", "names 'beds' (2) already"),
            ([number(1, "ED_status")], "status_types.0.name", "names 'ED Status' (12001) already"),
            (
                [number(1, "Beds"), number(2, "B", former_names=["Beds"])],
                "status_types.1.former_names",
                "names 'Beds' (1) already",
            ),
            (
                [number(1, "A", former_names=["Old"]), number(2, "B", former_names=["old"])],
                "status_types.1.former_names",
                "names 'A' (1) already",
            ),
            ([number(1, "12002")], "status_types.0.name", "names 'Ventilators Available' (12002) already"),
            ([number(1, "Beds (12002)")], "status_types.0.name", "'Ventilators Available' (12002)"),
            ([number(1, "777")], "status_types.0.name", "reads as the number of a status type"),
            ([number(1, "Resource_ID")], "status_types.0.name", "every bulk file has"),
            (
                [number(1, "A", former_names=["Update Date/Time"])],
                "status_types.0.former_names",
                "every bulk file has",
            ),
        ],
    )
    def test_E15_a_header_never_means_two_things(
        self, own: list[dict[str, Any]], place: str, words: str
    ) -> None:
        ((found, message),) = mistakes(*own, catalogues=("starter",))
        assert found == place
        assert words in message

    @pytest.mark.parametrize(
        ("own", "words"),
        [
            ({"formula": "st(999,0)"}, "there is no status type with that number"),
            ({"formula": "st(12001,0)"}, "'ED Status' is of kind multi, not a number"),
            ({"formula": "st(12006,0)"}, "'Last Generator Test' is of kind date"),
            ({"formula": "st(13120,0)"}, "'Total Available Beds' is computed by a formula itself"),
            ({"formula": "st(1,0)"}, "'Score' is computed by a formula itself"),
        ],
    )
    def test_E15_a_formula_takes_numbers_that_files_set(self, own: dict[str, Any], words: str) -> None:
        score = {"id": 1, "name": "Score", "kind": "saturation_score", **own}
        ((place, message),) = mistakes(score, catalogues=("starter", "edxl-have"))
        assert place == "status_types.0.formula"
        assert words in message

    def test_E15_a_ready_formula_that_lost_a_part_is_told_at_the_catalogues(self) -> None:
        ((place, message),) = mistakes(
            {"id": 13001, "name": "Adult ICU Note", "kind": "text"}, catalogues=("edxl-have",)
        )
        assert place == "catalogues"
        assert "'Total Available Beds' takes st(13001)" in message


def test_E14_key_columns_of_the_bulk_template_are_reserved() -> None:
    keys = [key for template in templates() if template.takes_whole_catalogue for key in template.keys]
    assert {header_key(name) for key in keys for name in (key.header, *key.aliases)} == RESERVED_HEADERS


def test_N09_the_example_of_the_page_holds() -> None:
    assert catalogue_docs.EXAMPLE in catalogue_docs.page()
    catalogue = StatusPolicy.model_validate(yaml.safe_load(catalogue_docs.EXAMPLE)).catalogue
    assert catalogue.find("Ventilators Available") is catalogue.get(12002)


def test_N09_the_page_shows_every_ready_type() -> None:
    page = catalogue_docs.page()
    assert [one.id for name in ALL for one in ready(name) if f"| {one.id} | {one.name} |" not in page] == []
