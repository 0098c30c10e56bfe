"""An answer as a table: its header, which need not be the first line, and rows that may be short (X11)."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass

from partner_exchange.readers.guards import DELIMITERS

LABELS = ("status", "outcome")
"""Columns, and keys of JSON, that say what became of something; one of them makes a line the header."""

_HEADER_WITHIN = 10
_LONGEST = 128 * 1024
"""Characters of a value. Python's own limit is one of the process, and anybody may have raised it."""
_LETTERS = re.compile(r"[^\W\d_]+")


class TableBroken(ValueError):
    """It has the header of an answer, and what follows cannot be told apart into rows."""


@dataclass(frozen=True)
class Table:
    """What stands in a CSV."""

    front: str
    """The lines before the header."""
    columns: tuple[str, ...]
    """Names of the columns in lower case, letters only."""
    rows: list[dict[str, str]]
    """Values by column; what a short row lacks is ""."""


def table_of(text: str) -> Table | None:
    """Return the table; None when none of the first ten lines has a column ``status`` or ``outcome``.

    The delimiter is the one that the header has most of.

    :raises TableBroken: a quotation mark is never closed or stands where none may, a value is longer than
        128 KiB, or two columns have the same one of these names. Read on, it could hide a refusal.
    """
    lines = text.splitlines()
    for place, line in enumerate(lines[:_HEADER_WITHIN]):
        delimiter = max(DELIMITERS, key=line.count)
        columns = _columns(line, delimiter)
        if any(label in columns for label in LABELS):
            if any(columns.count(label) > 1 for label in LABELS):
                raise TableBroken("two columns of one name")
            rows = _rows(lines[place + 1 :], delimiter, columns)
            return Table("\n".join(lines[:place]).strip(), columns, rows)
    return None


def _columns(line: str, delimiter: str) -> tuple[str, ...]:
    try:
        (cells,) = csv.reader([line], delimiter=delimiter)
    except (csv.Error, ValueError):
        return ()
    return tuple("".join(_LETTERS.findall(cell)).casefold() for cell in cells)


def _rows(lines: list[str], delimiter: str, columns: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        found = [
            [cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter, strict=True)
        ]
    except csv.Error as error:
        raise TableBroken("not to be read") from error
    if any(len(cell) > _LONGEST for row in found for cell in row):
        raise TableBroken("a value too long")
    padding = [""] * len(columns)
    return [dict(zip(columns, [*row, *padding], strict=False)) for row in found if any(row)]
