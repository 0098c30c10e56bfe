"""What must hold between exports (M46, M67)."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from support.builders import a_tenant

REPLACE = {"target": {"name_taken": "replace"}}


def _export(**over: Any) -> dict[str, Any]:
    return {"report": "verified_students", **over}


@pytest.mark.parametrize("folder", ["inbound", "/Inbound/", "inbound/originals", ".hidden/x"])
def test_M67_no_file_goes_where_partners_drop_theirs(folder: str) -> None:
    with pytest.raises(ValidationError, match="own drops"):
        a_tenant(exports={"verified": _export(target={"folder": folder})})


def test_M67_any_other_folder_of_the_home_will_do() -> None:
    a_tenant(exports={"verified": _export(target={"folder": "outbound/lists"})})


@pytest.mark.parametrize("name", ["same.csv", "{report}.csv", "x-{utc}.csv"])
def test_M67_no_export_replaces_the_file_of_another_one(name: str) -> None:
    exports = {"one": _export(file_name=name), "two": _export(file_name=name, **REPLACE)}
    with pytest.raises(ValidationError, match="the export one"):
        a_tenant(exports=exports)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"file_name": "{export}.csv"}, {"file_name": "{export}.csv", **REPLACE}),
        ({"file_name": "same.csv"}, {"file_name": "same.csv"}),
        ({"file_name": "x.{ending}"}, {"file_name": "x.{ending}", "format": {"kind": "xlsx"}, **REPLACE}),
        (
            {"file_name": "x.csv"},
            {"file_name": "x.csv", "target": {"name_taken": "replace", "folder": "lists"}},
        ),
    ],
)
def test_M67_exports_that_do_not_meet_may_replace_their_own(one: dict[str, Any], two: dict[str, Any]) -> None:
    a_tenant(exports={"one": _export(**one), "two": _export(**two)})


@pytest.mark.parametrize("name", ["verified.csv", "verified-{date}.csv"])
def test_M46_a_delta_does_not_replace_what_nobody_has_fetched(name: str) -> None:
    with pytest.raises(ValidationError, match="take the place"):
        a_tenant(exports={"verified": _export(content="delta", file_name=name, **REPLACE)})


@pytest.mark.parametrize("name", ["v-{utc}.csv", "v-{number}.csv", "v-{date}-{time}.csv"])
def test_M46_a_delta_of_a_name_of_its_own_may_replace(name: str) -> None:
    a_tenant(exports={"verified": _export(content="delta", file_name=name, **REPLACE)})
