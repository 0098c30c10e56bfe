"""Lay messages out as flat tables, a column per place of a value: what the rules judge (T43, T63).

Called piece by piece, so a large file costs no more memory than a piece. A walk follows the order of the
segments and keeps raw fields; then each column is read as a whole, every different text once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pandas as pd

from partner_exchange.feeds.vxu.flat_texts import FlatTexts, numbers
from partner_exchange.feeds.vxu.places import is_of_a_dose
from partner_exchange.feeds.vxu.tables import (
    DOSE_TEXTS,
    IDENTIFIER_TEXTS,
    ISSUE_COLUMNS,
    MESSAGE_TEXTS,
    OBSERVATION_TEXTS,
    PATIENT_TEXTS,
    RELATIVE_TEXTS,
    Flat,
)
from partner_exchange.readers.hl7 import Message, Segment
from partner_exchange.readers.hl7_syntax import repetitions

_PID_3 = 3
_CHARSET_FIELD = 18
_FAULT_FIELDS = {"message-separators": 2, "separators-unusual": 2, "message-cut": 0}
"""Field of MSH that a fault of a message is about, 0 for all of it; every other one is about the charset."""


def flatten(messages: Sequence[Message]) -> Flat:
    """Return the tables of some messages of a file, in their order.

    An order group begins with ORC, or with RXA where there is no ORC, and is a dose. A second patient
    (``patient-repeated``), segments that are there twice (``segment-repeated``) or out of order
    (``segment-out-of-order``) and lines that are no segment (``line-not-a-segment``) are left out and told as
    issues, as are the faults of the messages themselves.
    Segments that no table has are passed over.
    """
    tables = _Tables()
    for message in messages:
        _Walk(message, tables).follow()
    return tables.flat()


class _Collected:
    """Lines of one table: numbers and raw texts."""

    def __init__(self, number_columns: Sequence[str], places: Sequence[str]) -> None:
        self._number_columns = ("row", "line", *number_columns)
        self.numbers: list[tuple[int, ...]] = []
        self.texts = FlatTexts(places)

    def frame(self) -> pd.DataFrame:
        columns = numbers(self._number_columns, self.numbers)
        return pd.DataFrame({**columns, **dict(self.texts.columns())})


class _Tables:
    """All tables of a piece while it is walked through."""

    def __init__(self) -> None:
        self.messages = _Collected((), MESSAGE_TEXTS)
        self.patients = _Collected(("relatives", "pd1_line"), PATIENT_TEXTS)
        self.identifiers = _Collected(("repetition",), IDENTIFIER_TEXTS)
        self.relatives = _Collected(("sequence",), RELATIVE_TEXTS)
        self.doses = _Collected(("dose", "orc", "rxa", "rxr"), DOSE_TEXTS)
        self.observations = _Collected(("dose", "sequence"), OBSERVATION_TEXTS)
        self.issues: list[tuple[int, int, int, str, int, int, int, int, str, bool]] = []

    def flat(self) -> Flat:
        issues = pd.DataFrame(self.issues, columns=list(ISSUE_COLUMNS)).astype(dict(ISSUE_COLUMNS))
        return Flat(
            messages=self.messages.frame(),
            patients=self.patients.frame(),
            identifiers=self.identifiers.frame(),
            relatives=self.relatives.frame(),
            doses=self.doses.frame(),
            observations=self.observations.frame(),
            issues=issues,
        )


@dataclass(slots=True)
class _Placed:
    """A segment, and the how-manieth of its kind in the message it is."""

    segment: Segment
    sequence: int


@dataclass(slots=True)
class _Order:
    """An order group while it is read."""

    dose: int
    orc: _Placed | None = None
    rxa: _Placed | None = None
    rxr: _Placed | None = None
    observations: list[_Placed] = field(default_factory=list)
    early: list[_Placed] = field(default_factory=list)
    """RXR and OBX before RXA: out of order, unless no RXA comes at all, which is the greater fault."""


class _Walk:
    """Follows the segments of one message."""

    def __init__(self, message: Message, tables: _Tables) -> None:
        self._message = message
        self._row = message.number
        self._tables = tables
        self._seen = {"MSH": 1}
        self._last = "MSH"
        self._pid: Segment | None = None
        self._pd1: Segment | None = None
        self._relatives = 0
        self._early: list[_Placed] = []
        """PD1 and NK1 before PID: out of order, unless no PID comes, which is the greater fault."""
        self._order: _Order | None = None

    def follow(self) -> None:
        """Put all of the message into the tables."""
        segments = self._message.segments
        self._header(segments[0])
        for segment in segments:
            take = _TAKERS.get(segment.name)
            if take is not None:
                sequence = self._seen[segment.name] = self._seen.get(segment.name, 0) + 1
                self._last = segment.name
                take(self, _Placed(segment, sequence))
            elif not segment.name:
                self._issue("line-not-a-segment", _Placed(segment, self._seen[self._last]), self._last)
        self._close_order()
        self._take_early()
        self._patient()

    def _header(self, segment: Segment) -> None:
        self._tables.messages.numbers.append((self._row, segment.line))
        self._tables.messages.texts.add((segment,), self._message.separators)
        for fault in self._message.faults:
            at = _FAULT_FIELDS.get(fault, _CHARSET_FIELD)
            self._tables.issues.append((self._row, 0, segment.line, "MSH", 1, at, 0, 0, fault, False))

    def _patient(self) -> None:
        pid, pd1 = self._pid, self._pd1
        tables, separators = self._tables, self._message.separators
        line, pd1_line = (segment.line if segment else 0 for segment in (pid, pd1))
        tables.patients.numbers.append((self._row, line, self._relatives, pd1_line))
        tables.patients.texts.add((pid, pd1), separators)
        identifiers = pid.fields[_PID_3] if pid and len(pid.fields) > _PID_3 else ""
        if identifiers.strip():
            for at, repetition in enumerate(repetitions(identifiers, separators), 1):
                tables.identifiers.numbers.append((self._row, line, at))
                tables.identifiers.texts.add_raw((repetition,), separators)

    def _issue(self, code: str, placed: _Placed, name: str = "") -> None:
        dose = self._order.dose if self._order and is_of_a_dose(name or placed.segment.name) else 0
        line, name = placed.segment.line, name or placed.segment.name
        self._tables.issues.append((self._row, dose, line, name, placed.sequence, 0, 0, 0, code, False))

    def _out_of_order(self, placed: _Placed) -> None:
        self._issue("segment-out-of-order", placed)

    def _take_pid(self, placed: _Placed) -> None:
        if self._pid is not None:
            self._issue("patient-repeated", placed)
        elif self._order is not None:
            self._out_of_order(placed)
        else:
            self._pid = placed.segment
            for early in self._early:
                self._out_of_order(early)
            self._early = []

    def _take_pd1(self, placed: _Placed) -> None:
        if self._pd1 is not None:
            self._issue("segment-repeated", placed)
        elif self._order is not None or self._relatives:
            self._out_of_order(placed)
        elif self._pid is None:
            self._early.append(placed)
        else:
            self._pd1 = placed.segment

    def _take_nk1(self, placed: _Placed) -> None:
        if self._order is not None:
            self._out_of_order(placed)
        elif self._pid is None:
            self._early.append(placed)
        else:
            self._add_relative(placed)

    def _add_relative(self, placed: _Placed) -> None:
        self._relatives += 1
        table = self._tables.relatives
        table.numbers.append((self._row, placed.segment.line, placed.sequence))
        table.texts.add((placed.segment,), self._message.separators)

    def _take_early(self) -> None:
        for placed in self._early:
            if placed.segment.name == "NK1":
                self._add_relative(placed)
            else:
                self._pd1 = self._pd1 or placed.segment

    def _open_order(self) -> _Order:
        self._close_order()
        self._order = _Order(self._order.dose + 1 if self._order else 1)
        return self._order

    def _take_orc(self, placed: _Placed) -> None:
        self._open_order().orc = placed

    def _take_rxa(self, placed: _Placed) -> None:
        order = self._order
        if order is None or order.rxa is not None:
            order = self._open_order()
        order.rxa = placed

    def _take_rxr(self, placed: _Placed) -> None:
        order = self._order
        if order is None or order.observations:
            self._out_of_order(placed)
        elif order.rxa is None:
            order.early.append(placed)
        elif order.rxr is not None:
            self._issue("segment-repeated", placed)
        else:
            order.rxr = placed

    def _take_obx(self, placed: _Placed) -> None:
        order = self._order
        if order is None:
            self._out_of_order(placed)
        else:
            (order.observations if order.rxa else order.early).append(placed)

    def _close_order(self) -> None:
        order = self._order
        if order is None:
            return
        for early in order.early:
            if order.rxa is not None:
                self._out_of_order(early)
            elif early.segment.name == "OBX":
                order.observations.append(early)
            else:
                order.rxr = order.rxr or early
        self._add_dose(order)

    def _add_dose(self, order: _Order) -> None:
        separators = self._message.separators
        parts = (order.orc, order.rxa, order.rxr)
        segments = [part.segment if part else None for part in parts]
        first = order.rxa or order.orc
        line = first.segment.line if first else 0
        doses, observations = self._tables.doses, self._tables.observations
        doses.numbers.append((self._row, line, order.dose, *(part.sequence if part else 0 for part in parts)))
        doses.texts.add(segments, separators)
        for placed in order.observations:
            observations.numbers.append((self._row, placed.segment.line, order.dose, placed.sequence))
            observations.texts.add((placed.segment,), separators)


_TAKERS: dict[str, Callable[[_Walk, _Placed], None]] = {
    "PID": _Walk._take_pid,
    "PD1": _Walk._take_pd1,
    "NK1": _Walk._take_nk1,
    "ORC": _Walk._take_orc,
    "RXA": _Walk._take_rxa,
    "RXR": _Walk._take_rxr,
    "OBX": _Walk._take_obx,
}
