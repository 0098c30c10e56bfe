"""Findings: what is stated about a file, a row or a cell, as data.

Readers, suites and stores make them; ledger, result file, mail and command line show them. A finding never
holds a cell value. Exact totals are always kept; single findings are kept up to a stated cap, so one million
faults stay cheap (X06).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import pandas as pd

TABLE_COLUMNS = ("row", "column", "place", "severity", "code", "message")
"""Columns of ``Findings.table``: row ``Int64`` (null for the file), the rest text; column "" for a row; place
is where in the row, such as ``RXA^2^5^1^1`` in a message, "" for feeds whose rows have no parts.
"""


class Severity(StrEnum):
    """How much a finding weighs: an error rejects its row (or the file), a warning and an info do not."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class FindingGroup:
    """All findings of one code in one column."""

    code: str
    severity: Severity
    column: str
    count: int
    row_ranges: str
    """Rows as a spreadsheet shows them, such as ``2-4, 9``; ``, ...`` after 20 ranges; "" for a file."""
    message: str


def empty_table() -> pd.DataFrame:
    """Return a findings table without rows, with its dtypes."""
    table = pd.DataFrame({name: pd.Series(dtype="str") for name in TABLE_COLUMNS})
    return table.astype({"row": "Int64"})


@dataclass(frozen=True)
class Findings:
    """Groups with exact counts, and single findings up to the cap, by row, then column order, then code."""

    groups: Sequence[FindingGroup] = ()
    table: pd.DataFrame = field(default_factory=empty_table)

    @property
    def total(self) -> int:
        """Return the exact number of findings, listed or not."""
        return sum(group.count for group in self.groups)

    @property
    def listed(self) -> int:
        """Return how many single findings ``table`` holds."""
        return len(self.table)

    def count(self, severity: Severity) -> int:
        """Return the exact number of findings of one severity."""
        return sum(group.count for group in self.groups if group.severity is severity)
