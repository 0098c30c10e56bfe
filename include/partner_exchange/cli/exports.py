"""``exchange export``: what goes out to partners, what went, and what stands in its way (M43, M67, X10)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from partner_exchange import log
from partner_exchange.cli import (
    export_answers,
    export_new,
    export_probe,
    export_reports,
    export_requests,
    export_resend,
    export_run,
    export_show,
)
from partner_exchange.cli.export_common import count, log_level, plainly
from partner_exchange.cli.options import JSON_OPTION, MAYBE_TENANT_OPTION, database, plain, utc
from partner_exchange.cli.tables import print_table
from partner_exchange.ledger.deliveries import DeliveryState
from partner_exchange.tenants.nhsn_sets import export_name

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from partner_exchange.ledger.deliveries import Delivery
    from partner_exchange.tenants.model import Tenant

export_app = typer.Typer(
    help="Outbound files: reports on a schedule, and each delivery.", no_args_is_help=True
)


@export_app.callback()
def _say_only_what_matters() -> None:
    from partner_exchange.settings import get_settings

    log.configure(log_level(get_settings()))


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(export_app, name="export")


@dataclass(frozen=True)
class _Line:
    """One export of a tenant, with how far it has come."""

    tenant: str
    export: str
    report: str
    content: str
    schedule: str
    cron: str
    zone: str
    next_run_at: datetime | None
    state: str
    """Of its newest delivery; "" before the first one."""
    delivered_at: datetime | None
    rows: int | None
    """Of the newest delivery."""
    position: int | None
    """The last change that was delivered, of an export that reads the log."""
    open_delivery: str
    fault_code: str


@export_app.command("list")
def export_list(tenant: MAYBE_TENANT_OPTION = None, as_json: JSON_OPTION = False) -> None:
    """List the exports with schedule, next run, last delivery, and what waits for a person."""
    from partner_exchange.tenants import registry

    with plainly():
        policies = [registry.load_one(tenant)] if tenant else list(registry.load().tenants.values())
    with database() as connection:
        lines = [line for policy in policies for line in _lines(connection, policy)]
    if as_json:
        print(json.dumps(lines, default=plain, ensure_ascii=False, indent=2))
        return
    header = ("partner", "export", "report", "holds", "schedule", "next run", "last delivery (UTC)", "rows")
    print_table((*header, "delivered up to", "state", "waits", "fault"), (_cells(one) for one in lines))
    dead = [one for one in lines if one.state == DeliveryState.DEAD]
    if dead:
        waiting = "1 dead letter waits" if len(dead) == 1 else f"{len(dead)} dead letters wait"
        print(
            f"{waiting} for a person: `exchange export show DELIVERY` says why, "
            "`exchange export resend DELIVERY` sends one again."
        )


@export_app.command("deliveries")
def export_deliveries(
    tenant: MAYBE_TENANT_OPTION = None,
    export: Annotated[str | None, typer.Option("--export", "-e", help="only of this export")] = None,
    state: Annotated[
        list[DeliveryState] | None, typer.Option("--state", "-s", help="only in this state; repeatable")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="how many, newest first")] = 50,
    as_json: JSON_OPTION = False,
) -> None:
    """List the newest deliveries, newest first."""
    from partner_exchange.ledger import deliveries as ledger
    from partner_exchange.tenants import registry

    with plainly():
        if tenant is not None:
            registry.load_one(tenant)
    with database() as connection:
        found = ledger.latest(connection, tenant, export, states=state or (), limit=limit)
    if as_json:
        print(json.dumps(found, default=plain, ensure_ascii=False, indent=2))
        return
    header = ("delivery", "partner", "export", "opened (UTC)", "state", "rows", "bytes", "delivered (UTC)")
    more = ("file", "tries", "next try (UTC)", "fault")
    print_table((*header, *more), (_delivery_cells(one) for one in found))


def _lines(connection: Connection, tenant: Tenant) -> Iterable[_Line]:
    from partner_exchange.exports.nhsn.schedule import CRON, SCHEDULE, ZONE_NAME, frequencies_of

    for name, export in tenant.exports.items():
        zone = tenant.zone_of(export)
        facts = (export.report, export.content, export.schedule, export.cron, zone)
        yield _line(connection, tenant, name, *facts)
    targets = tenant.targets()
    for frequency in frequencies_of(tenant):
        if (name := export_name(frequency)) in targets:
            when = (SCHEDULE[frequency], CRON[frequency], ZoneInfo(ZONE_NAME))
            yield _line(connection, tenant, name, "nhsn_set", "full", *when)


def _line(
    connection: Connection,
    tenant: Tenant,
    name: str,
    report: str,
    content: str,
    schedule: str,
    cron: str,
    zone: ZoneInfo,
) -> _Line:
    from partner_exchange import clock
    from partner_exchange.exports.schedule import next_runs
    from partner_exchange.ledger import deliveries as ledger

    newest = next(iter(ledger.latest(connection, tenant.code, name, limit=1)), None)
    cursor = ledger.cursor(connection, tenant.code, name)
    open_one = ledger.open_of(connection, tenant.code, name)
    following = next_runs(cron, zone, after=clock.now(), count=1) if cron else []
    return _Line(
        tenant=tenant.code,
        export=name,
        report=report,
        content=content,
        schedule=schedule,
        cron=cron,
        zone=zone.key,
        next_run_at=following[0].astimezone(zone) if following else None,
        state=str(newest.state) if newest else "",
        delivered_at=ledger.last_delivered_at(connection, tenant.code, name),
        rows=newest.rows_total if newest else None,
        position=cursor.position if cursor else None,
        open_delivery=open_one.delivery_id if open_one else "",
        fault_code=open_one.fault_code if open_one else "",
    )


def _cells(one: _Line) -> tuple[str, ...]:
    following = one.next_run_at.isoformat(" ", "minutes") if one.next_run_at else "by hand"
    position = f"change {one.position}" if one.position is not None else ""
    last = (utc(one.delivered_at), count(one.rows), position, one.state, one.open_delivery, one.fault_code)
    return (one.tenant, one.export, one.report, one.content, one.schedule, following, *last)


def _delivery_cells(one: Delivery) -> tuple[str, ...]:
    return (
        one.delivery_id,
        one.tenant_code,
        one.export_name,
        utc(one.opened_at),
        str(one.state),
        count(one.rows_total),
        count(one.size_bytes),
        utc(one.delivered_at),
        one.delivered_name or one.file_name,
        str(one.attempts or ""),
        utc(one.next_attempt_at),
        one.fault_code,
    )


export_show.add_to(export_app)
export_run.add_to(export_app)
export_resend.add_to(export_app)
export_reports.add_to(export_app)
export_probe.add_to(export_app)
export_answers.add_to(export_app)
export_requests.add_to(export_app)
export_new.add_to(export_app)
