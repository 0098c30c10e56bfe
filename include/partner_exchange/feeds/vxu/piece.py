"""A piece of a file while it is judged: its tables side by side, and what is known of them so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import numpy as np
import pyarrow.compute as pc

from partner_exchange.feeds.vxu.cells import Coded, Flags, Places, Table, flags_of
from partner_exchange.feeds.vxu.dates import Numbers, Stamps, read_stamps
from partner_exchange.feeds.vxu.duplicates import FileMemory, Keys, keys_of
from partner_exchange.feeds.vxu.tables import PATIENT_TEXTS, Flat
from partner_exchange.feeds.vxu.vaccines import Vaccines
from partner_exchange.tenants.model import Tenant

_TABLES = {
    "MSH": "messages",
    "PID": "patients",
    "PD1": "patients",
    "NK1": "relatives",
    "ORC": "doses",
    "RXA": "doses",
    "RXR": "doses",
    "OBX": "observations",
}


@dataclass(frozen=True)
class CheckContext:
    """What the rules may know besides the messages."""

    tenant: Tenant
    arrived_at: datetime
    """When the file came, UTC."""
    memory: FileMemory = field(default_factory=FileMemory)
    """What earlier pieces of the same file had; one for each file."""


def table_of(place: str) -> str:
    """Return the name of the table that a place is in."""
    if place.startswith("PID-3."):
        return "identifiers"
    return _TABLES[place[:3]]


class Piece:
    """The tables of a piece, and what counts in them."""

    def __init__(self, flat: Flat, context: CheckContext) -> None:
        self.flat = flat
        self.context = context
        self.rows = flat.messages["row"].to_numpy()
        self.tables = {
            name: self._table(name)
            for name in ("messages", "patients", "identifiers", "relatives", "doses", "observations")
        }
        self.is_read = ~(self._messages_with("message-separators") | self._messages_with("message-cut"))
        """Messages that can be read, to their end, and so are judged."""
        self.has_two_patients = self._messages_with("patient-repeated")
        """Messages of which nobody can tell whose doses they hold."""
        self.is_repeated = np.zeros(len(self.rows), dtype=np.bool_)
        """Messages whose control ID one before them has, once it is known which are taken."""
        self.vaccines = Vaccines(self.tables["doses"])
        self.dose_of = self._dose_of()
        """Place of the dose of each observation; -1 for none."""
        self.kept: dict[str, Flags] = {}
        """Identifiers, relatives and observations that count, by table, once they are judged."""
        self.is_dose_repeated = np.zeros(len(flat.doses), dtype=np.bool_)
        self._stamps: dict[str, tuple[Coded, Stamps]] = {}
        self._conditions: dict[str, Flags] = {}
        self._there: dict[str, Flags] = {}

    def table(self, place: str) -> Table:
        """Return the table that a place is in."""
        return self.tables[table_of(place)]

    @property
    def doses(self) -> Table:
        """Return the table of doses."""
        return self.tables["doses"]

    @property
    def patients(self) -> Table:
        """Return the table of patients; its lines are those of the messages."""
        return self.tables["patients"]

    def of_doses(self, flags: Flags) -> Flags:
        """Return flags of messages for each dose."""
        return flags[self.doses.message]

    def is_judged(self, place: str) -> Flags:
        """Return the lines on which a rule about a place may look: read, and with the segment there."""
        segment = place.partition("-")[0]
        key = "identifiers" if place.startswith("PID-3.") else segment
        if place == segment:
            return self.is_read[self.table(place).message]
        if key not in self._there:
            self._there[key] = self._is_there(key) & self.is_read[self.table(place).message]
        return self._there[key]

    def set_unread(self, messages: Places) -> None:
        """Let messages not be judged any further."""
        self.is_read[messages] = False
        self._there = {}

    @cached_property
    def patient_keys(self) -> Keys:
        """Return a number for each message that stands for its patient: by the first identifier of type MR,
        else the first one; 0 for none. To be asked for once identifiers are judged.
        """
        table = self.tables["identifiers"]
        is_kept = self.kept["identifiers"]
        lines = np.flatnonzero(is_kept)
        order = np.lexsort((lines, ~table.of("PID-3.5", "MR")[lines], table.message[lines]))
        lines = lines[order]
        message, first = np.unique(table.message[lines], return_index=True)
        frame = table.frame.iloc[lines[first]]
        keys = np.zeros(len(self.rows), dtype=np.uint64)
        keys[message] = keys_of(frame["PID-3.4"], frame["PID-3.1"])
        return keys

    def condition(self, name: str, judge: Callable[[Piece], Flags]) -> Flags:
        """Return a condition by its name; found once."""
        if name not in self._conditions:
            self._conditions[name] = judge(self)
        return self._conditions[name]

    def is_left(self, column: str) -> Flags:
        """Return which lines have a value that was not taken out."""
        coded = self.table(column).coded(column)
        return coded.spread(flags_of(pc.greater(pc.binary_length(coded.values), 0)))

    def stamps(self, place: str) -> Stamps:
        """Return a column of dates by its distinct values that are left."""
        coded = self.table(place).coded(place)
        if place not in self._stamps or self._stamps[place][0] is not coded:
            self._stamps[place] = coded, read_stamps(coded.values)
        return self._stamps[place][1]

    def days(self, place: str) -> Numbers:
        """Return a column of dates in days; NaN where none is left."""
        days: Numbers = self.stamps(place).day[self.table(place).coded(place).at]
        return days

    def _table(self, name: str) -> Table:
        frame = getattr(self.flat, name)
        return Table(frame, np.searchsorted(self.rows, frame["row"].to_numpy()).astype(np.int64))

    def _messages_with(self, code: str) -> Flags:
        """Return the messages whose structure has an issue."""
        issues = self.flat.issues
        return np.isin(self.rows, issues.loc[issues["code"] == code, "row"].to_numpy(dtype=np.int64))

    def _dose_of(self) -> Places:
        doses, observations = self.flat.doses, self.flat.observations
        if doses.empty or observations.empty:
            return np.full(len(observations), -1, dtype=np.int64)
        most = int(doses["dose"].max()) + 1
        known, asked = (
            frame["row"].to_numpy() * most + frame["dose"].to_numpy() for frame in (doses, observations)
        )
        at = np.minimum(np.searchsorted(known, asked), len(known) - 1)
        return np.where(known[at] == asked, at, -1).astype(np.int64)

    def _is_there(self, key: str) -> Flags:
        frame = self.flat.doses
        has_rxa = frame["rxa"].to_numpy() > 0
        if key == "RXA":
            return has_rxa
        if key in ("ORC", "RXR"):
            return has_rxa & (frame[key.lower()].to_numpy() > 0)
        if key == "OBX":
            return np.append(has_rxa, False)[self.dose_of]
        if key == "PID":
            return self._has_patient()
        if key == "PD1":
            there: Flags = self.flat.patients["pd1_line"].to_numpy() > 0
            return there
        table = self.tables["identifiers"]
        if key == "identifiers":
            return any_flags(table.is_filled(f"PID-3.{part}") for part in (1, 4, 5))
        return np.ones(len(self.tables[_TABLES[key]]), dtype=np.bool_)

    def _has_patient(self) -> Flags:
        """Return which messages say anything of a patient: a PID of a set ID alone is empty."""
        patients, identifiers = self.patients, self.tables["identifiers"]
        filled = [patients.is_filled(column) for column in PATIENT_TEXTS if column[:3] == "PID"]
        has_any = any_flags(filled[1:])
        has_any[identifiers.message[self._is_there("identifiers")]] = True
        return has_any


def any_of(places: Places, length: int) -> Flags:
    """Return flags of a table that are set at the places, of which -1 is none."""
    flags = np.zeros(length + 1, dtype=np.bool_)
    flags[places] = True
    return flags[:length]


def any_flags(flags: Iterable[Flags]) -> Flags:
    """Return where one of the flags is set."""
    found: Flags = np.logical_or.reduce(list(flags))
    return found


def all_flags(flags: Iterable[Flags]) -> Flags:
    """Return where all of the flags are set."""
    found: Flags = np.logical_and.reduce(list(flags))
    return found
