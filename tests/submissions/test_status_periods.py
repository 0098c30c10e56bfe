"""New admissions of a week and of a day never mix, from the dropped file to the set for NHSN (E16, E38)."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from partner_exchange import clock
from partner_exchange.exports.nhsn.schedule import latest_due
from partner_exchange.exports.nhsn.sets import build
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.tenants.resources import Frequency
from submissions.conftest import Exchange
from support.nhsn import sound_values

M = "mercy"
CODE = "admissions-of-other-period"
NOW = "select resource_id, status_type_id, value from store.status order by 1, 2"
BEDS, FLU, RSV = 55001, 55038, 55045
# R1 reports daily and R2 weekly. A Saturday.
DAILY, WEEKLY, SATURDAY = "10001", "10002", "11/14/2026"


def hrd(date_key: str, *columns: str, rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    header = ("orgID", "reportingContext", date_key, *columns)
    csv.writer(text).writerows([header, *([org, "HOSP", SATURDAY, *values] for org, *values in rows)])
    return text.getvalue().encode()


@pytest.mark.parametrize(
    ("date_key", "wrong", "right", "says"),
    [
        (
            "weekEndingDate",
            (DAILY, "R1"),
            (WEEKLY, "R2"),
            "those of a week, but this resource reports them to NHSN by the day",
        ),
        (
            "collectionDate",
            (WEEKLY, "R2"),
            (DAILY, "R1"),
            "those of a day, but this resource reports them to NHSN by the week",
        ),
    ],
)
def test_E16_new_admissions_of_another_period_are_not_taken_and_all_else_is(
    hospital: Exchange, date_key: str, wrong: tuple[str, str], right: tuple[str, str], says: str
) -> None:
    columns = ("numInPtBeds", "numConfFluNewAdmUnk", "numConfRSVNewAdmUnk")
    rows = [(right[0], 100, 70, 9999), (wrong[0], 50, 71, 9999)]
    hospital.drop(hrd(date_key, *columns, rows=rows), "hrd.csv", M)
    (submission,) = hospital.run(M)
    assert (submission.rows_accepted, submission.rows_rejected) == (2, 0)
    # A 9999 counts no period.
    taken = [(right[1], BEDS, "100"), (right[1], FLU, "70"), (right[1], RSV, "")]
    assert hospital.rows(NOW) == sorted([*taken, (wrong[1], BEDS, "50"), (wrong[1], RSV, "")])
    with transaction() as connection:
        found = ledger.findings(connection, submission.submission_id)
        outcomes = {one.column: one for one in ledger.column_outcomes(connection, submission.submission_id)}
    (finding,) = (one for one in found.groups if one.code == CODE)
    assert (finding.row_ranges, finding.column) == ("3", "numConfFluNewAdmUnk")
    assert says in finding.message
    assert (outcomes[columns[1]].set, outcomes[columns[1]].rejected) == (1, 1)
    (fix_it,) = hospital.home_dir(M).rglob("*fix*")
    assert "71" in fix_it.read_text()
    assert "70" not in fix_it.read_text()


def test_E16_a_row_with_nothing_else_is_rejected(hospital: Exchange) -> None:
    hospital.drop(hrd("weekEndingDate", "numConfFluNewAdmUnk", rows=[(DAILY, 70)]), "hrd.csv", M)
    (submission,) = hospital.run(M)
    assert (submission.rows_accepted, submission.rows_rejected) == (0, 1)
    assert hospital.rows(NOW) == []


def test_E16_a_resource_that_goes_to_no_set_may_send_either(hospital: Exchange) -> None:
    path = hospital.folder / "tenants" / "mercy.yaml"
    path.write_text(path.read_text().replace(", frequency: daily", ""))
    for number, date_key in enumerate(("weekEndingDate", "collectionDate")):
        content = hrd(date_key, "numConfFluNewAdmUnk", rows=[(DAILY, 70 + number)])
        hospital.drop(content, f"{number}.csv", M)
        (submission,) = hospital.run(M)
        assert submission.rows_rejected == 0
    assert hospital.rows(NOW) == [("R1", FLU, "71")]


@pytest.mark.parametrize(
    ("frequency", "at", "numbers"),
    [
        ("daily", datetime(2026, 11, 14, 22, tzinfo=UTC), {DAILY: "3"}),
        ("weekly", datetime(2026, 11, 17, 22, tzinfo=UTC), {WEEKLY: "70"}),
    ],
)
def test_E38_a_set_never_holds_the_new_admissions_of_another_period(
    hospital: Exchange, frequency: Frequency, at: datetime, numbers: dict[str, str]
) -> None:
    starred = sound_values()
    with clock.frozen(datetime(2026, 11, 14, 20, tzinfo=UTC)):
        for date_key, count in (("collectionDate", 3), ("weekEndingDate", 70)):
            rows = [(org, *starred.values(), count) for org in (DAILY, WEEKLY)]
            hospital.drop(hrd(date_key, *starred, "numConfFluNewAdmUnk", rows=rows), f"{date_key}.csv", M)
            hospital.run(M)
    with clock.frozen(at):
        built = build(hospital.tenant(M), latest_due(frequency, at=at))
    assert built.kept is not None
    text = (hospital.folder / "storage" / built.kept.path).read_text()
    sent = {row["orgID"]: row["numConfFluNewAdmUnk"] for row in csv.DictReader(io.StringIO(text))}
    assert sent == numbers
