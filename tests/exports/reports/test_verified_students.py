"""Who is verified, who became so and who lost it, from a real log (M42, M46-M48)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection

from partner_exchange.ledger.database import transaction
from partner_exchange.stores.verification_log import Window, take_position
from support.builders import a_tenant
from support.reported import NOW, asked, rostered, unverified, verified

pytestmark = pytest.mark.service

TENANT = a_tenant()
ONE, TWO, THREE, FOUR = (f"student{number}@example.edu" for number in range(1, 5))


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with transaction() as open_connection:
        rostered(open_connection, TENANT)
        yield open_connection


def names(connection: Connection, report: str, window: Window | None = None) -> list[object]:
    return [row["username"] for row in asked(connection, TENANT, report, window=window)]


def window_after(connection: Connection, since: int) -> Window:
    return Window(since, take_position(connection, TENANT.code))


@pytest.mark.parametrize(
    ("at", "day"),
    [
        # 23:59 in Chicago is the next day in UTC, in winter and in summer.
        (datetime(2026, 11, 21, 5, 59, tzinfo=UTC), date(2026, 11, 21)),
        (datetime(2026, 6, 21, 4, 59, tzinfo=UTC), date(2026, 6, 21)),
        (datetime(2026, 11, 21, 23, 59, 59, 999_999, tzinfo=UTC), date(2026, 11, 21)),
        (datetime(2026, 11, 22, 0, 0, tzinfo=UTC), date(2026, 11, 22)),
        (datetime(2026, 11, 1, 6, 30, tzinfo=UTC), date(2026, 11, 1)),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "America/Chicago", "Asia/Tokyo"])
def test_M48_verify_date_is_the_utc_day_whatever_zone_the_session_has(
    connection: Connection, at: datetime, day: date, zone: str
) -> None:
    verified(connection, TENANT, ONE, at=at)
    connection.exec_driver_sql(f"set local time zone '{zone}'")
    (row,) = asked(connection, TENANT, "verified_students")
    assert (row["verify_date"], row["verified_at"]) == (day, at)


def test_M47_the_verified_are_listed_by_username_with_what_the_partner_knows_them_by(
    connection: Connection,
) -> None:
    verified(connection, TENANT, THREE, ONE, at=NOW)
    assert asked(
        connection, TENANT, "verified_students", columns=["student_id", "username", "verify_date"]
    ) == [
        {"student_id": "S00000001", "username": ONE, "verify_date": NOW.date()},
        {"student_id": "S00000003", "username": THREE, "verify_date": NOW.date()},
    ]
    assert names(connection, "unverified_students") == [TWO, FOUR]


def test_M46_a_window_holds_what_it_comes_to_and_each_change_once(connection: Connection) -> None:
    verified(connection, TENANT, ONE, TWO)
    first = window_after(connection, 0)
    unverified(connection, TENANT, TWO)
    verified(connection, TENANT, THREE)
    verified(connection, TENANT, FOUR)
    unverified(connection, TENANT, FOUR)
    second = window_after(connection, first.until)
    third = window_after(connection, second.until)
    assert names(connection, "verified_students", first) == [ONE, TWO]
    assert names(connection, "verified_students", second) == [THREE]
    assert names(connection, "unverified_students", first) == []
    assert names(connection, "unverified_students", second) == [TWO, FOUR]
    assert names(connection, "verified_students", third) == names(connection, "unverified_students", third)
    assert names(connection, "verified_students") == [ONE, THREE]
    assert names(connection, "unverified_students") == [TWO, FOUR]


def test_M46_a_window_tells_the_date_of_its_own_change(connection: Connection) -> None:
    verified(connection, TENANT, ONE, at=NOW - timedelta(days=3))
    first = window_after(connection, 0)
    unverified(connection, TENANT, ONE, at=NOW - timedelta(days=2))
    verified(connection, TENANT, ONE, at=NOW)
    (row,) = asked(connection, TENANT, "verified_students", window=first)
    assert row["verify_date"] == date(2026, 11, 18)
    (row,) = asked(connection, TENANT, "verified_students")
    assert row["verify_date"] == date(2026, 11, 21)


def test_M75_all_changes_of_a_window_stand_in_their_order(connection: Connection) -> None:
    verified(connection, TENANT, ONE)
    first = window_after(connection, 0)
    unverified(connection, TENANT, ONE)
    verified(connection, TENANT, ONE, FOUR)
    second = window_after(connection, first.until)

    def told(window: Window | None) -> list[tuple[object, ...]]:
        rows = asked(connection, TENANT, "verification_changes", window=window)
        return [(row["username"], row["change"], row["rule_version"], row["reason"]) for row in rows]

    assert told(first) == [(ONE, "verified", "1", "")]
    assert told(second) == [
        (ONE, "unverified", "2", "card was wrong"),
        (ONE, "verified", "1", ""),
        (FOUR, "verified", "1", ""),
    ]
    assert told(None) == told(first) + told(second)


def test_M46_unverified_students_say_since_when_and_the_others_never_were(connection: Connection) -> None:
    verified(connection, TENANT, TWO, at=NOW - timedelta(days=1))
    unverified(connection, TENANT, TWO, at=NOW)
    rows = asked(connection, TENANT, "unverified_students")
    assert [row["unverified_at"] for row in rows] == [None, NOW, None, None]


def test_M61_compliance_counts_each_student_once(connection: Connection) -> None:
    other = a_tenant(code="other")
    rostered(connection, other, 9)
    rostered(connection, TENANT, 4, student_id="", requirement_group="", term="")
    rostered(connection, TENANT, 3, requirement_group="Nursing", term="Fall 2026")
    verified(connection, TENANT, ONE, TWO, FOUR)
    unverified(connection, TENANT, TWO)
    rows = [tuple(row.values()) for row in asked(connection, TENANT, "compliance_by_group_and_term")]
    assert rows == [
        ("Health Sciences", "Fall 2026", 1, 1, 0, Decimal("100.0")),
        ("Nursing", "Fall 2026", 3, 1, 2, Decimal("33.3")),
    ]
