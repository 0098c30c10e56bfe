"""Every code a finding may carry, once: severity, wording, what to do next and whose turn it is.

``docs/findings.md`` is generated from here (``python -m partner_exchange.validation.docs``), so an
undocumented code cannot exist. Wording never holds a cell value; the names in braces are counts, positions
and words from the tenant's own policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from partner_exchange.readers.marks import Fact
from partner_exchange.validation.findings import Severity


class Turn(StrEnum):
    """Who has to act next."""

    PARTNER = "partner IT"
    US = "us"
    NOBODY = "nobody"


class Scope(StrEnum):
    """What a finding is about."""

    REFUSAL = "the whole file, which is refused"
    FILE = "the whole file"
    ROW = "a row"
    CELL = "a cell"


@dataclass(frozen=True)
class Entry:
    """One code of the catalogue."""

    code: str
    scope: Scope
    severity: Severity
    title: str
    message: str
    """What is wrong, for many rows together."""
    next_step: str
    detail: str = ""
    """What is wrong with the facts of one mark; ``message`` stands in where there are none."""
    turn: Turn = Turn.PARTNER
    may_be_lowered: bool = False
    """A tenant that does not require the value gets a warning instead of an error (K1)."""

    def sentence(self, facts: Mapping[str, Fact]) -> str:
        """Return what is wrong and what to do, for ``facts``."""
        text = self.detail if facts and self.detail else self.message
        return f"{text} {self.next_step}".format(**facts)

    @property
    def general(self) -> str:
        """Return what is wrong and what to do, for findings with differing facts."""
        return f"{self.message} {self.next_step}"


_REFUSED, _FILE, _ROW, _CELL = Scope.REFUSAL, Scope.FILE, Scope.ROW, Scope.CELL
_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

_ENTRIES: tuple[Entry, ...] = (
    Entry(
        "extension-not-csv",
        _REFUSED,
        _ERROR,
        "The file name does not end in .csv",
        "The file name does not end in .csv.",
        "Give the file a name such as roster.csv and drop it again.",
    ),
    Entry(
        "extension-not-lower-case",
        _REFUSED,
        _ERROR,
        "The extension is not in lower case",
        "The file name ends in .csv, but not in lower-case letters.",
        "Write the extension as .csv and drop the file again.",
    ),
    Entry(
        "file-too-large",
        _REFUSED,
        _ERROR,
        "The file is too large",
        "The file is larger than one file may be.",
        "Split the rows into smaller files, each with the header.",
        detail="The file has {size_bytes} bytes, one file may have {limit_bytes}.",
    ),
    Entry(
        "identical-file",
        _REFUSED,
        _ERROR,
        "The same file came twice in succession",
        "The file is identical to the one before it, so nothing was loaded.",
        "Send a file with changes; see the support contact if files are no longer taken.",
    ),
    Entry(
        "file-empty",
        _REFUSED,
        _ERROR,
        "The file is empty",
        "The file holds nothing but blank space.",
        "Export it again, see that it holds a header and rows, and drop it again.",
        detail="The file holds nothing: {size} bytes, none of them text.",
    ),
    Entry(
        "file-not-text",
        _REFUSED,
        _ERROR,
        "The file is not a text file",
        "The file is not a CSV text file.",
        "Export the rows as CSV (UTF-8) and drop that file.",
        detail="The file is not a CSV text file but {kind}.",
    ),
    Entry(
        "file-not-utf-8-wide",
        _REFUSED,
        _ERROR,
        "The file is UTF-16 or UTF-32",
        "The file is not UTF-8 text.",
        'Save it as "CSV UTF-8" and drop it again.',
        detail="The file is {encoding} text, not UTF-8.",
    ),
    Entry(
        "nul-bytes",
        _REFUSED,
        _ERROR,
        "The file holds NUL bytes",
        "The file holds NUL bytes, so it was damaged or is not text.",
        "Export it again and drop the new file.",
        detail=(
            "The file holds {count} NUL bytes, the first in line {line}, so it was damaged or is not text."
        ),
    ),
    Entry(
        "file-not-utf-8",
        _REFUSED,
        _ERROR,
        "The file is not UTF-8",
        "The file is not UTF-8 text.",
        "The file probably is Latin-1 or Windows-1252; save it as UTF-8 and drop it again.",
        detail="The file is not UTF-8 text: the first bad byte is {byte} in line {line}, column {column}.",
    ),
    Entry(
        "line-ends-cr-only",
        _REFUSED,
        _ERROR,
        "Lines end in a carriage return alone",
        "Lines end in a carriage return alone, as on very old Macs.",
        "Save the file with line ends LF or CRLF and drop it again.",
        detail="Lines end in a carriage return alone ({count} of them), as on very old Macs.",
    ),
    Entry(
        "delimiter-not-comma",
        _REFUSED,
        _ERROR,
        "The delimiter is not a comma",
        "The columns are not separated by commas.",
        "Export the file with commas between the columns and drop it again.",
        detail="The columns are separated by another sign than a comma: {delimiter}.",
    ),
    Entry(
        "header-too-narrow",
        _REFUSED,
        _ERROR,
        "The header lacks columns",
        "The header has too few columns.",
        "Send all columns in their order, also those without values, and drop the file again.",
        detail="The header has {fields} of {needed} columns; missing are the positions {absent}.",
    ),
    Entry(
        "header-too-wide",
        _REFUSED,
        _ERROR,
        "The header has too many columns",
        "The header has too many columns; no other data is taken.",
        "Send exactly the columns of the contract, in their order, and drop the file again.",
        detail=(
            "The header has {fields} columns, {extra} more than the {needed} of the contract; no other data "
            "is taken."
        ),
    ),
    Entry(
        "no-rows",
        _REFUSED,
        _ERROR,
        "There are no rows",
        "Below the header there are no rows; the first row of a file always counts as the header.",
        "Put a header above the rows and drop the file again.",
    ),
    Entry(
        "rows-above-limit",
        _REFUSED,
        _ERROR,
        "The file has too many rows",
        "The file has more rows than one file may have, so none was loaded.",
        "Split the rows into smaller files, each with the header, and drop them one after the other.",
        detail=(
            "The file has {count} rows, one file may have {limit}; none was loaded. {files} files of up to "
            "{limit} rows would hold them."
        ),
    ),
    Entry(
        "header-stray-quote",
        _FILE,
        _WARNING,
        "The header has a stray quote",
        "The header holds a quote in the wrong place; it was skipped all the same.",
        "Quote a whole name or none of it, and double a quote inside a name.",
    ),
    Entry(
        "header-short-blank",
        _FILE,
        _WARNING,
        "The header leaves out trailing columns",
        "The header has fewer columns than the contract; they were taken by position.",
        "Write one name per column; each row needs all columns in any case.",
        detail=(
            "The header has {fields} of {needed} columns, the last ones blank; columns were taken by "
            "position."
        ),
    ),
    Entry(
        "header-looks-like-data",
        _FILE,
        _WARNING,
        "The header looks like data",
        "The first row looks like a student, but the first row always counts as the header and was skipped.",
        "Put a header above the rows and send the skipped student again.",
    ),
    Entry(
        "columns-look-swapped",
        _FILE,
        _WARNING,
        "Username and StudentId look swapped",
        (
            "Column 1 looks like student IDs and column 2 like e-mail addresses; columns count by position, "
            "not by name."
        ),
        "Put Username first and StudentId second.",
        detail=(
            "In {count} of {rows} rows column 1 looks like a student ID and column 2 like an e-mail address; "
            "columns count by position, not by name."
        ),
    ),
    Entry(
        "rows-beyond-limit",
        _FILE,
        _WARNING,
        "Only the first rows were taken",
        (
            "The file has more rows than one file may have; only the first ones by position in the file were "
            "taken."
        ),
        "Drop the remaining rows as another file with a header.",
        detail=(
            "The file has more than {limit} rows; the first {limit} by position, up to row {last_row}, "
            "were taken, the other {count} were not."
        ),
    ),
    Entry(
        "blank-line",
        _ROW,
        _INFO,
        "The line is blank",
        "The line is blank; it is no row and was skipped.",
        "Nothing needs to be done.",
        turn=Turn.NOBODY,
    ),
    Entry(
        "stray-quote",
        _ROW,
        _ERROR,
        "A quote is in the wrong place or never closed",
        "A quote is in the wrong place or never closed, so the columns of the row cannot be told apart.",
        "Put quotes around the whole value and double a quote inside it.",
    ),
    Entry(
        "too-few-fields",
        _ROW,
        _ERROR,
        "The row has too few fields",
        "The row has too few fields.",
        "Give each column its field, also when it is blank.",
        detail="The row has {fields} fields; {needed} are needed.",
    ),
    Entry(
        "too-many-fields",
        _ROW,
        _ERROR,
        "The row has too many fields",
        "The row has too many fields.",
        "Put quotes around a value that holds a comma and remove extra columns.",
        detail="The row has {fields} fields; {needed} are needed.",
    ),
    Entry(
        "lone-carriage-return",
        _ROW,
        _ERROR,
        "The row ends in a carriage return alone",
        "The row ends in a carriage return without a line feed.",
        "End rows with LF or CRLF, and put quotes around a value that holds a line break.",
    ),
    Entry(
        "row-beyond-limit",
        _ROW,
        _ERROR,
        "The row is above the limit of rows",
        "The row is above the limit of rows of one file and was not looked at.",
        "Drop it in another file with a header; the fix-it file holds all such rows.",
        detail="The row is above the limit of {limit} rows of one file and was not looked at.",
    ),
    Entry(
        "surrounding-space",
        _CELL,
        _INFO,
        "White space around the value was removed",
        "White space around the value was removed.",
        "Nothing needs to be done.",
        turn=Turn.NOBODY,
    ),
    Entry(
        "cell-too-long",
        _CELL,
        _ERROR,
        "The value is too long",
        "The value is too long.",
        "Shorten it; a very long value often means that a quote is missing.",
        detail="The value has more than {limit} characters.",
    ),
    Entry(
        "control-character",
        _CELL,
        _ERROR,
        "The value holds a control character",
        "The value holds a character that cannot be seen, such as a control sign, a tab or a line break.",
        "Remove it.",
    ),
    Entry(
        "formula-cell",
        _CELL,
        _WARNING,
        "The value looks like a formula",
        (
            "The value starts like a spreadsheet formula; it is kept as text, and neutral in every file we "
            "write."
        ),
        "Check that the value is meant.",
    ),
    Entry(
        "username-missing",
        _CELL,
        _ERROR,
        "Username is blank",
        "Username is blank, but every student needs one.",
        "Fill it in.",
    ),
    Entry(
        "username-too-long",
        _CELL,
        _ERROR,
        "Username is too long",
        "Username is too long.",
        "Use a shorter one.",
        detail="Username has more than {limit} characters.",
    ),
    Entry(
        "username-not-email",
        _CELL,
        _ERROR,
        "Username is not an e-mail address",
        "Username is not an e-mail address.",
        "Write it as name@example.org, so that the student can be reached.",
        may_be_lowered=True,
    ),
    Entry(
        "username-pattern",
        _CELL,
        _ERROR,
        "Username does not have the agreed form",
        "Username does not have the form that was agreed for your organisation.",
        "Correct it, or ask support for the agreed form.",
    ),
    Entry(
        "username-domain",
        _CELL,
        _ERROR,
        "Username is of another domain",
        "Username does not end in a domain that was agreed for your organisation.",
        "Use an address of an agreed domain.",
        detail="Username does not end in an agreed domain ({domains}).",
    ),
    Entry(
        "username-conflict",
        _ROW,
        _ERROR,
        "Rows of one Username disagree",
        (
            "Another row has the same Username (upper and lower case count as the same) but other values; "
            "none was taken."
        ),
        "Keep one row per Username.",
    ),
    Entry(
        "row-repeated",
        _ROW,
        _WARNING,
        "The row stands in the file twice",
        "The same row stands earlier in the file; it was taken once.",
        "Send each student once.",
    ),
    Entry(
        "student-id-missing",
        _CELL,
        _ERROR,
        "StudentId is blank",
        "StudentId is blank.",
        "Fill it in.",
        may_be_lowered=True,
    ),
    Entry(
        "student-id-not-alphanumeric",
        _CELL,
        _ERROR,
        "StudentId is not letters and digits",
        "StudentId holds other characters than the letters A-Z, a-z and the digits 0-9.",
        "Remove spaces, hyphens and other signs.",
    ),
    Entry(
        "student-id-duplicate",
        _CELL,
        _ERROR,
        "StudentId belongs to several students of the file",
        "The same StudentId stands in this file with another Username; none of these rows was taken.",
        "Give each student an own StudentId.",
    ),
    Entry(
        "student-id-taken",
        _CELL,
        _ERROR,
        "StudentId belongs to another student",
        "The StudentId already belongs to another student of your organisation.",
        "Correct the StudentId, or send the other student's new one in the same file.",
    ),
    Entry(
        "dob-format",
        _CELL,
        _ERROR,
        "Dob is not MM/DD/YYYY",
        "Dob is not written as MM/DD/YYYY with two, two and four digits 0-9.",
        "Write it as 04/09/2005, or leave it blank.",
    ),
    Entry(
        "dob-two-digit-year",
        _CELL,
        _ERROR,
        "Dob has a year of two digits",
        "Dob has a year of two digits; the century is not guessed.",
        "Write the year with four digits.",
    ),
    Entry(
        "dob-month-out-of-range",
        _CELL,
        _ERROR,
        "Dob has no such month",
        "The month of Dob is not 01 to 12; the month comes first.",
        "Write the date as MM/DD/YYYY.",
    ),
    Entry(
        "dob-no-such-day",
        _CELL,
        _ERROR,
        "Dob has no such day",
        "The day of Dob does not exist in that month and year.",
        "Correct the date.",
    ),
    Entry(
        "dob-before-1900",
        _CELL,
        _ERROR,
        "Dob is before 1900",
        "Dob is before 1900.",
        "Correct the year.",
    ),
    Entry(
        "dob-in-future",
        _CELL,
        _ERROR,
        "Dob is in the future",
        "Dob is after the day on which the file was checked (UTC).",
        "Correct the date.",
    ),
    Entry(
        "pair-incomplete",
        _CELL,
        _WARNING,
        "RequirementGroup or Term stands alone",
        (
            "RequirementGroup and Term belong together, but one of them is blank; both were skipped, the "
            "rest was taken."
        ),
        "Fill in both or none.",
    ),
    Entry(
        "requirement-group-unknown",
        _CELL,
        _ERROR,
        "RequirementGroup is not known",
        "RequirementGroup is none of the agreed values.",
        "Ask support for the list of agreed values.",
        detail='RequirementGroup is none of the agreed values; the nearest is "{nearest}".',
    ),
    Entry(
        "term-unknown",
        _CELL,
        _ERROR,
        "Term is not known",
        "Term is none of the agreed values.",
        "Ask support for the list of agreed values.",
        detail='Term is none of the agreed values; the nearest is "{nearest}".',
    ),
    Entry(
        "pair-unknown",
        _CELL,
        _ERROR,
        "RequirementGroup and Term do not go together",
        "RequirementGroup and Term are both known, but not as a pair.",
        "Ask support for the list of agreed pairs.",
    ),
    Entry(
        "on-campus-missing",
        _CELL,
        _ERROR,
        "OnCampus is blank",
        "OnCampus is blank.",
        "Write 1 for on campus and 0 for off campus.",
        may_be_lowered=True,
    ),
    Entry(
        "on-campus-not-0-or-1",
        _CELL,
        _ERROR,
        "OnCampus is not 0 or 1",
        "OnCampus is neither 0 nor 1.",
        "Write 1 for on campus and 0 for off campus.",
    ),
)

CATALOGUE: Mapping[str, Entry] = {entry.code: entry for entry in _ENTRIES}
"""All entries by code, in the order of the documentation."""
