# ruff: noqa: DTZ001 - cells of a spreadsheet know no time zone
"""The bulk template as a file: what a spreadsheet makes of it, and that our own feed takes it back."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from functools import cache
from typing import Any

import openpyxl
import pytest
from openpyxl.utils import get_column_letter

from partner_exchange.feeds.bulk_status.layout import AS_DAY, AS_TEXT, columns, version
from partner_exchange.feeds.bulk_status.workbook import (
    LISTS_SHEET,
    SHEET,
    VERSION_SHEET,
    bulk_csv,
    bulk_workbook,
)
from partner_exchange.tenants.model import Tenant
from support.bulk import STATUS_TYPES, a_status_tenant, examined, filled, values

pytestmark = pytest.mark.slow


def template(tenant: Tenant | None = None) -> bytes:
    tenant = tenant or a_status_tenant()
    return bulk_workbook(tenant, columns(tenant.status.catalogue))


def opened(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content))


@cache
def sheet() -> Any:
    return opened(template())[SHEET]


def letter(header: str) -> str:
    return str(next(cell.column_letter for cell in sheet()[1] if cell.value == header))


def rules(header: str) -> list[Any]:
    """Return what may be typed below the header: the rules of openpyxl."""
    return [
        one
        for one in sheet().data_validations.dataValidation
        if str(one.sqref).split("2:")[0] == letter(header)
    ]


def test_E14_headers_and_resource_ids_stand_there_as_text() -> None:
    rows = [[cell.value for cell in row[:2]] for row in sheet().iter_rows()]
    assert rows == [
        ["Resource ID", "Resource Name"],
        ["00101", "General"],
        ["'-7", "'=HYPERLINK(1)"],
        ["3E5", 'Clínica, "Sur"'],
    ]
    assert {(cell.data_type, cell.number_format) for row in sheet()["A1:B4"] for cell in row} == {
        ("s", AS_TEXT)
    }


def test_E14_long_lists_stand_once_on_a_hidden_sheet() -> None:
    book = opened(template())
    lists = book[LISTS_SHEET]
    assert (lists.sheet_state, lists.max_column, lists.max_row) == ("hidden", 3, 60)
    (supply,), (too,) = rules("Supply (11)"), rules("Supply Too (12)")
    assert supply.type == "list"
    assert supply.formula1 == too.formula1 == f"'{LISTS_SHEET}'!$C$1:$C$60"
    assert [lists[f"C{row}"].value for row in (1, 60)] == ["0-2 DAYS", "59-61 DAYS"]
    assert [rules(header)[0].errorStyle for header in ("ED (5)", "ED (5) Reason")] == ["stop", "warning"]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Beds (1)", ("whole", "between", "0", "1234567")),
        ("Level (2)", ("decimal", "between", "-5.5", "9.25")),
        ("Score (8)", ("decimal", "greaterThanOrEqual", "0", None)),
        ("Note (6)", ("textLength", "lessThanOrEqual", "20", None)),
        ("Tested (7)", ("date", "greaterThanOrEqual", "1", None)),
        ("Update Date/Time", ("date", "greaterThanOrEqual", "1", None)),
    ],
)
def test_E14_numbers_dates_and_texts_are_limited(header: str, expected: tuple[str | None, ...]) -> None:
    (rule,) = rules(header)
    assert (rule.type, rule.operator, rule.formula1, rule.formula2) == expected
    assert rule.allow_blank
    assert rule.showErrorMessage


def test_E14_messages_are_no_longer_than_excel_takes() -> None:
    long = [{"id": 1, "name": "N" * 100, "kind": "number", "description": "d" * 500}]
    for rule in opened(template(a_status_tenant(status_types=long)))[SHEET].data_validations.dataValidation:
        assert len(rule.errorTitle) <= 32
        assert len(rule.error) <= 255


def test_E14_a_column_without_a_limit_has_no_rule() -> None:
    assert rules("Load (3)") == []
    assert rules("ED (5) Comment") == []


def test_E14_header_is_protected_and_everything_else_open() -> None:
    found = sheet()
    assert found.protection.sheet
    assert found.protection.password is None
    assert not found.protection.insertRows
    assert not found.protection.deleteRows
    assert all(cell.protection.locked for cell in found[1])
    assert not any(cell.protection.locked for row in found["A2:B4"] for cell in row)
    dimensions = found.column_dimensions
    last = found.max_column
    assert not any(dimensions[get_column_letter(at)].protection.locked for at in range(1, last + 1))
    behind = dimensions[get_column_letter(last + 1)]
    assert (behind.min, behind.max, behind.protection.locked) == (last + 1, 16_384, False)
    assert dimensions[letter("Tested (7)")].number_format == AS_DAY
    assert dimensions[letter("ED (5)")].number_format == AS_TEXT


def test_E14_each_header_explains_itself() -> None:
    comments = {cell.value: cell.comment.text for cell in sheet()[1]}
    assert comments["Beds (1)"] == "A whole number, 0 to 1234567. Blank: no update."
    assert all(comments.values())


def test_E14_control_characters_of_a_description_do_no_harm() -> None:
    tenant = a_status_tenant(
        status_types=[{"id": 1, "name": "A", "kind": "date", "description": "a\x01b\nc"}]
    )
    assert "a b" in opened(template(tenant))[SHEET]["D1"].comment.text


def test_E14_version_is_inside_and_hidden() -> None:
    about = opened(template())[VERSION_SHEET]
    assert about.sheet_state == "hidden"
    assert {row[0].value: row[1].value for row in about.iter_rows()} == {
        "template": "bulk_status",
        "format": "1",
        "version": version(columns(a_status_tenant().status.catalogue)),
        "partner": "mercy",
        "mode": "production",
    }


def test_E14_same_tenant_same_bytes() -> None:
    assert template() == template()


@pytest.mark.parametrize("newline", ["crlf", "lf"])
def test_E14_csv_twin_equals_the_workbook(newline: str) -> None:
    tenant = a_status_tenant(newline=newline)
    content = bulk_csv(tenant, columns(tenant.status.catalogue)).decode()
    assert content.count("\r\n") == (4 if newline == "crlf" else 0)
    twin = [[cell or None for cell in row] for row in csv.reader(io.StringIO(content))]
    assert twin == [[cell.value for cell in row] for row in sheet().iter_rows()]


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_E14_blank_template_is_accepted_and_sets_nothing(kind: str) -> None:
    tenant = a_status_tenant()
    content = bulk_csv(tenant, columns(tenant.status.catalogue)) if kind == "csv" else template()
    found = examined(tenant, content, f"bulk.{kind}")
    assert (found.is_refused, found.rows_accepted, found.rows_rejected) == (False, 3, 0)
    assert (len(found.accepted), found.findings.groups) == (0, ())


FILLED: tuple[dict[str, Any], ...] = (
    {
        "Update Date/Time": datetime(2026, 11, 21, 8, 0),
        "Beds (1)": 12,
        "Level (2)": 1.25,
        "ED (5)": "Divert",
        "ED (5) Reason": "Staffing",
        "ED (5) Comment": "Night shift",
        "Tested (7)": datetime(2026, 11, 20),
        "Supply (11)": "1-3 DAYS",
    },
    {"Note (6)": "all well", "Remark (10)": "noted", "Remark (10) Comment": "by the desk"},
    {"NEDOCS (9)": 61, "Score (8)": 3},
)
TAKEN = {
    ("00101", 1, "12", "", ""),
    ("00101", 2, "1.25", "", ""),
    ("00101", 5, "Divert", "Staffing", "Night shift"),
    ("00101", 7, "2026-11-20", "", ""),
    ("00101", 11, "1-3 DAYS", "", ""),
    ("-7", 6, "all well", "", ""),
    ("-7", 10, "noted", "", "by the desk"),
    ("3E5", 9, "61", "", ""),
    ("3E5", 8, "3", "", ""),
}


def test_E14_filled_template_is_taken_without_a_word() -> None:
    found = examined(a_status_tenant(), filled(template(), *FILLED))
    assert values(found) == TAKEN
    assert found.findings.groups == ()
    assert [one.target for one in found.mapping if one.column == "ED (5) Reason"] == ["ED (5), reason"]


def test_E14_seven_inputs_of_the_template_make_a_score() -> None:
    labels = [cell.value for cell in sheet()[1] if cell.value.startswith("NEDOCS (9) ")]
    found = examined(a_status_tenant(), filled(template(), dict.fromkeys(labels, 1)))
    assert [value[:2] for value in values(found)] == [("00101", 9)]


def renewed() -> Tenant:
    """Return the tenant after a while: 1 is renamed, 3 removed, 6 out of use, 15 new."""
    types = [one for one in STATUS_TYPES if one["id"] not in (3, 13)]
    changes: dict[int, dict[str, Any]] = {
        1: {"name": "Beds Staffed", "former_names": ["Beds"]},
        6: {"active": False},
    }
    types = [{**one, **changes.get(one["id"], {})} for one in types]
    return a_status_tenant(status_types=[*types, {"id": 15, "name": "New", "kind": "number"}])


def test_E14_old_template_stays_readable() -> None:
    tenant = renewed()
    assert template(tenant) != template()
    found = examined(tenant, filled(template(), *FILLED))
    assert values(found) == {value for value in TAKEN if value[1] != 6}
    assert {(group.code, group.column) for group in found.findings.groups} == {
        ("column-unknown", "Load (3)"),
        ("status-type-inactive", "Note (6)"),
    }
    assert {group.severity for group in found.findings.groups} <= {"warning", "info"}


def test_E14_old_template_with_a_new_name_under_an_old_one_goes_by_number() -> None:
    """The name "Beds" now belongs to another type; the number in the header decides."""
    types = [{**one, "name": {1: "Staffed", 2: "Beds"}.get(one["id"], one["name"])} for one in STATUS_TYPES]
    found = examined(a_status_tenant(status_types=types), filled(template(), {"Beds (1)": 12}))
    assert values(found) == {("00101", 1, "12", "", "")}
