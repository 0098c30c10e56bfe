"""What a reader or a suite states about rows, before it is worded as findings.

A mark never holds a cell value. Its facts are counts, positions and names from the tenant's own policy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
"""Row numbers as a spreadsheet shows them, ascending."""

Fact = str | int


def no_rows() -> Rows:
    """Return an empty array of row numbers."""
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Mark:
    """One code stated about ``rows``; without rows it is about the whole file."""

    code: str
    column: str = ""
    """Title of the column, "" for a whole row or file."""
    rows: Rows = field(default_factory=no_rows)
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """Fill the template of the code in the catalogue."""
    is_warning: bool = False
    """The policy of the tenant lowers an error to a warning (K1)."""
    places: Sequence[str] = ()
    """Where in each row it is, aligned with ``rows``, for feeds whose rows have parts; else nothing."""


@dataclass(frozen=True)
class Refusal:
    """Why a whole file cannot be taken; ``rows_total`` counts its records as well as they can be."""

    code: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    rows_total: int = 0
