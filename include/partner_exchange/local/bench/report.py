"""Run the measurements and print them as the Markdown of docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from partner_exchange import clock
from partner_exchange.ledger.database import migrate
from partner_exchange.local.bench.exports import ExportFigures, measure_exports
from partner_exchange.local.bench.files import Measured, measure_files
from partner_exchange.local.bench.messages import MessageFigures, measure_messages
from partner_exchange.local.bench.parse import ParseFigures, measure_parse
from partner_exchange.local.bench.statuses import StatusFigures, measure_statuses
from partner_exchange.local.bench.through import CHAIN_LENGTH, ThroughFigures, measure_through
from partner_exchange.local.cluster import Cluster
from partner_exchange.settings import Settings

SIZES = {20_000: 5, 50_000: 5, 1_000_000: 1}
QUICK_SIZES = {2_000: 1}
STATUSES = (5_000, 3)
QUICK_STATUSES = (200, 1)
"""Resources of the status file, and runs."""
MESSAGES = {20_000: 3, 100_000: 1}
QUICK_MESSAGES = {500: 1}
EXPORTS = (1_000_000, 3)
QUICK_EXPORTS = (2_000, 1)
"""Verified students, and runs of COPY."""
DROPS = 7
_GIB = 1024**3
_MIB = 1024**2


def run(settings: Settings, *, is_quick: bool) -> int:
    """Print every figure; the settings' own home is not touched."""
    print(_head())
    # A short path: the socket of PostgreSQL lies in it.
    with TemporaryDirectory(prefix="exchange-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        cluster = Cluster(folder / "pg" / "data", folder / "socket", databases=("exchange",))
        cluster.start(folder / "postgres.log")
        try:
            url = cluster.url("exchange")
            migrate(url)
            resources, runs = QUICK_STATUSES if is_quick else STATUSES
            statuses = _statuses(measure_statuses(folder, url, resources=resources, runs=runs))
            messages = _messages(measure_messages(folder, url, QUICK_MESSAGES if is_quick else MESSAGES))
            students, runs = QUICK_EXPORTS if is_quick else EXPORTS
            exports = _exports(measure_exports(folder, url, students=students, runs=runs))
            print(_files(measure_files(folder, url, QUICK_SIZES if is_quick else SIZES)), flush=True)
            print(statuses, flush=True)
            print(messages, flush=True)
            print(exports, flush=True)
        finally:
            cluster.stop()
        print(_parse(measure_parse(folder)), flush=True)
        if not is_quick:
            print(_through(measure_through(folder, runs=DROPS)), flush=True)
    return 0


def _head() -> str:
    memory_gib = psutil.virtual_memory().total / _GIB
    return (
        f"Measured on {clock.today():%Y-%m-%d}: {os.cpu_count()} cores, {memory_gib:.0f} GiB, "
        f"Python {platform.python_version()}, {platform.system()}."
    )


def _files(figures: list[Measured]) -> str:
    lines = [
        "\n### One file, without Airflow and without imports\n",
        "| rows | work | runs | seconds (median) | × COPY | × keyed COPY | rows/s | peak memory |",
        "|---:|---|---:|---:|---:|---:|---:|---:|",
    ]
    floor = {one.rows: one.total_s for one in figures if one.kind == "copy"}
    keyed = {one.rows: one.total_s for one in figures if one.kind == "keyed-copy"}
    names = {
        "copy": "plain COPY, the floor",
        "keyed-copy": "COPY into a table with the two unique keys",
        "exchange": "read, check, load into an empty store, answer",
        "pandas": "`read_csv` + `to_sql`, no checks",
    }
    for one in figures:
        lines.append(
            f"| {one.rows:,} | {names[one.kind]} | {one.runs} | {one.total_s:.2f} | "
            f"{one.total_s / floor[one.rows]:.1f} | "
            f"{one.total_s / keyed[one.rows]:.1f} | {one.rows / one.total_s:,.0f} | "
            f"{one.peak_bytes / _MIB:,.0f} MiB |"
        )
    lines += ["\n| rows | claim | validate | load | respond | notify |", "|---:|---:|---:|---:|---:|---:|"]
    for one in figures:
        if one.kind == "exchange":
            steps = " | ".join(
                f"{one.seconds[step]:.2f}" for step in ("claim", "validate", "load", "respond", "notify")
            )
            lines.append(f"| {one.rows:,} | {steps} |")
    return "\n".join(lines)


def _statuses(figures: StatusFigures) -> str:
    values = figures.resources * figures.columns
    lines = [
        f"\n### Statuses: {figures.resources:,} resources by {figures.columns} status types, "
        f"{values:,} values\n",
        "| file | seconds (median) | claim | validate | load | respond | notify | values/s | peak memory |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    names = {
        "XLSX, all values new, with annotated copy": figures.xlsx,
        "CSV, all values new": figures.csv,
        "the same CSV again, nothing changes": figures.again,
    }
    for name, one in names.items():
        steps = " | ".join(
            f"{one.seconds[step]:.2f}" for step in ("claim", "validate", "load", "respond", "notify")
        )
        lines.append(
            f"| {name} | {one.total_s:.2f} | {steps} | {values / one.total_s:,.0f} | "
            f"{one.peak_bytes / _MIB:,.0f} MiB |"
        )
    lines.append(f"\nHistory: {figures.history_rows_per_s:,.0f} rows a second while loading the CSV.")
    return "\n".join(lines)


def _messages(figures: list[MessageFigures]) -> str:
    lines = [
        "\n### HL7 batches: read, check, load into an empty store, report, acknowledge\n",
        "| messages | doses | runs | seconds (median) | claim | validate | load | respond | notify | "
        "messages/s | peak memory |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for figure in figures:
        one = figure.measured
        steps = " | ".join(
            f"{one.seconds[step]:.2f}" for step in ("claim", "validate", "load", "respond", "notify")
        )
        lines.append(
            f"| {one.rows:,} | {figure.doses:,} | {one.runs} | {one.total_s:.2f} | {steps} | "
            f"{figure.messages_per_s:,.0f} | {one.peak_bytes / _MIB:,.0f} MiB |"
        )
    small, large = figures[0], figures[-1]
    if large is not small:
        ratio = small.messages_per_s / large.messages_per_s
        times = large.measured.rows / small.measured.rows
        lines.append(f"\nA message of a batch {times:.0f} times as large costs {ratio:.2f} times as much.")
    return "\n".join(lines)


def _exports(figures: ExportFigures) -> str:
    floor_s = figures.copy_out.total_s
    lines = [
        f"\n### Verified students going out: {figures.students:,}\n",
        "| file | rows | seconds | select | write | deliver | × COPY out | bytes | peak memory |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
        f"| plain COPY of three columns, the floor | {figures.students:,} | {floor_s:.2f} | | | | 1.0 | | |",
    ]
    names = {
        "first delta: everybody, CSV": figures.first,
        "next delta, CSV": figures.delta,
        **{f"full, {kind}": one for kind, one in figures.forms.items()},
    }
    for name, one in names.items():
        steps = " | ".join(f"{one.seconds[step]:.2f}" for step in ("select", "write", "deliver"))
        # A delta is a hundred rows: COPY of all of them is no floor of it.
        ratio = f"{one.total_s / floor_s:.1f}" if one is not figures.delta else ""
        lines.append(
            f"| {name} | {one.seconds['rows']:,.0f} | {one.total_s:.2f} | {steps} | {ratio} | "
            f"{one.seconds['bytes']:,.0f} | {one.peak_bytes / _MIB:,.0f} MiB |"
        )
    lines.append(f"\nAll of them verified in one transaction before: {figures.verify_s:.1f} s.")
    return "\n".join(lines)


def _parse(figures: list[ParseFigures]) -> str:
    lines = [
        "\n### DAG files, without `import airflow`\n",
        "| file | tenants | DAGs | all DAGs, seconds | inside a task, its one DAG |",
        "|---|---|---:|---:|---:|",
    ]
    lines += [
        f"| `{one.dag_file}` | {one.tenants} with feed {one.feed} | {one.dags:,} | "
        f"{one.all_dags_s:.2f} | {one.one_dag_s:.3f} |"
        for one in figures
    ]
    return "\n".join(lines)


def _through(figures: ThroughFigures) -> str:
    ratio = figures.drop_s / figures.chain_s
    return (
        f"\n### Through SFTP and Airflow, {figures.rows:,} rows\n\n"
        f"From the end of the upload to `.completed`: median {figures.drop_s:.1f} s "
        f"({min(figures.drops_s):.1f} to {max(figures.drops_s):.1f}, {len(figures.drops_s)} drops).\n"
        f"A chain of {CHAIN_LENGTH} tasks that do nothing: median {figures.chain_s:.1f} s "
        f"({min(figures.chains_s):.1f} to {max(figures.chains_s):.1f}). Ratio {ratio:.1f}."
    )
