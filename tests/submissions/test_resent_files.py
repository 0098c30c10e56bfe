"""Files that come again, whole or mended: an old one never undoes what was said after it (E24)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from partner_exchange import clock
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.database import transaction
from submissions.conftest import Exchange
from submissions.test_status_files import bulk, codes, xls, xlsx

M = "mercy"
HEADER = ("orgID", "reportingContext", "collectionDate", "AdultICUOccupied", "AdultICUUnoccupied")
NOW = "select status_type_id, value, reported_at from store.status order by 1"
OCCUPIED, UNOCCUPIED = 73005, 73006
MORNING = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
"""08:00 in the zone of the hospital, which is Chicago's."""
EVENING = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)
NEXT_DAY = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)


def of_day(occupied: object, unoccupied: object = "", day: str = "11/20/2026") -> bytes:
    return bulk(("10001", "HOSP", day, occupied, unoccupied), header=HEADER)


def send(hospital: Exchange, content: bytes, at: datetime, name: str = "beds.csv") -> str:
    with clock.frozen(at):
        hospital.drop(content, name, M)
        (submission,) = hospital.run(M)
    return submission.submission_id


def test_E24_yesterdays_first_file_sent_again_does_not_undo_the_second(hospital: Exchange) -> None:
    send(hospital, of_day(5), MORNING)
    send(hospital, of_day(9), EVENING)
    history = hospital.rows("select value, reported_at from store.status_change order by 2")

    again = send(hospital, of_day(5), NEXT_DAY)

    assert hospital.rows(NOW) == [(OCCUPIED, "9", EVENING)]
    assert hospital.rows("select value, reported_at from store.status_change order by 2") == history
    assert "status-newer" in codes(again)


def test_E24_a_mended_file_of_yesterday_reports_for_when_that_file_came(hospital: Exchange) -> None:
    send(hospital, of_day("5 beds", "x"), MORNING)
    (fix_it,) = (hospital.home_dir(M) / "results").glob("*fix-it*")
    send(hospital, of_day(9), EVENING)

    send(hospital, of_day(5, "none yet"), NEXT_DAY, fix_it.name)
    (fix_it_of_it,) = (hospital.home_dir(M) / "results").glob("*fix-it*fix-it*")
    send(hospital, of_day("", 7), NEXT_DAY.replace(hour=16), fix_it_of_it.name)

    assert hospital.rows(NOW) == [(OCCUPIED, "9", EVENING), (UNOCCUPIED, "7", MORNING)]


def test_E24_a_day_that_was_over_when_its_file_first_came_stays_its_end(hospital: Exchange) -> None:
    content = of_day(5, day="11/19/2026")
    end = datetime(2026, 11, 20, 5, 59, 59, tzinfo=UTC)

    for at in (MORNING, NEXT_DAY):
        send(hospital, content, at)
        assert hospital.rows(NOW) == [(OCCUPIED, "5", end)]


def test_E24_the_content_of_another_hospital_is_not_ours(hospital: Exchange) -> None:
    tenants = hospital.folder / "tenants"
    (tenants / "other.yaml").write_text((tenants / "mercy.yaml").read_text())
    hospital.inbox("other").mkdir(parents=True)
    with clock.frozen(MORNING):
        hospital.drop(of_day(5), "beds.csv", "other")
        hospital.run("other")

    mine = send(hospital, of_day(5), NEXT_DAY)

    with transaction() as connection:
        submission = ledger.get(connection, mine)
        assert ledger.first_claimed_at(connection, submission) == NEXT_DAY


BULK = ("Resource ID", "Update Date/Time", "ED Status", "ED Status Comment", "Last Generator Test")


def test_K23_a_blank_cell_that_must_be_filled_is_no_rejected_value(hospital: Exchange) -> None:
    content = bulk(("R1", "11/20/2026 08:00", "Closed", "", ""), header=BULK)

    submission = send(hospital, content, NEXT_DAY)

    assert codes(submission) == {"comment-missing"}
    with transaction() as connection:
        outcomes = ledger.column_outcomes(connection, submission)
    assert {one.column: one.rejected for one in outcomes if one.rejected} == {"ED Status": 1}
    (fix_it,) = (hospital.home_dir(M) / "results").glob("*fix-it*")
    assert fix_it.read_text().splitlines()[0] == ",".join(BULK[:4])


@pytest.mark.parametrize(("make", "ending"), [(xlsx, "xlsx"), (xls, "xls")])
def test_E15_a_date_cell_that_holds_a_time_is_its_day(hospital: Exchange, make: object, ending: str) -> None:
    cell = datetime(2026, 11, 3, 12, 0)  # noqa: DTZ001 - a spreadsheet knows no zones
    row = ("R1", "11/20/2026 08:00", "", "", "2026-11-03 12:00:00" if make is xls else cell)

    submission = send(hospital, make(row, header=BULK), NEXT_DAY, f"beds.{ending}")  # type: ignore[operator]

    assert codes(submission) == set()
    assert hospital.rows("select value from store.status") == [("2026-11-03",)]


def test_E01_a_comma_too_many_at_the_end_of_each_row_is_no_fault(hospital: Exchange) -> None:
    content = of_day(5, 6).replace(b"6\r\n", b"6,\r\n")

    submission = send(hospital, content, MORNING)

    assert codes(submission) == {"surplus-blank-fields"}
    assert [value for _, value, _ in hospital.rows(NOW)] == ["5", "6"]
