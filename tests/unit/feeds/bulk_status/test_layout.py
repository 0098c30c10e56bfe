"""Which columns the bulk template has, what people may type into them, and when it is another version."""

from __future__ import annotations

from typing import Any

import pytest

from partner_exchange.feeds.bulk_status.layout import (
    AS_DAY,
    AS_MOMENT,
    AS_NUMBER,
    AS_TEXT,
    Limit,
    TemplateColumn,
    columns,
    plain,
    reported_resources,
    sections,
    version,
)
from support.bulk import RESOURCES, STATUS_TYPES, a_status_tenant


def layout(**over: Any) -> dict[str, TemplateColumn]:
    return {column.header: column for column in columns(a_status_tenant(**over).status.catalogue)}


def test_E15_every_status_type_that_may_be_set_has_a_column_and_what_goes_with_it() -> None:
    headers = list(layout())
    inputs = ("ED Patients", "ED Beds", "Admitted Patients", "Hospital Beds", "Ventilated Patients")
    waits = ("Longest Admit Wait", "Last Door to Bed Wait")
    assert headers == [
        *("Resource ID", "Resource Name", "Update Date/Time"),
        *("Beds (1)", "Level (2)", "Load (3)", "ED (5)", "ED (5) Reason", "ED (5) Comment"),
        *("Note (6)", "Tested (7)", "Score (8)", "NEDOCS (9)"),
        *(f"NEDOCS (9) {one}" for one in (*inputs, *waits)),
        *("Remark (10)", "Remark (10) Comment", "Supply (11)", "Supply Too (12)"),
    ]


@pytest.mark.parametrize(
    ("header", "number_format", "limit"),
    [
        ("Resource ID", AS_TEXT, None),
        ("Update Date/Time", AS_MOMENT, Limit("date", 1)),
        ("Beds (1)", AS_NUMBER, Limit("whole", 0, 1_234_567)),
        ("Level (2)", AS_NUMBER, Limit("decimal", -5.5, 9.25)),
        ("Load (3)", AS_NUMBER, Limit("whole")),
        ("ED (5)", AS_TEXT, None),
        ("Note (6)", AS_TEXT, Limit("textLength", None, 20)),
        ("Tested (7)", AS_DAY, Limit("date", 1)),
        ("Score (8)", AS_NUMBER, Limit("decimal", 0)),
        ("NEDOCS (9)", AS_NUMBER, Limit("decimal", 0, 200)),
        ("NEDOCS (9) ED Beds", AS_NUMBER, Limit("whole", 1)),
        ("NEDOCS (9) ED Patients", AS_NUMBER, Limit("whole", 0)),
        ("NEDOCS (9) Longest Admit Wait", AS_NUMBER, Limit("decimal", 0)),
    ],
)
def test_E15_what_may_be_typed_follows_the_status_type(
    header: str, number_format: str, limit: Limit | None
) -> None:
    column = layout()[header]
    assert (column.number_format, column.limit) == (number_format, limit)


def test_E15_choices_are_the_active_statuses_and_their_reasons() -> None:
    found = layout()
    assert found["ED (5)"].choices == ("Open", "Divert")
    assert found["ED (5) Reason"].choices == ("Staffing", "Power")
    assert (found["ED (5)"].is_closed, found["ED (5) Reason"].is_closed) == (True, False)
    assert found["ED (5) Reason"].note == found["ED (5) Comment"].note == "Required for: Divert."


def test_E15_notes_say_what_is_taken_and_that_blank_changes_nothing() -> None:
    found = layout()
    assert found["Beds (1)"].note == "A whole number, 0 to 1234567. Blank: no update."
    assert found["ED (5)"].note == "Whether it takes patients. One of: Open, Divert. Blank: no update."
    assert found["Load (3)"].note == "A whole number. Blank: no update."
    assert found["Remark (10) Comment"].note == "Required with each value."


def test_E15_a_template_may_be_of_some_sections_only() -> None:
    catalogue = a_status_tenant().status.catalogue
    assert sections(catalogue) == ["Capacity", "Emergency"], "nothing of the section Sums can be set"
    headers = [column.header for column in columns(catalogue, ["capacity"])]
    assert headers == ["Resource ID", "Resource Name", "Update Date/Time", "Beds (1)"]


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (-5.5, "-5.5"), (1_234_567, "1234567"), (1e9, "1000000000"), (0.25, "0.25")],
)
def test_E15_bounds_are_in_plain_digits(number: float, text: str) -> None:
    assert plain(number) == text


def changed(number: int, **options: Any) -> dict[str, Any]:
    return {"status_types": [{**one, **(options if one["id"] == number else {})} for one in STATUS_TYPES]}


@pytest.mark.parametrize(
    "over",
    [
        changed(1, name="Beds Staffed"),
        changed(1, maximum=10),
        changed(6, description="Anything."),
        changed(5, statuses=[{"name": "Open"}]),
        changed(14, active=True),
        {"status_types": STATUS_TYPES[1:-2]},
    ],
)
def test_E14_another_version_when_anything_changes_that_people_see(over: dict[str, Any]) -> None:
    of_today = version(list(layout().values()))
    assert version(list(layout().values())) == of_today
    assert version(list(layout(resources=[]).values())) == of_today, "resources are no part of it"
    assert version(list(layout(**over).values())) != of_today


def test_E32_rows_carry_the_ids_of_the_mode() -> None:
    live, testing = a_status_tenant(), a_status_tenant(mode="test")
    assert [one for one, _ in reported_resources(live)] == [one["production_id"] for one in RESOURCES]
    assert [one for one, _ in reported_resources(testing)] == ["90101", "90102"], "the third has no test id"
