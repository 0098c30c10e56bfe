"""What 500 tenants cost each process that parses the DAG file, and what a single task pays."""

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

    tenants: int
    all_dags_s: float
    one_dag_s: float


def measure_parse(folder: Path) -> ParseFigures:
    """Parse ``dags/inbound.py`` for generated tenants: all DAGs, and the one DAG a task wants."""
    tenants = folder / "many-tenants"
    tenants.mkdir()
    for number in range(TENANTS):
        text = f"preset: medproctor-columns\nname: Partner {number}\n"
        (tenants / f"partner-{number:03}.yaml").write_text(text)
    return ParseFigures(TENANTS, _parse(tenants, ""), _parse(tenants, "inbound__partner-250"))


def _parse(tenants: Path, wanted: str) -> float:
    # The variables that Airflow's own task runner sets, see airflow.sdk.definitions.context and its tests.
    environment = {**os.environ, "EXCHANGE_TENANTS_DIR": str(tenants)}
    if wanted:
        environment |= {
            "_AIRFLOW_PARSING_CONTEXT_DAG_ID": wanted,
            "_AIRFLOW_PARSING_CONTEXT_TASK_ID": "claim",
        }
    command = [sys.executable, "-c", _SCRIPT, str(PROJECT_DIR / "dags" / "inbound.py")]
    done = subprocess.run(  # noqa: S603 - our own script
        command, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise StackError("bench-failed", f"Parsing the DAG file failed: {done.stderr.strip()[-2000:]}")
    figures = json.loads(done.stdout.splitlines()[-1])
    if figures["dags"] == 0:
        raise StackError("bench-failed", "The DAG file gave no DAG for the generated tenants.")
    return float(figures["seconds"])
