"""The demo's outgoing act: students are verified, and the partner finds them in a file within a minute."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

from partner_exchange import clock
from partner_exchange.ledger import deliveries
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.deliveries import SENT, Delivery
from partner_exchange.local.partner import Partner
from partner_exchange.stores import verifications
from partner_exchange.tenants.model import Tenant

EXPORT = "verified"
PATIENCE_S = 150.0
"""A minute of the schedule, and the tasks of a run, on a machine that is busy with other partners' files."""

_ACTOR = "demo"
_LOOK_S = 0.25


@dataclass(frozen=True)
class Verified:
    """Students that a person has just verified."""

    count: int
    at: datetime


@dataclass(frozen=True)
class Received:
    """A file that the partner has taken from the outbox."""

    delivery: Delivery
    text: str

    def complaint(self, verified: Verified) -> str:
        """Say what is not as it should be; "" when all is."""
        rows = self.text.splitlines()[1:]
        names = {row.partition(",")[0] for row in rows}
        found = (len(rows), len(names), self.delivery.rows_total)
        expected = (verified.count,) * 3
        return (
            "" if found == expected else f"Rows, students, rows counted: expected {expected}, found {found}."
        )


def verify_everybody(tenant: Tenant) -> Verified:
    """Verify all students of the tenant and return how many were not verified before."""
    at = clock.now()
    with transaction() as connection:
        counts = verifications.verify(
            connection,
            tenant.code,
            None,
            rule_version=tenant.roster.verification_rules,
            actor=_ACTOR,
            reason="demo",
        )
    return Verified(counts.changed, at)


def wait_for_file(tenant: Tenant, partner: Partner, verified: Verified) -> Received | None:
    """Return the file in which the verified students went out; None when none came in time."""
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        with transaction() as connection:
            sent = deliveries.latest(connection, tenant.code, EXPORT, states=SENT, limit=1)
        if sent and sent[0].opened_at >= verified.at:
            content = partner.get(f"{tenant.inbox.outbox}/{sent[0].delivered_name}")
            return Received(sent[0], content.decode())
        time.sleep(_LOOK_S)
    return None
