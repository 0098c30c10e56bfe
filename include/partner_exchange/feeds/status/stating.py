"""State what expectations found about long frames: one mark per code and column of the file.

Called by the modules that judge values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from partner_exchange.feeds.status.filled import Flags, Places
from partner_exchange.readers.marks import Fact, Mark, Rows
from partner_exchange.validation.findings import Severity
from partner_exchange.validation.runner import run
from partner_exchange.validation.wording import severity_of

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation


@dataclass(frozen=True)
class Say:
    """What the failure of an expectation means for one column of the file."""

    code: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    is_warning: bool = False


@dataclass
class Statements:
    """Collects the marks of a file."""

    rows: Rows
    titles: Sequence[str]
    """Title of each element's column."""
    marks: list[Mark] = field(default_factory=list)

    def state(self, say: Say, at: Places, element: int) -> bool:
        """Add a mark about the element in rows at ``at``, ascending; say whether it is an error."""
        mark = Mark(say.code, self.titles[element], self.rows[at], say.facts, say.is_warning)
        self.marks.append(mark)
        return severity_of(mark) is Severity.ERROR


def failures(
    frame: pd.DataFrame, expectations: Sequence[Expectation], place: Places | None = None
) -> Iterator[tuple[str, Places]]:
    """Return the code of each expectation that is not met, with the positions that do not meet it.

    :param place: place in the frame of each position, where the frame holds distinct cells only.
    """
    # All rows at a time: the frame holds a few numbers of each distinct cell, and GX has a price per piece.
    positions = np.arange(len(frame), dtype=np.int64)
    for mark in run(frame, expectations, rows=positions, piece_rows=max(1, len(frame))):
        if place is None:
            yield mark.code, mark.rows
        else:
            is_failed = np.zeros(len(frame), dtype=np.bool_)
            is_failed[mark.rows] = True
            yield mark.code, np.flatnonzero(is_failed[place])


def by_element(positions: Places, element: Places) -> Iterator[tuple[int, Places]]:
    """Return the positions of each element, in their order; elements ascending.

    :param element: the element of each of the positions.
    """
    if not len(positions):
        return
    order = np.argsort(element, kind="stable")
    different, starts = np.unique(element[order], return_index=True)
    yield from zip(different.tolist(), np.split(positions[order], starts[1:]), strict=True)


def marked(count: int, positions: Places) -> Flags:
    """Return ``count`` flags, true at the positions."""
    result = np.zeros(count, dtype=np.bool_)
    result[positions] = True
    return result
