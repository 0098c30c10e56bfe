"""Values of reports as text: numbers exactly, dates and instants by their form (M48, M73).

Called by all writers. A column is worded at once; text, which is most of what goes out, is passed through.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Final

from partner_exchange.exports.columns import FileColumn, Kind, Row, Value
from partner_exchange.exports.formats import faults
from partner_exchange.exports.formats.facts import FileFacts
from partner_exchange.log import event
from partner_exchange.tenants.forms import parts_of

ISO_DATE = "YYYY-MM-DD"
ISO_INSTANT = "YYYY-MM-DDTHH:mm:ssZ"
"""What "" stands for; parts of a second are left out."""

REPLACEMENT = "\ufffd"
NO_TEXT = re.compile("[\0\ud800-\udfff]")
"""What no text file of ours holds: NUL, and halves of signs that UTF-8 cannot write."""

_log = logging.getLogger(__name__)
_DAYS_KEPT = 4_096
_PLACES: Final = {
    "YYYY": "{0.year:04d}",
    "YY": "{1:02d}",
    "MM": "{0.month:02d}",
    "DD": "{0.day:02d}",
    "HH": "{0.hour:02d}",
    "hh": "{2:02d}",
    "mm": "{0.minute:02d}",
    "ss": "{0.second:02d}",
    "A": "{3}",
    "Z": "Z",
}


@dataclass(frozen=True)
class Wording:
    """How dates and instants of one column are written."""

    parts: tuple[str, ...]
    """Parts and signs of the form, in their order."""
    zone: tzinfo
    """In which instants stand: UTC where the form says so with Z."""
    day_text: Callable[[date], str]
    moment_text: Callable[[datetime], str]
    """Of a moment that stands in ``zone`` already."""

    def local(self, value: datetime) -> datetime:
        """Return the instant as a clock of the zone shows it.

        :raises ValueError: it does not say its own zone.
        """
        if value.tzinfo is None:
            raise ValueError("an instant without a zone cannot be written")
        return value.astimezone(self.zone)


def wording(column: FileColumn, zone: tzinfo) -> Wording:
    """Return how dates and instants of the column are written.

    :raises FileUnwritable: ``form-broken``, its form cannot be used.
    """
    has_time = column.kind is Kind.INSTANT
    form = column.form if column.kind in (Kind.DATE, Kind.INSTANT) else ""
    try:
        parts = parts_of(form or (ISO_INSTANT if has_time else ISO_DATE), has_time=has_time)
    except ValueError as error:
        raise faults.form_broken(column.header, column.form, str(error)) from error
    pattern = "".join(_PLACES.get(part) or part.replace("{", "{{").replace("}", "}}") for part in parts)

    @lru_cache(maxsize=_DAYS_KEPT)
    def day_text(day: date) -> str:
        return pattern.format(day, day.year % 100)

    def moment_text(moment: datetime) -> str:
        half = "AM" if moment.hour < 12 else "PM"
        return pattern.format(moment, moment.year % 100, moment.hour % 12 or 12, half)

    return Wording(parts, UTC if "Z" in parts else zone, day_text, moment_text)


def utc_day(value: date) -> date:
    """Return the day as it is, and of an instant the day in UTC (M48)."""
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        raise ValueError("an instant without a zone has no UTC day")
    return value.astimezone(UTC).date()


def number_text(value: int | Decimal, header: str) -> str:
    """Return a number with all its digits and no exponent.

    :raises FileUnwritable: it is none (NaN or infinite).
    """
    if isinstance(value, int):
        return str(int(value))
    if not value.is_finite():
        raise faults.not_a_number(header)
    return format(value, "f")


def texts_of(column: FileColumn, zone: tzinfo) -> Callable[[Sequence[Value]], list[str]]:
    """Return what words the values of the column: nothing as "", truth as 1 and 0.

    :raises FileUnwritable: its form cannot be used; later: a number is none.
    """
    how = wording(column, zone)
    is_instant, header = column.kind is Kind.INSTANT, column.header

    def text(value: str | int | Decimal | date) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, int | Decimal):
            return number_text(value, header)
        if is_instant and isinstance(value, datetime):
            return how.moment_text(how.local(value))
        return how.day_text(utc_day(value))

    def texts(values: Sequence[Value]) -> list[str]:
        # Ordered by how often it happens; most values need no call.
        return [value if value.__class__ is str else "" if value is None else text(value) for value in values]

    return texts


class Cleaning:
    """Puts U+FFFD where a text has what the file cannot hold, and counts: nothing is lost silently."""

    def __init__(self, columns: Sequence[FileColumn], forbidden: re.Pattern[str] = NO_TEXT) -> None:
        self._headers = [column.header for column in columns]
        self._forbidden = forbidden
        self._counts: Counter[str] = Counter()

    def clean(self, at: int, texts: list[str]) -> list[str]:
        """Return the texts of the column at a position."""
        together = "".join(texts)
        # The first test takes next to no time and is true of nearly all columns.
        if together.isprintable() or self._forbidden.search(together) is None:
            return texts
        result = []
        for text in texts:
            text, count = self._forbidden.subn(REPLACEMENT, text)
            self._counts[self._headers[at]] += count
            result.append(text)
        return result

    def tell(self, about: FileFacts) -> None:
        """Log how many signs of which columns were replaced, where any was."""
        for header, count in self._counts.items():
            event(
                _log,
                "export.signs_replaced",
                tenant=about.tenant_code,
                export=about.export,
                column=header,
                count=count,
            )


def transposed(batches: Iterable[Sequence[Row]], width: int) -> Iterator[list[tuple[Value, ...]]]:
    """Yield the values of each batch by column; a batch without rows is left out.

    :raises ValueError: a row does not have as many values as there are columns.
    """
    for batch in batches:
        if not batch:
            continue
        columns = list(zip(*batch, strict=True))
        if len(columns) != width:
            raise ValueError(f"{len(columns)} values in a row of {width} columns")
        yield columns


def is_date_like(column: FileColumn) -> bool:
    """Return whether values of the column are written by a form."""
    return column.kind in (Kind.DATE, Kind.INSTANT)


def text_columns(
    columns: Sequence[FileColumn], batches: Iterable[Sequence[Row]], cleaning: Cleaning, zone: tzinfo
) -> Iterator[list[list[str]]]:
    """Yield the texts of each batch by column, without what the file cannot hold."""
    words = [texts_of(column, zone) for column in columns]
    for values in transposed(batches, len(columns)):
        yield [cleaning.clean(at, words[at](column)) for at, column in enumerate(values)]
