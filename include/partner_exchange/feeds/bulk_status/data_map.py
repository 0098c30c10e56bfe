"""The Data Map of a tenant: which ids its facilities have, and how to connect (E31). No secret is inside.

Called by ``exchange templates make``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from partner_exchange.feeds.bulk_status.book import neutral_texts, new_book, saved, write_text
from partner_exchange.feeds.status.sheet import without_controls
from partner_exchange.tenants.catalogue import CatalogueName
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
CDC_PAGES = {
    CatalogueName.CDC_HRD: (
        "CDC on Hospital Respiratory Data",
        "https://www.cdc.gov/nhsn/psc/hospital-respiratory-reporting.html",
    ),
    CatalogueName.CDC_BED_CAPACITY: (
        "CDC on Hospital Bed Capacity",
        "https://www.cdc.gov/nhsn/bed-capacity/index.html",
    ),
}
"""Where CDC explains its templates (E20)."""
PAGES_SEEN_ON = date(2026, 11, 21)
"""When these addresses were last looked up."""
_WIDEST = 60


@dataclass(frozen=True)
class Door:
    """Where the partner connects to."""

    host: str
    port: int
    fingerprint: str = ""
    """Of the host key, such as ``SHA256:...``; "" when it is not known here."""


def data_map_workbook(tenant: Tenant, door: Door) -> bytes:
    """Return the Data Map as an XLSX: facilities, connection, and the status types that may be reported.

    The same tenant and door give the same bytes each time.
    """
    book, sheet = new_book(f"Data Map of {without_controls(tenant.name)}")
    sheet.title = "Facilities"
    _fill(sheet, FACILITY_COLUMNS, _facilities(tenant))
    _fill(book.create_sheet("Connection"), ("What", "How"), _connection(tenant, door))
    types = [
        (
            str(one.id),
            one.name,
            one.kind.value,
            ", ".join(status.name for status in one.statuses if status.active),
            without_controls(one.description),
        )
        for one in tenant.status.catalogue
        if one.active
    ]
    _fill(book.create_sheet("Status types"), ("Number", "Name", "Kind", "Statuses", "What"), types)
    return saved(book)


def _facilities(tenant: Tenant) -> list[tuple[str, ...]]:
    """Return one row of ``FACILITY_COLUMNS`` per resource."""
    rows: list[tuple[str, ...]] = []
    for resource in tenant.status.resources:
        nhsn = resource.nhsn
        own = (
            resource.name,
            resource.kind,
            resource.region or tenant.status.region,
            resource.test_id,
            resource.production_id,
        )
        of_nhsn = (nhsn.test_org_id, nhsn.org_id, nhsn.context, nhsn.frequency or "") if nhsn else ("",) * 4
        rows.append((*own, *of_nhsn))
    return rows


def _connection(tenant: Tenant, door: Door) -> list[tuple[str, ...]]:
    """Return what a partner's IT needs to connect, as name and text."""
    stage, ids = ("live", "Production") if tenant.mode == "production" else ("in testing", "Test")
    key = door.fingerprint or "we tell it to you; compare it at the first connection"
    outbox = f"/{tenant.inbox.outbox}"
    pages = [page for name, page in CDC_PAGES.items() if name in tenant.status.catalogues]
    return [
        ("Server", f"{door.host}, SFTP, port {door.port}"),
        ("Fingerprint of the server's key", key),
        ("User name", tenant.code),
        ("Login", "your own SSH private key, whose public half we have; there is no password"),
        ("Drop files into", f"/{tenant.inbox.folder}"),
        ("Find answers in", outbox if tenant.inbox.answers == "outbox" else f"/{tenant.inbox.folder}"),
        ("Stage", f"{stage}: files carry the {ids} ids"),
        *pages,
        ("Support", " ".join(without_controls(tenant.contacts.support).split())),
    ]


def _fill(sheet: Worksheet, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    for position, title in enumerate(header, 1):
        texts = neutral_texts([row[position - 1] for row in rows])
        write_text(sheet, 1, position, title).font = Font(bold=True)
        for number, text in enumerate(texts, 2):
            if text:
                write_text(sheet, number, position, text)
        longest = max(map(len, (title, *texts)))
        sheet.column_dimensions[get_column_letter(position)].width = min(_WIDEST, longest + 2)
    sheet.freeze_panes = "A2"
