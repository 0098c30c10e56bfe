"""The Data Map of a tenant: which ids its facilities have, and how to connect (E31). No secret is inside."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from partner_exchange.tenants.model import Tenant

FACILITY_COLUMNS = (
    "Facility",
    "Kind",
    "Region",
    "Test Resource ID",
    "Production Resource ID",
    "Test NHSN Org ID",
    "NHSN Org ID",
    "Reporting Context",
    "NHSN Frequency",
)


@dataclass(frozen=True)
class Door:
    """Where the partner connects to."""

    host: str
    port: int


def facilities(tenant: Tenant) -> list[tuple[str, ...]]:
    """Return one row of ``FACILITY_COLUMNS`` per resource."""
    rows = []
    for resource in tenant.status.resources:
        nhsn = resource.nhsn
        rows.append(
            (
                resource.name,
                resource.kind,
                resource.region or tenant.status.region,
                resource.test_id,
                resource.production_id,
                nhsn.test_org_id if nhsn else "",
                nhsn.org_id if nhsn else "",
                nhsn.context if nhsn else "",
                (nhsn.frequency or "") if nhsn else "",
            )
        )
    return rows


def connection(tenant: Tenant, door: Door) -> list[tuple[str, str]]:
    """Return what a partner's IT needs to connect, as name and text."""
    now, ids = ("live", "Production") if tenant.mode == "production" else ("in testing", "Test")
    return [
        ("Server", f"{door.host}, SFTP port {door.port}"),
        ("User name", tenant.code),
        ("Login", "your own SSH private key; there is no password"),
        ("Drop files into", f"/{tenant.inbox.folder}"),
        ("Find answers in", f"/{tenant.inbox.outbox}"),
        ("Stage", f"{now}: files must carry the {ids} ids"),
        ("Support", " ".join(tenant.contacts.support.split())),
    ]


def data_map_workbook(tenant: Tenant, door: Door) -> bytes:
    """Return the Data Map as an XLSX: facilities, connection, and the status types that may be reported."""
    book = Workbook()
    sheet = book.active
    if not isinstance(sheet, Worksheet):
        raise TypeError("a new workbook has a worksheet")
    sheet.title = "Facilities"
    _fill(sheet, FACILITY_COLUMNS, facilities(tenant))
    _fill(book.create_sheet("Connection"), ("What", "How"), connection(tenant, door))
    types = [
        (
            str(one.id),
            one.name,
            one.kind.value,
            ", ".join(status.name for status in one.statuses),
            one.description,
        )
        for one in tenant.status.catalogue
        if one.active
    ]
    _fill(book.create_sheet("Status types"), ("Number", "Name", "Kind", "Statuses", "What"), types)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _fill(sheet: Worksheet, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    sheet.append(header)
    widths = [len(title) for title in header]
    for row in rows:
        sheet.append(row)
        widths = [max(width, len(text)) for width, text in zip(widths, row, strict=True)]
        for cell in sheet[sheet.max_row]:
            cell.number_format = "@"
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for at, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(at)].width = min(60, width + 2)
    sheet.freeze_panes = "A2"
