"""The bulk template as an XLSX and as a CSV twin (E14, E15): headers, Resource IDs, lists to choose from.

Called by ``exchange templates make``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from partner_exchange.feeds.bulk_status.book import AUTHOR, neutral_texts, new_book, saved, write_text
from partner_exchange.feeds.bulk_status.layout import (
    Limit,
    TemplateColumn,
    newest_template,
    plain,
    reported_resources,
    version,
)
from partner_exchange.feeds.status.sheet import LAST_COLUMN, without_controls
from partner_exchange.readers.book import OWN_SHEETS
from partner_exchange.readers.cells import as_cells, csv_text
from partner_exchange.tenants.model import Tenant

SHEET = "Statuses"
LISTS_SHEET = f"{OWN_SHEETS}_lists"
VERSION_SHEET = OWN_SHEETS
"""Our reader passes over sheets of these names."""

_HEAD_FILL = PatternFill("solid", fgColor="1F4E78")
_OPEN = Protection(locked=False)
_ERROR_CHARACTERS, _ERROR_TITLE_CHARACTERS = 225, 32
"""Excel calls a workbook damaged whose messages are longer."""
_ALLOWED = ("insertRows", "deleteRows", "formatCells", "formatColumns", "formatRows", "sort", "autoFilter")


def bulk_workbook(tenant: Tenant, layout: Sequence[TemplateColumn]) -> bytes:
    """Return the template: one row per resource, headers protected, drop-down lists, its version inside.

    The same tenant gives the same bytes each time.

    :param layout: as ``layout.columns`` returns it.
    """
    book, sheet = new_book(f"Bulk status template of {without_controls(tenant.name)}")
    sheet.title = SHEET
    book.properties.version = version(layout)
    _head(sheet, layout)
    for number, row in enumerate(_rows(tenant), 2):
        for position, text in enumerate(row, 1):
            write_text(sheet, number, position, text).protection = _OPEN
    last_row = tenant.status.max_rows + 1
    for rule, position in [*_lists(book, layout), *_limits(layout)]:
        _validate(sheet, rule, position, layout[position - 1], last_row)
    _protect(sheet, len(layout))
    _stamp(book, tenant, layout)
    return saved(book)


def bulk_csv(tenant: Tenant, layout: Sequence[TemplateColumn]) -> bytes:
    """Return the same headers and resources as a CSV with the tenant's line ends."""
    newline = "\r\n" if tenant.status.newline == "crlf" else "\n"
    rows = [(resource_id, resource.name) for resource_id, resource in reported_resources(tenant)]
    first = [[row[position] for row in rows] for position in range(2)]
    cells = [first[at] if at < 2 else [""] * len(rows) for at in range(len(layout))]
    return csv_text(
        [as_cells([column.header, *below]) for column, below in zip(layout, cells, strict=True)],
        newline=newline,
    )


def _rows(tenant: Tenant) -> Iterator[tuple[str, str]]:
    resources = reported_resources(tenant)
    ids = neutral_texts([resource_id for resource_id, _ in resources])
    names = neutral_texts([resource.name for _, resource in resources])
    return zip(ids, names, strict=True)


def _head(sheet: Worksheet, layout: Sequence[TemplateColumn]) -> None:
    headers = neutral_texts([column.header for column in layout])
    for at, (column, header) in enumerate(zip(layout, headers, strict=True), 1):
        cell = write_text(sheet, 1, at, header)
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = _HEAD_FILL
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        note = Comment(without_controls(column.note), AUTHOR)
        note.width, note.height = 320, 120
        cell.comment = note
        dimension = sheet.column_dimensions[get_column_letter(at)]
        dimension.width = min(40, max(14, len(column.header) * 0.8))
        dimension.protection = _OPEN
        dimension.number_format = column.number_format
    sheet.freeze_panes = "C2"


def _lists(book: Workbook, layout: Sequence[TemplateColumn]) -> Iterator[tuple[DataValidation, int]]:
    """Yield the drop-down list of each column with choices.

    The lists stand on a hidden sheet, where they may be of any length; equal ones stand there once.
    """
    lists = book.create_sheet(LISTS_SHEET)
    lists.sheet_state = "hidden"
    letters: dict[tuple[str, ...], str] = {}
    for at, column in enumerate(layout, 1):
        if not column.choices:
            continue
        if column.choices not in letters:
            letters[column.choices] = get_column_letter(len(letters) + 1)
            for row, choice in enumerate(neutral_texts(list(column.choices)), 1):
                write_text(lists, row, len(letters), choice)
        letter = letters[column.choices]
        source = f"'{LISTS_SHEET}'!${letter}$1:${letter}${len(column.choices)}"
        style = "stop" if column.is_closed else "warning"
        yield DataValidation(type="list", formula1=source, errorStyle=style), at


def _limits(layout: Sequence[TemplateColumn]) -> Iterator[tuple[DataValidation, int]]:
    for at, column in enumerate(layout, 1):
        rule = _limit(column.limit) if column.limit else None
        if rule is not None:
            yield rule, at


def _limit(limit: Limit) -> DataValidation | None:
    if limit.least is not None and limit.most is not None:
        return DataValidation(
            type=limit.kind, operator="between", formula1=plain(limit.least), formula2=plain(limit.most)
        )
    if limit.least is not None:
        return DataValidation(type=limit.kind, operator="greaterThanOrEqual", formula1=plain(limit.least))
    if limit.most is not None:
        return DataValidation(type=limit.kind, operator="lessThanOrEqual", formula1=plain(limit.most))
    return None


def _validate(
    sheet: Worksheet, rule: DataValidation, position: int, column: TemplateColumn, last_row: int
) -> None:
    rule.allow_blank = True
    rule.showErrorMessage = True
    rule.errorTitle = column.header[:_ERROR_TITLE_CHARACTERS]
    rule.error = without_controls(column.note)[:_ERROR_CHARACTERS]
    letter = get_column_letter(position)
    rule.add(f"{letter}2:{letter}{last_row}")
    sheet.add_data_validation(rule)


def _protect(sheet: Worksheet, width: int) -> None:
    """Lock the header and nothing else, without a password: nobody changes a header by mistake.

    The columns behind are open, too: Excel deletes only rows without a locked cell, and a partner may add the
    column of an optional comment.
    """
    behind = sheet.column_dimensions[get_column_letter(width + 1)]
    behind.min, behind.max = width + 1, LAST_COLUMN
    behind.protection = _OPEN
    sheet.protection.sheet = True
    for allowed in _ALLOWED:
        setattr(sheet.protection, allowed, False)


def _stamp(book: Workbook, tenant: Tenant, layout: Sequence[TemplateColumn]) -> None:
    about = book.create_sheet(VERSION_SHEET)
    about.sheet_state = "hidden"
    template = newest_template()
    rows = (
        ("template", template.name),
        ("format", template.version),
        ("version", version(layout)),
        ("partner", tenant.code),
        ("mode", tenant.mode),
    )
    for number, row in enumerate(rows, 1):
        for position, text in enumerate(row, 1):
            write_text(about, number, position, text)
