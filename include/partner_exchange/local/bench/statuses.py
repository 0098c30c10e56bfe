"""A large status file as XLSX and as CSV through all steps: 5 000 resources by 60 status types."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass
from pathlib import Path

from partner_exchange.local.bench.files import Measured, environment_of, median_of, one_run
from partner_exchange.local.bench.worker import STATUS_TENANT

COLUMNS = 60
FAULT_SHARE = 0.001
FIRST_ID = 90_001


@dataclass(frozen=True)
class StatusFigures:
    """Medians of all steps, for a first file (all values new) and the same file again (nothing changes)."""

    resources: int
    columns: int
    xlsx: Measured
    csv: Measured
    again: Measured

    @property
    def history_rows_per_s(self) -> float:
        """Return how many history rows the load of the CSV writes in a second."""
        return self.resources * self.columns / self.csv.seconds["load"]


def measure_statuses(folder: Path, database_url: str, *, resources: int, runs: int) -> StatusFigures:
    """Return the figures; each run in a process of its own, as ``files.measure_files`` does."""
    tenants = folder / "status-tenants"
    tenants.mkdir()
    _write_tenant(tenants, resources)
    environment = environment_of(database_url, tenants, folder / "status-storage")
    found: dict[str, list[dict[str, object]]] = {"xlsx": [], "csv": [], "again": []}
    for run in range(runs):
        table = _table(resources, seed=run)
        file = folder / f"statuses-{run}.xlsx"
        file.write_bytes(_xlsx(table))
        found["xlsx"].append(one_run("statuses", file, environment))
        file = folder / f"statuses-{run}.csv"
        file.write_bytes(_csv(table))
        found["csv"].append(one_run("statuses", file, environment))
        found["again"].append(one_run("statuses-again", file, environment))
    figures = {kind: median_of(kind, resources * COLUMNS, each) for kind, each in found.items()}
    return StatusFigures(resources, COLUMNS, **figures)


def _write_tenant(tenants: Path, resources: int) -> None:
    types = "\n".join(
        f"    - {{ id: {FIRST_ID + at}, name: Measure {at}, kind: number }}" for at in range(COLUMNS)
    )
    (tenants / f"{STATUS_TENANT}.yaml").write_text(
        "feed: status\nname: Bench\nmode: production\n"
        f"status:\n  resources_file: resources.csv\n  status_types:\n{types}\n"
    )
    lines = ["name,production_id", *(f"Resource {at},R{at:05}" for at in range(resources))]
    (tenants / "resources.csv").write_text("\n".join(lines) + "\n")


def _table(resources: int, *, seed: int) -> list[list[str | int | float]]:
    chance = random.Random(seed)  # noqa: S311 - numbers for a bench
    table: list[list[str | int | float]] = [
        ["Resource ID", "Update Date/Time", *(f"Measure {at}" for at in range(COLUMNS))]
    ]
    for at in range(resources):
        values: list[str | int | float] = [chance.randint(0, 500) for _ in range(COLUMNS)]
        if chance.random() < FAULT_SHARE * COLUMNS:
            values[chance.randrange(COLUMNS)] = 12.5
        table.append([f"R{at:05}", "2026-11-20 08:00", *values])
    return table


def _xlsx(table: list[list[str | int | float]]) -> bytes:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Statuses")
    for row in table:
        sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _csv(table: list[list[str | int | float]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(table)
    return text.getvalue().encode()
