"""What the two workbook readers give, so that choosing a sheet need not know the format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol, TypeVar

from partner_exchange.readers.grid import TableFormat
from partner_exchange.readers.refused import Refused, refuse, refuse_damaged

OWN_SHEETS = "_exchange"
"""How the names of the sheets begin that our own templates hide."""

BLOCK_CELLS = 500_000
TEXT_LIMIT = 256 * 1024 * 1024
"""Characters the cells of one sheet may hold together."""

Place = tuple[int, int]
"""Row number as a spreadsheet shows it, and position of the column from 0."""
Row = list[Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Tab:
    """One sheet of a workbook, before its cells are read."""

    name: str
    is_visible: bool

    @property
    def is_ours(self) -> bool:
        """Tell whether our own templates made it; nothing is ever said about such a sheet."""
        return self.name.startswith(OWN_SHEETS)


@dataclass
class Box:
    """The cells with content lie within it; counted from 0, ``bottom`` and ``right`` inclusive."""

    bottom: int = -1
    right: int = -1

    def add(self, row: int, column: int) -> None:
        """Grow so that the cell lies within."""
        self.bottom = max(self.bottom, row)
        self.right = max(self.right, column)

    @property
    def cells(self) -> int:
        """Return how many cells a reader sets aside for it."""
        return (self.bottom + 1) * (self.right + 1)


@dataclass(frozen=True)
class SheetCells:
    """A sheet that was read; ``sheet`` is calamine's, which hands on blanks for errors."""

    sheet: Any
    errors: list[Place] = field(default_factory=list)
    without_value: list[Place] = field(default_factory=list)
    merged: list[tuple[Place, Place]] = field(default_factory=list)
    """First and last cell of each merged range."""

    @property
    def width(self) -> int:
        """Return how many columns lie from A to the last filled one."""
        end: tuple[int, int] | None = self.sheet.end
        return end[1] + 1 if end else 0

    def blocks(self) -> Iterator[list[Row]]:
        """Yield the rows from row 1 on, some at a time, so that few are objects at once."""
        rows = guarded(lambda: iter(self.sheet.iter_rows()))
        per_block = max(100, BLOCK_CELLS // max(1, self.width))
        while block := guarded(lambda: list(islice(rows, per_block))):
            yield block


class Book(Protocol):
    """A workbook that passed the guards."""

    format: TableFormat
    tabs: list[Tab]

    def has_content(self, at: int) -> bool:
        """Tell whether the sheet at this position holds any filled cell."""

    def load(self, at: int) -> SheetCells | None:
        """Return the cells of a sheet, None where it has none.

        :raises Refused: it is too large or damaged.
        """


class Allowance:
    """How much the sheets looked into may hold together (X15)."""

    def __init__(self, max_cells: int) -> None:
        self._limit = max_cells
        self._cells_left = max_cells
        self._text_left = 4 * TEXT_LIMIT

    def take(self, box: Box, *, characters: int) -> None:
        """Count a sheet that is about to be read.

        :param characters: how much text its cells hold, shared ones counted as often as they stand somewhere.
        :raises Refused: that would be too much.
        """
        if box.cells > self._cells_left:
            refuse("sheet-too-large", rows=box.bottom + 1, columns=box.right + 1, limit=self._limit)
        if characters > min(TEXT_LIMIT, self._text_left):
            refuse("workbook-too-large", limit_mib=TEXT_LIMIT >> 20)
        self._cells_left -= box.cells
        self._text_left -= characters


def guarded(action: Callable[[], T]) -> T:
    """Return what a library makes of a file; whatever it says about broken bytes is a damaged workbook.

    :raises Refused: the library gave up.
    """
    try:
        return action()
    except (Refused, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - readers of foreign formats raise whatever they like
        refuse_damaged()
    except BaseException as error:
        # A panic of a Rust library is no Exception; anything else here is meant for somebody else.
        if type(error).__name__ != "PanicException":
            raise
        refuse_damaged()
