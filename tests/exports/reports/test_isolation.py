"""No report shows a row, or counts anything, of another tenant (X12)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import pytest
from sqlalchemy import Connection

from partner_exchange.exports.columns import Kind, Value
from partner_exchange.exports.reports.catalogue import REPORTS
from partner_exchange.exports.reports.report import Report
from partner_exchange.ledger.database import transaction
from partner_exchange.stores.verification_log import Window
from partner_exchange.tenants.model import Tenant
from support.reported import asked, filled, tenant_of

pytestmark = pytest.mark.service

PYTHON = {
    Kind.TEXT: str,
    Kind.INTEGER: int,
    Kind.DECIMAL: Decimal,
    Kind.BOOLEAN: bool,
    Kind.DATE: dt.date,
    Kind.INSTANT: dt.datetime,
}
# Behind the first changes: what they come to with later ones is nothing.
WINDOW = Window(4, 10_000)
CASES = [
    (report, feed, window)
    for report in REPORTS.values()
    for feed in sorted(report.feeds)
    for window in ([None, WINDOW] if report.reads_changes else [None])
]
IDS = [f"{report.name}-{feed}{'-window' if window else ''}" for report, feed, window in CASES]


Rows = Sequence[Mapping[str, Value]]
Asked = tuple[str, Window | None]


@dataclass(frozen=True)
class Answers:
    """What the reports of a feed say, before there is another tenant and when there is one."""

    before: Mapping[Asked, Rows]
    after: Mapping[Asked, Rows]
    other: Mapping[Asked, Rows]
    none: Mapping[Asked, Rows]


@pytest.fixture(scope="module")
def answers(module_database_url: str) -> Callable[[str], Answers]:
    """All reports of a feed, asked once."""
    known: dict[str, Answers] = {}

    def of(feed: str) -> Answers:
        if feed not in known:
            with transaction(module_database_url) as connection:
                known[feed] = ask(connection, feed)
        return known[feed]

    return of


def ask(connection: Connection, feed: str) -> Answers:
    def every(tenant: Tenant) -> dict[Asked, Rows]:
        return {
            (report.name, window): asked(connection, tenant, report.name, window=window)
            for report, one, window in CASES
            if one == feed
        }

    ours = filled(connection, feed, f"{feed}-ours")
    before = every(ours)
    # The same names, numbers and times once more, and more of them.
    theirs = filled(connection, feed, f"{feed}-theirs", size=3)
    return Answers(before, every(ours), every(theirs), every(tenant_of(feed, "nobody")))


@pytest.mark.parametrize(("report", "feed", "window"), CASES, ids=IDS)
def test_X12_M63_a_report_holds_its_own_tenant_alone_and_what_its_columns_promise(
    answers: Callable[[str], Answers], report: Report, feed: str, window: Window | None
) -> None:
    found, key = answers(feed), (report.name, window)
    assert found.before[key], "a report without rows shows nothing"
    assert found.after[key] == found.before[key]
    assert found.other[key] != found.before[key]
    # The resources of a tenant file are there before anything was received.
    assert not found.none[key] or report.name == "resources_without_report"
    check(report, found.other[key])


def check(report: Report, rows: Rows) -> None:
    """Keys are there and unique; each value is of its column's kind, an instant in UTC."""
    keys = [tuple(row[name] for name in report.keys) for row in rows]
    assert len(set(keys)) == len(keys)
    assert all(value is not None for key in keys for value in key)
    for row in rows:
        for column in report.columns:
            value = row[column.name]
            assert value is None or type(value) is PYTHON[column.kind], column.name
            assert not isinstance(value, dt.datetime) or value.tzinfo is dt.UTC, column.name
