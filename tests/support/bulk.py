"""A tenant whose status types are of every kind, and its bulk template filled in as a hospital would."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import openpyxl

from partner_exchange.feeds.base import Examination, ExamineContext
from partner_exchange.feeds.status.feed import StatusFeed
from partner_exchange.tenants.model import Tenant

ARRIVED_AT = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)

STATUS_TYPES: tuple[dict[str, Any], ...] = (
    {"id": 1, "name": "Beds", "kind": "number", "maximum": 1_234_567, "section": "Capacity"},
    {"id": 2, "name": "Level", "kind": "number", "decimals": 2, "minimum": -5.5, "maximum": 9.25},
    {"id": 3, "name": "Load", "kind": "number", "minimum": None, "maximum": 100, "above_maximum": "warn"},
    {
        "id": 5,
        "name": "ED",
        "kind": "multi",
        "section": "Emergency",
        "description": "Whether it takes patients.",
        "statuses": [
            {"name": "Open"},
            {
                "name": "Divert",
                "comment": "mandatory",
                "reason_required": True,
                "reasons": ["Staffing", "Power"],
            },
            {"name": "Bypass", "active": False, "reason_required": True, "reasons": ["Old reason"]},
        ],
    },
    {"id": 6, "name": "Note", "kind": "text", "max_characters": 20},
    {"id": 7, "name": "Tested", "kind": "date"},
    {"id": 8, "name": "Score", "kind": "saturation_score"},
    {"id": 9, "name": "NEDOCS", "kind": "nedocs", "section": "Emergency"},
    {"id": 10, "name": "Remark", "kind": "text", "comment": "mandatory"},
    {
        "id": 11,
        "name": "Supply",
        "kind": "multi",
        "statuses": [{"name": f"{n}-{n + 2} DAYS"} for n in range(60)],
    },
    {"id": 12, "name": "Supply Too", "kind": "multi"}
    | {"statuses": [{"name": f"{n}-{n + 2} DAYS"} for n in range(60)]},
    {"id": 13, "name": "Sum", "kind": "calculated", "formula": "st(1,0) + st(3,0)", "section": "Sums"},
    {"id": 14, "name": "Gone", "kind": "number", "active": False},
)
RESOURCES: tuple[dict[str, Any], ...] = (
    {"name": "General", "production_id": "00101", "test_id": "90101"},
    {"name": "=HYPERLINK(1)", "production_id": "-7", "test_id": "90102"},
    {"name": 'Clínica, "Sur"', "production_id": "3E5"},
)


def a_status_tenant(**over: Any) -> Tenant:
    """Return a tenant in production; what is given replaces parts of its status policy or of itself."""
    policy: dict[str, Any] = {"status_types": STATUS_TYPES, "resources": RESOURCES}
    own = {
        key: over.pop(key)
        for key in list(over)
        if key in ("status_types", "resources", "catalogues", "newline")
    }
    whole = {"code": "mercy", "name": "Mercy", "feed": "status", "mode": "production", "time_zone": "UTC"}
    return Tenant.model_validate({**whole, **over, "status": {**policy, **own}})


def examined(tenant: Tenant, content: bytes, file_name: str = "bulk.xlsx") -> Examination:
    """Return what the status feed makes of the file."""
    context = ExamineContext(
        tenant=tenant, file_name=file_name, today=ARRIVED_AT.date(), arrived_at=ARRIVED_AT
    )
    return StatusFeed().examine(content, context)


def filled(template: bytes, *rows: Mapping[str, Any]) -> bytes:
    """Return the template with values by header, row by row from the first resource on.

    A value gets the number format of its column, as it does when somebody types it.
    """
    book = openpyxl.load_workbook(io.BytesIO(template))
    sheet = book.worksheets[0]
    place = {cell.value: cell.column for cell in sheet[1]}
    for number, row in enumerate(rows, 2):
        for header, value in row.items():
            cell = sheet.cell(number, place[header])
            cell.value = value
            cell.number_format = sheet.column_dimensions[cell.column_letter].number_format
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def values(examination: Examination) -> set[tuple[str, int, str, str, str]]:
    """Return resource, status type, value, reason and comment of each value that was taken."""
    columns = ["resource_id", "status_type_id", "value", "reason", "comment"]
    return set(examination.accepted[columns].itertuples(index=False, name=None))
