"""Read the texts of the flat tables out of raw fields, column by column (called by ``flatten.py``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from operator import itemgetter

import numpy as np
import pandas as pd
import pyarrow as pa

from partner_exchange.readers.cells import WHITE_SPACE
from partner_exchange.readers.hl7 import Segment
from partner_exchange.readers.hl7_syntax import Separators, component, repetitions, unescape

_NOTHING = '""'
"""How HL7 writes that a value is to be taken away."""

_WITH_PARTS = frozenset(("PID-3.4", "PID-5.1", "PID-6.1", "PID-11.1", "NK1-2.1", "NK1-4.1", "RXA-11.4"))
"""Components with subcomponents by their type, of which the first is taken. Elsewhere an unescaped sign of
subcomponents is a slip of the sender, and belongs to the text.
"""

_PHONES = ("PID-13", "NK1-5")
_PHONE_EQUIPMENT = ("PH", "CP")
_PHONE_USE = "PRN"
_NET_USE = "NET"

_Reader = Callable[[str, Separators], str]


class FlatTexts:
    """Texts of one table, collected as raw fields and read at the end."""

    def __init__(self, places: Iterable[str]) -> None:
        """Take columns by their places, such as ``PID-5.2``; segments in one piece each."""
        self._places = tuple(places)
        segments: dict[str, list[int]] = {}
        for place in self._places:
            fields = segments.setdefault(place[:3], [])
            if _field(place) not in fields:
                fields.append(_field(place))
        raw_at = [(name, field) for name, fields in segments.items() for field in fields]
        self._raw_at = [raw_at.index((place[:3], _field(place))) for place in self._places]
        self._fields = {name: _Fields(fields) for name, fields in segments.items()}
        self._raws: list[tuple[str, ...]] = []
        self._separators: list[Separators] = []

    def add(self, segments: Iterable[Segment | None], separators: Separators) -> None:
        """Add a line: one segment of each kind the places name, in their order; None for none."""
        raws: tuple[str, ...] = ()
        for take, segment in zip(self._fields.values(), segments, strict=True):
            raws += take(segment)
        self.add_raw(raws, separators)

    def add_raw(self, raws: tuple[str, ...], separators: Separators) -> None:
        """Add a line by its raw fields."""
        self._raws.append(raws)
        self._separators.append(separators)

    def columns(self) -> Iterator[tuple[str, pd.Series]]:
        """Yield each column's place and texts (dtype str), unescaped and trimmed."""
        raws = list(zip(*self._raws, strict=True)) or [()] * (max(self._raw_at) + 1)
        alike = set(self._separators)
        for place, at in zip(self._places, self._raw_at, strict=True):
            reader = _reader(place)
            texts = (
                self._alike(raws[at], reader, *alike) if len(alike) == 1 else self._unlike(raws[at], reader)
            )
            yield place, _series(texts)

    def _alike(self, raws: Sequence[str], reader: _Reader, separators: Separators) -> list[str]:
        read = {raw: reader(raw, separators) if raw else "" for raw in set(raws)}
        return list(map(read.__getitem__, raws))

    def _unlike(self, raws: Sequence[str], reader: _Reader) -> list[str]:
        pairs = list(zip(raws, self._separators, strict=True))
        read = {pair: reader(*pair) for pair in set(pairs)}
        return list(map(read.__getitem__, pairs))


class _Fields:
    """Takes some fields out of segments of one kind; what is not there is ""."""

    def __init__(self, fields: Sequence[int]) -> None:
        self._blank = ("",) * len(fields)
        self._padding = [""] * (max(fields) + 1)
        # One more than asked for, since of a single field itemgetter makes no tuple.
        self._take = itemgetter(*fields, 0)

    def __call__(self, segment: Segment | None) -> tuple[str, ...]:
        return self._blank if segment is None else self._take(segment.fields + self._padding)[:-1]


def _field(place: str) -> int:
    return int(place[4:].partition(".")[0])


def _series(texts: list[str]) -> pd.Series:
    # By way of Arrow: pandas looks at each object of a list.
    column: pd.Series = pa.chunked_array([pa.array(texts, pa.large_string())]).to_pandas()
    return column.astype("str")


def numbers(columns: Sequence[str], lines: Sequence[tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Return columns of whole numbers (int64) by their names."""
    table = np.array(lines, dtype=np.int64).reshape(len(lines), len(columns))
    return {name: table[:, at].copy() for at, name in enumerate(columns)}


def _reader(place: str) -> _Reader:
    if place in _PHONES:
        return _phone
    if place == "PID-13.4":
        return _email
    n = int(place.partition(".")[2] or 1)
    return partial(_text, n=n, has_parts=place in _WITH_PARTS)


def _text(raw: str, separators: Separators, *, n: int, has_parts: bool = False) -> str:
    text = component(raw, n, separators)
    if has_parts:
        text = text.partition(separators.subcomponent)[0]
    text = unescape(text, separators).strip(WHITE_SPACE)
    return "" if text == _NOTHING else text


def _phone(raw: str, separators: Separators) -> str:
    """Return the digits of the first telephone number with one; parts, or as one text in the old style."""
    for repetition in repetitions(raw, separators):
        use, equipment = (_text(repetition, separators, n=n) for n in (2, 3))
        is_phone = equipment in _PHONE_EQUIPMENT or (not equipment and use in (_PHONE_USE, ""))
        if use == _NET_USE or not is_phone:
            continue
        number = "".join(_text(repetition, separators, n=n) for n in (6, 7))
        for text in (number, _text(repetition, separators, n=1)):
            digits = "".join(sign for sign in text if sign in "0123456789")
            if digits:
                return digits
    return ""


def _email(raw: str, separators: Separators) -> str:
    for repetition in repetitions(raw, separators):
        address = _text(repetition, separators, n=4)
        if address and _text(repetition, separators, n=2) == _NET_USE:
            return address
    return ""
