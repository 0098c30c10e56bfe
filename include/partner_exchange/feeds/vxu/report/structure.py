"""The report as JSON, for programs; docs/dqa-report.md lists what it holds."""

from __future__ import annotations

import json

from partner_exchange.feeds.vxu.report.document import Document


def json_bytes(document: Document) -> bytes:
    """Return the report as UTF-8 JSON with a line end; ``Document.of`` reads it back."""
    return (json.dumps(document.as_json(), ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()
