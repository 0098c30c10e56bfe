"""The CSV files of the code sets: their columns, reading, writing, and what must hold in them.

Kept apart from ``code_sets``, which turns rows into what the feed looks up: here a file may be half right,
and the answer says what is wrong in it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "code_sets"
STATES = ("valid", "deprecated", "ignored", "invalid")
KINDS = ("vaccine", "unspecified", "non-vaccine", "never-active", "pending", "foreign")
EXPECTATIONS = ("expected", "possible", "unexpected", "impossible")
WINDOW = ("licensed_from", "expected_from", "expected_until", "licensed_until")
AGES = ("age_from_months", "age_until_months")
BANDS = ("baby", "child", "teenager", "adult", "senior")
PACKAGES = ("use", "sale")

Row = dict[str, str]


@dataclass(frozen=True)
class CodeFile:
    """What a file is made of."""

    columns: tuple[str, ...]
    key: tuple[str, ...]
    """Columns that together tell rows apart."""
    order: Callable[[Row], tuple[Any, ...]]
    """What rows are sorted by."""


def _by_number(column: str) -> Callable[[Row], tuple[Any, ...]]:
    def place(row: Row) -> tuple[Any, ...]:
        text = row[column]
        return (0, int(text), "") if text.isascii() and text.isdigit() else (1, 0, text)

    return place


FILES: Mapping[str, CodeFile] = {
    "codes": CodeFile(
        ("set", "code", "label", "state", "system", "preferred"),
        ("set", "code"),
        lambda row: (row["set"], row["code"]),
    ),
    "vaccines": CodeFile(
        ("cvx", "label", "kind", *WINDOW, *AGES, "groups"),
        ("cvx",),
        _by_number("cvx"),
    ),
    "products": CodeFile(
        ("ndc", "cvx", "mvx", "label", "package", "sold_from", "sold_until"),
        ("ndc",),
        lambda row: (row["ndc"],),
    ),
    "manufacturers": CodeFile(("mvx", "label", "used_until"), ("mvx",), lambda row: (row["mvx"],)),
    "coverage": CodeFile(("group", "label", "order", *BANDS), ("group",), _by_number("order")),
}
"""The files by name, without the ending ``.csv``."""


def read(name: str, folder: Path = FOLDER) -> list[Row]:
    """Return the rows of a file."""
    return parse((folder / f"{name}.csv").read_text(encoding="utf-8"))


def parse(text: str) -> list[Row]:
    """Return the rows of CSV text with a header; what a short row lacks is ""."""
    return list(csv.DictReader(io.StringIO(text, newline=""), restval="", restkey="more columns"))


def render(name: str, rows: Sequence[Row]) -> str:
    """Return the text of a file, its rows in the file's order."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, FILES[name].columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    ordered = sorted(rows, key=FILES[name].order)
    writer.writerows(ordered)
    return text.getvalue()


def key_of(name: str, row: Row) -> str:
    """Return what tells a row apart in its file, as one text."""
    return " ".join(row[column] for column in FILES[name].key)


def problems(tables: Mapping[str, Sequence[Row]]) -> list[str]:
    """Return what does not hold in the files, one sentence each.

    :param tables: the rows of every file of ``FILES``.
    """
    found = [
        f"{name}.csv has other columns than {', '.join(one.columns)}."
        for name, one in FILES.items()
        if any(tuple(row) != one.columns for row in tables[name]) or not tables[name]
    ]
    if found:
        return found
    return [
        *_repeated(tables),
        *_wrong_codes(tables["codes"]),
        *_wrong_vaccines(tables),
        *_wrong_products(tables),
        *_wrong_dates("manufacturers", tables["manufacturers"], ("used_until",)),
        *_wrong_coverage(tables["coverage"]),
    ]


def _repeated(tables: Mapping[str, Sequence[Row]]) -> Iterator[str]:
    for name, rows in tables.items():
        seen = set()
        for row in rows:
            key = key_of(name, row)
            if key in seen:
                yield f"{name}.csv: {key} is there twice."
            if not all(row[column] for column in FILES[name].key) or not row["label"]:
                yield f"{name}.csv: {key or 'a row'} lacks its code or its label."
            seen.add(key)


def _wrong_codes(rows: Sequence[Row]) -> Iterator[str]:
    known = {(row["set"], row["code"]) for row in rows}
    for row in rows:
        key = key_of("codes", row)
        if row["state"] not in STATES:
            yield f"codes.csv: {key} has a state other than {', '.join(STATES)}."
        if row["preferred"] and (row["set"], row["preferred"]) not in known:
            yield f"codes.csv: {key} prefers a code that its set does not have."


def _wrong_vaccines(tables: Mapping[str, Sequence[Row]]) -> Iterator[str]:
    rows = tables["vaccines"]
    groups = {row["group"] for row in tables["coverage"]}
    yield from _wrong_dates("vaccines", rows, WINDOW)
    for row in rows:
        key = row["cvx"]
        if not (key.isascii() and key.isdigit() and key == key.lstrip("0").zfill(2)):
            yield f"vaccines.csv: {key} is not written with two digits or three."
        if row["kind"] not in KINDS:
            yield f"vaccines.csv: {key} has a kind other than {', '.join(KINDS)}."
        if set(row["groups"].split()) - groups:
            yield f"vaccines.csv: {key} is in a group that coverage.csv does not have."
        ages = [row[column] for column in AGES if row[column]]
        if not all(age.isascii() and age.isdigit() for age in ages):
            yield f"vaccines.csv: {key} has an age that is no number of months."
        elif ages != sorted(ages, key=int):
            yield f"vaccines.csv: the ages of {key} end before they begin."


def _wrong_products(tables: Mapping[str, Sequence[Row]]) -> Iterator[str]:
    known = {
        "cvx": {row["cvx"] for row in tables["vaccines"]},
        "mvx": {row["mvx"] for row in tables["manufacturers"]},
    }
    yield from _wrong_dates("products", tables["products"], ("sold_from", "sold_until"))
    for row in tables["products"]:
        key = row["ndc"]
        parts = key.split("-")
        if [len(part) for part in parts] != [5, 4, 2] or not "".join(parts).isdigit():
            yield f"products.csv: {key} is not written as five, four and two digits."
        for column, codes in known.items():
            if not row[column].split() or set(row[column].split()) - codes:
                yield f"products.csv: {key} has no {column.upper()} code, or one that is not known."
        if not row["package"].split() or set(row["package"].split()) - set(PACKAGES):
            yield f"products.csv: {key} has a package other than {', '.join(PACKAGES)}."


def _wrong_coverage(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        if any(row[band] not in EXPECTATIONS for band in BANDS):
            yield f"coverage.csv: {row['group']} has an expectation other than {', '.join(EXPECTATIONS)}."
    if [row["order"] for row in rows] != [str(place) for place in range(1, len(rows) + 1)]:
        yield "coverage.csv: the order of the groups does not count up from 1."


def _wrong_dates(name: str, rows: Sequence[Row], columns: Sequence[str]) -> Iterator[str]:
    for row in rows:
        written = [row[column] for column in columns if row[column]]
        if not all(_is_day(text) for text in written):
            yield f"{name}.csv: {key_of(name, row)} has a date that is not written yyyy-mm-dd."
        elif written != sorted(written):
            yield f"{name}.csv: the dates of {key_of(name, row)} do not rise."


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
