"""Rows come in batches from a cursor of the server, with flat memory and always in the same order (M46)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import Connection, text

from partner_exchange.exports.columns import Row
from partner_exchange.exports.reports import catalogue
from partner_exchange.exports.reports.report import Request
from partner_exchange.exports.reports.streaming import stream
from partner_exchange.ledger.database import transaction
from partner_exchange.stores.verification_log import Window, take_position
from support.builders import a_tenant
from support.reported import NOW, asked, filled, rostered, verified

pytestmark = pytest.mark.service

TENANT = a_tenant()
REPORT = catalogue.get("verified_students")


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with transaction() as open_connection:
        yield open_connection


def batches(connection: Connection, name: str, batch_rows: int, *columns: str) -> list[list[Row]]:
    report = catalogue.get(name)
    parameters = {one.name: one.default for one in report.parameters}
    request = Request(TENANT, parameters, NOW)
    return list(stream(connection, report, request, columns, batch_rows=batch_rows))


def test_M46_rows_come_in_full_batches_and_none_is_empty(connection: Connection) -> None:
    rostered(connection, TENANT, 7)
    assert [len(batch) for batch in batches(connection, "student_roster", 3, "username")] == [3, 3, 1]
    assert [len(batch) for batch in batches(connection, "student_roster", 7, "username")] == [7]
    assert batches(connection, "verified_students", 3, "username") == []


def test_M46_a_report_that_is_worked_out_comes_in_batches_too(connection: Connection) -> None:
    tenant = filled(connection, "status", "mercy-hospital", size=3)
    report = catalogue.get("overdue_statuses")
    rows = asked(connection, tenant, report.name, batch_rows=10_000)
    assert len(rows) > 1
    assert asked(connection, tenant, report.name, batch_rows=1) == rows


def test_M50_columns_come_in_the_order_asked_for_even_twice(connection: Connection) -> None:
    rostered(connection, TENANT, 1)
    found = batches(connection, "student_roster", 10, "term", "student_id", "term")
    assert found == [[("Fall 2026", "S00000001", "Fall 2026")]]


def test_M46_a_batch_is_read_before_the_next_is_asked_for(connection: Connection) -> None:
    """What the server keeps is not fetched: the first of many rows is there at once, the rest is left."""
    rostered(connection, TENANT, 50)
    verified(connection, TENANT, *(f"student{number}@example.edu" for number in range(1, 51)))
    found = stream(connection, REPORT, Request(TENANT, {}, NOW), ["username"], batch_rows=5)
    stream_of_all = cast("Generator[list[Row]]", found)
    first = next(stream_of_all)
    open_cursors = text("select count(*) from pg_cursors where statement like '%student%'")
    assert len(first) == 5
    assert connection.execute(open_cursors).scalar_one() == 1
    stream_of_all.close()
    assert connection.execute(open_cursors).scalar_one() == 0
    # The connection goes on as before.
    assert len(asked(connection, TENANT, "verified_students")) == 50


def test_M46_the_order_does_not_depend_on_how_rows_came_into_the_store(connection: Connection) -> None:
    names = rostered(connection, TENANT, 30)
    verified(connection, TENANT, *reversed(names[15:]))
    verified(connection, TENANT, *names[:15])
    until = take_position(connection, TENANT.code)
    plain = asked(connection, TENANT, "verified_students")
    assert [row["username"] for row in plain] == sorted(names)
    assert asked(connection, TENANT, "verified_students", window=Window(0, until)) == plain


_MANY = """
import sys
from partner_exchange.exports.reports import catalogue
from partner_exchange.exports.reports.report import Request
from partner_exchange.exports.reports.streaming import stream
from partner_exchange.ledger.database import transaction
from partner_exchange.stores.verification_log import Window
from support.builders import a_tenant
from partner_exchange.local.bench.memory import peak_bytes
from support.reported import NOW

def rows_of(window):
    with transaction() as connection:
        report = catalogue.get("verified_students")
        request = Request(a_tenant(), {}, NOW, window)
        return sum(map(len, stream(connection, report, request, report.default_columns)))

rows_of(Window(0, 1000))
before = peak_bytes()
found = rows_of(None), rows_of(Window(0, 10**9))
print(*found, peak_bytes() - before)
"""


@pytest.mark.slow
def test_M46_memory_does_not_grow_with_the_rows(connection: Connection, database_url: str) -> None:
    count = 200_000
    connection.execute(
        text("""
        insert into store.student (tenant_code, username_key, username, student_id, created_at, updated_at,
            created_by_submission, changed_by_submission)
        select :code, name, name, 'S' || n, now(), now(), 's', 's'
        from (select n, 'student' || n || '@example.edu' as name from generate_series(1, :count) n) named
        """),
        {"code": TENANT.code, "count": count},
    )
    verified(connection, TENANT, *(f"student{number}@example.edu" for number in range(1, count + 1)))
    take_position(connection, TENANT.code)
    connection.commit()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    shown = subprocess.run(
        [sys.executable, "-c", _MANY], capture_output=True, text=True, check=True, env=environment
    )
    rows, changed, grown_bytes = map(int, shown.stdout.split())
    assert rows == changed == count
    assert grown_bytes < 30 * 1024**2, "some batches of 10 000 rows, not all of them"
