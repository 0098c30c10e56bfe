"""``exchange export run``: an export now, or any report in any form into a file here (M43, M64, M73)."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from partner_exchange.cli.export_common import PARAMETER_OPTION, count, parameters, plainly, target_opener
from partner_exchange.cli.options import JSON_OPTION, TENANT_OPTION, plain
from partner_exchange.tenants.exports import FormatKind

if TYPE_CHECKING:
    from partner_exchange.exports.plan import Plan
    from partner_exchange.ledger.deliveries import Delivery
    from partner_exchange.tenants.exports import ExportFormat
    from partner_exchange.tenants.model import Tenant

_STANDARD_OUTPUT = "-"


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("run")(run)


def run(
    tenant: TENANT_OPTION,
    export: Annotated[
        str | None, typer.Argument(metavar="EXPORT", help="export of the partner file", show_default=False)
    ] = None,
    report: Annotated[
        str | None, typer.Option("--report", "-r", help="instead of an export: this report, into --out")
    ] = None,
    param: PARAMETER_OPTION = None,
    column: Annotated[
        list[str] | None, typer.Option("--column", "-c", help="column of the report, in order; repeatable")
    ] = None,
    format_kind: Annotated[FormatKind, typer.Option("--format", "-f", help="form of the report")] = "csv",
    too_long: Annotated[
        Literal["refuse", "cut"] | None,
        typer.Option("--too-long", help="of fixed and xlsx: what becomes of texts that do not fit"),
    ] = None,
    out: Annotated[
        str | None, typer.Option("--out", "-o", help="file for the report; unset: named after it; - to print")
    ] = None,
    as_json: JSON_OPTION = False,
) -> None:
    """Select, write and deliver an export now; or write a report into a file, which records nothing.

    Exit 0 when it is delivered or there is nothing to send, 1 when it could not be delivered.
    """
    from partner_exchange.tenants import registry

    if (export is None) == (report is None):
        raise typer.BadParameter("name an export of the partner file, or a report with --report; not both")
    with plainly():
        policy = registry.load_one(tenant)
        if report is not None:
            given = parameters(param)
            plan = _plan(policy, report, given, column or (), _format(format_kind, too_long))
            _write_report(plan, out, as_json=as_json)
        elif export is not None:
            if param or column or out or too_long:
                raise typer.BadParameter("--param, --column, --too-long and --out belong to --report")
            _run_export(policy, export, as_json=as_json)


def _run_export(tenant: Tenant, export: str, *, as_json: bool) -> None:
    from partner_exchange.exports import plan as plans
    from partner_exchange.exports.runs.run import run as run_export
    from partner_exchange.ledger import deliveries as ledger
    from partner_exchange.ledger.database import transaction
    from partner_exchange.local.database import ensure_database
    from partner_exchange.notify import outbox
    from partner_exchange.settings import get_settings

    settings = get_settings()
    plans.resolve(tenant, export)
    with ensure_database(settings):
        try:
            delivery = run_export(tenant, export, target_opener(settings))
        finally:
            with transaction() as connection:
                newest = ledger.latest(connection, tenant.code, export, limit=1)
            for one in newest:
                outbox.deliver(topic=one.delivery_id)
    if as_json:
        print(json.dumps(delivery, default=plain, ensure_ascii=False, indent=2))
    elif delivery is None:
        print(f"{export}: nothing is new, so no file goes.")
    else:
        print(delivered_sentence(delivery))


def delivered_sentence(delivery: Delivery) -> str:
    """Return what went out."""
    rows = "1 row" if delivery.rows_total == 1 else f"{count(delivery.rows_total)} rows"
    return (
        f"{delivery.delivery_id}: {delivery.state}, {rows}, {count(delivery.size_bytes)} bytes, "
        f"as {delivery.delivered_name}"
    )


def _write_report(plan: Plan, out: str | None, *, as_json: bool) -> None:
    from partner_exchange import clock
    from partner_exchange.exports import formats
    from partner_exchange.local.database import ensure_database
    from partner_exchange.settings import get_settings
    from partner_exchange.storage.names import utc_stamp

    report, format_kind = plan.report.name, plan.export.format.kind
    place = out or f"{report}-{utc_stamp(clock.now())}.{formats.ending(format_kind)}"
    _require_sound_place(place, format_kind, as_json=as_json)
    with ensure_database(get_settings()):
        rows = _to_standard_output(plan) if place == _STANDARD_OUTPUT else _to_file(plan, Path(place))
    facts = {"report": report, "rows": rows, "file": place}
    if as_json:
        print(json.dumps(facts, ensure_ascii=False, indent=2))
    else:
        told = "1 row" if rows == 1 else f"{rows} rows"
        print(f"{report}: {told} written to {'standard output' if place == '-' else place}", file=sys.stderr)


def _format(kind: FormatKind, too_long: Literal["refuse", "cut"] | None) -> ExportFormat:
    """Return the form of a report.

    :raises BadParameter: nothing is ever too long for it.
    """
    from partner_exchange.tenants.exports import ExportFormat

    if too_long is not None and kind not in ("fixed", "xlsx"):
        raise typer.BadParameter("belongs to --format fixed and xlsx", param_hint="--too-long")
    return ExportFormat(kind=kind, too_long=too_long or "refuse")


def _plan(
    tenant: Tenant, report: str, given: dict[str, str], names: Sequence[str], form: ExportFormat
) -> Plan:
    from partner_exchange.exports import plan as plans
    from partner_exchange.exports.reports import catalogue, settling
    from partner_exchange.tenants.exports import Export, ExportColumn

    # Before the models: they would tell of patterns where a nearest name is the better help.
    settling.columns(catalogue.get(report, tenant.feed), names)
    export = Export(
        report=report,
        parameters=dict(given),
        columns=tuple(ExportColumn(column=name) for name in names),
        format=form,
    )
    return plans.settle(tenant, report, export)


def _require_sound_place(place: str, format_kind: FormatKind, *, as_json: bool) -> None:
    if place == _STANDARD_OUTPUT:
        if as_json:
            raise typer.BadParameter("with --json the report goes into a file", param_hint="--out")
        if format_kind == "xlsx" and sys.stdout.isatty():
            raise typer.BadParameter("a workbook is nothing for a terminal", param_hint="--out")
    elif Path(place).is_dir() or not Path(place).absolute().parent.is_dir():
        raise typer.BadParameter(f"{place} is not the name of a file in a folder that is there")


def _to_file(plan: Plan, place: Path) -> int:
    """Write the report and return its rows; the file appears whole or not at all, and only we can read it."""
    draft = Path(tempfile.mkstemp(prefix=f".{place.name}.", dir=place.absolute().parent)[1])
    try:
        rows = _write(plan, draft)
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)
    return rows


def _to_standard_output(plan: Plan) -> int:
    with tempfile.TemporaryDirectory(prefix="exchange-report-") as folder:
        file = Path(folder) / "report"
        rows = _write(plan, file)
        with file.open("rb") as source:
            shutil.copyfileobj(source, sys.stdout.buffer)
    return rows


def _write(plan: Plan, file: Path) -> int:
    from partner_exchange import clock
    from partner_exchange.exports.runs.contents import write_contents

    return write_contents(plan, file, window=None, made_at=clock.now(), before=None, after=None)
