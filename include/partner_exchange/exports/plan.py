"""What an export of a tenant file comes to: its report, columns and parameters, all settled (M47, M50, M73).

A tenant file cannot know which reports there are; here both meet. Called by the runs of exports, the DAG
builders and the command line.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from partner_exchange.errors import ReportRefused
from partner_exchange.exports import formats
from partner_exchange.exports.columns import FileColumn, Kind, Value
from partner_exchange.exports.formats import FileFacts
from partner_exchange.exports.reports import catalogue, settling
from partner_exchange.exports.reports.report import Report, ReportColumn
from partner_exchange.exports.template_files import read_template
from partner_exchange.storage.names import utc_stamp
from partner_exchange.tenants.exports import Export, ExportColumn, Target
from partner_exchange.tenants.model import Tenant
from partner_exchange.tenants.nearest import nearest
from partner_exchange.tenants.problems import Problem

CHANGE = ReportColumn(
    "change", "Change", Kind.TEXT, "new, changed or removed since the last delivered file", width=8
)
"""The column that a delta by comparison has beside those of its report (M75)."""

_WIDEST_SEEN = 80
"""In a workbook, where a person looks at columns side by side and longer texts run on."""


@dataclass(frozen=True)
class Plan:
    """One export, with nothing left open."""

    tenant: Tenant
    name: str
    export: Export
    report: Report
    parameters: Mapping[str, Value]
    zone: ZoneInfo
    asked: tuple[str, ...]
    """Columns to ask the report for: those of the file, and the keys of a delta by comparison."""
    file_columns: tuple[FileColumn, ...]
    sha256: str
    """Checksum of the definition: the ledger keeps by which one a file was made."""

    @property
    def is_delta(self) -> bool:
        """Return whether only what is new goes out."""
        return self.export.content == "delta"

    @property
    def reads_changes(self) -> bool:
        """Return whether what is new comes from a log of changes."""
        return self.is_delta and self.report.reads_changes

    @property
    def compares(self) -> bool:
        """Return whether what is new comes from comparing with the last delivered file."""
        return self.is_delta and not self.report.reads_changes

    def file_name(self, at: datetime, number: int) -> str:
        """Return the name of a file made at an instant, the export's ``number``-th one."""
        local = at.astimezone(self.zone)
        fields = {
            "tenant": self.tenant.code,
            "export": self.name,
            "report": self.report.name,
            "utc": utc_stamp(at),
            "date": f"{local:%Y%m%d}",
            "time": f"{local:%H%M%S}",
            "number": str(number),
            "ending": formats.ending(self.export.format.kind),
        }
        return re.sub(r"\{(\w+)\}", lambda field: fields[field[1]], self.export.file_name)

    def facts(self, made_at: datetime) -> FileFacts:
        """Return what a file says of itself.

        :raises ReportRefused: ``template-missing``, the template of an XML file cannot be read.
        """
        return FileFacts(
            tenant_code=self.tenant.code,
            tenant_name=self.tenant.name,
            export=self.name,
            report=self.report.name,
            title=self.report.title,
            zone=self.zone,
            made_at=made_at,
            template=read_template(self.export.format.template_file),
        )


def resolve(tenant: Tenant, name: str) -> Plan:
    """Return the plan of an export that the tenant file has.

    :raises ReportRefused: there is none of that name, or its report, columns or parameters do not hold.
    """
    export = tenant.exports.get(name)
    if export is None:
        near = nearest(name, tenant.exports)
        hint = f"Did you mean {near!r}?" if near else f"Add it under `exports` in {tenant.code}.yaml."
        problem = f"{tenant.code} has no export {name!r}."
        raise ReportRefused.of("export-unknown", problem, hint, tenant=tenant.code, export=name)
    return settle(tenant, name, export)


def settle(tenant: Tenant, name: str, export: Export) -> Plan:
    """Return the plan of an export, whether it stands in the tenant file or not.

    :raises ReportRefused: its report, columns or parameters do not hold.
    """
    report = catalogue.get(export.report, tenant.feed)
    parameters = settling.settle(report, export.parameters)
    zone = tenant.zone_of(export)
    has_change = export.content == "delta" and not report.reads_changes
    if has_change and not report.keys:
        problem = f"The report {report.name} has no key to compare rows by, so it cannot go as a delta."
        raise ReportRefused.of("report-without-delta", problem, "Write `content: full`.", report=report.name)
    named = export.columns or tuple(ExportColumn(column=one) for one in report.default_columns)
    if has_change and not export.columns:
        named = (*named, ExportColumn(column=CHANGE.name))
    known = {CHANGE.name: CHANGE} if has_change else {}
    wanted = [one.column for one in named if one.column not in known]
    known |= {one.name: one for one in settling.columns(report, wanted)}
    _require_once([one.column for one in named], tenant.code, name)
    keys = report.keys if has_change else ()
    return Plan(
        tenant=tenant,
        name=name,
        export=export,
        report=report,
        parameters=parameters,
        zone=zone,
        asked=tuple(dict.fromkeys([*keys, *wanted])),
        file_columns=tuple(_file_column(one, known[one.column], export) for one in named),
        sha256=hashlib.sha256(
            f"{report.name}:{report.version}:{export.model_dump_json()}".encode()
        ).hexdigest(),
    )


def target_of(tenant: Tenant, export_name: str) -> Target:
    """Return where deliveries of an export go, sets for NHSN included.

    :raises ReportRefused: the tenant file does not have the export any more, or it does not hold.
    """
    target = tenant.targets().get(export_name)
    if target is None or export_name in tenant.exports:
        return resolve(tenant, export_name).export.target
    return target


def problems(tenant: Tenant) -> list[Problem]:
    """Return what does not hold in the tenant's exports and only this room can see."""
    found = []
    for name, export in tenant.exports.items():
        place = f"exports.{name}"
        if unknown := _unknown_columns(tenant, export):
            found += [_problem(tenant, f"{place}.columns.{at}", error) for at, error in unknown]
            continue
        try:
            settle(tenant, name, export)
            read_template(export.format.template_file)
        except ReportRefused as error:
            found.append(_problem(tenant, place, error))
    return found


def _unknown_columns(tenant: Tenant, export: Export) -> list[tuple[int, ReportRefused]]:
    """Return where the export names a column that its report does not have, with what is wrong: each one."""
    found = []
    for at, column in enumerate(export.columns):
        try:
            settle(tenant, "", export.model_copy(update={"columns": (column,)}))
        except ReportRefused as error:
            if error.code == "report-column-unknown":
                found.append((at, error))
    return found


def _problem(tenant: Tenant, place: str, error: ReportRefused) -> Problem:
    return Problem(f"{tenant.code}.yaml", place, error.problem, error.remedy or "See docs/reports.md.")


def _require_once(names: Sequence[str], tenant_code: str, export_name: str) -> None:
    twice = next((one for one in names if names.count(one) > 1), None)
    if twice is not None:
        problem = f"The column {twice!r} stands twice in the export {export_name}."
        raise ReportRefused.of(
            "report-column-twice", problem, "Leave one out.", tenant=tenant_code, export=export_name
        )


def _file_column(chosen: ExportColumn, column: ReportColumn, export: Export) -> FileColumn:
    form = ""
    if column.kind is Kind.DATE:
        form = chosen.date_form or export.format.date_form or column.form
    elif column.kind is Kind.INSTANT:
        form = chosen.date_form or export.format.time_form or column.form
    header = chosen.header or column.header
    return FileColumn(
        name=column.name,
        header=header,
        kind=column.kind,
        form=form,
        width=chosen.width or _width(column, header, export),
        align=chosen.align or ("right" if column.kind.is_number else "left"),
    )


def _width(column: ReportColumn, header: str, export: Export) -> int:
    width = column.width if export.format.kind == "fixed" else min(column.width, _WIDEST_SEEN)
    return max(width, len(header))
