"""Rosters to test with: plain rows, CSV text written by the standard library, and seeded faults."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import pandas as pd

from partner_exchange.feeds.base import AnswerMaterial, Examination, ExamineContext
from partner_exchange.feeds.registry import get_feed
from partner_exchange.tenants.model import Tenant
from partner_exchange.validation.findings import Findings

TITLES = (
    "Username",
    "StudentId",
    "LastName",
    "FirstName",
    "Telephone",
    "Dob",
    "RequirementGroup",
    "Term",
    "OnCampus",
)
HEADER = ",".join(TITLES)
TODAY = date(2026, 11, 21)
PAIRS = [
    {"requirement_group": "Health Sciences", "term": "Fall 2026"},
    {"requirement_group": "Health Sciences", "term": "Spring 2027"},
    {"requirement_group": "Engineering", "term": "Fall 2026"},
]


def a_row(number: int, **over: str) -> list[str]:
    """Return one sound row; ``over`` sets cells by title."""
    cells = {
        "Username": f"student{number}@example.edu",
        "StudentId": f"S{number:07}",
        "LastName": f"Last{number}",
        "FirstName": f"First{number}",
        "Telephone": f"(512) 555-{number % 10000:04}",
        "Dob": f"{number % 12 + 1:02}/{number % 28 + 1:02}/{1990 + number % 15}",
        "RequirementGroup": "Health Sciences",
        "Term": "Fall 2026",
        "OnCampus": str(number % 2),
    }
    cells.update(over)
    return list(cells.values())


def text(rows: Iterable[Sequence[str]], *, header: str = HEADER, newline: str = "\r\n") -> bytes:
    """Return a CSV file, written by the csv module of Python."""
    out = io.StringIO()
    csv.writer(out, lineterminator=newline).writerows(rows)
    return (header + newline + out.getvalue()).encode()


def many(count: int) -> bytes:
    """Return a sound roster of ``count`` rows, quickly."""
    lines = (
        f"student{n}@example.edu,S{n:07},Last{n},First{n},(512) 555-{n % 10000:04},"
        f"{n % 12 + 1:02}/{n % 28 + 1:02}/{1990 + n % 15},Health Sciences,Fall 2026,{n % 2}\r\n"
        for n in range(count)
    )
    return (HEADER + "\r\n" + "".join(lines)).encode()


def a_tenant_with(**roster: Any) -> Tenant:
    """Return a tenant whose roster policy is ``roster``."""
    return Tenant.model_validate({"code": "uni", "name": "University", "feed": "roster", "roster": roster})


def examine(content: bytes, *, file_name: str = "roster.csv", **roster: Any) -> Examination:
    """Return what the roster feed finds on 2026-11-21."""
    context = ExamineContext(tenant=a_tenant_with(**roster), file_name=file_name, today=TODAY)
    return get_feed("roster").examine(content, context)


def fix_it_of(rejected: pd.DataFrame, **roster: Any) -> bytes:
    """Return the fix-it file of the roster feed; b"" when there is none."""
    tenant = a_tenant_with(**roster)
    material = AnswerMaterial(tenant, "roster.csv", lambda: b"", rejected, Findings())
    return b"".join(file.content for file in get_feed("roster").answer_files(material))


def flat(examination: Examination) -> list[tuple[int | None, str, str, str]]:
    """Return the findings as a table to read: row, column, severity, code."""
    table = examination.findings.table
    rows = [None if pd.isna(row) else int(row) for row in table["row"]]
    return list(zip(rows, table["column"], table["severity"], table["code"], strict=True))


def codes(examination: Examination) -> list[str]:
    """Return the codes of the groups, sorted."""
    return sorted({group.code for group in examination.findings.groups})


FAULTS: tuple[dict[str, str], ...] = (
    {"Username": ""},
    {"Username": "no-mail"},
    {"Username": " student1@example.edu "},
    {"Username": "STUDENT1@EXAMPLE.EDU"},
    {"Username": "stra\u00dfe@example.edu"},
    {"Username": "STRASSE@example.edu"},
    {"Username": "a" * 250 + "@example.edu"},
    {"StudentId": ""},
    {"StudentId": "12-34"},
    {"StudentId": "S0000001"},
    {"StudentId": "00123"},
    {"StudentId": "NA"},
    {"StudentId": "\u0661\u0662"},
    {"LastName": "=1+2"},
    {"LastName": 'O\'Brien, "Pat"'},
    {"LastName": "two\nlines"},
    {"FirstName": "a\x07b"},
    {"FirstName": "\u00c9lodie\u00a0"},
    {"FirstName": "x" * 1001},
    {"Telephone": "+1 512 555 0100"},
    {"Telephone": "+SUM(A1)"},
    {"Telephone": "-"},
    {"Dob": ""},
    {"Dob": "2001-02-03"},
    {"Dob": "1/2/2001"},
    {"Dob": "01/02/01"},
    {"Dob": "13/01/2001"},
    {"Dob": "02/30/2001"},
    {"Dob": "02/29/2000"},
    {"Dob": "02/29/1900"},
    {"Dob": "12/31/1899"},
    {"Dob": "11/21/2026"},
    {"Dob": "11/22/2026"},
    {"Dob": "\u0661\u0661/21/2001"},
    {"Dob": "00/10/2001"},
    {"Dob": "10/00/2001"},
    {"RequirementGroup": ""},
    {"Term": ""},
    {"RequirementGroup": "", "Term": ""},
    {"RequirementGroup": "Helth Sciences"},
    {"Term": "Fall 2062"},
    {"RequirementGroup": "Engineering", "Term": "Spring 2027"},
    {"OnCampus": ""},
    {"OnCampus": "true"},
    {"OnCampus": "2"},
    {"OnCampus": " 1"},
)


def faulty_rows(seed: int, count: int) -> list[list[str]]:
    """Return rows of which about half have faults, some repeat or contradict others, some are too wide."""
    dice = random.Random(seed)
    rows: list[list[str]] = []
    for number in range(1, count + 1):
        kind = dice.random()
        over = dice.choice(FAULTS) if kind < 0.5 else {}
        row = a_row(dice.randint(1, count * 3) if kind < 0.7 else number + 1_000_000, **over)
        if 0.90 < kind < 0.94 and rows:
            row = list(dice.choice(rows))
        elif 0.94 < kind < 0.96:
            row = row[: dice.randint(2, 8)]
        elif 0.96 < kind < 0.98:
            row = [*row, *["extra"] * dice.randint(1, 3)]
        rows.append(row)
    return rows
