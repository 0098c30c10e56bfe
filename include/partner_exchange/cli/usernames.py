"""Whom a command is about: Usernames from its arguments, or from a file with their lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import typer

HEADER = "username"


@dataclass(frozen=True)
class Asked:
    """Usernames, and by what number a person finds each of them again."""

    usernames: tuple[str, ...]
    numbers: tuple[int, ...]
    unit: str
    """``line`` of the file, or ``argument``."""


def from_arguments(usernames: Sequence[str]) -> Asked:
    """Return the Usernames of the command line, counted from 1.

    :raises BadParameter: one is blank or no text.
    """
    for number, one in enumerate(usernames, start=1):
        # What is no UTF-8 arrives as lone surrogates.
        if not one.strip() or any("\ud800" <= sign <= "\udfff" for sign in one):
            raise typer.BadParameter(f"argument {number} is blank or no text", param_hint="USERNAME")
    return Asked(tuple(usernames), tuple(range(1, len(usernames) + 1)), "argument")


def from_file(content: bytes) -> Asked:
    """Return the Usernames of a file, blank ones left out.

    It has one a line, or is a CSV whose first column has the title Username, with any usual separator.

    :raises BadParameter: it is no UTF-8 text, or its quotes do not match.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise typer.BadParameter("the file is no UTF-8 text; save it as such", param_hint="--file") from None
    lines = list(io.StringIO(text, newline=None))
    found = _cells(text, lines)
    return Asked(tuple(name for _, name in found), tuple(line for line, _ in found), "line")


def _cells(text: str, lines: Sequence[str]) -> list[tuple[int, str]]:
    """Return line and Username of each; a record of several lines has the number of its first."""
    delimiter = _delimiter(lines[0]) if lines else None
    if delimiter is None:
        return [(line, name.strip()) for line, name in enumerate(lines, start=1) if name.strip()]
    records = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found, begins = [], 1
    try:
        for record in records:
            if begins > 1 and record and record[0].strip():
                found.append((begins, record[0].strip()))
            begins = records.line_num + 1
    except csv.Error:
        message = f"the CSV does not hold at line {records.line_num}: look at its quotes"
        raise typer.BadParameter(message, param_hint="--file") from None
    return found


def _delimiter(header: str) -> str | None:
    """Return what separates the columns where the first has the title Username; None where it has not."""
    from partner_exchange.readers.guards import DELIMITERS

    for delimiter in DELIMITERS:
        if header.split(delimiter)[0].strip().strip('"').casefold() == HEADER:
            return delimiter
    return None
