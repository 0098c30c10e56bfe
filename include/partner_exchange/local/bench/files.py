"""Whole-file work without Airflow, beside plain COPY of the same file and a naive pandas pipeline."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from partner_exchange.errors import StackError
from partner_exchange.local.bench.worker import TENANT
from partner_exchange.local.roster_maker import make_roster
from partner_exchange.tenants.model import RequirementTerm

TENANT_YAML = """\
preset: medproctor-columns
name: Bench
roster:
  max_rows: 10000000
  identical_file: allow
  requirement_terms:
    - {requirement_group: Undergraduate, term: Fall}
"""
TERMS = (RequirementTerm(requirement_group="Undergraduate", term="Fall"),)
FAULT_SHARE = 0.001


@dataclass(frozen=True)
class Measured:
    """The median of some runs of one kind of work on one file."""

    kind: str
    rows: int
    runs: int
    seconds: dict[str, float]
    peak_bytes: int

    @property
    def total_s(self) -> float:
        """Return the seconds of the whole work."""
        return self.seconds["total"]


def measure_files(folder: Path, database_url: str, sizes: dict[int, int]) -> list[Measured]:
    """Return the figures for each size; the kinds take turns, so a slow moment hits all of them.

    :param sizes: rows of the file by number of runs: ``{20_000: 5}``.
    """
    tenants = folder / "tenants"
    tenants.mkdir()
    (tenants / f"{TENANT}.yaml").write_text(TENANT_YAML)
    environment = environment_of(database_url, tenants, folder / "storage")
    figures: list[Measured] = []
    for rows, runs in sizes.items():
        kinds = ("copy", "keyed-copy", "exchange", *(("pandas",) if rows <= 100_000 else ()))
        results: dict[str, list[dict[str, object]]] = {kind: [] for kind in kinds}
        for run in range(runs):
            # A new seed each run: new students, so each run does the full work of creating them.
            file = folder / f"bench-{rows}-{run}.csv"
            made = make_roster(rows, seed=rows + run, terms=TERMS, faults=int(rows * FAULT_SHARE))
            file.write_bytes(made.content)
            for kind in kinds:
                results[kind].append(one_run(kind, file, environment))
            file.unlink()
        figures += [median_of(kind, rows, found) for kind, found in results.items()]
    return figures


def environment_of(database_url: str, tenants: Path, storage: Path) -> dict[str, str]:
    """Return what a measured process finds in its environment."""
    return {
        **os.environ,
        "EXCHANGE_DATABASE_URL": database_url,
        "EXCHANGE_TENANTS_DIR": str(tenants),
        "EXCHANGE_STORAGE_URL": f"file://{storage}",
        "EXCHANGE_LOG_LEVEL": "WARNING",
    }


def one_run(kind: str, file: Path, environment: dict[str, str]) -> dict[str, object]:
    """Return what one measurement in a process of its own printed.

    :raises StackError: it failed.
    """
    command = [sys.executable, "-m", "partner_exchange.local.bench.worker", kind, str(file)]
    done = subprocess.run(  # noqa: S603 - our own module
        command, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise StackError("bench-failed", f"The measurement {kind} failed: {done.stderr.strip()[-2000:]}")
    measured: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return measured


def median_of(kind: str, rows: int, found: list[dict[str, object]]) -> Measured:
    """Return the median of some runs."""
    runs: list[dict[str, float]] = [one["seconds"] for one in found]  # type: ignore[misc]
    seconds = {name: median(run[name] for run in runs) for name in runs[0]}
    peak_bytes = int(median(int(str(one["peak_bytes"])) for one in found))
    return Measured(kind, rows, len(found), seconds, peak_bytes)
