"""``exchange export reports`` and ``describe``: which reports there are, and what each can give (M63)."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from partner_exchange.cli.export_common import plainly
from partner_exchange.cli.options import JSON_OPTION
from partner_exchange.cli.tables import print_table

if TYPE_CHECKING:
    from partner_exchange.exports.reports.report import Report


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("reports")(reports)
    app.command("describe")(describe)


def reports(
    feed: Annotated[
        Literal["roster", "status", "vxu"] | None, typer.Option("--feed", help="only for such partners")
    ] = None,
    as_json: JSON_OPTION = False,
) -> None:
    """List the reports of the catalogue."""
    from partner_exchange.exports.reports import catalogue

    found = catalogue.of_feed(feed) if feed else catalogue.REPORTS
    if as_json:
        print(json.dumps([_document(one) for one in found.values()], ensure_ascii=False, indent=2))
        return
    rows = (
        (
            one.name,
            str(one.version),
            "all" if len(one.feeds) > 2 else ", ".join(sorted(one.feeds)),
            _delta(one),
            one.title,
        )
        for one in found.values()
    )
    print_table(("report", "version", "feed", "delta", "what it is"), rows)


def describe(
    report: Annotated[str, typer.Argument(metavar="REPORT", help="name of a report")],
    as_json: JSON_OPTION = False,
) -> None:
    """Show what a report gives: its columns, its parameters, and whether it can go as a delta."""
    from partner_exchange.exports.reports import catalogue, settling

    with plainly():
        found = catalogue.get(report)
    if as_json:
        print(json.dumps(_document(found), ensure_ascii=False, indent=2))
        return
    print(f"{found.name}, version {found.version}: {found.title}\n{found.about}\n")
    print(f"As a delta: {_delta(found)}. Key: {', '.join(found.keys) or 'none'}.\n")
    columns = (
        (
            one.name,
            one.header,
            str(one.kind),
            "yes" if one.name in found.default_columns else "when named",
            one.about,
        )
        for one in found.columns
    )
    print_table(("column", "header", "holds", "goes out", "what it is"), columns, folded=("what it is",))
    if found.parameters:
        print()
        given = (
            (one.name, settling.limits(one), "" if one.default is None else str(one.default), one.about)
            for one in found.parameters
        )
        print_table(("parameter", "takes", "unless given", "what it does"), given, folded=("what it does",))


def _delta(report: Report) -> str:
    if report.reads_changes:
        return "from the log of changes"
    return "by comparison" if report.may_be_delta else "no"


def _document(report: Report) -> dict[str, Any]:
    return {
        "name": report.name,
        "version": report.version,
        "title": report.title,
        "about": report.about,
        "feeds": sorted(report.feeds),
        "delta": _delta(report),
        "keys": list(report.keys),
        "default_columns": list(report.default_columns),
        "columns": [asdict(one) for one in report.columns],
        "parameters": [asdict(one) for one in report.parameters],
    }
