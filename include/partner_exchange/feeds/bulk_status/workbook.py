"""The bulk template as an XLSX and as a CSV twin (E14, E15): headers, Resource IDs, lists to choose from.

Called by ``exchange templates make``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from partner_exchange.feeds.bulk_status.layout import (
    TemplateColumn,
    reported_resources,
    version,
)
from partner_exchange.tenants.model import Tenant
from partner_exchange.tenants.status_types import StatusKind, StatusType

SHEET = "Statuses"
LISTS_SHEET = "_exchange_lists"
VERSION_SHEET = "_exchange"
_LAST_ROW = 10_001
_HEAD_FILL = PatternFill("solid", fgColor="1F4E78")
_AUTHOR = "Partner Exchange"


def bulk_workbook(tenant: Tenant, layout: Sequence[TemplateColumn], *, made_at: datetime) -> bytes:
    """Return the template: one row per resource, headers protected, drop-down lists, its version inside."""
    book = Workbook()
    sheet = book.active
    if not isinstance(sheet, Worksheet):
        raise TypeError("a new workbook has a worksheet")
    sheet.title = SHEET
    resources = reported_resources(tenant)
    _head(sheet, layout)
    for row, (resource_id, resource) in enumerate(resources, 2):
        for column, text in ((1, resource_id), (2, resource.name)):
            cell = sheet.cell(row, column, text)
            cell.number_format = "@"
            cell.protection = Protection(locked=False)
    _lists(book, sheet, layout)
    _limits(sheet, layout)
    _protect(sheet)
    _stamp(book, tenant, layout, made_at)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _head(sheet: Worksheet, layout: Sequence[TemplateColumn]) -> None:
    for at, column in enumerate(layout, 1):
        cell = sheet.cell(1, at, column.header)
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = _HEAD_FILL
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        note = Comment(column.note, _AUTHOR)
        note.width, note.height = 320, 120
        cell.comment = note
        dimension = sheet.column_dimensions[get_column_letter(at)]
        dimension.width = min(40, max(14, len(column.header) * 0.8))
        dimension.protection = Protection(locked=False)
        if at <= 2:
            dimension.number_format = "@"
    sheet.freeze_panes = "C2"


def _lists(book: Workbook, sheet: Worksheet, layout: Sequence[TemplateColumn]) -> None:
    """Give columns with choices a drop-down list; the lists stand on a hidden sheet, of any length."""
    lists = book.create_sheet(LISTS_SHEET)
    lists.sheet_state = "hidden"
    for at, column in enumerate(layout, 1):
        if not column.choices:
            continue
        letter = get_column_letter(lists.max_column + 1 if lists["A1"].value else 1)
        for row, choice in enumerate(column.choices, 1):
            lists[f"{letter}{row}"] = choice
        source = f"'{LISTS_SHEET}'!${letter}$1:${letter}${len(column.choices)}"
        _validate(sheet, at, DataValidation(type="list", formula1=source, allow_blank=True), column)


def _limits(sheet: Worksheet, layout: Sequence[TemplateColumn]) -> None:
    for at, column in enumerate(layout, 1):
        if column.is_value and column.status_type is not None:
            rule = _limit(column.status_type)
            if rule is not None:
                _validate(sheet, at, rule, column)


def _limit(status_type: StatusType) -> DataValidation | None:
    match status_type.kind:
        case StatusKind.NUMBER:
            kind = "decimal" if status_type.decimals else "whole"
            low, high = status_type.minimum, status_type.maximum
            if low is None:
                return None
            if high is not None and status_type.above_maximum == "reject":
                return DataValidation(
                    type=kind, operator="between", formula1=f"{low:g}", formula2=f"{high:g}"
                )
            return DataValidation(type=kind, operator="greaterThanOrEqual", formula1=f"{low:g}")
        case StatusKind.DATE:
            return DataValidation(type="date", operator="greaterThan", formula1="1")
        case StatusKind.NEDOCS:
            return DataValidation(type="decimal", operator="between", formula1="0", formula2="200")
        case StatusKind.SATURATION_SCORE:
            return DataValidation(type="decimal", operator="greaterThanOrEqual", formula1="0")
        case _:
            return None


def _validate(sheet: Worksheet, at: int, rule: DataValidation, column: TemplateColumn) -> None:
    rule.allow_blank = True
    rule.showErrorMessage = True
    rule.errorTitle = column.header[:32]
    rule.error = column.note[:255]
    letter = get_column_letter(at)
    rule.add(f"{letter}2:{letter}{_LAST_ROW}")
    sheet.add_data_validation(rule)


def _protect(sheet: Worksheet) -> None:
    """Lock the header and nothing else, without a password: nobody changes a header by mistake."""
    sheet.protection.sheet = True
    for allowed in (
        "insertRows",
        "deleteRows",
        "formatCells",
        "formatColumns",
        "formatRows",
        "sort",
        "autoFilter",
    ):
        setattr(sheet.protection, allowed, False)


def _stamp(book: Workbook, tenant: Tenant, layout: Sequence[TemplateColumn], made_at: datetime) -> None:
    about = book.create_sheet(VERSION_SHEET)
    about.sheet_state = "hidden"
    for row in (
        ("template", "bulk_status"),
        ("version", version(layout)),
        ("partner", tenant.code),
        ("mode", tenant.mode),
        ("made at (UTC)", f"{made_at:%Y-%m-%d %H:%M}"),
    ):
        about.append(row)
    book.properties.creator = _AUTHOR
    book.properties.title = f"Bulk status template of {tenant.name}"
    book.properties.version = version(layout)


def bulk_csv(tenant: Tenant, layout: Sequence[TemplateColumn]) -> bytes:
    """Return the same headers and resources as a CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n" if tenant.status.newline == "crlf" else "\n")
    writer.writerow(column.header for column in layout)
    blank = [""] * (len(layout) - 2)
    writer.writerows(
        [resource_id, resource.name, *blank] for resource_id, resource in reported_resources(tenant)
    )
    return text.getvalue().encode()
