"""Deltas by comparison against plain dictionaries: applied one after the other, they give the last report."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from partner_exchange.exports.columns import Kind, Row, Value
from partner_exchange.exports.difference import CHANGED, NEW, REMOVED, compare
from partner_exchange.exports.reports.report import ReportColumn

# Few different values: rows are to meet again, with others under the same key.
VALUES: dict[Kind, st.SearchStrategy[Value]] = {
    Kind.TEXT: st.sampled_from(("", "a", "ab", "b", "1:a", "-", "\x1f", "é")),
    Kind.INTEGER: st.integers(-1, 2),
    Kind.DECIMAL: st.sampled_from((Decimal("0"), Decimal("0.50"), Decimal("5"), Decimal("50"))),
    Kind.BOOLEAN: st.booleans(),
    Kind.DATE: st.sampled_from((date(2026, 1, 1), date(2026, 11, 21))),
    Kind.INSTANT: st.sampled_from(
        (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 1, tzinfo=UTC))
    ),
}
Report = tuple[list[ReportColumn], list[int], list[list[Row]]]


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Return columns, the places of their keys, and the rows of several runs with unique keys."""
    kinds = draw(st.lists(st.sampled_from(list(Kind)), min_size=1, max_size=4))
    columns = [ReportColumn(f"c{n}", f"C{n}", kind, "it") for n, kind in enumerate(kinds)]
    places = draw(st.lists(st.integers(0, len(kinds) - 1), min_size=1, max_size=2, unique=True))
    row = st.tuples(*(st.none() | VALUES[kind] for kind in kinds))
    rows = st.lists(row, max_size=8, unique_by=lambda one: tuple(one[place] for place in places))
    return columns, places, draw(st.lists(rows, min_size=1, max_size=5))


@settings(deadline=None)
@given(report=reports(), batch_rows=st.integers(1, 4))
def test_M75_deltas_add_up_to_the_report(report: Report, batch_rows: int) -> None:
    columns, places, runs = report
    keys = [columns[place].name for place in places]

    def key(row: Row) -> Row:
        return tuple(row[place] for place in places)

    held: dict[Row, Row] = {}
    with TemporaryDirectory() as folder:
        before: Path | None = None
        for number, rows in enumerate(runs):
            after = Path(folder) / str(number)
            batches = [rows[begin : begin + batch_rows] for begin in range(0, len(rows), batch_rows)]
            delta = [one for batch in compare(batches, columns, keys, before, after) for one in batch]
            report_now = {key(row): row for row in rows}
            expected = {
                *((one, NEW) for one in report_now.keys() - held.keys()),
                *((one, REMOVED) for one in held.keys() - report_now.keys()),
                *((one, CHANGED) for one in report_now.keys() & held.keys() if report_now[one] != held[one]),
            }
            assert {(key(row), row[-1]) for row in delta} == expected
            assert len(delta) == len(expected)
            for *values, change in delta:
                if change == REMOVED:
                    del held[key(tuple(values))]
                else:
                    held[key(tuple(values))] = tuple(values)
            assert held == report_now
            before = after
