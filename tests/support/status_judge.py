"""A second opinion on status values: the rules in plain Python, cell by cell; no code of the product.

Slow and obvious on purpose: string methods, ``Fraction`` and loops. Its findings must be those of the suites.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from math import floor

from partner_exchange.tenants.status_types import MultiStatus, StatusType

INPUTS = (
    *("ED Patients", "ED Beds", "Admitted Patients", "Hospital Beds"),
    *("Ventilated Patients", "Longest Admit Wait", "Last Door to Bed Wait"),
)
LEVELS = (
    (20, "not busy"),
    (60, "busy"),
    (100, "extremely busy"),
    (140, "overcrowded"),
    (180, "severely overcrowded"),
)
WARNINGS = {"comment-not-taken", "companion-without-value", "nedocs-score-differs", "formula-cell"}


@dataclass
class Taken:
    """What is stored of one value."""

    value: str
    reason: str = ""
    comment: str = ""
    level: str = ""
    is_not_applicable: bool = False


@dataclass
class Verdict:
    """What the judge says about a table."""

    findings: set[tuple[int, str, str, str]] = field(default_factory=set)
    """Row, column, code and severity."""
    taken: dict[tuple[int, str], Taken] = field(default_factory=dict)
    """By row and status type."""
    mend: set[tuple[int, str]] = field(default_factory=set)
    used: set[tuple[int, str]] = field(default_factory=set)

    def say(self, row: int, column: str, code: str, *, is_lowered: bool = False) -> None:
        severity = "warning" if code in WARNINGS or is_lowered else "error"
        self.findings.add((row, column, code, severity))


def judge(
    types: Sequence[StatusType],
    rows: Mapping[int, Mapping[str, str]],
    *,
    is_cdc: bool = False,
    max_count: int = 6000,
    doubt_is_error: bool = False,
) -> Verdict:
    """Return the verdict on rows of cells by header; headers are exact names, blank cells may be there."""
    verdict = Verdict()
    for row, cells in rows.items():
        for type_ in types:
            _Value(verdict, row, type_, cells, is_cdc, max_count, doubt_is_error).judge()
    return verdict


@dataclass
class _Value:
    """One status type in one row."""

    verdict: Verdict
    row: int
    type: StatusType
    cells: Mapping[str, str]
    is_cdc: bool
    max_count: int
    doubt_is_error: bool

    def judge(self) -> None:
        name = self.type.name
        columns = [name, f"{name} Comment", f"{name} Reason", *(f"{name} {label}" for label in INPUTS)]
        filled = [column for column in columns if self.cells.get(column)]
        for column in filled:
            is_word = column in columns[1:3] or (column == name and self.type.kind == "text")
            if is_word and self.cells[column][0] in "=+-@\t\r":
                self.say(column, "formula-cell")
        values = [column for column in filled if column not in columns[1:3]]
        if not values:
            for column in filled:
                self.say(column, "companion-without-value")
            return
        taken, status = self.value()
        left_out: set[str] = set()
        if not self.is_cdc:
            taken = self.companions(taken, status, left_out)
        for column in filled:
            if column in left_out:
                continue
            key = (self.row, column)
            if taken is None:
                self.verdict.mend.add(key)
            elif key not in self.verdict.mend and not self.is_unused(column):
                self.verdict.used.add(key)
        if taken is not None:
            self.verdict.taken[self.row, name] = taken

    def is_unused(self, column: str) -> bool:
        """Say whether a finished score gives way to its inputs."""
        return column == self.type.name and self.gives_way

    gives_way = False

    def say(self, column: str, code: str, *, is_lowered: bool = False) -> None:
        self.verdict.say(self.row, column, code, is_lowered=is_lowered)

    def value(self) -> tuple[Taken | None, MultiStatus | None]:
        name, kind = self.type.name, self.type.kind
        cell = self.cells.get(name, "")
        if kind == "nedocs":
            return self.nedocs(cell), None
        if self.is_cdc and number(cell) == 9999:
            return Taken("", is_not_applicable=True), None
        if kind == "multi":
            return self.multi(cell)
        if kind == "text":
            if len(cell) > self.type.max_characters:
                self.say(name, "text-too-long")
                return None, None
            return Taken(cell), None
        if kind == "date":
            return self.day(cell), None
        if kind == "saturation_score":
            is_sound = self.number(name, cell, decimals=6)
        else:
            is_sound = self.number(
                name,
                cell,
                decimals=self.type.decimals,
                minimum=self.type.minimum,
                maximum=self.type.maximum,
                takes_9999=self.type.takes_9999,
                is_count=True,
            )
        return (Taken(plain(cell)) if is_sound else None), None

    def number(
        self,
        column: str,
        cell: str,
        *,
        decimals: int,
        minimum: float | None = 0,
        maximum: float | None = None,
        takes_9999: bool = False,
        is_count: bool = False,
        is_score: bool = False,
        is_beds: bool = False,
    ) -> bool:
        """State what is wrong with a number; return whether it can be taken."""
        found = number(cell)
        if found is None:
            self.say(column, no_number(cell, is_cdc=self.is_cdc))
            return False
        if found == 9999 and not takes_9999:
            self.say(column, "nines-in-bulk")
            return False
        whole, _, fraction = plain(cell).lstrip("-").partition(".")
        digits = len(whole.lstrip("0") + fraction)
        wrong: list[tuple[str, bool]] = []
        if digits > 15:
            wrong.append(("number-too-long", False))
        if len(fraction) > decimals:
            wrong.append(("number-too-precise" if decimals else "number-not-whole", False))
        if digits <= 15:
            if minimum is not None and found < Fraction(str(minimum)):
                wrong.append(("number-below-minimum", False))
            if is_score and found > 200:
                wrong.append(("nedocs-above-200", False))
            if maximum is not None and found > Fraction(str(maximum)):
                wrong.append(("number-above-maximum", self.type.above_maximum == "warn"))
            if is_count and self.is_cdc and found > self.max_count:
                wrong.append(("count-doubtful", not self.doubt_is_error))
            if is_beds and found == 0:
                wrong.append(("nedocs-zero-beds", False))
        for code, is_lowered in wrong:
            self.say(column, code, is_lowered=is_lowered)
        return all(is_lowered for _, is_lowered in wrong)

    def multi(self, cell: str) -> tuple[Taken | None, MultiStatus | None]:
        name = self.type.name
        by_name = {one.name.casefold(): one for one in self.type.statuses}
        status = by_name.get(cell.casefold())
        if status is None:
            parts = [cell.casefold()]
            for sign in ";,/|\n":
                parts = [piece.strip() for part in parts for piece in part.split(sign)]
            several = sum(part in by_name for part in parts) > 1
            self.say(name, "status-two-values" if several else "status-unknown")
            return None, None
        if not status.active:
            self.say(name, "status-inactive")
            return None, status
        return Taken(status.name), status

    def day(self, cell: str) -> Taken | None:
        parts = cell.split("/")
        sizes = [len(part) for part in parts]
        if len(parts) == 3 and sizes[0] in (1, 2) and sizes[1] in (1, 2) and sizes[2] == 4:
            month, day, year = parts
        else:
            parts = cell.split("-")
            if [len(part) for part in parts] != [4, 2, 2]:
                parts = ["x"]
            year, month, day = (*parts, "", "")[:3]
        if set(year + month + day) - set(string.digits):
            self.say(self.type.name, "date-format")
            return None
        try:
            return Taken(date(int(year), int(month), int(day)).isoformat())
        except ValueError:
            self.say(self.type.name, "date-no-such-day")
            return None

    def nedocs(self, cell: str) -> Taken | None:
        name = self.type.name
        inputs = {label: self.cells.get(f"{name} {label}", "") for label in INPUTS}
        filled = [label for label in INPUTS if inputs[label]]
        missing = [label for label in INPUTS if not inputs[label]]
        is_sound = [
            self.number(
                f"{name} {label}",
                inputs[label],
                decimals=6 if label.endswith("Wait") else 0,
                is_beds=label.endswith("Beds"),
            )
            for label in filled
        ]
        if filled and missing:
            there = [label for label in missing if f"{name} {label}" in self.cells] or filled
            self.say(f"{name} {there[0]}", "nedocs-inputs-incomplete")
        score = None
        if not missing and all(is_sound):
            score = _score([number(inputs[label]) or Fraction(0) for label in INPUTS])
        elif filled:
            columns = {f"{name} {label}" for label in INPUTS} & set(self.cells)
            self.verdict.mend |= {(self.row, column) for column in columns}
        sent = None
        if cell:
            if self.number(name, cell, decimals=6, is_score=True):
                sent = number(cell)
            else:
                self.verdict.mend.add((self.row, name))
        if score is not None:
            if sent is not None:
                self.gives_way = True
                if abs(sent - score) > 1:
                    self.say(name, "nedocs-score-differs")
            return Taken(plain(f"{floor(score)}.{round(score % 1 * 10)}"), level=_level(score))
        return None if sent is None else Taken(plain(cell), level=_level(sent))

    def companions(self, taken: Taken | None, status: MultiStatus | None, left_out: set[str]) -> Taken | None:
        name = self.type.name
        comment_column, reason_column = f"{name} Comment", f"{name} Reason"
        comment, reason = self.cells.get(comment_column, ""), self.cells.get(reason_column, "")
        rule = status.comment if status else "optional" if self.type.statuses else self.type.comment
        is_refused = False
        if rule == "unavailable" and comment:
            self.say(comment_column, "comment-not-taken")
            left_out.add(comment_column)
            comment = ""
        if rule == "mandatory" and not comment:
            self.missing(comment_column, "comment-missing")
            is_refused = True
        if status and status.reason_required and not reason:
            self.missing(reason_column, "reason-missing")
            is_refused = True
        if status and status.reasons and reason:
            spelled = {one.casefold(): one for one in status.reasons}.get(reason.casefold())
            if spelled is None:
                self.say(reason_column, "reason-unknown")
                is_refused = True
            reason = spelled or reason
        if taken is None or is_refused:
            return None
        taken.comment, taken.reason = comment, reason
        return taken

    def missing(self, column: str, code: str) -> None:
        if column in self.cells:
            self.say(column, code)
            self.verdict.mend.add((self.row, column))
        else:
            self.say(next(self.homes()), code)

    def homes(self) -> Iterator[str]:
        name = self.type.name
        yield from (each for each in (name, *(f"{name} {label}" for label in INPUTS)) if each in self.cells)


def no_number(text: str, *, is_cdc: bool) -> str:
    """Return the code of a cell that holds no number."""
    body = text[1:] if text[:1] in ("+", "-") else text
    if number(body.replace(" ", ",")) is not None and " " in body:
        return "number-with-blanks"
    whole, comma, fraction = body.partition(",")
    if comma and not set(whole + fraction) - set(string.digits) and whole and fraction:
        return "number-decimal-comma"
    return "count-in-words" if is_cdc and not set(text) & set(string.digits) else "number-not-a-number"


def number(text: str) -> Fraction | None:
    """Return the number that a cell holds, or None."""
    body = text[1:] if text[:1] in ("+", "-") else text
    whole, point, fraction = body.partition(".")
    groups = whole.split(",")
    if len(groups) > 1 and not (1 <= len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:])):
        return None
    digits = "".join(groups)
    if set(digits + fraction) - set(string.digits) or (point and not fraction) or not digits + fraction:
        return None
    value = Fraction(int(digits or "0")) + Fraction(int(fraction or "0"), 10 ** len(fraction))
    return -value if text[0] == "-" else value


def plain(text: str) -> str:
    """Return the number that a cell holds in plain digits."""
    whole, _, fraction = text.lstrip("+-").replace(",", "").partition(".")
    whole, fraction = whole.lstrip("0") or "0", fraction.rstrip("0")
    result = f"{whole}.{fraction}" if fraction else whole
    return f"-{result}" if text[0] == "-" and result != "0" else result


def _score(inputs: Sequence[Fraction]) -> Fraction:
    patients, beds, admitted, hospital_beds, ventilated, longest_wait, last_wait = inputs
    raw = (
        Fraction("85.8") * patients / beds
        + 600 * admitted / hospital_beds
        + Fraction("13.4") * ventilated
        + Fraction("0.93") * longest_wait
        + Fraction("5.64") * last_wait
        - 20
    )
    return Fraction(floor(max(raw, Fraction(0)) * 10 + Fraction(1, 2)), 10)


def _level(score: Fraction) -> str:
    whole = floor(score + Fraction(1, 2))
    return next((name for limit, name in LEVELS if whole <= limit), "dangerously overcrowded / disaster")
