"""The tree of commands; each module adds its own."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from partner_exchange import log
from partner_exchange.cli import (
    code_sets,
    consent,
    exports,
    files,
    nhsn,
    operate,
    retention,
    stack,
    statuses,
    students,
    templates,
)
from partner_exchange.settings import get_settings

app = typer.Typer(
    name="exchange",
    help="Partner Exchange: files in, every row checked, good rows loaded, an answer to every file.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
stack.add_to(app)
files.add_to(app)
operate.add_to(app)
statuses.add_to(app)
students.add_to(app)
templates.add_to(app)
nhsn.add_to(app)
exports.add_to(app)
code_sets.add_to(app)
consent.add_to(app)
retention.add_to(app)


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        print(f"exchange {version('partner-exchange')}")
        raise typer.Exit


@app.callback()
def _configure(
    _: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="show the version")
    ] = False,
) -> None:
    log.configure(get_settings().log_level)
