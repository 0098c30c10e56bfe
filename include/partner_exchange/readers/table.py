"""Read a table that is found by its header, from CSV, XLS or XLSX; the content decides which (E02 to E05).

Called by the feeds. Whatever a file holds, the answer is a grid or a refusal: no file can make the reader
raise, run macros, follow links, or take more memory than its limits allow (X15).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from partner_exchange.readers.grid import Grid, KnowsHeader, TableFormat
from partner_exchange.readers.kinds import extension_mark, kind_of
from partner_exchange.readers.marks import Refusal
from partner_exchange.readers.refused import Refused
from partner_exchange.readers.table_csv import read_csv_table


@dataclass(frozen=True)
class TablePolicy:
    """How large a table may be."""

    max_rows: int = 100_000
    max_columns: int = 1_000
    max_cells: int = 5_000_000
    """Cells of a workbook between A1 and its last filled one, which is what reading it costs."""


def read_table(content: bytes, *, file_name: str, policy: TablePolicy, knows: KnowsHeader) -> Grid | Refusal:
    """Return the table, or why the file cannot be taken; never raises for what the file holds.

    :param file_name: as dropped; it decides nothing, but one that tells another type is marked.
    :param knows: says of header cells (trimmed) whether they are a header of the feed.
    :raises CountsDoNotReconcile: the steps of the CSV reader disagree, which is our fault.
    """
    try:
        kind = kind_of(content)
        found = _read(kind, content, policy, knows)
    except Refused as refused:
        return refused.refusal
    mark = extension_mark(file_name, kind)
    if mark is None or isinstance(found, Refusal):
        return found
    return replace(found, marks=(mark, *found.marks))


def _read(kind: TableFormat, content: bytes, policy: TablePolicy, knows: KnowsHeader) -> Grid | Refusal:
    if kind is TableFormat.CSV:
        return read_csv_table(content, max_rows=policy.max_rows, max_columns=policy.max_columns, knows=knows)
    # Only who reads a workbook pays for the libraries behind it.
    from partner_exchange.readers.book import guarded
    from partner_exchange.readers.workbook import read_workbook
    from partner_exchange.readers.xls import XlsBook
    from partner_exchange.readers.xlsx import XlsxBook

    opener = XlsBook if kind is TableFormat.XLS else XlsxBook
    book = guarded(lambda: opener(content, max_cells=policy.max_cells))
    return read_workbook(book, max_rows=policy.max_rows, max_columns=policy.max_columns, knows=knows)
