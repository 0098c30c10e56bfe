"""A million rows: memory stays within a gibibyte, and a million faults are stated as exactly as ten."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

MEASURE = """
import json, sys
from datetime import date
from pathlib import Path
from partner_exchange.feeds.base import AnswerMaterial, ExamineContext
from partner_exchange.feeds.registry import get_feed
from partner_exchange.local.bench.memory import peak_bytes
from partner_exchange.tenants.model import Tenant

tenant = Tenant(code="uni", name="University", feed="roster", roster={"max_rows": 2_000_000})
context = ExamineContext(tenant=tenant, file_name="roster.csv", today=date(2026, 11, 21))
examination = get_feed("roster").examine(Path(sys.argv[1]).read_bytes(), context)
material = AnswerMaterial(tenant, "roster.csv", lambda: b"", examination.rejected, examination.findings)
fix_it = b"".join(file.content for file in get_feed("roster").answer_files(material))
print(json.dumps({
    "accepted": examination.rows_accepted,
    "rejected": examination.rows_rejected,
    "groups": {group.code: group.count for group in examination.findings.groups},
    "listed": examination.findings.listed,
    "fix_it": fix_it.count(b"\\n"),
    "peak_mib": peak_bytes() / 1024**2,
}))
"""
SOUND = "student{0}@example.edu,S{0:07},Last{0},First{0},(512) 555-0100,04/09/2005,Main,Fall 2026,1\r\n"
MILLION = 1_000_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "accepted", "groups"),
    [
        (SOUND, MILLION, {}),
        (SOUND.replace("04/09", "13/09"), 0, {"dob-month-out-of-range": MILLION}),
        (SOUND.replace(",Main", ""), 0, {"too-few-fields": MILLION}),
        (SOUND.replace("Last", 'La"st'), 0, {"stray-quote": MILLION}),
    ],
    ids=["sound", "bad dates", "narrow rows", "stray quotes"],
)
def test_X06_a_million_rows_stay_within_a_gibibyte(
    tmp_path: Path, line: str, accepted: int, groups: dict[str, int]
) -> None:
    file = tmp_path / "roster.csv"
    with file.open("w", newline="") as out:
        out.write("a,b,c,d,e,f,g,h,i\r\n")
        out.writelines(line.format(number) for number in range(MILLION))

    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(file)], capture_output=True, text=True, check=True
    )

    found = json.loads(done.stdout)
    assert (found["accepted"], found["rejected"]) == (accepted, MILLION - accepted)
    assert found["groups"] == groups
    assert found["listed"] == (10_000 if groups else 0)
    assert found["fix_it"] == (MILLION - accepted + 1 if groups else 0), "a header and the rows, or no file"
    assert found["peak_mib"] <= 1024
