"""``exchange retention``: what a partner's retention lets go of, its purge, and what is gone (T39, K10)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from partner_exchange.cli.options import (
    BY_OPTION,
    JSON_OPTION,
    TENANT_OPTION,
    actor,
    database,
    local_home,
    plain,
    utc,
)
from partner_exchange.cli.tables import print_table
from partner_exchange.errors import ConfigError
from partner_exchange.tenants.model import GATEWAY

if TYPE_CHECKING:
    from partner_exchange.exports.retention import Due as OutboundDue
    from partner_exchange.ledger.tombstones import Removal
    from partner_exchange.storage.folders import Home
    from partner_exchange.submissions.retention import Due
    from partner_exchange.tenants.model import Tenant

_OWNER = "submission or delivery"

retention_app = typer.Typer(help="Files that are purged after a time.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(retention_app, name="retention")


@retention_app.command("list")
def retention_list(
    tenant: TENANT_OPTION,
    within: Annotated[int, typer.Option(min=0, help="also what will be due in so many days")] = 0,
    as_json: JSON_OPTION = False,
) -> None:
    """List what a purge would remove now; nothing is changed."""
    from partner_exchange.local.database import ensure_database
    from partner_exchange.settings import get_settings

    policy = _tenant(tenant)
    settings = get_settings()
    with ensure_database(settings):
        due = _find(local_home(settings, policy), policy, within_days=within)
    if as_json:
        print(json.dumps(_document(policy, due), ensure_ascii=False, indent=2))
        return
    if due is None:
        print(_why_not(policy))
        return
    inbound, outbound = due
    ended = {one.submission_id: one.finished_at for one in inbound.submissions}
    ended |= {one.delivery_id: one.ended_at for one in outbound.deliveries}
    print_table(
        ("kind", "path", "bytes", _OWNER, "ended (UTC)"),
        (
            (
                str(one.kind),
                one.path,
                str(one.size_bytes),
                _owner(one),
                utc(ended.get(_owner(one)), "minutes"),
            )
            for one in (*inbound.removals, *outbound.removals)
        ),
    )
    print(_totals(policy, due))


@retention_app.command("purge")
def retention_purge(
    tenant: TENANT_OPTION,
    is_confirmed: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
    by: BY_OPTION = None,
) -> None:
    """Remove what ``list`` shows, for good; each thing leaves a tombstone."""
    from partner_exchange.exports import purge as outbound
    from partner_exchange.feeds.answer import many
    from partner_exchange.local.database import ensure_database
    from partner_exchange.settings import get_settings
    from partner_exchange.submissions.purge import purge

    policy = _tenant(tenant)
    settings = get_settings()
    with ensure_database(settings):
        home = local_home(settings, policy)
        due = _find(home, policy)
        if due is None:
            print(_why_not(policy))
            return
        print(_totals(policy, due))
        if not is_confirmed:
            typer.confirm("Remove them for good?", abort=True)
        done = purge(home, policy, by=actor(by))
        sent = outbound.purge(home, policy, by=actor(by))
    print(
        f"{tenant}: purged {many(done.submissions, 'submission')}, {many(done.files, 'file')}, "
        f"{done.size_bytes:,} bytes; {many(done.waiting, 'submission')} for the next purge."
    )
    if sent != outbound.Purged():
        print(
            f"{tenant}: purged {_deliveries(sent.deliveries)}, {many(sent.files, 'file')}, "
            f"{sent.size_bytes:,} bytes; {_deliveries(sent.waiting)} for the next purge."
        )
    if done.failed or sent.failed:
        left = f"{many(done.failed, 'submission')} and {_deliveries(sent.failed)}"
        print(f"{left} with files that cannot be removed; the log says why. Purge again.")
        raise typer.Exit(1)


@retention_app.command("tombstones")
def retention_tombstones(
    tenant: TENANT_OPTION,
    as_json: JSON_OPTION = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="how many, newest first")] = 100,
) -> None:
    """List what was purged, with checksum, time and the retention by which it went."""
    from partner_exchange.ledger import tombstones
    from partner_exchange.tenants import registry

    registry.load_one(tenant)
    with database() as connection:
        found = tombstones.entries(connection, tenant, limit=limit)
    if as_json:
        rows = [asdict(one) for one in found]
        print(json.dumps(rows, default=plain, ensure_ascii=False, indent=2))
        return
    print_table(
        ("kind", "path", "bytes", "sha256", _OWNER, "days", "purged (UTC)"),
        (
            (
                str(one.kind),
                one.path,
                str(one.size_bytes),
                one.sha256,
                _owner(one),
                str(one.policy_days),
                utc(one.purged_at, "minutes") or "under way",
            )
            for one in found
        ),
    )


def _tenant(code: str) -> Tenant:
    """Return a tenant whose home is on this machine.

    :raises UnknownTenant: there is none of that code.
    :raises ConfigError: ``home-elsewhere``, another server holds the home.
    """
    from partner_exchange.tenants import registry

    policy = registry.load_one(code)
    if policy.inbox.connection != GATEWAY:
        message = (
            f"The home of {code} is on another server, which only Airflow reaches: the DAG "
            "housekeeping__retention purges it daily. `exchange retention tombstones` tells what is gone."
        )
        raise ConfigError("home-elsewhere", message, connection=policy.inbox.connection)
    return policy


def _find(home: Home, tenant: Tenant, *, within_days: int = 0) -> tuple[Due, OutboundDue] | None:
    """Return what is due of what came in and of what went out; None for a tenant whose files stay."""
    from partner_exchange.exports import retention as outbound
    from partner_exchange.submissions import retention as inbound

    came = inbound.find(home, tenant, within_days=within_days)
    went = outbound.find(home, tenant, within_days=within_days)
    return (came, went) if came is not None and went is not None else None


def _owner(one: Removal) -> str:
    """Return what a thing belongs to, "" for one that belongs to nothing."""
    return one.submission_id or one.delivery_id or ""


def _why_not(tenant: Tenant) -> str:
    if tenant.retention.legal_hold:
        return f"{tenant.code}: held. Nothing is purged while `retention.legal_hold` is set."
    return f"{tenant.code}: nothing is ever purged (`retention.days: never`)."


def _totals(tenant: Tenant, due: tuple[Due, OutboundDue]) -> str:
    """Return the sums, with a line for what went out where there is any of it."""
    from partner_exchange.feeds.answer import many

    inbound, outbound = due
    submissions = many(len(inbound.submissions), "submission")
    lines = [_total(tenant, inbound, submissions, many(inbound.waiting, "more submission"))]
    if outbound.deliveries or outbound.removals:
        waiting = _deliveries(outbound.waiting, "more ")
        lines.append(_total(tenant, outbound, _deliveries(len(outbound.deliveries)), waiting))
    return "\n".join(lines)


def _total(tenant: Tenant, due: Due | OutboundDue, ended: str, waiting: str) -> str:
    from partner_exchange.feeds.answer import many

    counts = ", ".join(f"{count} {kind}" for kind, count in _kinds(due.removals).items())
    size_bytes = sum(one.size_bytes for one in due.removals)
    return (
        f"{tenant.code}: {ended} ended before {utc(due.before, 'minutes')} UTC "
        f"({due.days} days), {many(len(due.removals), 'file')} ({counts or 'none'}), {size_bytes:,} bytes; "
        f"{waiting} for the next purge."
    )


def _deliveries(count: int, more: str = "") -> str:
    return f"{count} {more}{'delivery' if count == 1 else 'deliveries'}"


def _kinds(removals: Iterable[Removal]) -> dict[str, int]:
    return dict(sorted(Counter(str(one.kind) for one in removals).items()))


def _document(tenant: Tenant, due: tuple[Due, OutboundDue] | None) -> dict[str, object]:
    document: dict[str, object] = {
        "tenant": tenant.code,
        "days": tenant.retention.days,
        "legal_hold": tenant.retention.legal_hold,
    }
    if due is None:
        none = {"submissions": [], "deliveries": [], "files": [], "waiting": 0, "deliveries_waiting": 0}
        return {**document, "before": None, **none}
    inbound, outbound = due
    return {
        **document,
        "before": inbound.before.isoformat(),
        "submissions": [one.submission_id for one in inbound.submissions],
        "deliveries": [one.delivery_id for one in outbound.deliveries],
        "files": [asdict(one) for one in (*inbound.removals, *outbound.removals)],
        "waiting": inbound.waiting,
        "deliveries_waiting": outbound.waiting,
    }
