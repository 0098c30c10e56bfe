"""Options and small helpers that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from partner_exchange.settings import Settings
from partner_exchange.storage.folders import LocalHome
from partner_exchange.tenants.model import Tenant

TENANT_OPTION = Annotated[str, typer.Option("--tenant", "-t", help="code of the partner")]
MAYBE_TENANT_OPTION = Annotated[str | None, typer.Option("--tenant", "-t", help="only this partner")]
JSON_OPTION = Annotated[bool, typer.Option("--json", help="print JSON for machines")]


def local_home(settings: Settings, tenant: Tenant) -> LocalHome:
    """Return the tenant's home behind the gateway of this machine, with its inbox in place."""
    home = LocalHome(settings.partner_homes_dir / tenant.code)
    home.ensure_folder(tenant.inbox.folder)
    return home
