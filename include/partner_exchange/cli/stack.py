"""The one-machine stack, its demo and its bench."""

from __future__ import annotations

from typing import Annotated

import typer

from partner_exchange.cli.options import JSON_OPTION


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(up)
    app.command()(down)
    app.command()(status)
    app.command()(demo)
    app.command()(bench)
    app.command()(gateway)


def _say(line: str) -> None:
    # At once, also into a file or a pipe: whoever starts the stack from a script waits for these lines.
    print(line, flush=True)


def up(
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="return when healthy instead of staying")
    ] = False,
) -> None:
    """Start PostgreSQL, the gateway, the mail sink and Airflow on this machine and wait until all are
    healthy.
    """
    from partner_exchange.local import stack
    from partner_exchange.settings import get_settings

    stack.up(get_settings(), detach=detach, echo=_say)


def down() -> None:
    """Stop the stack; data stays."""
    from partner_exchange.local import stack
    from partner_exchange.settings import get_settings

    stack.down(get_settings(), echo=_say)


def status(as_json: JSON_OPTION = False) -> None:
    """Show each part of the stack: exit 0 when all are up, 3 when the stack is down or a part of it is."""
    from partner_exchange.local import stack
    from partner_exchange.settings import get_settings

    found = stack.status(get_settings())
    print(found.to_json() if as_json else found.to_text())
    raise typer.Exit(0 if found.is_up else 3)


def demo(
    exit_: Annotated[bool, typer.Option("--exit", help="end by itself; the exit code tells")] = False,
    rows: Annotated[int, typer.Option(min=100, max=50_000, help="rows of the roster")] = 20_000,
) -> None:
    """Start the stack, act as the demo partners, and show each file's way to its answer."""
    from partner_exchange.local.demo import run
    from partner_exchange.settings import get_settings

    raise typer.Exit(run(get_settings(), rows=rows, is_ending=exit_))


def bench(
    quick: Annotated[
        bool, typer.Option("--quick", help="small sizes, no stack: a smoke test of the bench")
    ] = False,
) -> None:
    """Measure speed and memory beside plain COPY, a naive pandas pipeline and a chain of no-op tasks."""
    from partner_exchange.local.bench.report import run
    from partner_exchange.settings import get_settings

    raise typer.Exit(run(get_settings(), is_quick=quick))


def gateway() -> None:
    """Run the partners' door (SFTP) in the foreground."""
    from partner_exchange.gateway import service
    from partner_exchange.settings import get_settings

    service.run(get_settings())
