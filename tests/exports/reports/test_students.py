"""What a partner sent of its students, from a real roster (M61, M63)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from partner_exchange.ledger.database import transaction
from partner_exchange.stores import students
from support.builders import a_student_rows, a_tenant
from support.reported import NOW, asked, between, rostered, unverified, verified

pytestmark = pytest.mark.service

TENANT = a_tenant()
ONE, TWO, THREE, FOUR = (f"student{number}@example.edu" for number in range(1, 5))


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with transaction() as open_connection:
        yield open_connection


def names(connection: Connection, report: str, **parameters: Any) -> list[object]:
    return [row["username"] for row in asked(connection, TENANT, report, **parameters)]


def change(connection: Connection, number: int, **over: str) -> None:
    """Send one row of the roster again with other values."""
    row = a_student_rows(number).iloc[number - 1 :].assign(**over)
    students.merge(connection, row, tenant_code=TENANT.code, submission_id="s", policy=TENANT.roster, now=NOW)


def test_M63_the_roster_holds_every_value_as_it_was_sent(connection: Connection) -> None:
    rostered(connection, TENANT, 2)
    verified(connection, TENANT, TWO)
    first, second = asked(connection, TENANT, "student_roster")
    assert first == {
        "username": ONE,
        "student_id": "S00000001",
        "last_name": "Last1",
        "first_name": "First1",
        "telephone": "(512) 500-0001",
        "dob": date(2001, 2, 2),
        "requirement_group": "Health Sciences",
        "term": "Fall 2026",
        "on_campus": True,
        "created_at": NOW,
        "updated_at": NOW,
        "is_verified": False,
    }
    assert (second["is_verified"], second["on_campus"]) == (True, False)


def test_M63_the_roster_of_one_group_or_term(connection: Connection) -> None:
    rostered(connection, TENANT, 3)
    change(connection, 2, requirement_group="Nursing", term="Spring 2027")
    assert names(connection, "student_roster", requirement_group="Nursing") == [TWO]
    assert names(connection, "student_roster", term="Fall 2026") == [ONE, THREE]
    assert names(connection, "student_roster", term="Fall 2026", requirement_group="Nursing") == []


def test_M63_on_campus_with_and_without_verification(connection: Connection) -> None:
    rostered(connection, TENANT, 4, on_campus="1")
    change(connection, 4, on_campus="0")
    verified(connection, TENANT, ONE, TWO)
    unverified(connection, TENANT, TWO)
    rows = asked(connection, TENANT, "on_campus")
    assert [(row["username"], row["is_verified"], row["verify_date"]) for row in rows] == [
        (ONE, True, NOW.date()),
        (TWO, False, None),
        (THREE, False, None),
    ]
    assert names(connection, "on_campus", verified="yes") == [ONE]
    assert names(connection, "on_campus", verified="no") == [TWO, THREE]


def test_M75_new_students_of_the_last_days_or_between_two_days(connection: Connection) -> None:
    for number, days in enumerate((40, 20, 0), start=1):
        rostered(connection, TENANT, number, at=NOW - timedelta(days=days))
    assert names(connection, "new_students") == [TWO, THREE]
    assert names(connection, "new_students", days=10) == [THREE]
    assert names(connection, "new_students", until="2026-11-01") == [ONE, TWO]
    assert names(connection, "new_students", **between("2026-11-01")) == [TWO, THREE]
    assert names(connection, "new_students", **between("2026-11-01", "2026-11-20")) == [TWO]
    assert names(connection, "new_students", **between("2026-11-02", "2026-11-20")) == []


def test_M63_students_without_a_group(connection: Connection) -> None:
    rostered(connection, TENANT, 1)
    row = a_student_rows(2).iloc[1:].assign(requirement_group="", term="")
    students.merge(connection, row, tenant_code=TENANT.code, submission_id="s", policy=TENANT.roster, now=NOW)
    assert names(connection, "students_without_group") == [TWO]


def test_M63_who_may_be_the_same_person(connection: Connection) -> None:
    rostered(connection, TENANT, 4)
    change(connection, 3, last_name="LAST1", first_name="first1", dob="2001-02-02")
    change(connection, 4, telephone="+1 (512) 500-0002")
    rows = asked(connection, TENANT, "possible_duplicates")
    assert [(row["alike"], row["first_of"], row["username"], row["students"]) for row in rows] == [
        ("name and date of birth", ONE, ONE, 2),
        ("name and date of birth", ONE, THREE, 2),
        ("telephone", TWO, TWO, 2),
        ("telephone", TWO, FOUR, 2),
    ]


def test_M63_who_shares_nothing_but_what_is_missing_is_not_told(connection: Connection) -> None:
    rostered(connection, TENANT, 3, telephone="", dob="")
    assert asked(connection, TENANT, "possible_duplicates") == []
