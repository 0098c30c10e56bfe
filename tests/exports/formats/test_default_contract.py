"""The file that a partner gets when nothing else is agreed: Username, StudentId, VerifyDate."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from partner_exchange.readers.csv import CsvColumn, ReadPolicy, Sheet, read_csv
from support.outbound_files import CONTRACT, facts, taken_back, written

CHICAGO = ZoneInfo("America/Chicago")
ROWS = [
    ("ann.lee@example.edu", "000417", date(2026, 1, 2)),
    ("o'hara@example.edu", None, date(2026, 11, 21)),
    ('"q" <q@example.edu>', "=1+1", date(2026, 12, 31)),
]
GOLDEN = (
    b"Username,StudentId,VerifyDate\r\n"
    b"ann.lee@example.edu,000417,01/02/2026\r\n"
    b"o'hara@example.edu,,11/21/2026\r\n"
    b'"""q"" <q@example.edu>",\'=1+1,12/31/2026\r\n'
)


def test_M47_file_is_byte_for_byte_the_agreed_one() -> None:
    assert written(ROWS, CONTRACT) == GOLDEN
    assert written([], CONTRACT) == b"Username,StudentId,VerifyDate\r\n"


def test_K16_lines_end_as_the_partner_wants_them() -> None:
    assert written(ROWS, CONTRACT, newline="lf") == GOLDEN.replace(b"\r\n", b"\n")


@pytest.mark.parametrize(
    ("verified_at", "day"),
    [
        (datetime(2026, 6, 30, 23, 59, 59, tzinfo=CHICAGO), "07/01/2026"),
        (datetime(2026, 6, 30, 18, 59, 59, tzinfo=CHICAGO), "06/30/2026"),
        (datetime(2026, 6, 30, 19, 0, 0, tzinfo=CHICAGO), "07/01/2026"),
        (datetime(2026, 12, 31, 17, 59, 59, tzinfo=CHICAGO), "12/31/2026"),
        (datetime(2026, 12, 31, 18, 0, 0, tzinfo=CHICAGO), "01/01/2027"),
        # Clocks go forward on 8 March 2026 and back on 1 November: the same hour is another one in UTC.
        (datetime(2026, 3, 7, 18, 30, tzinfo=CHICAGO), "03/08/2026"),
        (datetime(2026, 3, 8, 18, 30, tzinfo=CHICAGO), "03/08/2026"),
        (datetime(2026, 3, 8, 19, 0, tzinfo=CHICAGO), "03/09/2026"),
        (datetime(2026, 10, 31, 18, 30, tzinfo=CHICAGO), "10/31/2026"),
        (datetime(2026, 11, 1, 18, 30, tzinfo=CHICAGO), "11/02/2026"),
        (datetime(2026, 11, 1, 1, 30, tzinfo=CHICAGO, fold=1), "11/01/2026"),
        (datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC), "02/28/2026"),
        (datetime(2028, 2, 29, 0, 0, tzinfo=UTC), "02/29/2028"),
    ],
)
@pytest.mark.parametrize("zone", ["America/Chicago", "Pacific/Auckland", "UTC"])
def test_M48_verify_date_is_the_day_in_utc_wherever_the_export_is(
    verified_at: datetime, day: str, zone: str
) -> None:
    rows = [("a@example.edu", "1", verified_at), ("b@example.edu", "2", verified_at.astimezone(UTC).date())]

    content = written(rows, CONTRACT, about=facts(zone=ZoneInfo(zone)))

    assert [row[2] for row in taken_back(content, CONTRACT)] == [day, day]


def test_M49_partners_could_drop_the_file_back_and_not_a_word_would_be_said() -> None:
    columns = [CsvColumn(column.name, column.header) for column in CONTRACT]

    sheet = read_csv(
        written(ROWS, CONTRACT), file_name="verified.csv", columns=columns, policy=ReadPolicy(max_rows=50_000)
    )

    assert isinstance(sheet, Sheet)
    assert sheet.marks == ()
    assert sheet.header == ("Username", "StudentId", "VerifyDate")
    assert sheet.table.to_pydict() == {
        "username": [row[0] for row in ROWS],
        "student_id": ["000417", "", "=1+1"],
        "verify_date": ["01/02/2026", "11/21/2026", "12/31/2026"],
    }
