"""Options and small helpers that several commands share."""

from __future__ import annotations

import base64
import getpass
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from partner_exchange.errors import ConfigError
from partner_exchange.settings import Settings
from partner_exchange.storage.folders import LocalHome
from partner_exchange.tenants.model import Tenant
from partner_exchange.tenants.nearest import nearest

if TYPE_CHECKING:
    from sqlalchemy import Connection

TENANT_OPTION = Annotated[str, typer.Option("--tenant", "-t", help="code of the partner")]
MAYBE_TENANT_OPTION = Annotated[str | None, typer.Option("--tenant", "-t", help="only this partner")]
JSON_OPTION = Annotated[bool, typer.Option("--json", help="print JSON for machines")]
BY_OPTION = Annotated[str | None, typer.Option(help="who does it; kept in the audit trail")]


@contextmanager
def database() -> Iterator[Connection]:
    """Yield a transaction on the exchange's database, which is started for the command if it is not up."""
    from partner_exchange.ledger.database import transaction
    from partner_exchange.local.database import ensure_database
    from partner_exchange.settings import get_settings

    with ensure_database(get_settings()), transaction() as connection:
        yield connection


def actor(by: str | None) -> str:
    """Return who acts: the one named, else the user of the operating system."""
    return by or getpass.getuser()


def plain(value: object) -> str | dict[str, Any]:
    """Return what JSON has no form for: a dataclass by its fields, a day or an instant in ISO form."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def utc(at: datetime | None, to: Literal["minutes", "seconds"] = "seconds") -> str:
    """Return an instant for a table or a sentence, such as ``2026-11-21 18:00:00``, "" for none."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", to) if at else ""


def local_home(settings: Settings, tenant: Tenant) -> LocalHome:
    """Return the tenant's home behind the gateway of this machine, with its inbox in place."""
    home = LocalHome(settings.partner_homes_dir / tenant.code)
    home.ensure_folder(tenant.inbox.folder)
    return home


def status_tenant(code: str) -> Tenant:
    """Return a tenant that sends statuses.

    :raises UnknownTenant: there is none of that code.
    :raises ConfigError: ``feed-without-statuses``, it sends another feed.
    """
    from partner_exchange.tenants import registry

    policy = registry.load_one(code)
    if policy.feed != "status":
        message = (
            f"{code} sends the feed {policy.feed}. Only a partner with the feed status has templates, a Data "
            "Map, statuses and sets for NHSN; name one of those."
        )
        raise ConfigError("feed-without-statuses", message, feed=policy.feed)
    return policy


def resource_names(tenant: Tenant) -> dict[str, str]:
    """Return the names of all resources by their ids of both modes."""
    resources = tenant.status.resources
    return {one: each.name for each in resources for one in (each.production_id, each.test_id) if one}


def refuse_unknown_resource(tenant: Tenant, resource_id: str) -> None:
    """Refuse an id that the tenant file has in neither mode: nothing known of it is no answer (E30).

    :raises BadParameter: names the nearest resource, by id or by name.
    """
    names = resource_names(tenant)
    if resource_id in names:
        return
    by_name = {one.name: one.id_in(tenant.mode) or one.production_id for one in tenant.status.resources}
    near = nearest(resource_id, [*names, *by_name])
    near = near if near in names else by_name.get(near, "")
    hint = f"Did you mean {near!r} ({names[near]})?" if near else "Its Data Map lists them."
    message = f"{tenant.code} has no resource {resource_id!r}. {hint}"
    raise typer.BadParameter(message, param_hint="--resource")


def fingerprint(blob: bytes) -> str:
    """Return the fingerprint of a public key in wire format, as OpenSSH shows it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def gateway_fingerprints(settings: Settings) -> list[str]:
    """Return those of this machine's gateway, the preferred host key first; none where it has not run."""
    from partner_exchange.gateway.host_keys import host_key_files

    publics = [path.with_name(f"{path.name}.pub") for path in host_key_files(settings)]
    return [fingerprint(base64.b64decode(path.read_text().split()[1])) for path in publics if path.is_file()]
