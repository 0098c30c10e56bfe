"""What stands in a column of a report or of an outbound file: the words that both speak."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal, TypeAlias

Value: TypeAlias = str | int | Decimal | bool | date | datetime | None
"""One value of a report: text, whole number, number, truth, UTC day, aware instant in UTC, or nothing."""

Row: TypeAlias = tuple[Value, ...]
"""One row, in the order of the columns."""


class Kind(StrEnum):
    """What a column holds; each value of it may be missing."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    INSTANT = "instant"

    @property
    def is_number(self) -> bool:
        """Return whether values are numbers, which stand to the right."""
        return self in (Kind.INTEGER, Kind.DECIMAL)


@dataclass(frozen=True)
class FileColumn:
    """One column of an outbound file, settled: what the tenant file leaves open comes from the report."""

    name: str
    """Of the report's column."""
    header: str
    kind: Kind
    form: str
    """Of dates and instants, such as ``MM/DD/YYYY``; "" is ISO. ``HH:mm`` and so on as in the tenant file."""
    width: int
    """Characters in a file of fixed width, width in a workbook."""
    align: Literal["left", "right"]
