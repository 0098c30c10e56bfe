"""Counts of doses, refusals, consents and quality reports, from a real store (M63)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection

from partner_exchange.ledger import messages
from partner_exchange.ledger.database import transaction
from support.immunizations import a_dose, a_message, a_registry_tenant
from support.quality import Case, a_refused
from support.quality import a_report as a_quality_report
from support.reported import NOW, asked, between, consented, immunized, received

pytestmark = pytest.mark.service

TENANT = a_registry_tenant()
STRICT = a_registry_tenant(consent="required")


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with transaction() as open_connection:
        yield open_connection


def told(rows: list[dict[str, Any]], *names: str) -> list[tuple[object, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def test_M63_doses_are_counted_by_vaccine_and_age_at_the_dose(connection: Connection) -> None:
    immunized(
        connection,
        TENANT,
        a_message("1", doses=[a_dose("a"), a_dose("b", administered_on="2020-12-03")], birth_on="2020-02-03"),
        # A day before the birthday, and on it.
        a_message("2", doses=[a_dose("a", administered_on="2020-02-02")], birth_on="2019-02-03"),
        a_message("3", doses=[a_dose("a", administered_on="2020-02-03")], birth_on="2019-02-03"),
        a_message("4", doses=[a_dose("a", given=False, cvx="141")], birth_on="1950-01-01"),
        a_message("5", doses=[a_dose("a", cvx="141", administered_on="1949-01-01")], birth_on="1950-01-01"),
    )
    rows = asked(connection, TENANT, "doses_by_vaccine_and_age")
    assert told(rows, "cvx", "age", "doses", "given", "historical") == [
        ("03", "baby", 2, 2, 0),
        ("03", "child", 2, 2, 0),
        ("141", "senior", 1, 0, 1),
        ("141", "unknown", 1, 1, 0),
    ]
    assert rows[0]["vaccine"] == "MMR"
    rows = asked(connection, TENANT, "doses_by_vaccine_and_age", **between("2020-02-03", "2020-12-03"))
    assert told(rows, "age", "doses") == [("baby", 1), ("child", 1)]


def test_M63_doses_by_month_count_each_patient_once(connection: Connection) -> None:
    doses = [
        a_dose("a"),
        a_dose("b", administered_on="2026-11-20"),
        a_dose("c", administered_on="2026-10-31"),
    ]
    immunized(connection, TENANT, a_message("1", doses=doses), a_message("2", doses=doses[:1]))
    names = ("month", "doses", "given", "historical", "patients")
    rows = asked(connection, TENANT, "doses_by_month")
    assert told(rows, *names) == [("2026-10", 1, 1, 0, 1), ("2026-11", 3, 3, 0, 2)]
    assert told(asked(connection, TENANT, "doses_by_month", **between("2026-11-02")), *names) == [
        ("2026-11", 1, 1, 0, 1)
    ]


def test_M63_the_lag_is_counted_from_the_dose_to_the_store(connection: Connection) -> None:
    days = ["2026-11-21", "2026-11-20", "2026-11-11", "2026-01-01"]
    doses = [a_dose(day, administered_on=day) for day in days]
    old = a_dose("old", administered_on="2026-01-02", given=False)
    immunized(connection, TENANT, a_message("1", doses=[*doses, old]), at=NOW)
    (row,) = asked(connection, TENANT, "reporting_lag")
    assert row == {
        "month": "2026-11",
        "doses": 4,
        "median_days": 1,
        "slowest_tenth_days": 324,
        "within_3": 2,
        "within_14": 3,
        "within_30": 3,
        "percent_within_30": Decimal("75.0"),
    }
    assert asked(connection, TENANT, "reporting_lag", at=NOW + timedelta(days=8), days=7) == []


def test_M63_refusals_by_vaccine_and_reason(connection: Connection) -> None:
    def refused(key: str, reason: str) -> Any:
        return a_dose(key, completion="RE", refusal_reason=reason, administered_on="2026-11-02")

    immunized(connection, TENANT, a_message("1", doses=[refused("a", "00")]))
    immunized(connection, TENANT, a_message("2", doses=[refused("a", "00")]))
    immunized(connection, TENANT, a_message("3", doses=[refused("a", "03"), a_dose("b")]))
    rows = asked(connection, TENANT, "refusals_by_vaccine")
    assert told(rows, "cvx", "vaccine", "reason", "refusals", "last_on") == [
        ("03", "MMR", "00", 2, date(2026, 11, 2)),
        ("03", "MMR", "03", 1, date(2026, 11, 2)),
    ]


def test_T62_held_doses_are_counted_by_the_month_since_which_they_wait(connection: Connection) -> None:
    immunized(connection, STRICT, a_message("1", doses=[a_dose("a")]), at=NOW - timedelta(days=40))
    refusal = a_dose("b", completion="RE", refusal_reason="00")
    immunized(connection, STRICT, a_message("2", doses=[a_dose("a"), refusal], first_name="Bo"), at=NOW)
    rows = asked(connection, STRICT, "held_doses")
    assert told(rows, "month", "doses", "refusals", "patients", "oldest_at") == [
        ("2026-10", 1, 0, 1, NOW - timedelta(days=40)),
        ("2026-11", 1, 1, 1, NOW),
    ]
    assert asked(connection, STRICT, "doses_by_month") == []


def test_T61_patients_are_counted_by_what_their_consent_is_today(connection: Connection) -> None:
    consented(connection, STRICT)
    consented(connection, STRICT, identifier="2", status="NO")
    messages_ = [
        a_message(number, doses=[a_dose(number)], first_name=name)
        for number, name in (("1", "Ann"), ("2", "Bo"), ("3", "Cy"), ("4", "Di"))
    ]
    immunized(connection, STRICT, *messages_)
    rows = asked(connection, STRICT, "patients_by_consent")
    names = ("consent", "type", "patients", "stored", "held")
    assert told(rows, *names) == [
        ("NO", "CHILD", 1, 0, 1),
        ("NOT_FOUND", "", 2, 0, 2),
        ("YES", "CHILD", 1, 1, 0),
    ]
    # Grown up, a child's consent is none any more; the store follows with the next file or release.
    rows = asked(connection, STRICT, "patients_by_consent", at=NOW.replace(year=2040))
    assert told(rows, *names) == [("NO", "CHILD", 2, 1, 1), ("NOT_FOUND", "", 2, 0, 2)]
    assert told(asked(connection, STRICT, "consent_records"), "type", "status", "records") == [
        ("CHILD", "NO", 1),
        ("CHILD", "YES", 1),
    ]


def test_T58_the_trend_of_quality_has_a_line_for_each_report(connection: Connection) -> None:
    good = a_quality_report(Case(messages=100))
    late = a_quality_report(Case(messages=50, messages_rejected=10, lags={}))
    for days, document in ((400, good), (3, good), (2, late), (1, a_refused())):
        at = NOW - timedelta(days=days)
        done = received(connection, TENANT, file_name=f"{days}.hl7", at=at)
        messages.record_report(connection, done, score=document.score, document=document.as_json())
    rows = asked(connection, TENANT, "dqa_trend")
    assert good.result is not None
    assert late.result is not None
    parts = {one.name: one.percent for one in good.result.parts}
    assert told(rows, "file_name", "band", "messages", "messages_rejected") == [
        ("3.hl7", good.result.band, 100, 0),
        ("2.hl7", late.result.band, 50, 10),
        ("1.hl7", None, None, None),
    ]
    assert rows[0]["score"] == Decimal(str(good.result.total))
    for name, percent in parts.items():
        assert float(str(rows[0][name])) == pytest.approx(percent, abs=0.05)
    assert rows[1]["timeliness"] is None, "nothing to judge is not nought"
    assert rows[2]["score"] is None
    assert len(asked(connection, TENANT, "dqa_trend", days=500)) == 4
