"""The rows of a report, batch by batch, with memory that does not grow with them (M46, X12)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from sqlalchemy import Connection, select

from partner_exchange.exports.columns import Row
from partner_exchange.exports.reports.report import Computed, Query, Report, Request

BATCH_ROWS = 2_000
"""Twice as fast as 10 000: so few rows at once are too few for Python to look through all its memory for
garbage again and again."""


def stream(
    connection: Connection,
    report: Report,
    request: Request,
    columns: Sequence[str],
    *,
    batch_rows: int = BATCH_ROWS,
) -> Iterator[list[Row]]:
    """Yield the rows in batches that are never empty, with these columns in this order.

    The order of rows is fixed by a unique key, so the same data gives the same rows in the same order. All
    comes from one statement; where that is not enough, the caller sees to a snapshot. The transaction must
    not be read-only: some reports use temporary tables.

    It is a generator: closed before its end, it gives the cursor back.

    :raises StoreUnavailable: the database cannot be reached.
    :raises ReportRefused: a parameter names something that the tenant does not have.
    """
    source = report.source
    if isinstance(source, Query):
        return _selected(connection, source, request, columns, batch_rows)
    return _computed(connection, report, source, request, columns, batch_rows)


def _selected(
    connection: Connection, source: Query, request: Request, columns: Sequence[str], batch_rows: int
) -> Iterator[list[Row]]:
    inner = source.build(request).subquery()
    # Only what is asked for is worked out and sent; a name may be asked for twice.
    wanted = [inner.c[name].label(f"column_{place}") for place, name in enumerate(columns)]
    statement = select(*wanted).order_by(*(inner.c[name] for name in source.order))
    # A cursor of the server: the connection itself must not be changed, others use it afterwards.
    with connection.execute(statement, execution_options={"yield_per": batch_rows}) as result:
        for batch in result.partitions():
            yield [tuple(row) for row in batch]


def _computed(
    connection: Connection,
    report: Report,
    source: Computed,
    request: Request,
    columns: Sequence[str],
    batch_rows: int,
) -> Iterator[list[Row]]:
    place = {one.name: at for at, one in enumerate(report.columns)}
    wanted = [place[name] for name in columns]
    rows: Iterable[Row] = source.rows(connection, request)
    narrowed = (tuple(row[at] for at in wanted) for row in rows)
    while batch := list(islice(narrowed, batch_rows)):
        yield batch
