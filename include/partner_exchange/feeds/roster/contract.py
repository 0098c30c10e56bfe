"""The positional contract of the roster: nine columns from the left, whatever the header says (M17)."""

from __future__ import annotations

from partner_exchange.readers.csv import CsvColumn

CONTRACT_VERSION = "1"

COLUMNS = (
    CsvColumn("username", "Username"),
    CsvColumn("student_id", "StudentId"),
    CsvColumn("last_name", "LastName", is_words=True),
    CsvColumn("first_name", "FirstName", is_words=True),
    CsvColumn("telephone", "Telephone", is_words=True),
    CsvColumn("dob", "Dob"),
    CsvColumn("requirement_group", "RequirementGroup"),
    CsvColumn("term", "Term"),
    CsvColumn("on_campus", "OnCampus"),
)
KEYS = tuple(column.key for column in COLUMNS)
TITLES = tuple(column.title for column in COLUMNS)
AS_SENT = "as_sent"
"""Column of rejected rows: the whole record of a row that has no column form, else ""."""
REPEATS = "repeats"
"""Column of accepted rows: how many identical rows the file holds besides this one."""

MAX_USERNAME_CHARACTERS = 254
"""The longest mail address (RFC 5321); it also keeps the key within a PostgreSQL index entry."""
EMAIL_PATTERN = r"[^@\s,;<>\"]+@[^@\s,;<>\".]+(?:\.[^@\s,;<>\".]+)+"
STUDENT_ID_PATTERN = r"[A-Za-z0-9]+"
ON_CAMPUS_PATTERN = r"[01]"
TELEPHONE_PATTERN = r"\+[0-9 ().\-/]*[0-9][0-9 ().\-/]*(?i:(?:x|ext\.?) ?[0-9]+)?"
"""A number with its country: starts with a plus sign, but is no formula."""
