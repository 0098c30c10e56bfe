"""``exchange nhsn``: what became of each hospital in the sets for CDC's NHSN, and building one (E38, E39)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from partner_exchange.cli.options import (
    JSON_OPTION,
    TENANT_OPTION,
    database,
    plain,
    refuse_unknown_resource,
    status_tenant,
    utc,
)
from partner_exchange.cli.tables import print_table
from partner_exchange.tenants.resources import Frequency

if TYPE_CHECKING:
    from partner_exchange.ledger.nhsn import NhsnEvent

nhsn_app = typer.Typer(help="Sets of data for CDC's NHSN.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(nhsn_app, name="nhsn")


@nhsn_app.command("list")
def nhsn_list(
    tenant: TENANT_OPTION,
    resource: Annotated[
        str | None, typer.Option("--resource", "-r", help="history of this Resource ID, newest first")
    ] = None,
    as_json: JSON_OPTION = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="how many of the history")] = 100,
) -> None:
    """List the newest state of each resource, with due time and reason; or the history of one."""
    from partner_exchange.ledger import nhsn as ledger

    policy = status_tenant(tenant)
    with database() as connection:
        if resource is None:
            events = ledger.newest(connection, tenant)
        else:
            events = ledger.history(connection, tenant, resource, limit=limit)
    if resource is not None and not events:
        refuse_unknown_resource(policy, resource)
    if as_json:
        print(json.dumps(events, default=plain, ensure_ascii=False, indent=2))
    else:
        _print_table(events)


@nhsn_app.command("build")
def nhsn_build(
    tenant: TENANT_OPTION,
    frequency: Annotated[Frequency, typer.Option("--frequency", "-f", help="which set")],
    at: Annotated[
        str | None,
        typer.Option(
            help="build what was due last at this time (ISO; US Eastern without an offset); unset: now"
        ),
    ] = None,
    as_json: JSON_OPTION = False,
) -> None:
    """Build the set that was due last, as the DAG does; one that was built already stays as it is."""
    from partner_exchange.exports.nhsn.schedule import latest_due
    from partner_exchange.exports.nhsn.sets import build
    from partner_exchange.local.database import ensure_database
    from partner_exchange.settings import get_settings

    policy = status_tenant(tenant)
    due = latest_due(frequency, at=_instant(at))
    with ensure_database(get_settings()):
        built = build(policy, due)
    if as_json:
        print(json.dumps(built.as_dict(), indent=2))
        return
    states = ", ".join(f"{count} {state}" for state, count in built.states.items())
    print(f"{due.name} due {utc(due.at, 'minutes')}: {states or 'no resource reports ' + frequency}")
    if not built.is_new:
        print("It was built before; nothing was changed.")
    print(f"Set: {built.kept.path}" if built.kept else "No resource goes, so there is no file.")


def _instant(at: str | None) -> datetime:
    from partner_exchange import clock
    from partner_exchange.exports.nhsn.schedule import ZONE_NAME

    if at is None:
        return clock.now()
    try:
        instant = datetime.fromisoformat(at)
    except ValueError:
        raise typer.BadParameter("write it as 2026-11-20T16:30 or 2026-11-20T21:30Z") from None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=ZoneInfo(ZONE_NAME))
    if instant > clock.now():
        raise typer.BadParameter("it is in the future; what is reported until then is not known yet")
    return instant


def _print_table(events: Sequence[NhsnEvent]) -> None:
    rows = (
        (
            event.resource_id,
            event.frequency,
            utc(event.due_at, "minutes"),
            str(event.state),
            event.reason_code,
            event.comment,
        )
        for event in events
    )
    header = ("resource", "set", "due (UTC)", "state", "reason", "comment")
    print_table(header, rows, folded=("comment",))
