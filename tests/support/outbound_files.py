"""Columns, facts and files of outbound formats, as tests want them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from partner_exchange.exports.columns import FileColumn, Kind, Row, Value
from partner_exchange.exports.formats import FileFacts, read, write
from partner_exchange.tenants.exports import ExportFormat

KINDS = ("csv", "tsv", "pipe", "fixed", "jsonl", "xml", "xlsx")
MADE_AT = datetime(2026, 11, 21, 7, 47, 12, tzinfo=UTC)
USERNAME, STUDENT_ID, VERIFY_DATE = (
    FileColumn("username", "Username", Kind.TEXT, "", 40, "left"),
    FileColumn("student_id", "StudentId", Kind.TEXT, "", 20, "left"),
    FileColumn("verify_date", "VerifyDate", Kind.DATE, "MM/DD/YYYY", 10, "left"),
)
CONTRACT = (USERNAME, STUDENT_ID, VERIFY_DATE)
"""The default contract of verified students (M47)."""


def a_column(kind: Kind = Kind.TEXT, **changes: Any) -> FileColumn:
    given = {"name": "one", "header": "One", "form": "", "width": 30, "align": "left", **changes}
    return FileColumn(kind=kind, **given)


def facts(**changes: Any) -> FileFacts:
    given: dict[str, Any] = {
        "tenant_code": "mercy",
        "tenant_name": "Mercy College",
        "export": "verified_students",
        "report": "verified",
        "title": "Verified students",
        "zone": ZoneInfo("America/Chicago"),
        "made_at": MADE_AT,
        "template": None,
    }
    return FileFacts(**{**given, **changes})


def written(
    rows: Sequence[Row],
    columns: Sequence[FileColumn],
    *,
    about: FileFacts | None = None,
    batch_rows: int = 1_000,
    **options: Any,
) -> bytes:
    """Return the bytes of a file with the rows; ``options`` are those of the format."""
    file = io.BytesIO()
    batches = [rows[start : start + batch_rows] for start in range(0, len(rows), batch_rows)]
    count = write(file, ExportFormat(**options), columns, batches, about=about or facts())
    assert count == len(rows)
    return file.getvalue()


def taken_back(content: bytes, columns: Sequence[FileColumn], **options: Any) -> list[list[str]]:
    """Return the rows that our own reader finds."""
    return list(read(io.BytesIO(content), ExportFormat(**options), columns))


def plain(value: Value) -> str:
    """Return the text of a value in a form that is told here once more, without the code under test."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value)
