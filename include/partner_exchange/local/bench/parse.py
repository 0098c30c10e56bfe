"""What 500 tenants cost each process that parses a DAG file, and what a single task pays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from partner_exchange.errors import StackError
from partner_exchange.settings import PROJECT_DIR

TENANTS = 500
_ROSTER = "preset: medproctor-columns\nname: Partner {number}\n"
# One hospital a frequency, so that there is a DAG for each.
_STATUS = """\
preset: emresource
name: Partner {number}
status:
  resources:
    - {{name: North, production_id: "R1", test_id: "T1", nhsn: {{org_id: "10001", frequency: daily}}}}
    - {{name: South, production_id: "R2", test_id: "T2", nhsn: {{org_id: "10002", frequency: weekly}}}}
"""
_SCRIPT = """
import json, runpy, sys, time
import airflow.sdk
from airflow.sdk import get_parsing_context
dag_file = sys.argv[1]
start = time.monotonic()
found = runpy.run_path(dag_file)
dags = [value for value in found.values() if isinstance(value, airflow.sdk.DAG)]
print(json.dumps({"seconds": time.monotonic() - start, "dags": len(dags)}))
"""


@dataclass(frozen=True)
class ParseFigures:
    """Seconds without ``import airflow`` itself, which every Airflow process has paid before."""

    dag_file: str
    feed: str
    tenants: int
    dags: int
    all_dags_s: float
    one_dag_s: float


def measure_parse(folder: Path) -> list[ParseFigures]:
    """Parse the DAG files for generated tenants: all DAGs, and the one DAG a task wants.

    ``dags/inbound.py`` for tenants with rosters and for tenants with statuses, ``dags/outbound.py`` for the
    latter.
    """
    rosters = _tenants(folder / "many-rosters", _ROSTER)
    hospitals = _tenants(folder / "many-hospitals", _STATUS)
    return [
        _measured("inbound.py", "roster", rosters, "inbound__partner-250"),
        _measured("inbound.py", "status", hospitals, "inbound__partner-250"),
        _measured("outbound.py", "status", hospitals, "outbound__partner-250__nhsn_daily"),
    ]


def _tenants(folder: Path, text: str) -> Path:
    folder.mkdir()
    for number in range(TENANTS):
        (folder / f"partner-{number:03}.yaml").write_text(text.format(number=number))
    return folder


def _measured(dag_file: str, feed: str, tenants: Path, wanted: str) -> ParseFigures:
    all_s, dags = _parse(dag_file, tenants, "")
    one_s, _ = _parse(dag_file, tenants, wanted)
    return ParseFigures(dag_file, feed, TENANTS, dags, all_s, one_s)


def _parse(dag_file: str, tenants: Path, wanted: str) -> tuple[float, int]:
    """Return the seconds, and how many DAGs there were."""
    # The variables that Airflow's own task runner sets, see airflow.sdk.definitions.context and its tests.
    environment = {**os.environ, "EXCHANGE_TENANTS_DIR": str(tenants)}
    if wanted:
        environment |= {
            "_AIRFLOW_PARSING_CONTEXT_DAG_ID": wanted,
            "_AIRFLOW_PARSING_CONTEXT_TASK_ID": "claim",
        }
    command = [sys.executable, "-c", _SCRIPT, str(PROJECT_DIR / "dags" / dag_file)]
    done = subprocess.run(  # noqa: S603 - our own script
        command, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise StackError("bench-failed", f"Parsing the DAG file failed: {done.stderr.strip()[-2000:]}")
    figures = json.loads(done.stdout.splitlines()[-1])
    if figures["dags"] == 0:
        raise StackError("bench-failed", "The DAG file gave no DAG for the generated tenants.")
    return float(figures["seconds"]), int(figures["dags"])
