"""``exchange export new``: a few questions, and the lines for the partner file (M72)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, get_args
from zoneinfo import ZoneInfo

import typer

from partner_exchange.cli.export_common import PARAMETER_OPTION, parameters, plainly
from partner_exchange.cli.options import TENANT_OPTION
from partner_exchange.errors import ReportRefused
from partner_exchange.tenants.exports import FormatKind

if TYPE_CHECKING:
    from partner_exchange.exports.plan import Plan
    from partner_exchange.exports.reports.report import Report
    from partner_exchange.tenants.model import Tenant

_PLACES = ("home", "server")
_CONTENTS = ("full", "delta")


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("new")(new)


def new(
    tenant: TENANT_OPTION,
    target: Annotated[
        str | None,
        typer.Option("--target", help="home: the partner's folder here; server: the partner's own server"),
    ] = None,
    connection: Annotated[
        str | None, typer.Option("--connection", help="of a server: Airflow connection id")
    ] = None,
    folder: Annotated[
        str | None, typer.Option("--folder", help="of a server: any path; of the home: unset, the outbox")
    ] = None,
    report: Annotated[str | None, typer.Option("--report", "-r", help="name of a report")] = None,
    column: Annotated[
        list[str] | None, typer.Option("--column", "-c", help="column, in order; repeatable")
    ] = None,
    content: Annotated[str | None, typer.Option("--content", help="full, or delta: only what is new")] = None,
    format_kind: Annotated[str | None, typer.Option("--format", "-f", help="form of the file")] = None,
    schedule: Annotated[
        str | None, typer.Option("--schedule", help="cron or words; empty: only by hand")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="what the export is called")] = None,
    param: PARAMETER_OPTION = None,
    takes_defaults: Annotated[
        bool, typer.Option("--yes", "-y", help="ask nothing; what is not given is left at its default")
    ] = False,
) -> None:
    """Ask what goes where in which form and when, and print the lines to paste into the partner file.

    Each question is an option too. Nothing is written.
    """
    from partner_exchange.tenants import registry

    with plainly():
        policy = registry.load_one(tenant)
        asker = _Asker(is_silent=takes_defaults)
        draft = _place(asker, target, connection, folder)
        draft |= _what(asker, policy, report, column, content, parameters(param))
        draft |= _when(asker, format_kind, schedule)
        name = asker.ask(
            "Name of the export", name, "--name", default=draft["report"], check=_free_name(policy)
        )
        plan = _checked(policy, name, draft)
    _print_lines(policy, name, draft, plan)


@dataclass(frozen=True)
class _Asker:
    """Asks what was not given, until the answer holds."""

    is_silent: bool

    def ask(
        self,
        question: str,
        given: str | None,
        option: str,
        *,
        default: str | None = None,
        check: Callable[[str], object] = str,
    ) -> str:
        """Return the option where it is given, else the answer, else the default.

        :param check: raises ValueError or ReportRefused for what does not hold.
        :raises BadParameter: the option does not hold, or may not be asked for and has no default.
        """
        if given is None and self.is_silent:
            if default is None:
                raise typer.BadParameter("is needed", param_hint=option)
            given = default
        if given is not None:
            if trouble := _trouble(check, given):
                raise typer.BadParameter(trouble, param_hint=option)
            return given
        while True:
            answer = _answer(question, default)
            trouble = _trouble(check, answer.strip())
            if not trouble:
                return answer.strip()
            typer.echo(trouble, err=True)


def _answer(question: str, default: str | None) -> str:
    """Return what is typed, or the default; standard output is left to the lines for the partner file."""
    shown = f" [{default}]" if default else ""
    # Not typer.prompt: where there is no terminal, and with readline, it writes to standard output as well.
    while True:
        typer.echo(f"{question}{shown}: ", nl=False, err=True)
        typed = sys.stdin.readline()
        if not typed:
            typer.echo(err=True)
            raise typer.Abort
        answer = typed.strip() or default
        if answer is not None:
            return answer


def _trouble(check: Callable[[str], object], value: str) -> str:
    try:
        check(value)
    except ReportRefused as error:
        return error.message
    except ValueError as error:
        return str(error)
    return ""


def _place(asker: _Asker, target: str | None, connection: str | None, folder: str | None) -> dict[str, Any]:
    kind = asker.ask(
        "Whose folder: the partner's home here (home), or the partner's own server (server)?",
        target,
        "--target",
        default="home",
        check=_one_of(_PLACES),
    )
    if kind == "home":
        if connection is not None:
            raise typer.BadParameter("belongs to --target server", param_hint="--connection")
        return {"target": {"folder": folder}} if folder else {}
    return {
        "target": {
            "kind": "server",
            "connection": asker.ask("Airflow connection id", connection, "--connection", check=_filled),
            "folder": asker.ask("Folder there, any path", folder, "--folder", check=_filled),
        }
    }


def _what(
    asker: _Asker,
    tenant: Tenant,
    report: str | None,
    column: Sequence[str] | None,
    content: str | None,
    given: dict[str, str],
) -> dict[str, Any]:
    from partner_exchange.exports.reports import catalogue, settling

    known = catalogue.of_feed(tenant.feed)
    if report is None and not asker.is_silent:
        for one in known.values():
            typer.echo(f"  {one.name:<30} {one.title}", err=True)
    name = asker.ask("Which report?", report, "--report", check=lambda it: catalogue.get(it, tenant.feed))
    found = known[name]
    draft: dict[str, Any] = {"report": name}
    if given:
        draft["parameters"] = dict(given)
    names = _columns(asker, found, column)
    if names:
        draft["columns"] = names
    settling.settle(found, given)
    if found.may_be_delta:
        default = "delta" if found.reads_changes else "full"
        kind = asker.ask(
            "All rows each time (full), or what is new since the last file (delta)?",
            content,
            "--content",
            default=default,
            check=_one_of(_CONTENTS),
        )
        draft |= {"content": kind} if kind != "full" else {}
    elif content == "delta":
        raise typer.BadParameter(f"{name} cannot go as a delta", param_hint="--content")
    return draft


def _columns(asker: _Asker, report: Report, column: Sequence[str] | None) -> list[str]:
    """Return the columns that were chosen; none means those that go out by default."""
    from partner_exchange.exports.reports import settling

    def check(answer: str) -> object:
        return settling.columns(report, _words(answer))

    known = ", ".join(one.name for one in report.columns)
    question = f"Which columns, in order, of these: {known}?\nEnter alone takes"
    default = ", ".join(report.default_columns)
    given = ", ".join(column) if column else None
    chosen = _words(asker.ask(question, given, "--column", default=default, check=check))
    return [] if tuple(chosen) == report.default_columns else chosen


def _when(asker: _Asker, format_kind: str | None, schedule: str | None) -> dict[str, Any]:
    from partner_exchange.tenants.schedule import cron_of

    kinds = get_args(FormatKind)
    kind = asker.ask(
        f"Form of the file ({', '.join(kinds)})?",
        format_kind,
        "--format",
        default="csv",
        check=_one_of(kinds),
    )
    words = asker.ask(
        "When, as cron or in words such as `weekdays at 7:30`? Empty: only by hand",
        schedule,
        "--schedule",
        default="",
        check=lambda it: cron_of(it) if it else "",
    )
    draft: dict[str, Any] = {"format": {"kind": kind}} if kind != "csv" else {}
    return draft | ({"schedule": words} if words else {})


def _one_of(known: Sequence[str]) -> Callable[[str], None]:
    def check(value: str) -> None:
        if value not in known:
            raise ValueError(f"it is one of {', '.join(known)}")

    return check


def _filled(value: str) -> None:
    if not value:
        raise ValueError("it is needed")


def _free_name(tenant: Tenant) -> Callable[[str], None]:
    from pydantic import TypeAdapter, ValidationError

    from partner_exchange.tenants.exports import ExportName

    adapter: TypeAdapter[str] = TypeAdapter(ExportName)

    def check(value: str) -> None:
        try:
            adapter.validate_python(value)
        except ValidationError:
            raise ValueError(
                "use lower-case letters, digits and underscores, 40 at the most; nhsn_ is taken"
            ) from None
        if value in tenant.exports:
            raise ValueError(f"{tenant.code} has an export {value} already")

    return check


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _checked(tenant: Tenant, name: str, draft: dict[str, Any]) -> Plan:
    from pydantic import ValidationError

    from partner_exchange.exports import plan as plans
    from partner_exchange.tenants.exports import Export

    try:
        export = Export.model_validate(draft)
    except ValidationError as error:
        told = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'export'}: {one['msg']}" for one in error.errors()
        )
        raise typer.BadParameter(told) from None
    return plans.settle(tenant, name, export)


def _print_lines(tenant: Tenant, name: str, draft: dict[str, Any], plan: Plan) -> None:
    import yaml

    order = ("report", "parameters", "columns", "content", "format", "schedule", "target")
    lines = {key: draft[key] for key in order if key in draft}
    typer.echo(yaml.safe_dump({"exports": {name: lines}}, sort_keys=False, allow_unicode=True), nl=False)
    typer.echo(f"\nIt holds: {', '.join(one.header for one in plan.file_columns)}.", err=True)
    for line in _runs(plan):
        typer.echo(line, err=True)
    how = "at its end"
    if tenant.exports:
        how = "all but the first one: it has `exports:` already, and they go below that, indented as here"
    typer.echo(
        f"Put the lines above into {tenant.code}.yaml, {how}. Then `exchange tenants check`, and "
        f"`exchange export probe --tenant {tenant.code} {name}`.",
        err=True,
    )


def _runs(plan: Plan) -> list[str]:
    from partner_exchange import clock
    from partner_exchange.exports.schedule import next_runs

    cron = plan.export.cron
    if not cron:
        return ["It goes only by hand."]
    zone: ZoneInfo = plan.zone
    following = [
        at.astimezone(zone).isoformat(" ", "minutes")
        for at in next_runs(cron, zone, after=clock.now(), count=5)
    ]
    return [f"As cron: {cron} ({zone.key}). Next runs: {', '.join(following)}."]
