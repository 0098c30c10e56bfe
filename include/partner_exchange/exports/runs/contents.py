"""The rows of an export into a file on this machine: report, comparison, form (M46, M73, M75)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from partner_exchange import clock
from partner_exchange.exports import difference, formats
from partner_exchange.exports.columns import Row
from partner_exchange.exports.plan import CHANGE, Plan
from partner_exchange.exports.reports import settling
from partner_exchange.exports.reports.report import Request
from partner_exchange.exports.reports.streaming import stream
from partner_exchange.ledger.database import snapshot
from partner_exchange.stores.verification_log import Window


def write_contents(
    plan: Plan,
    file: Path,
    *,
    window: Window | None,
    made_at: datetime,
    before: Path | None,
    after: Path | None,
) -> int:
    """Write the export as it is now and return how many rows it has; all rows are of one instant.

    :param window: changes to read, of a delta that reads a log.
    :param made_at: what the file says of its making, in UTC.
    :param before: what the last delivered file left, of a delta by comparison; None before the first one.
    :param after: where to leave the same for the next one; None for any other export.
    :raises ReportRefused: the report cannot be read so.
    :raises FileUnwritable: the rows do not fit the form of the file.
    :raises StoreUnavailable: the database cannot be reached.
    """
    request = Request(plan.tenant, plan.parameters, as_of=clock.now(), window=window)
    with snapshot() as connection, file.open("wb") as out:
        batches = stream(connection, plan.report, request, plan.asked)
        if after is not None:
            columns = settling.columns(plan.report, plan.asked)
            batches = difference.compare(
                batches, columns, plan.report.keys, before, after, version=plan.report.version
            )
        rows = _in_file(plan, batches)
        return formats.write(out, plan.export.format, plan.file_columns, rows, about=plan.facts(made_at))


def _in_file(plan: Plan, batches: Iterable[list[Row]]) -> Iterator[list[Row]]:
    """Bring the columns into the order of the file."""
    there = [*plan.asked, CHANGE.name] if plan.compares else list(plan.asked)
    wanted = [column.name for column in plan.file_columns]
    if there == wanted:
        yield from batches
        return
    places = [there.index(name) for name in wanted]
    # A file that does not say what became of a row must not hold rows that are gone.
    keeps_removed = CHANGE.name in wanted or not plan.compares
    for batch in batches:
        rows = batch if keeps_removed else [row for row in batch if row[-1] != difference.REMOVED]
        yield [tuple(row[place] for place in places) for row in rows]
