"""The CSV of a set is what CDC's HRD template looks like, and can be read back by its own rules (E38)."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime

import pytest

from partner_exchange.exports.nhsn.schedule import latest_due
from partner_exchange.exports.nhsn.selection import STARRED, SetRow
from partner_exchange.exports.nhsn.values import hrd_template
from partner_exchange.exports.nhsn.writer import set_csv
from partner_exchange.tenants.catalogue import CatalogueName, ready
from partner_exchange.tenants.resources import Frequency

TEMPLATE = hrd_template(date(2026, 11, 20))
AT = datetime(2026, 11, 20, 22, tzinfo=UTC)
NAMES = [one.name for one in ready(CatalogueName.CDC_HRD)]
ROWS = [
    SetRow("00101", "HOSP", ("12", "9999", "", *[""] * 42, ">30 DAYS", *[""] * 9)),
    SetRow("30101", "CHLD", ("0",) * 55),
]


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


@pytest.mark.parametrize(
    ("frequency", "header", "day"),
    [("daily", "collectionDate", "2026-11-20"), ("weekly", "weekEndingDate", "2026-11-14")],
)
def test_E38_keys_come_first_then_the_55_values_in_order(frequency: Frequency, header: str, day: str) -> None:
    first, *rows = read(set_csv(TEMPLATE, latest_due(frequency, at=AT), ROWS))
    assert first == ["orgID", "reportingContext", header, *NAMES]
    assert len(first) == 58
    assert rows == [
        ["00101", "HOSP", day, *ROWS[0].values],
        ["30101", "CHLD", day, *ROWS[1].values],
    ]


def test_E38_the_same_rows_are_the_same_bytes() -> None:
    due = latest_due("daily", at=AT)
    content = set_csv(TEMPLATE, due, ROWS)
    assert content == set_csv(TEMPLATE, due, list(ROWS))
    assert content.count(b"\r\n") == 3
    assert not content.startswith(b"\xef\xbb\xbf")


def test_E16_before_the_first_version_the_first_one_is_taken() -> None:
    assert hrd_template(date(2020, 1, 1)).name == "cdc_respiratory"


def test_E39_the_required_values_are_the_first_sixteen_of_the_catalogue() -> None:
    names = {one.id: one.name for one in ready(CatalogueName.CDC_HRD)}
    assert [names[one] for one in STARRED] == NAMES[:16]
    assert NAMES[:16][0] == "numInPtBeds"
    assert NAMES[15] == "numConfC19ICUPatsPed"
