"""A million rows of any kind in less than 500 MB."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from support.outbound_files import KINDS

pytestmark = pytest.mark.slow

MEASURE = """
import json, sys, tempfile
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo
from partner_exchange.exports.columns import FileColumn, Kind
from partner_exchange.exports.formats import FileFacts, write
from partner_exchange.local.bench.memory import peak_bytes
from partner_exchange.tenants.exports import ExportFormat

kind, template = sys.argv[1], sys.argv[2] or None
columns = [
    FileColumn("username", "Username", Kind.TEXT, "", 40, "left"),
    FileColumn("student_id", "StudentId", Kind.TEXT, "", 12, "left"),
    FileColumn("verify_date", "VerifyDate", Kind.DATE, "MM/DD/YYYY", 10, "left"),
]
day = date(2026, 11, 21)
batches = (
    [(f"student.{n}@example.edu", f"{n:09}", day - timedelta(days=n % 900)) for n in range(at, at + 10_000)]
    for at in range(0, 1_000_000, 10_000)
)
at = datetime(2026, 11, 21, tzinfo=UTC)
about = FileFacts("uni", "University", "export", "report", "Title", ZoneInfo("UTC"), at, template)
with tempfile.TemporaryFile() as file:
    rows = write(file, ExportFormat(kind=kind), columns, batches, about=about)
    size = file.tell()
peak = peak_bytes() / 1024**2
print(json.dumps({"rows": rows, "bytes": size, "peak_mb": peak}))
"""
TEMPLATE = "<a>{% for row in rows %}<b>{{ row.username }}{{ row.verify_date }}</b>{% endfor %}</a>"


@pytest.mark.parametrize(("kind", "template"), [*((kind, "") for kind in KINDS), ("xml", TEMPLATE)])
def test_M64_a_million_rows_stay_under_500_mb(kind: str, template: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, kind, template], capture_output=True, text=True, check=True
    )

    found = json.loads(done.stdout)
    assert found["rows"] == 1_000_000
    assert found["bytes"] > 5_000_000
    assert found["peak_mb"] < 500
