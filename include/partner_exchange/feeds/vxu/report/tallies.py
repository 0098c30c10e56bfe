"""Read a tally: the numbers about a file that add up over its pieces (``tables.TALLY_COLUMNS``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Tally:
    """The counts of a tally by what, name and detail."""

    counts: Mapping[str, Mapping[tuple[str, str], int]]

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Tally:
        """Return the tally of a frame; lines that say the same are added."""
        counts: dict[str, dict[tuple[str, str], int]] = {}
        columns = (frame["what"].tolist(), frame["name"].tolist(), frame["detail"].tolist())
        for what, name, detail, count in zip(*columns, frame["count"].tolist(), strict=True):
            of_what = counts.setdefault(what, {})
            of_what[name, detail] = of_what.get((name, detail), 0) + int(count)
        return cls(counts)

    def one(self, what: str, name: str, detail: str = "") -> int:
        """Return one count, 0 where nothing is told."""
        return self.counts.get(what, {}).get((name, detail), 0)

    def lines(self, what: str) -> Iterator[tuple[str, str, int]]:
        """Return name, detail and count of all lines about ``what``, in their own order."""
        for (name, detail), count in sorted(self.counts.get(what, {}).items()):
            yield name, detail, count
