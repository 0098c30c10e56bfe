"""Codes of what a reader states: the file as such, its records and cells."""

from __future__ import annotations

from partner_exchange.validation.entry import Entry, Scope, Turn
from partner_exchange.validation.findings import Severity

_REFUSED, _FILE, _ROW, _CELL = Scope.REFUSAL, Scope.FILE, Scope.ROW, Scope.CELL
_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

ENTRIES: tuple[Entry, ...] = (
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
        "file-name-not-agreed",
        _REFUSED,
        _ERROR,
        "The file name is not one of those agreed",
        "The file has another name than was agreed, so it was not opened.",
        "Give it an agreed name and drop it again.",
        detail="The file has another name than was agreed ({names}), so it was not opened.",
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
        "The file has a header, but no rows below it.",
        "Put the rows below the header and drop the file again; where the header is missing, put it above, "
        "since the first row was taken for it.",
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
        "surplus-blank-fields",
        _ROW,
        _INFO,
        "The row ends in blank fields beyond the header",
        "The row has more fields than the header, but the surplus ones are blank; they were left out.",
        "Nothing needs to be done; a comma at the end of the row is the usual cause.",
        turn=Turn.NOBODY,
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
)
