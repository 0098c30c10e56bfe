"""Open a suspended intake again (M39)."""

from __future__ import annotations

from partner_exchange.ledger import audit, intake
from partner_exchange.ledger.database import transaction
from partner_exchange.storage.folders import Home
from partner_exchange.submissions.notice import remove_notice
from partner_exchange.tenants.model import Tenant


def resume(home: Home, tenant: Tenant, *, by: str) -> bool:
    """Lift the suspension, then take the notice away; False when intake was open.

    The notice goes last; should it stay, the next claim takes it away, since the ledger alone decides.
    """
    with transaction() as connection:
        suspension = intake.suspension(connection, tenant.code)
        if suspension is not None:
            intake.resume(connection, tenant.code, by=by)
            audit.record(
                connection,
                actor=by,
                tenant_code=tenant.code,
                action="intake.resume",
                subject=suspension.submission_id or tenant.code,
                facts={"reason_code": suspension.reason_code},
            )
    remove_notice(home, tenant)
    return suspension is not None
