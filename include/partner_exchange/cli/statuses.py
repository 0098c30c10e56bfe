"""``exchange statuses``: what the store knows of a tenant's resources (E30)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from partner_exchange.cli.options import JSON_OPTION, TENANT_OPTION, status_tenant

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from partner_exchange.stores.statuses import Status, StatusChange
    from partner_exchange.tenants.catalogue import Catalogue

RESOURCE_OPTION = Annotated[str, typer.Option("--resource", "-r", help="Resource ID, as files carry it")]
TABLE_WIDTH = 160
"""Columns that the tables need."""

app = typer.Typer(help="Statuses of a partner's resources: now, before, overdue.", no_args_is_help=True)


def add_to(parent: typer.Typer) -> None:
    """Register the commands."""
    parent.add_typer(app, name="statuses")


@app.command("now")
def now(
    tenant: TENANT_OPTION,
    resource: Annotated[str | None, typer.Option("--resource", "-r", help="only this Resource ID")] = None,
    as_json: JSON_OPTION = False,
) -> None:
    """Show each status with the time it was reported for and the file it came from."""
    from partner_exchange.stores import statuses

    catalogue = status_tenant(tenant).status.catalogue
    with _database() as connection:
        found = statuses.now(connection, tenant, resource_id=resource)
    if as_json:
        _print_json(found)
        return
    header = ("resource", "status type", "status", "level", "reported (UTC)", "confirmed (UTC)", *_ORIGIN)
    rows = (
        (
            one.resource_id,
            _name(catalogue, one.status_type_id),
            _shown(one),
            one.level or one.colour,
            _time(one.reported_at),
            _time(one.confirmed_at),
            *_origin(one),
        )
        for one in found
    )
    _print_table(header, rows)


@app.command("history")
def history(
    tenant: TENANT_OPTION,
    resource: RESOURCE_OPTION,
    status_type: Annotated[str, typer.Option("--type", help="name or number of the status type")],
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="how many, newest first")] = 50,
    as_json: JSON_OPTION = False,
) -> None:
    """Show the changes of one status, the newest reporting time first."""
    from partner_exchange.stores import statuses

    wanted = status_tenant(tenant).status.catalogue.find(status_type)
    if wanted is None:
        message = f"{tenant} has no status type {status_type!r}; its Data Map lists them."
        raise typer.BadParameter(message, param_hint="--type")
    with _database() as connection:
        found = statuses.history(connection, tenant, resource, wanted.id, limit=limit)
    if as_json:
        _print_json(found)
        return
    header = ("reported (UTC)", "status", "level", "reason", "comment", "recorded (UTC)", *_ORIGIN)
    rows = (
        (
            _time(one.reported_at),
            _shown(one),
            one.level or one.colour,
            one.reason,
            one.comment,
            _time(one.recorded_at),
            *_origin(one),
        )
        for one in found
    )
    _print_table(header, rows)


@app.command("overdue")
def overdue(tenant: TENANT_OPTION, as_json: JSON_OPTION = False) -> None:
    """Show the statuses that should have been reported again by now: exit 1 when there are any."""
    from partner_exchange import clock
    from partner_exchange.stores import statuses

    catalogue = status_tenant(tenant).status.catalogue
    with _database() as connection:
        found = statuses.overdue(connection, tenant, catalogue, at=clock.now())
    if as_json:
        _print_json(found)
    else:
        rows = (
            (
                f"{one.resource_id} (test)" if one.is_test else one.resource_id,
                _name(catalogue, one.status_type_id),
                _time(one.confirmed_at) if one.confirmed_at else "never",
                f"every {one.update_every_h:g} h",
            )
            for one in found
        )
        _print_table(("resource", "status type", "last report (UTC)", "wanted"), rows)
    raise typer.Exit(1 if found else 0)


_ORIGIN = ("submission", "row")


def _origin(one: Status | StatusChange) -> tuple[str, str]:
    """Return where it came from; a formula goes with the file whose values it used."""
    row = "" if one.row_number is None else str(one.row_number)
    return one.submission_id, "computed" if one.is_computed else row


@contextmanager
def _database() -> Iterator[Connection]:
    from partner_exchange.ledger.database import transaction
    from partner_exchange.local.database import ensure_database
    from partner_exchange.settings import get_settings

    with ensure_database(get_settings()), transaction() as connection:
        yield connection


def _name(catalogue: Catalogue, status_type_id: int) -> str:
    """Return the name; the number of a status type that the tenant no longer has."""
    return catalogue.get(status_type_id).name if status_type_id in catalogue else str(status_type_id)


def _shown(one: Status | StatusChange) -> str:
    return "not applicable" if one.is_not_applicable else one.value


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _print_json(found: Sequence[Any]) -> None:
    print(json.dumps([asdict(one) for one in found], default=_plain, ensure_ascii=False, indent=2))


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(*header, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console()
    # Ids are there to be copied: a narrow terminal breaks lines, it does not cut cells.
    console.width = max(console.width, TABLE_WIDTH)
    console.print(table if table.row_count else "There are none.")
