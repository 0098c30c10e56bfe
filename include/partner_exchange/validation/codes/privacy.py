"""Codes of the guard against personal data where none belongs (E08)."""

from __future__ import annotations

from partner_exchange.validation.entry import Entry, Scope
from partner_exchange.validation.findings import Severity

_WARNING = Severity.WARNING

ENTRIES: tuple[Entry, ...] = (
    Entry(
        "personal-data",
        Scope.REFUSAL,
        Severity.ERROR,
        "The file seems to hold data of patients or other persons",
        "The file seems to hold data of patients or other persons, which must not be sent here; nothing was "
        "taken.",
        "Remove it and drop the file again; if it is none, ask support to have your files checked less "
        "strictly.",
        detail=(
            "The file seems to hold data of patients or other persons, which must not be sent here; "
            "nothing was "
            "taken. Found: {kinds}; number of places: {count}."
        ),
        is_audited=True,
    ),
    Entry(
        "personal-data-header",
        Scope.FILE,
        _WARNING,
        "The header of a column announces personal data",
        "The header announces data of a person, such as a name, a birth date or a record number.",
        "Leave the column out: only figures about the facility may be sent.",
        is_audited=True,
    ),
    Entry(
        "personal-data-aside",
        Scope.FILE,
        _WARNING,
        "Data of persons stands beside the table",
        "Beside the table stands what looks like data of a person: in rows above the header, below none, on "
        "another sheet or in the name of one.",
        "Send the table alone, on a sheet of its own.",
        detail=(
            "Beside the table (rows above the header, cells below no header, other sheets and their names) "
            "stands what looks like {kind}, in {count} places."
        ),
        is_audited=True,
    ),
    Entry(
        "personal-ssn",
        Scope.CELL,
        _WARNING,
        "A cell looks like a Social Security number",
        "The cell holds what looks like a Social Security number.",
        "Remove it, and see that it is not sent again.",
        is_audited=True,
    ),
    Entry(
        "personal-birth-date",
        Scope.CELL,
        _WARNING,
        "A cell looks like a birth date",
        "The cell holds what looks like a birth date: one that is named so, or a date more than two years "
        "back.",
        "Remove it; if it is the date of something else, write the month and the year only.",
        is_audited=True,
    ),
    Entry(
        "personal-record-number",
        Scope.CELL,
        _WARNING,
        "A cell looks like a medical record number",
        "The cell holds what looks like the medical record number of a patient.",
        "Remove it, and see that it is not sent again.",
        is_audited=True,
    ),
    Entry(
        "personal-name",
        Scope.CELL,
        _WARNING,
        "A cell looks like the name of a person",
        "The cell holds what looks like the name of a patient or another person.",
        "Remove it; say what happened without saying to whom.",
        is_audited=True,
    ),
)
