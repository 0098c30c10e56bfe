"""Status files to test with: small tables as CSV, read and recognised by the real code, and a catalogue."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from partner_exchange.feeds.status.nedocs import NedocsInput
from partner_exchange.feeds.status.recognise import Recognised, Role, knows, recognise
from partner_exchange.feeds.status.values import JudgedValues, judge_values
from partner_exchange.readers.grid import Grid
from partner_exchange.readers.table import TablePolicy, read_table
from partner_exchange.tenants.status_policy import StatusPolicy
from partner_exchange.validation.wording import severity_of, word

STATUS_TYPES: tuple[dict[str, Any], ...] = (
    {"id": 1, "name": "Beds", "kind": "number", "maximum": 500},
    {"id": 2, "name": "Level", "kind": "number", "decimals": 2, "minimum": None, "comment": "unavailable"},
    {
        "id": 3,
        "name": "Load",
        "kind": "number",
        "minimum": 1,
        "maximum": 100,
        "above_maximum": "warn",
        "comment": "mandatory",
    },
    {"id": 4, "name": "Parts", "kind": "number", "takes_9999": True},
    {
        "id": 5,
        "name": "ED",
        "kind": "multi",
        "statuses": [
            {"name": "Open", "colour": "green"},
            {"name": "Divert", "colour": "orange", "comment": "mandatory", "reason_required": True}
            | {"reasons": ["Staffing", "Equipment failure"]},
            {"name": "Closed", "colour": "red", "comment": "unavailable", "reason_required": True},
            {"name": "N/A", "reasons": ["Staffing"]},
            {"name": "Bypass", "active": False},
        ],
    },
    {"id": 6, "name": "Note", "kind": "text", "max_characters": 20},
    {"id": 7, "name": "Tested", "kind": "date"},
    {"id": 8, "name": "Score", "kind": "saturation_score"},
    {"id": 9, "name": "NEDOCS", "kind": "nedocs"},
    {"id": 10, "name": "Remark", "kind": "text", "comment": "mandatory"},
)


@dataclass(frozen=True)
class Judged:
    """A sheet with what became of its values, easy to read."""

    grid: Grid
    recognised: Recognised
    values: JudgedValues

    @property
    def findings(self) -> list[tuple[int, str, str]]:
        """Return row, column and code of each finding, sorted."""
        return sorted((int(row), mark.column, mark.code) for mark in self.values.marks for row in mark.rows)

    @property
    def weighed(self) -> set[tuple[int, str, str, str]]:
        """Return row, column, code and severity of each finding."""
        return {
            (int(row), mark.column, mark.code, str(severity_of(mark)))
            for mark in self.values.marks
            for row in mark.rows
        }

    @property
    def taken(self) -> dict[tuple[int, str], dict[str, Any]]:
        """Return each line to store by row and status type."""
        lines: dict[tuple[int, str], dict[str, Any]] = {}
        for line in self.values.table.to_dict("records"):
            element = self.recognised.elements[line.pop("element")]
            key = (int(self.grid.rows[line.pop("at")]), element.status_type.name)
            assert key not in lines
            lines[key] = {**{str(part): each for part, each in line.items()}, "column": element.title}
        return lines

    @property
    def mend(self) -> set[tuple[int, str]]:
        """Return row and column of each cell to mend."""
        cells = self.values.rejected
        assert not cells.duplicated().any()
        return {
            (int(self.grid.rows[at]), self.recognised.elements[element].title)
            for at, element in zip(cells["at"], cells["element"], strict=True)
        }

    @property
    def said(self) -> str:
        """Return all that the partner reads about it."""
        titles = [one.title for one in self.recognised.elements]
        worded = word(self.values.marks, columns=titles, cap=1_000_000)
        return "\n".join([*worded.table["message"], *(group.message for group in worded.groups)])


def a_policy(**over: Any) -> StatusPolicy:
    """Return a policy with the status types above."""
    return StatusPolicy.model_validate({"status_types": STATUS_TYPES, **over})


def csv_text(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """Return a CSV file, written by the csv module of Python."""
    out = io.StringIO()
    csv.writer(out).writerows([header, *rows])
    return out.getvalue().encode()


def judge_table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    policy: StatusPolicy | None = None,
) -> Judged:
    """Return what becomes of the values of a table."""
    policy = policy or a_policy()
    known = knows(policy.catalogue)
    grid = read_table(csv_text(header, rows), file_name="s.csv", policy=TablePolicy(), knows=known)
    assert isinstance(grid, Grid), grid
    recognised = recognise(grid, policy.catalogue)
    assert isinstance(recognised, Recognised), recognised
    return Judged(grid, recognised, judge_values(grid, recognised, policy=policy))


def judge_rows_of(*rows: Mapping[str, str], **more: Any) -> Judged:
    """Return what becomes of bulk rows, each given by its filled cells; the first one is row 2."""
    header = list(dict.fromkeys(name for row in rows for name in row))
    table = [[f"R{at}", *(row.get(name, "") for name in header)] for at, row in enumerate(rows)]
    return judge_table(["Resource ID", *header], table, **more)


def value_titles(judged: Judged) -> list[str]:
    """Return the titles of the columns that hold values."""
    return [one.title for one in judged.recognised.elements if one.role is Role.VALUE]


_CELLS: Mapping[str, Sequence[str]] = {
    "number": (
        *("0", "7", "12", "12.0", "12.5", "-3", "+4", "1,234", "1,23", "007", ".5", "12.", "9999", "9,999"),
        *("9999.0", "1e5", "NaN", "inf", "0x1F", "abc", "100", "101", "500.01", "6000", "6001", "0.125"),
        *("1234567890123456", "-0", "\u0663", "5 beds", "1 200", "2,5", "", "", ""),
    ),
    "multi": (
        *("Open", "open", "DIVERT", "Divert", "Closed", "closed", "n/a", "Bypass", "Openn", "Open; Closed"),
        *("Open/Divert", "Open, Open", "Open; nothing", "9999", "-", "", ""),
    ),
    "text": ("all quiet", "x" * 20, "x" * 21, "=1+1", "-5", "9999", "\u00e9t\u00e9", "", ""),
    "date": (
        *("2/3/2026", "02/03/2026", "2026-02-03", "02/30/2026", "2026-13-01", "2/29/2024", "2/29/2025"),
        *("2026-2-3", "2/3/26", "3.2.2026", "2026-02-03 10:00", "today", "00/10/2026", "9999", "", ""),
    ),
    "comment": ("why", "=why", "", "", ""),
    "reason": ("Staffing", "staffing", "Stafing", "Equipment failure", "nonsense", "", ""),
    "score": ("0", "20.4", "20.5", "100", "200", "200.5", "-1", "9999", "x", "", "", ""),
    "input": ("1", "2", "3", "10", "20", "2.5", "0", "-1", "9999", "x", "", "", "", ""),
    "sound input": ("1", "2", "3", "10", "25", "80"),
}


def random_bulk(seed: int, count: int = 60) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of a bulk file: some columns in some order, many cells blank or faulty."""
    dice = random.Random(seed)
    columns: list[tuple[str, str]] = []
    for one in STATUS_TYPES:
        name, kind = one["name"], one["kind"]
        has_value, has_inputs = dice.random() < 0.8, kind == "nedocs" and dice.random() < 0.7
        if has_value:
            columns.append((name, {"nedocs": "score", "saturation_score": "number"}.get(kind, kind)))
        if has_inputs:
            labels = [label for label in NedocsInput if dice.random() < 0.9]
            has_inputs = bool(labels)
            columns += [(f"{name} {label.label}", "input") for label in labels]
        if (has_value or has_inputs) and dice.random() < 0.6:
            columns.append((f"{name} Comment", "comment"))
        if has_value and kind == "multi" and dice.random() < 0.7:
            columns.append((f"{name} Reason", "reason"))
    columns = columns or [("Beds", "number")]
    dice.shuffle(columns)
    rows = []
    for number in range(count):
        # Seven inputs without a fault hardly ever come about cell by cell.
        inputs = "sound input" if dice.random() < 0.5 else "input"
        cells = [dice.choice(_CELLS[inputs if pool == "input" else pool]) for _, pool in columns]
        rows.append([f"R{number}", *cells])
    return ["Resource ID", *(name for name, _ in columns)], rows


def random_respiratory(seed: int, count: int = 40) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of a file of CDC's respiratory template."""
    dice = random.Random(seed)
    counts = ["numInPtBeds", "numICUBeds", "numConfFluNewAdmUnk", "numConfC19HospPatsAdult"]
    choices = ["N95MaskSupplyDays", "glove3DaySupply"]
    columns = [*counts, *choices]
    dice.shuffle(columns)
    supplies = (">30 days", "0 DAYS", "1-3 Days", "40 DAYS", "N", "n/a", "9999", "9,999", "", "Y", "Y; N")
    rows = [
        [
            *("12345", "HOSP", "11/18/2026"),
            *(dice.choice(_CELLS["number"] if column in counts else supplies) for column in columns),
        ]
        for _ in range(count)
    ]
    return ["orgID", "reportingContext", "collectionDate", *columns], rows


def as_mappings(header: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[int, dict[str, str]]:
    """Return the cells of each row by header; the first row is row 2."""
    return {at: dict(zip(header, row, strict=True)) for at, row in enumerate(rows, 2)}
