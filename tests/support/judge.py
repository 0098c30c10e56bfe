"""A second opinion on rosters: the rules in plain Python, row by row, sharing no code with the product.

Slow and obvious on purpose. It reads with the csv module and judges with string methods, ``datetime`` and
loops; what it finds must be what the suite finds (issue point 8).
"""

from __future__ import annotations

import csv
import io
import string
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

TITLES = [
    *("Username", "StudentId", "LastName", "FirstName", "Telephone"),
    *("Dob", "RequirementGroup", "Term", "OnCampus"),
]
WHITE = " \t\n\r\x0b\x0c\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000\u200b\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)
WORDS = {"LastName", "FirstName", "Telephone"}
INFO, WARNING, ERROR = "info", "warning", "error"


@dataclass
class Verdict:
    """Rows per (code, column, severity), and the rows that are rejected."""

    rows: dict[tuple[str, str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    rejected: set[int] = field(default_factory=set)
    total: int = 0

    def say(self, row: int, code: str, column: str, severity: str) -> None:
        self.rows[code, column, severity].append(row)
        if severity == ERROR:
            self.rejected.add(row)


def judge(
    content: bytes, *, today: date, required: tuple[str, ...] = (), pairs: list[dict[str, str]] | None = None
) -> Verdict:
    """Return the verdict on a roster with sound quoting."""
    verdict = Verdict()
    students: dict[int, dict[str, str]] = {}
    records = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
    csv.field_size_limit(10_000_000)
    for row, cells in enumerate(records, 1):
        if row == 1:
            continue
        if not cells:
            verdict.say(row, "blank-line", "", INFO)
            continue
        verdict.total += 1
        if len(cells) != 9:
            verdict.say(row, "too-few-fields" if len(cells) < 9 else "too-many-fields", "", ERROR)
            continue
        students[row] = _cells(verdict, row, dict(zip(TITLES, cells, strict=True)))
    known = [(pair["requirement_group"], pair["term"]) for pair in pairs or []]
    for row, student in students.items():
        for code, column, severity in _row(student, today, set(required), known):
            verdict.say(row, code, column, severity)
    _meetings(verdict, students)
    return verdict


def _cells(verdict: Verdict, row: int, raw: dict[str, str]) -> dict[str, str]:
    result = {}
    for column, cell in raw.items():
        if cell.startswith("'") and cell.lstrip("'")[:1] in tuple("=+-@\t\r"):
            cell = cell[1:]
        trimmed = cell.strip(WHITE)
        if trimmed != cell:
            verdict.say(row, "surrounding-space", column, INFO)
        if len(trimmed) > 1000:
            verdict.say(row, "cell-too-long", column, ERROR)
        allowed = "\t\n\r" if column in WORDS else ""
        if any(unicodedata.category(sign) == "Cc" and sign not in allowed for sign in trimmed):
            verdict.say(row, "control-character", column, ERROR)
        result[column] = trimmed
    return result


def _row(
    student: dict[str, str], today: date, required: set[str], known: list[tuple[str, str]]
) -> Iterator[tuple[str, str, str]]:
    username, student_id, on_campus = student["Username"], student["StudentId"], student["OnCampus"]
    if not username:
        yield "username-missing", "Username", ERROR
    elif not _is_email(username):
        yield "username-not-email", "Username", ERROR if "email" in required else WARNING
    if len(username) > 254:
        yield "username-too-long", "Username", ERROR
    if not student_id:
        yield "student-id-missing", "StudentId", ERROR if "student_id" in required else WARNING
    elif set(student_id) - set(string.ascii_letters + string.digits):
        yield "student-id-not-alphanumeric", "StudentId", ERROR
    if not on_campus:
        yield "on-campus-missing", "OnCampus", ERROR if "on_campus" in required else WARNING
    elif on_campus not in ("0", "1"):
        yield "on-campus-not-0-or-1", "OnCampus", ERROR
    if code := _dob(student["Dob"], today):
        yield code, "Dob", ERROR
    yield from _pair(student["RequirementGroup"], student["Term"], known)
    for column in TITLES:
        if column in ("Dob", "OnCampus") or student[column][:1] not in tuple("=+-@\t\r"):
            continue
        if column != "Telephone" or not _is_international(student[column]):
            yield "formula-cell", column, WARNING


def _is_international(telephone: str) -> bool:
    rest = telephone[1:]
    is_number = not set(rest) - set(string.digits + " ().-/") and any(sign.isdigit() for sign in rest)
    return telephone.startswith("+") and is_number


def _is_email(text: str) -> bool:
    name, at, domain = text.partition("@")
    if not name or not at or "@" in domain or set(text) & set(' \t\n\r\x0b\x0c,;<>"'):
        return False
    labels = domain.split(".")
    return len(labels) > 1 and all(labels)


def _dob(text: str, today: date) -> str | None:
    if not text:
        return None
    parts = text.split("/")
    if len(parts) != 3 or any(set(part) - set("0123456789") or not part for part in parts):
        return "dob-format"
    if len(parts[2]) == 2 and len(parts[0]) <= 2 and len(parts[1]) <= 2:
        return "dob-two-digit-year"
    if [len(part) for part in parts] != [2, 2, 4]:
        return "dob-format"
    month, day, year = map(int, parts)
    if not 1 <= month <= 12:
        return "dob-month-out-of-range"
    try:
        born = date(year or 4, month, day)
    except ValueError:
        return "dob-no-such-day"
    if year < 1900:
        return "dob-before-1900"
    return "dob-in-future" if born > today else None


def _pair(group: str, term: str, known: list[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    if bool(group) != bool(term):
        yield "pair-incomplete", "RequirementGroup", WARNING
    if not known:
        return
    is_group, is_term = group in {pair[0] for pair in known}, term in {pair[1] for pair in known}
    if group and not is_group:
        yield "requirement-group-unknown", "RequirementGroup", ERROR
    if term and not is_term:
        yield "term-unknown", "Term", ERROR
    if is_group and is_term and (group, term) not in known:
        yield "pair-unknown", "Term", ERROR


def _key(username: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", username).casefold())


def _meetings(verdict: Verdict, students: dict[int, dict[str, str]]) -> None:
    of_username: dict[str, list[int]] = defaultdict(list)
    of_student_id: dict[str, list[int]] = defaultdict(list)
    for row, student in students.items():
        if student["Username"]:
            of_username[_key(student["Username"])].append(row)
        if student["StudentId"]:
            of_student_id[student["StudentId"]].append(row)
    for rows in of_username.values():
        if len({tuple(students[row].values()) for row in rows}) > 1:
            for row in rows:
                verdict.say(row, "username-conflict", "Username", ERROR)
    for rows in of_student_id.values():
        if len({_key(students[row]["Username"]) for row in rows}) > 1:
            for row in rows:
                verdict.say(row, "student-id-duplicate", "StudentId", ERROR)
    seen: set[tuple[str, ...]] = set()
    for row, student in students.items():
        whole = tuple(student.values())
        if whole in seen and row not in verdict.rejected:
            verdict.say(row, "row-repeated", "", WARNING)
        seen.add(whole)
