"""Resources in a CSV beside the tenant file: for regions with hundreds of facilities, kept in a spreadsheet.

Read before validation; the rows become entries of ``status.resources`` and are judged there like entries that
stand in the YAML itself. Called by ``tenant_file``.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from partner_exchange.tenants.catalogue import header_key
from partner_exchange.tenants.problems import Problem

OWN_COLUMNS = ("name", "kind", "region", "production_id", "test_id")
NHSN_COLUMNS = ("org_id", "test_org_id", "context", "frequency")
COLUMNS = (*OWN_COLUMNS, *NHSN_COLUMNS)
REQUIRED_COLUMNS = ("name", "production_id")

_OPTION = "status.resources_file"
_BY_KEY = {header_key(column): column for column in COLUMNS}


@dataclass(frozen=True)
class ResourceList:
    """What one list holds: an entry for ``status.resources`` per row, with the line it stands in."""

    entries: list[dict[str, Any]]
    lines: list[int]
    problems: list[Problem]


def find(folder: Path, name: str, tenant_file: str) -> Path | Problem:
    """Return the path of the list that a tenant file names.

    It must lie in the tenants folder, also behind links: what a tenant file can name is reviewed with it.
    """
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        return Problem(
            tenant_file,
            _OPTION,
            "the list lies outside the tenants folder",
            "Put it beside the YAML file and give its name alone.",
        )
    if not path.is_file():
        near = get_close_matches(name, [other.name for other in folder.glob("*.csv")], n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "Put the list beside the YAML file."
        return Problem(tenant_file, _OPTION, f"there is no file {name!r}", hint)
    return path


def read(content: bytes, file: str) -> ResourceList:
    """Return the rows of a list as entries; blank cells are options that are not given.

    :param file: how the list is named in problems.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        remedy = "Save it as `CSV UTF-8 (comma delimited)`."
        return ResourceList([], [], [Problem(file, f"line {line}", "not UTF-8 text", remedy)])
    found = ResourceList([], [], [])
    rows = _rows(text, file, found.problems)
    header = next(rows, None)
    columns = _columns(header[1], file, found.problems) if header else None
    if header is None and not found.problems:
        found.problems.append(
            Problem(file, "", "the list is empty", f"Its first line names the columns: {', '.join(COLUMNS)}.")
        )
    for line, cells in rows if columns else ():
        if len(cells) == len(columns or ()):
            found.entries.append(_entry(dict(zip(columns or (), cells, strict=True))))
            found.lines.append(line)
        else:
            found.problems.append(
                Problem(
                    file,
                    f"line {line}",
                    f"{len(cells)} cells, but the header has {len(columns or ())}",
                    "Put a cell that holds a comma in double quotes.",
                )
            )
    return found


def _rows(text: str, file: str, problems: list[Problem]) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that is not blank with the number of its first line, up to a broken quote."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if any(cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        problems.append(
            Problem(file, f"line {line}", f"not CSV: {error}", "Close each quote; write quotes inside twice.")
        )


def _columns(header: list[str], file: str, problems: list[Problem]) -> list[str] | None:
    """Return the columns by the names we know, None when the header does not hold."""
    known = [_BY_KEY.get(header_key(cell)) for cell in header]
    wrong = [
        Problem(file, "line 1", f"unknown column {cell[:60]!r}", _nearest(cell))
        for cell, column in zip(header, known, strict=True)
        if column is None
    ]
    columns = [column for column in known if column is not None]
    wrong += [
        Problem(file, "line 1", f"the column {column} stands twice", "Keep one of them.")
        for column, count in Counter(columns).items()
        if count > 1
    ]
    wrong += [
        Problem(file, "line 1", f"the column {column} is missing", "Add it.")
        for column in REQUIRED_COLUMNS
        if column not in columns
    ]
    if wrong and len(header) == 1 and any(delimiter in header[0] for delimiter in ";\t|"):
        wrong = [Problem(file, "line 1", "the columns are not parted by commas", "Save it with commas.")]
    problems += wrong
    return None if wrong else columns


def _nearest(cell: str) -> str:
    near = get_close_matches(header_key(cell), _BY_KEY, n=1)
    if near:
        return f"Did you mean {_BY_KEY[near[0]]!r}?"
    return f"Remove it; known are {', '.join(COLUMNS)}."


def _entry(cells: dict[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {column: cells[column] for column in OWN_COLUMNS if cells.get(column)}
    nhsn = {column: cells[column] for column in NHSN_COLUMNS if cells.get(column)}
    return {**entry, "nhsn": nhsn} if nhsn else entry
