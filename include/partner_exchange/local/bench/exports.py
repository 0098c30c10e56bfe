"""Verified students going out: the first file with all of them, the next delta, and every form of a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from partner_exchange.local.bench.export_work import DELTA_EXPORT, DELTA_STUDENTS, EXPORT_TENANT
from partner_exchange.local.bench.files import Measured, environment_of, median_of, one_run

FORMATS = ("csv", "tsv", "pipe", "fixed", "jsonl", "xml", "xlsx")
_HEAD = f"""\
preset: medproctor-columns
name: Bench
exports:
  {DELTA_EXPORT}:
    report: verified_students
    content: delta
"""
_FORM = """\
  all_{kind}:
    report: verified_students
    columns: [{{column: username, width: 40}}, student_id, verify_date]
    format: {{kind: {kind}}}
"""


@dataclass(frozen=True)
class ExportFigures:
    """What it costs to send verified students out; ``Measured.rows`` are students."""

    students: int
    verify_s: float
    """All of them verified in one transaction."""
    copy_out: Measured
    first: Measured
    delta: Measured
    forms: dict[str, Measured]
    """All of them as a full export, by form of the file."""


def measure_exports(folder: Path, database_url: str, *, students: int, runs: int) -> ExportFigures:
    """Return the figures; each measurement in a process of its own.

    :param runs: of COPY; all others run once.
    """
    tenants = folder / "export-tenants"
    tenants.mkdir()
    forms = "".join(_FORM.format(kind=kind) for kind in FORMATS)
    (tenants / f"{EXPORT_TENANT}.yaml").write_text(_HEAD + forms)
    environment = environment_of(database_url, tenants, folder / "export-storage")

    def measured(kind: str, name: str, rows: int, times: int = 1) -> Measured:
        return median_of(kind, rows, [one_run(kind, Path(name), environment) for _ in range(times)])

    prepared = measured("prepare-students", str(students), students)
    return ExportFigures(
        students=students,
        verify_s=prepared.total_s,
        copy_out=measured("copy-out", "out.csv", students, runs),
        first=measured("export", DELTA_EXPORT, students),
        delta=measured("export-delta", DELTA_EXPORT, DELTA_STUDENTS),
        forms={kind: measured("export", f"all_{kind}", students) for kind in FORMATS},
    )
