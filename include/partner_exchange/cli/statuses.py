"""``exchange statuses``: what the store knows of a tenant's resources (E30)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from partner_exchange.cli.options import (
    JSON_OPTION,
    TENANT_OPTION,
    database,
    plain,
    refuse_unknown_resource,
    resource_names,
    status_tenant,
    utc,
)
from partner_exchange.cli.tables import print_table
from partner_exchange.tenants.nearest import nearest

if TYPE_CHECKING:
    from partner_exchange.stores.statuses import OverdueStatus, Status, StatusChange
    from partner_exchange.tenants.catalogue import Catalogue
    from partner_exchange.tenants.model import Tenant

RESOURCE_OPTION = Annotated[str, typer.Option("--resource", "-r", help="Resource ID, as files carry it")]

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

    policy = status_tenant(tenant)
    with database() as connection:
        found = statuses.now(connection, tenant, resource_id=resource)
    if resource is not None and not found:
        refuse_unknown_resource(policy, resource)
    if as_json:
        _print_json([asdict(one) for one in found])
        return
    names, tests = resource_names(policy), {one.test_id for one in policy.status.resources}
    times = ("reported (UTC)", "confirmed (UTC)")
    header = ("resource", "name", "status type", "status", "level", *times, *_ORIGIN)
    rows = (
        (
            f"{one.resource_id} (test)" if one.resource_id in tests else one.resource_id,
            names.get(one.resource_id, ""),
            _name(policy.status.catalogue, one.status_type_id),
            _shown(one),
            one.level or one.colour,
            utc(one.reported_at),
            utc(one.confirmed_at),
            *_origin(one),
        )
        for one in found
    )
    print_table(header, rows, folded=("status",))


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

    policy = status_tenant(tenant)
    wanted = policy.status.catalogue.find(status_type)
    if wanted is None:
        near = nearest(status_type, (one.name for one in policy.status.catalogue))
        hint = f"Did you mean {near!r}?" if near else "Its Data Map lists them."
        message = f"{tenant} has no status type {status_type!r}. {hint}"
        raise typer.BadParameter(message, param_hint="--type")
    with database() as connection:
        found = statuses.history(connection, tenant, resource, wanted.id, limit=limit)
    if not found:
        refuse_unknown_resource(policy, resource)
    if as_json:
        _print_json([asdict(one) for one in found])
        return
    header = ("reported (UTC)", "status", "level", "reason", "comment", "recorded (UTC)", *_ORIGIN)
    rows = (
        (
            utc(one.reported_at),
            _shown(one),
            one.level or one.colour,
            one.reason,
            one.comment,
            utc(one.recorded_at),
            *_origin(one),
        )
        for one in found
    )
    print_table(header, rows, folded=("status", "comment"))


@app.command("overdue")
def overdue(
    tenant: TENANT_OPTION,
    with_never: Annotated[
        bool, typer.Option("--never", help="also list each status type that a resource never reported")
    ] = False,
    as_json: JSON_OPTION = False,
) -> None:
    """Show the statuses that should have been reported again by now: exit 1 when there are any.

    Only resources count that the partner file has an id for in the mode of now.
    """
    from partner_exchange import clock
    from partner_exchange.stores import statuses

    policy = status_tenant(tenant)
    catalogue = policy.status.catalogue
    ours = _names_now(policy)
    with database() as connection:
        every = statuses.overdue(connection, tenant, catalogue, at=clock.now())
        late = [one for one in every if one.resource_id in ours]
        quiet = [one for one in ours if one not in {found.resource_id for found in late}]
        silent = [one for one in quiet if not statuses.now(connection, tenant, resource_id=one)]
    if not any(one.is_settable and one.update_every_h is not None for one in catalogue):
        # Where nothing is to be reported again and again, nothing is missing.
        silent = []
    if as_json:
        is_test = policy.mode == "test"
        _print_json([*map(asdict, late), *(_never_at_all(one, is_test=is_test) for one in silent)])
    else:
        _print_overdue(policy, late, silent, with_never=with_never)
    raise typer.Exit(1 if late or silent else 0)


def _never_at_all(resource_id: str, *, is_test: bool) -> dict[str, object]:
    """Return the entry of a resource that never reported anything: without a status type."""
    unknown = dict.fromkeys(("status_type_id", "confirmed_at", "update_every_h"))
    return {"resource_id": resource_id, "is_test": is_test, "value": "", **unknown}


def _print_overdue(
    policy: Tenant, late: Sequence[OverdueStatus], silent: Sequence[str], *, with_never: bool
) -> None:
    """Print what stopped one by one, and in a line per resource what never began."""
    names = _names_now(policy)
    mark = " (test)" if policy.mode == "test" else ""
    shown = [one for one in late if with_never or one.confirmed_at is not None]
    never = Counter(one.resource_id for one in late if one.confirmed_at is None)
    rows = [
        (
            f"{one.resource_id}{mark}",
            names[one.resource_id],
            _name(policy.status.catalogue, one.status_type_id),
            utc(one.confirmed_at) if one.confirmed_at else "never",
            f"every {one.update_every_h:g} h",
        )
        for one in shown
    ]
    if rows or not (never or silent):
        print_table(("resource", "name", "status type", "last report (UTC)", "wanted"), rows)
    if not with_never:
        for resource_id, count in never.items():
            types = "1 type was" if count == 1 else f"{count} types were"
            hint = "--never lists it" if count == 1 else "--never lists them"
            print(f"{resource_id}{mark} {names[resource_id]}: {types} never reported ({hint}).")
    for resource_id in silent:
        print(f"{resource_id}{mark} {names[resource_id]}: never reported.")


_ORIGIN = ("submission", "row")


def _origin(one: Status | StatusChange) -> tuple[str, str]:
    """Return where it came from; a formula goes with the file whose values it used."""
    row = "" if one.row_number is None else str(one.row_number)
    return one.submission_id, "computed" if one.is_computed else row


def _names_now(policy: Tenant) -> dict[str, str]:
    """Return the names by id of the resources that report in the tenant's mode, in the tenant's order."""
    resources = policy.status.resources
    return {one.id_in(policy.mode): one.name for one in resources if one.id_in(policy.mode)}


def _name(catalogue: Catalogue, status_type_id: int) -> str:
    """Return the name; the number of a status type that the tenant no longer has."""
    return catalogue.get(status_type_id).name if status_type_id in catalogue else str(status_type_id)


def _shown(one: Status | StatusChange) -> str:
    return "not applicable" if one.is_not_applicable else one.value


def _print_json(found: Sequence[dict[str, Any]]) -> None:
    print(json.dumps(found, default=plain, ensure_ascii=False, indent=2))
