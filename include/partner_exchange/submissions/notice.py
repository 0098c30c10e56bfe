"""The notice in an inbox whose intake is suspended (M39): it tells the partner why and what to do."""

from __future__ import annotations

from partner_exchange.ledger.intake import Suspension
from partner_exchange.storage import paths
from partner_exchange.storage.folders import Home
from partner_exchange.tenants.model import Tenant


def put_notice(home: Home, tenant: Tenant, suspension: Suspension) -> None:
    """Write the notice unless it is there; while it is, the inbox trigger does not ring."""
    place = paths.suspended_notice(tenant.inbox.folder)
    if home.exists(place):
        return
    lines = [
        f"Intake is suspended since {suspension.suspended_at:%Y-%m-%d %H:%M} UTC.",
        f"Reason: {suspension.reason} ({suspension.reason_code})",
        "What to do: tell us that the cause is remedied; we then resume intake.",
        "Files that you drop meanwhile stay here and are processed as soon as intake is resumed;",
        "a file of the same name replaces the one that waits.",
    ]
    if tenant.contacts.support:
        lines.append(f"Contact: {tenant.contacts.support}")
    home.write(place, ("\r\n".join(lines) + "\r\n").encode())


def remove_notice(home: Home, tenant: Tenant) -> None:
    """Take the notice away; the trigger sees the waiting files at its next look."""
    home.remove(paths.suspended_notice(tenant.inbox.folder))
