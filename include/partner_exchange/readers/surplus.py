"""Blank fields behind the last column of a CSV: a comma too many at the end of a row.

Called by ``csv.py`` for tables that are found by their header.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from partner_exchange.readers.marks import Mark, Rows
from partner_exchange.readers.scan import FAULT_CODES, FIELD, Scan

_BLANK_FIELD = rb'(?:"[ \t]*+"|[ \t]*+)'
_MANY = FAULT_CODES.index("too-many-fields")


@dataclass(frozen=True)
class BlankSurplus:
    """Where the surplus of records lies, in the order of the file."""

    rows: Rows
    pieces: tuple[tuple[int, int], ...]
    """Start and end in the content, from the first comma too many."""

    def cut_from(self, content: bytes) -> bytes:
        """Return the content without the surplus; row numbers stay as they are."""
        view, kept, start = memoryview(content), [], 0
        for piece_start, piece_end in self.pieces:
            kept.append(view[start:piece_start])
            start = piece_end
        return b"".join([*kept, view[start:]])

    def marks(self) -> Iterator[Mark]:
        """Return what to state of the records, if there are any."""
        if len(self.rows):
            yield Mark("surplus-blank-fields", rows=self.rows)


def blank_surplus(content: bytes, found: Scan, width: int) -> BlankSurplus:
    """Return the surplus of the records that have more than ``width`` fields, but no more than blanks there.

    :param width: 0 takes no surplus, whatever it holds.
    """
    rows, pieces = [], []
    if width:
        record = re.compile(rb"%b(?:,%b){%d}(?P<surplus>(?:,%b)++)" % (FIELD, FIELD, width - 1, _BLANK_FIELD))
        faults = zip(found.fault_rows, found.fault_kinds, found.fault_starts, found.fault_ends, strict=True)
        for row, kind, start, end in faults:
            if kind == _MANY and (match := record.fullmatch(content, start, end)):
                rows.append(row)
                pieces.append(match.span("surplus"))
    return BlankSurplus(np.array(rows, dtype=np.int64), tuple(pieces))
