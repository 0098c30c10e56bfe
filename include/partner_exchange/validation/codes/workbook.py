"""Codes of what the workbook reader states, and of tables found by their header."""

from __future__ import annotations

from partner_exchange.validation.entry import Entry, Scope, Turn
from partner_exchange.validation.findings import Severity

_REFUSED, _FILE, _CELL = Scope.REFUSAL, Scope.FILE, Scope.CELL
_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

ENTRIES: tuple[Entry, ...] = (
    Entry(
        "file-not-a-table",
        _REFUSED,
        _ERROR,
        "The file is neither CSV nor XLS nor XLSX",
        "The file is neither a CSV text file nor an Excel workbook (.xls, .xlsx).",
        "Open it in the program it comes from, save it as .xlsx or as CSV (UTF-8), and drop that file.",
        detail="The file is neither a CSV text file nor an Excel workbook (.xls, .xlsx) but {kind}.",
    ),
    Entry(
        "workbook-has-macros",
        _REFUSED,
        _ERROR,
        "The workbook holds macros",
        "The workbook holds macros (programs), which are not taken.",
        'Save it as "Excel Workbook (.xlsx)", which leaves the macros out, and drop that file.',
    ),
    Entry(
        "workbook-encrypted",
        _REFUSED,
        _ERROR,
        "The workbook is protected by a password",
        "The workbook is encrypted with a password, so it cannot be read.",
        "Save it without a password; the transfer itself is encrypted. Then drop it again.",
    ),
    Entry(
        "workbook-damaged",
        _REFUSED,
        _ERROR,
        "The workbook is damaged",
        "The workbook is damaged or was cut off on its way, so it cannot be read.",
        "Open it in Excel or LibreOffice, save it under a new name as .xlsx, and drop that file.",
    ),
    Entry(
        "workbook-too-large",
        _REFUSED,
        _ERROR,
        "The workbook unpacks to too much",
        "The workbook unpacks to more data than one file may hold.",
        "Copy the cells with data, values only, into a new workbook and drop that one.",
        detail="The workbook unpacks to more data than one file may hold, which is {limit_mib} MiB.",
    ),
    Entry(
        "sheet-too-large",
        _REFUSED,
        _ERROR,
        "The sheet reaches too far",
        "The filled cells of a sheet reach farther to the right or down than one file may.",
        "Delete the rows and columns that do not belong to the table, also far below it, and drop it again.",
        detail=(
            "The filled cells of a sheet reach over {rows} rows and {columns} columns; one file may span "
            "{limit} cells."
        ),
    ),
    Entry(
        "columns-above-limit",
        _REFUSED,
        _ERROR,
        "The header has too many columns",
        "The header has more columns than a table may have.",
        "Remove the columns that are not needed and drop the file again.",
        detail="The header has {count} columns, a table may have {limit}.",
    ),
    Entry(
        "workbook-empty",
        _REFUSED,
        _ERROR,
        "The workbook is empty",
        "No sheet of the workbook holds any value.",
        "Fill in the table, save the workbook and drop it again.",
    ),
    Entry(
        "sheets-all-hidden",
        _REFUSED,
        _ERROR,
        "Only hidden sheets hold values",
        "The visible sheets of the workbook are empty; hidden sheets are not read.",
        "Unhide the sheet with the table, save the workbook and drop it again.",
        detail=(
            "The visible sheets of the workbook are empty, and hidden sheets are not read. Hidden are "
            "{count} with values."
        ),
    ),
    Entry(
        "extension-differs",
        _FILE,
        _INFO,
        "The file name tells another type",
        "The file name tells another type than the content, which was taken for what it is.",
        "Give the next file the ending of its type.",
        detail="The file name ends in {extension}, but the file is {kind} and was taken as such.",
    ),
    Entry(
        "rows-above-header",
        _FILE,
        _INFO,
        "There are rows above the header",
        "Above the header there are other rows; they were skipped.",
        "Nothing needs to be done; a header in row 1 is the safest.",
        detail="The header was found in row {header_row}; {count} filled rows above it were skipped.",
        turn=Turn.NOBODY,
    ),
    Entry(
        "sheets-ignored",
        _FILE,
        _INFO,
        "Other sheets were not read",
        "One sheet of the workbook was read; the others were not.",
        "Put data that belongs to us on the sheet with the known header, or send it as a file of its own.",
        detail="One sheet of the workbook was read. Not read were {count} others with values: {names}.",
    ),
    Entry(
        "sheets-hidden-ignored",
        _FILE,
        _INFO,
        "Hidden sheets were not read",
        "The workbook has hidden sheets with values; they were not read.",
        "If the table is on one of them, unhide it and drop the workbook again.",
        detail="The workbook has {count} hidden sheets with values, which were not read: {names}.",
    ),
    Entry(
        "merged-cells",
        _FILE,
        _WARNING,
        "Cells are merged",
        "Cells are merged inside the table; only the first cell of each merged range has a value.",
        "Unmerge them and write the value into each cell.",
        detail=(
            "{count} ranges of cells are merged inside the table; only the first cell of each has a value, "
            "the others count as blank."
        ),
    ),
    Entry(
        "column-without-header",
        _CELL,
        _WARNING,
        "The column has no header",
        "The column has values but no header, so they were not used.",
        "Write the name of the column into the header row, or clear the column.",
        detail="Column {letter} has values but no header, so they were not used.",
    ),
    Entry(
        "cell-error",
        _CELL,
        _ERROR,
        "The cell shows an error",
        "The cell shows an error such as #DIV/0!, #N/A or #REF!, so it has no value.",
        "Mend the formula or type the value, and send it again.",
    ),
    Entry(
        "formula-without-value",
        _CELL,
        _ERROR,
        "The formula has no stored result",
        "The cell holds a formula whose result is not stored in the file.",
        "Open the workbook in Excel or LibreOffice, save it and send it again, or paste values instead.",
    ),
)
