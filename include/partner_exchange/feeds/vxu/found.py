"""What the rules found, as places in tables; ``issues.py`` tells it as an issue table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from partner_exchange.feeds.vxu.cells import Flags, Places
from partner_exchange.feeds.vxu.piece import Piece, any_of, table_of
from partner_exchange.readers.marks import Mark
from partner_exchange.validation import wording
from partner_exchange.validation.catalogue import CATALOGUE
from partner_exchange.validation.findings import Severity

_NO_ERROR, _OUR_ERROR = "0", "207"
"""What HL70357 has for codes that have none of their own there."""


@dataclass(frozen=True)
class Found:
    """One code at one place of some lines."""

    code: str
    place: str
    """``PID-7``, ``PID-5.2``, or a segment alone."""
    lines: Places
    """Places in the table of the place, ascending."""
    is_warning: bool = False

    @property
    def severity(self) -> Severity:
        """Return how much it weighs."""
        return severity_of(self.code, is_warning=self.is_warning)


def severity_of(code: str, *, is_warning: bool) -> Severity:
    """Return how much a code weighs, lowered or not."""
    return wording.severity_of(Mark(code, is_warning=is_warning))


def hl7_error(code: str, severity: Severity) -> str:
    """Return the code of table HL70357 by which acknowledgement and report tell of a finding."""
    return CATALOGUE[code].hl7_error or (_OUR_ERROR if severity is Severity.ERROR else _NO_ERROR)


def with_errors(piece: Piece, table: str, found: Iterable[Found]) -> Flags:
    """Return the lines of a table that have an error."""
    flags = any_of(piece.rows[:0], len(piece.tables[table]))
    for each in found:
        if table_of(each.place) == table and each.severity is Severity.ERROR:
            flags[each.lines] = True
    return flags
