"""The first value of each column of a local file, for people who check where their columns go (E34).

Never in a finding, a log or a mail: called by the command line alone, for the terminal of whoever has the
file.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pyarrow.compute as pc

from partner_exchange.feeds.base import MappedColumn
from partner_exchange.readers.cells import Cells
from partner_exchange.readers.grid import column_title, printable
from partner_exchange.readers.marks import Refusal
from partner_exchange.readers.table import TablePolicy, read_table

SAMPLE_CHARACTERS = 40


def first_values(content: bytes, *, file_name: str, mapping: Sequence[MappedColumn]) -> dict[str, str]:
    """Return the first filled cell of each column by its title; nothing for a file that cannot be taken.

    :param mapping: what the feed says about all columns of the file, in their order.
    """
    titles = [one.column for one in mapping]
    if not titles:
        return {}

    def is_header(cells: Sequence[str]) -> bool:
        found = [column_title(text, position) for position, text in enumerate(cells)]
        return found[: len(titles)] == titles

    grid = read_table(content, file_name=file_name, policy=TablePolicy(max_rows=sys.maxsize), knows=is_header)
    if isinstance(grid, Refusal):
        return {}
    return {
        column_title(text, position): _first(cells)
        for position, (text, cells) in enumerate(zip(grid.header, grid.columns, strict=True))
    }


def _first(cells: Cells) -> str:
    at = pc.index(pc.greater(pc.binary_length(cells), 0), True).as_py()
    return printable(cells[at].as_py(), SAMPLE_CHARACTERS) if at >= 0 else ""
