"""The tree of commands; each module adds its own."""

from __future__ import annotations

import typer

from partner_exchange import log
from partner_exchange.cli import files, nhsn, operate, stack, statuses, templates
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
templates.add_to(app)
nhsn.add_to(app)


@app.callback()
def _configure() -> None:
    log.configure(get_settings().log_level)
