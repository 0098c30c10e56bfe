"""``exchange export probe``: a target tried step by step before its first file (M70, M71)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import date
from functools import partial
from typing import Annotated

import typer

from partner_exchange.cli.export_common import FAILED_OUTSIDE, connection_end, plainly, target_opener
from partner_exchange.cli.options import JSON_OPTION, MAYBE_TENANT_OPTION
from partner_exchange.tenants.exports import Target
from partner_exchange.tenants.model import Tenant


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command("probe")(probe)


def probe(
    export: Annotated[
        str | None, typer.Argument(metavar="EXPORT", help="export of the partner file", show_default=False)
    ] = None,
    tenant: MAYBE_TENANT_OPTION = None,
    connection: Annotated[
        str | None, typer.Option("--connection", help="instead of an export: this Airflow connection")
    ] = None,
    folder: Annotated[str | None, typer.Option("--folder", help="with --connection: folder there")] = None,
    as_json: JSON_OPTION = False,
) -> None:
    """Try a target: login, host key, folder, write, rename, remove. Exit 0 when all holds, 1 when not.

    A small file is written under a hidden name and removed again.
    """
    from partner_exchange.exports.delivery import probe as probing
    from partner_exchange.local.database import ensure_database
    from partner_exchange.settings import get_settings

    settings = get_settings()
    with plainly():
        policy, target = _wanted(export, tenant, connection, folder)
    ends: Callable[[], date | None] | None = None
    if target.kind == "server":
        ends = partial(connection_end, settings, target.connection)
    # Connections that are in no environment variable are in Airflow's database, on the same server as ours.
    with ensure_database(settings):
        steps = probing.probe(partial(target_opener(settings), policy, target), expires_on=ends)
    if as_json:
        print(json.dumps([asdict(step) for step in steps], ensure_ascii=False, indent=2))
    else:
        for step in steps:
            verdict = "FAIL" if not step.is_ok else "warn" if step.code else "pass"
            code = f" ({step.code})" if step.code else ""
            print(f"{verdict}  {step.name:<12} {step.sentence}{code}")
    raise typer.Exit(0 if all(step.is_ok for step in steps) else FAILED_OUTSIDE)


def _wanted(
    export: str | None, tenant: str | None, connection: str | None, folder: str | None
) -> tuple[Tenant, Target]:
    """Return what to try, and for whom.

    :raises BadParameter: neither an export of a partner nor a connection with a folder is named.
    """
    from partner_exchange.exports import plan as plans
    from partner_exchange.tenants import registry

    if export is not None and tenant is not None and connection is None and folder is None:
        policy = registry.load_one(tenant)
        return policy, plans.target_of(policy, export)
    if export is None and connection and folder:
        # A server is opened by its connection alone; a partner may not be there yet.
        policy = registry.load_one(tenant) if tenant else Tenant(code="probe", name="Probe", feed="roster")
        return policy, Target(kind="server", connection=connection, folder=folder)
    raise typer.BadParameter("name --tenant and an export, or --connection and --folder")
