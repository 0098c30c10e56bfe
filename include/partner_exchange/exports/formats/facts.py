"""What a file says of itself beside its rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class FileFacts:
    """Whose file it is, which report, and in which zone its instants are."""

    tenant_code: str
    tenant_name: str
    export: str
    report: str
    title: str
    """Of the report, for people."""
    zone: ZoneInfo
    """Of the export: instants whose form does not say UTC stand in it."""
    made_at: datetime
    template: str | None
    """Text of the Jinja template of an XML file; None is one element per value."""
