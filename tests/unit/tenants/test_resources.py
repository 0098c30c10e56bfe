"""Resources and their ids, inline and from a list: every mistake has its file, its place and a remedy."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from partner_exchange.errors import RegistryInvalid
from partner_exchange.tenants import registry, resource_list
from partner_exchange.tenants.resources import Resource
from partner_exchange.tenants.status_policy import StatusPolicy

MERCY = "preset: emresource\nname: Mercy\nstatus:\n  resources_file: mercy.csv\n"
HEADER = "name,kind,region,production_id,test_id,org_id,test_org_id,context,frequency\n"
GENERAL = "Mercy General,Hospital,North,0010001,0090001,00101,99101,HOSP,daily\n"
CLINIC = "Mercy Clinic,,,10002,,,,,\n"


def a_resource(**over: Any) -> dict[str, Any]:
    return {"name": "Mercy General", "production_id": "10001", **over}


def mistakes(*resources: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        StatusPolicy.model_validate({"resources": resources})
    return [(".".join(map(str, one["loc"])), one["msg"]) for one in caught.value.errors()]


def test_E32_a_resource_has_an_id_per_mode() -> None:
    nhsn = {"org_id": "00101", "test_org_id": "99101"}
    one = Resource.model_validate(a_resource(test_id=" 90001 ", nhsn=nhsn))
    assert [(one.id_in(mode), one.org_id_in(mode)) for mode in ("production", "test")] == [
        ("10001", "00101"),
        ("90001", "99101"),
    ]


def test_E32_a_resource_may_have_no_test_id_and_no_nhsn_id() -> None:
    one = Resource.model_validate(a_resource())
    assert (one.id_in("test"), one.org_id_in("production"), one.org_id_in("test")) == ("", "", "")


@pytest.mark.parametrize(
    ("over", "place", "words"),
    [
        ({"production_id": 10001}, "resources.0.production_id", "quotes"),
        ({"test_id": 1.5}, "resources.0.test_id", "quotes"),
        ({"production_id": " "}, "resources.0.production_id", "at least 1 character"),
        ({"production_id": "1\n2"}, "resources.0.production_id", "invisible character"),
        ({"name": ""}, "resources.0.name", "at least 1 character"),
        ({"nhsn": {"frequency": "hourly"}}, "resources.0.nhsn.frequency", "'daily'"),
        ({"test_id": "10001"}, "resources.0.test_id", "Resource ID 10001 belongs to 'Mercy General' already"),
    ],
)
def test_E19_a_resource_that_does_not_hold_is_named_at_its_option(
    over: dict[str, Any], place: str, words: str
) -> None:
    ((found, message),) = mistakes(a_resource(**over))
    assert found == place
    assert words in message


@pytest.mark.parametrize(
    ("nhsn", "place", "words"),
    [
        ({"org_id": 10234}, "org_id", "quotes"),
        ({"org_id": "1234"}, "org_id", "five digits"),
        ({"test_org_id": "１２３４５"}, "test_org_id", "five digits"),
    ],
)
def test_E27_nhsn_org_id_has_five_digits(nhsn: dict[str, Any], place: str, words: str) -> None:
    ((found, message),) = mistakes(a_resource(nhsn=nhsn))
    assert found == f"resources.0.nhsn.{place}"
    assert words in message


def test_E28_reporting_context_is_one_of_those_of_nhsn() -> None:
    ((found, message),) = mistakes(a_resource(nhsn={"context": "ED"}))
    assert found == "resources.0.nhsn.context"
    assert all(f"'{context}'" in message for context in ("HOSP", "IRF", "IPF", "CHLD", "OTH"))


@pytest.mark.parametrize(
    ("over", "place", "words"),
    [
        ({"production_id": "10001"}, "production_id", "Resource ID 10001"),
        ({"production_id": "90001"}, "production_id", "Resource ID 90001"),
        ({"test_id": "10001"}, "test_id", "Resource ID 10001"),
        ({"test_id": "90001"}, "test_id", "Resource ID 90001"),
        ({"nhsn": {"org_id": "30101"}}, "nhsn.org_id", "NHSN Org ID 30101 with context HOSP"),
        ({"nhsn": {"org_id": "39101"}}, "nhsn.org_id", "NHSN Org ID 39101 with context HOSP"),
        ({"nhsn": {"test_org_id": "30101"}}, "nhsn.test_org_id", "NHSN Org ID 30101 with context HOSP"),
    ],
)
def test_E32_no_id_stands_for_two_resources_or_for_test_and_real_data(
    over: dict[str, Any], place: str, words: str
) -> None:
    first = a_resource(test_id="90001", nhsn={"org_id": "30101", "test_org_id": "39101"})
    second = a_resource(name="Other", **{"production_id": "10002", **over})
    ((found, message),) = mistakes(first, second)
    assert found == f"resources.1.{place}"
    assert message == f"{words} belongs to 'Mercy General' already"


def test_E18_one_org_id_may_stand_for_two_contexts() -> None:
    hospital = a_resource(nhsn={"org_id": "30101", "context": "HOSP"})
    children = a_resource(production_id="10002", nhsn={"org_id": "30101", "context": "CHLD"})
    assert len(StatusPolicy.model_validate({"resources": [hospital, children]}).resources) == 2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mercy.yaml").write_text(MERCY)
    (tmp_path / "mercy.csv").write_text(HEADER + GENERAL + CLINIC)
    return tmp_path


def problems_of(folder: Path, content: str | bytes) -> list[tuple[str, str, str, str]]:
    """Return file, path, problem and remedy of each problem when the list holds the content."""
    (folder / "mercy.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    return [(one.file, one.path, one.problem, one.remedy) for one in registry.examine(folder)[1]]


class TestList:
    """``resources_file``: a spreadsheet of resources."""

    def test_E19_its_rows_are_resources_and_blank_cells_are_not_given(self, folder: Path) -> None:
        general, clinic = registry.load_one("mercy", folder).status.resources
        assert general == Resource.model_validate(
            {
                "name": "Mercy General",
                "kind": "Hospital",
                "region": "North",
                "production_id": "0010001",
                "test_id": "0090001",
                "nhsn": {
                    "org_id": "00101",
                    "test_org_id": "99101",
                    "context": "HOSP",
                    "frequency": "daily",
                },
            }
        )
        assert clinic == Resource(name="Mercy Clinic", production_id="10002")

    def test_E19_they_come_after_those_of_the_yaml_file(self, folder: Path) -> None:
        inline = "  resources:\n    - { name: Inline, production_id: '1' }\n"
        (folder / "mercy.yaml").write_text(MERCY + inline)
        assert [one.name for one in registry.load_one("mercy", folder).status.resources] == [
            "Inline",
            "Mercy General",
            "Mercy Clinic",
        ]

    @pytest.mark.parametrize(
        "content",
        [
            "\ufeff" + HEADER + GENERAL + CLINIC,
            (HEADER + GENERAL + CLINIC).replace("\n", "\r\n"),
            "\n,,\n" + HEADER + "\n" + GENERAL + ",,,,,,,,\n" + CLINIC.rstrip("\n"),
            "Production ID,NAME\n10001,Mercy General\n10002, Mercy Clinic \n",
            'name,production_id\n"Mercy General",10001\n"Mercy\u00a0""C""",10002\n',
        ],
        ids=["bom", "crlf", "blank-lines", "other-columns", "quoted"],
    )
    def test_E19_a_list_as_spreadsheets_write_it_is_read(self, folder: Path, content: str) -> None:
        (folder / "mercy.csv").write_bytes(content.encode())
        found = resource_list.read(content.encode(), "mercy.csv")
        assert (len(found.entries), found.problems) == (2, [])

    @pytest.mark.parametrize(
        ("content", "path", "words", "remedy"),
        [
            ("", "", "the list is empty", "name, kind, region"),
            ("\n\n", "", "the list is empty", "name, kind, region"),
            ("name;production_id\nA;1\n", "line 1", "not parted by commas", "commas"),
            ("name,prodution_id\nA,1\n", "line 1", "unknown column 'prodution_id'", "'production_id'"),
            ("name,production_id,colour\nA,1,red\n", "line 1", "unknown column 'colour'", "known are name"),
            ("name,production_id,\nA,1,\n", "line 1", "unknown column ''", "known are name"),
            ("name,production_id,Name\nA,1,B\n", "line 1", "the column name stands twice", "Keep one"),
            ("name,test_id\nA,1\n", "line 1", "the column production_id is missing", "Add it"),
            ("name,production_id\nA,1,2\n", "line 2", "3 cells, but the header has 2", "double quotes"),
            ("name,production_id\n\nA\n", "line 3", "1 cells, but the header has 2", "double quotes"),
            ('name,production_id\nA,"1\n', "line 2", "not CSV", "Close each quote"),
            (b"name,production_id\nA,1\nCaf\xe9,2\n", "line 3", "not UTF-8 text", "CSV UTF-8"),
            ("name,production_id\nA,1\n,2\n", "line 3, column name", "required, but not there", "Add it"),
            ("name,production_id\nA,1\nB,1\n", "line 3, column production_id", "belongs to 'A'", "one id"),
            (
                'name,production_id,org_id\n"A\nB",1,\nC,2,123\n',
                "line 2, column name",
                "invisible character",
                "Correct the value",
            ),
            (
                "name,production_id,context\nA,1,hosp\n",
                "line 2, column context",
                "'HOSP'",
                "Did you mean 'HOSP'?",
            ),
        ],
    )
    def test_E19_each_mistake_is_named_with_its_line(
        self, folder: Path, content: str | bytes, path: str, words: str, remedy: str
    ) -> None:
        file, found_path, problem, found_remedy = problems_of(folder, content)[0]
        assert (file, found_path) == ("mercy.csv", path)
        assert words in problem
        assert remedy in found_remedy

    def test_E19_mistakes_of_both_files_are_told_at_once(self, folder: Path) -> None:
        (folder / "mercy.yaml").write_text(MERCY + "  max_rows: 0\n")
        problems = problems_of(folder, "name,production_id\nA,1,2\nB,1\nC,1\n")
        assert [(file, path) for file, path, _, _ in problems] == [
            ("mercy.yaml", "status.max_rows"),
            ("mercy.csv", "line 2"),
        ]

    def test_E19_a_column_filled_in_wrongly_does_not_fill_the_screen(self, folder: Path) -> None:
        lines = "".join(f"A{number},{number},12\n" for number in range(500))
        problems = problems_of(folder, "name,production_id,org_id\n" + lines)
        assert len(problems) == 21
        assert problems[0][:2] == ("mercy.csv", "line 2, column org_id")
        assert problems[-1][2] == "480 more mistakes"

    @pytest.mark.parametrize("name", ["../mercy.csv", "/etc/passwd", "a/../../mercy.csv", "outside.csv"])
    def test_X15_a_list_outside_the_tenants_folder_is_not_opened(self, folder: Path, name: str) -> None:
        tenants = folder / "tenants"
        tenants.mkdir()
        (tenants / "outside.csv").symlink_to(folder / "mercy.csv")
        (tenants / "mercy.yaml").write_text(MERCY.replace("mercy.csv", name))
        (problem,) = registry.examine(tenants)[1]
        assert (problem.file, problem.path) == ("mercy.yaml", "status.resources_file")
        assert "outside the tenants folder" in problem.problem

    @pytest.mark.parametrize(
        ("name", "hint"), [("mercy.cvs", "Did you mean 'mercy.csv'?"), (".", "Put the list beside")]
    )
    def test_E19_a_list_that_is_not_there_is_named_with_the_nearest(
        self, folder: Path, name: str, hint: str
    ) -> None:
        (folder / "mercy.yaml").write_text(MERCY.replace("mercy.csv", name))
        (problem,) = registry.examine(folder)[1]
        assert (problem.path, problem.problem) == ("status.resources_file", f"there is no file {name!r}")
        assert hint in problem.remedy

    @pytest.mark.parametrize(
        ("status", "path"),
        [
            ("resources_file: 5", "status.resources_file"),
            ("{resources_file: mercy.csv, resources: none}", "status.resources"),
            ("nothing", "status"),
        ],
    )
    def test_P3_options_of_a_wrong_type_are_told_and_not_followed(
        self, folder: Path, status: str, path: str
    ) -> None:
        (folder / "mercy.yaml").write_text(f"name: Mercy\nfeed: status\nstatus:\n  {status}\n")
        assert [problem.path for problem in registry.examine(folder)[1]] == [path]

    def test_E19_its_content_is_part_of_the_policy_and_of_the_registry(self, folder: Path) -> None:
        before = registry.load(folder)
        (folder / "mercy.csv").write_text(HEADER + GENERAL)
        after = registry.load(folder)
        assert before.get("mercy").policy_sha256 != after.get("mercy").policy_sha256
        assert before.sha256 != after.sha256

    @pytest.mark.parametrize("name", ["mercy.yaml", "mercy.csv"])
    def test_P3_an_edit_of_either_file_is_seen_in_the_same_process(self, folder: Path, name: str) -> None:
        before = registry.load_one("mercy", folder), registry.load(folder)
        assert registry.load_one("mercy", folder) is before[0]
        assert registry.load(folder) is before[1]
        os.utime(folder / name, ns=(1, 1))
        assert registry.load_one("mercy", folder) is not before[0]
        assert registry.load(folder) is not before[1]

    def test_P3_a_list_that_went_away_is_a_problem_not_a_traceback(self, folder: Path) -> None:
        registry.load_one("mercy", folder)
        (folder / "mercy.csv").unlink()
        assert [problem.path for problem in registry.examine(folder)[1]] == ["status.resources_file"]
        with pytest.raises(RegistryInvalid, match="there is no file"):
            registry.load_one("mercy", folder)

    def test_P4_a_tenant_with_a_list_is_read_back_from_its_dump(self, folder: Path) -> None:
        tenant = registry.load_one("mercy", folder)
        assert type(tenant).model_validate_json(tenant.model_dump_json()) == tenant
