"""``exchange consent``: the registry of consents, and the doses that wait for one (T61, T62)."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from partner_exchange.cli.options import BY_OPTION, JSON_OPTION, TENANT_OPTION, actor, database, plain, utc
from partner_exchange.cli.tables import print_table
from partner_exchange.errors import ConfigError

if TYPE_CHECKING:
    from partner_exchange.feeds.vxu.consent_file import ConsentFile
    from partner_exchange.stores.consents import Held, Moved
    from partner_exchange.tenants.model import Tenant

consent_app = typer.Typer(
    help="Consents of patients, and the doses that are held for want of one.", no_args_is_help=True
)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(consent_app, name="consent")


@consent_app.command("import")
def consent_import(
    tenant: TENANT_OPTION,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV file of consents")
    ],
    as_json: JSON_OPTION = False,
    by: BY_OPTION = None,
) -> None:
    """Record consents, release what waited for them, and take out what lost them.

    Exit 0 when every line was taken, 1 when some were not, 2 when the file was refused.
    """
    from partner_exchange import clock
    from partner_exchange.feeds.vxu.consent_file import read_consents
    from partner_exchange.stores import consents

    policy = _tenant(tenant)
    now, who = clock.now(), actor(by)
    today = now.astimezone(ZoneInfo(policy.time_zone)).date()
    read = read_consents(file.read_bytes(), file_name=file.name, today=today)
    recorded, moved = 0, None
    if not read.is_refused:
        with database() as connection:
            recorded = consents.record(
                connection, read.records, tenant_code=tenant, source=file.name, actor=who, now=now
            )
            moved = consents.release(connection, policy, actor=who, now=now)
    if as_json:
        print(json.dumps(_import_document(read, recorded, moved), ensure_ascii=False, indent=2))
    else:
        _print_import(file.name, read, recorded, moved)
    raise typer.Exit(2 if read.is_refused else 1 if read.rejected else 0)


@consent_app.command("list")
def consent_list(
    tenant: TENANT_OPTION,
    with_ids: Annotated[
        bool, typer.Option("--ids", help="list every record with its patient ID: for your own terminal only")
    ] = False,
    as_json: JSON_OPTION = False,
) -> None:
    """Count the consents on record by type and status."""
    from partner_exchange.stores import consents

    _tenant(tenant)
    with database() as connection:
        counts = consents.counts(connection, tenant)
        listed = consents.listed(connection, tenant) if with_ids else []
    if as_json:
        document = {"counts": [asdict(one) for one in counts]}
        extra = {"records": [asdict(one) for one in listed]} if with_ids else {}
        print(json.dumps({**document, **extra}, default=plain, ensure_ascii=False, indent=2))
        return
    print_table(("type", "status", "records"), ((one.type, one.status, str(one.count)) for one in counts))
    if with_ids:
        print_table(
            ("authority", "patient ID", "type", "status", "of", "recorded (UTC)", "source"),
            (
                (
                    one.authority,
                    one.identifier or "(by name)",
                    one.type,
                    one.status,
                    one.consented_on.isoformat(),
                    utc(one.recorded_at, "minutes"),
                    one.source,
                )
                for one in listed
            ),
        )


@consent_app.command("held")
def consent_held(tenant: TENANT_OPTION, as_json: JSON_OPTION = False) -> None:
    """Tell how much is held, since when, and when the oldest of it will be purged."""
    from partner_exchange.stores import consents

    policy = _tenant(tenant)
    with database() as connection:
        held = consents.held(connection, tenant)
    until = _purged_at(policy, held)
    if as_json:
        document = {**asdict(held), "oldest_purged_at": until}
        print(json.dumps(document, default=plain, indent=2))
        return
    print(f"{tenant}: {held.doses} doses of {held.patients} patients are held.")
    if held.oldest_at is not None:
        end = f"it will be purged after {utc(until, 'minutes')} UTC" if until else "it is never purged"
        print(f"The oldest is held since {utc(held.oldest_at, 'minutes')} UTC; {end}.")


@consent_app.command("release")
def consent_release(tenant: TENANT_OPTION, as_json: JSON_OPTION = False, by: BY_OPTION = None) -> None:
    """Bring the store in line with the consents of today, as each import does too."""
    from partner_exchange import clock
    from partner_exchange.stores import consents

    policy = _tenant(tenant)
    with database() as connection:
        moved = consents.release(connection, policy, actor=actor(by), now=clock.now())
    print(json.dumps(asdict(moved), indent=2) if as_json else _moved(moved))


@consent_app.command("purge")
def consent_purge(
    tenant: TENANT_OPTION,
    is_dry_run: Annotated[bool, typer.Option("--dry-run", help="only tell how many")] = False,
    as_json: JSON_OPTION = False,
    by: BY_OPTION = None,
) -> None:
    """Remove the doses that are held longer than the partner file allows (vxu.held_days), for good."""
    from partner_exchange import clock
    from partner_exchange.stores import consents

    policy, now = _tenant(tenant), clock.now()
    with database() as connection:
        if is_dry_run:
            count = consents.held_expired(connection, policy, now=now)
        else:
            count = consents.purge_held(connection, policy, actor=actor(by), now=now)
    if as_json:
        print(json.dumps({"doses": count, "is_dry_run": is_dry_run}, indent=2))
        return
    verb = "would be removed" if is_dry_run else "were removed"
    print(f"{tenant}: {count} held doses {verb} ({_held_days(policy)}).")


def _tenant(code: str) -> Tenant:
    """Return a tenant that sends immunizations.

    :raises UnknownTenant: there is none of that code.
    :raises ConfigError: ``feed-without-consents``, it sends another feed.
    """
    from partner_exchange.tenants import registry

    policy = registry.load_one(code)
    if policy.feed != "vxu":
        message = (
            f"{code} sends the feed {policy.feed}; consents belong to the feed vxu. Name such a partner."
        )
        raise ConfigError("feed-without-consents", message, feed=policy.feed)
    return policy


def _import_document(read: ConsentFile, recorded: int, moved: Moved | None) -> dict[str, object]:
    told = read.findings.table.rename(columns={"row": "line"})
    return {
        "is_refused": read.is_refused,
        "lines": read.lines,
        "recorded": recorded,
        "known": read.lines - read.rejected - recorded,
        "rejected": read.rejected,
        "released": moved.released if moved else 0,
        "taken_out": moved.taken_out if moved else 0,
        "findings": json.loads(
            told[["line", "column", "severity", "code", "message"]].to_json(orient="records")
        ),
    }


def _print_import(name: str, read: ConsentFile, recorded: int, moved: Moved | None) -> None:
    known = read.lines - read.rejected - recorded
    state = "refused" if read.is_refused else "imported"
    print(f"{name}: {state}")
    print(f"lines {read.lines}: recorded {recorded}, known or repeated {known}, rejected {read.rejected}")
    if moved is not None:
        print(_moved(moved))
    if read.findings.groups:
        print_table(
            ("severity", "code", "column", "count", "lines", "what and what to do"),
            (
                (str(one.severity), one.code, one.column, str(one.count), one.row_ranges, one.message)
                for one in read.findings.groups
            ),
            folded=("lines", "what and what to do"),
        )


def _moved(moved: Moved) -> str:
    return f"doses released {moved.released}, taken out of the store {moved.taken_out}"


def _purged_at(tenant: Tenant, held: Held) -> datetime | None:
    days = tenant.vxu.held_days
    if held.oldest_at is None or days is None or tenant.retention.legal_hold:
        return None
    return held.oldest_at + timedelta(days=days)


def _held_days(tenant: Tenant) -> str:
    if tenant.retention.legal_hold:
        return "`retention.legal_hold` is set, so nothing is purged"
    days = tenant.vxu.held_days
    return "`vxu.held_days` is not set, so nothing is purged" if days is None else f"held over {days} days"
