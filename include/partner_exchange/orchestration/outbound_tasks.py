"""The tasks of a run of sets for NHSN: thin wrappers around ``exports.nhsn``; ``confirm`` is that of exports.

A task hands on ids and counts only; the ledger holds the rest. Whatever a step needs is imported when the
task runs.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import TriggerRule, get_current_context, task

from partner_exchange.orchestration.ladder_policy import LADDER_ARGUMENTS
from partner_exchange.orchestration.tasks import STEP_TIMEOUT

if TYPE_CHECKING:
    from partner_exchange.tenants.resources import Frequency

_logger = logging.getLogger(__name__)


def _run_after() -> datetime:
    """Return the instant that the run was scheduled for or started by hand."""
    return get_current_context()["dag_run"].run_after


@task(task_id="build_set", execution_timeout=STEP_TIMEOUT)
def build_set(tenant_code: str, frequency: Frequency) -> list[dict[str, Any]]:
    """Build every set that is due; return name, due time, counts and checksum of each."""
    from partner_exchange import clock
    from partner_exchange.exports.nhsn import sets
    from partner_exchange.tenants import registry

    tenant = registry.load_one(tenant_code)
    # The clock of this machine may be a moment behind the scheduler's: the set would be a day late.
    until = max(clock.now(), _run_after())
    return [built.as_dict() for built in sets.catch_up(tenant, frequency, until=until)]


@task(task_id="deliver_sets", execution_timeout=STEP_TIMEOUT, multiple_outputs=False, **LADDER_ARGUMENTS)
def deliver_sets(tenant_code: str, frequency: Frequency) -> list[dict[str, Any]]:
    """Deliver every set that waits; return ids and counts. Skipped for a tenant whose sets stay here."""
    from airflow.sdk.exceptions import AirflowSkipException

    from partner_exchange.exports.nhsn import sending
    from partner_exchange.orchestration.targets import open_target
    from partner_exchange.tenants import registry

    tenant = registry.load_one(tenant_code)
    if not sending.sends(tenant):
        raise AirflowSkipException("Sets stay in the archive: there is no `nhsn_target`, or `mode` is test.")
    return [sent.counts() for sent in sending.send(tenant, frequency, open_target)]


@task(
    task_id="report",
    # Runs whatever became of the sets: the run shows the color of this task.
    trigger_rule=TriggerRule.ALL_DONE,
    execution_timeout=STEP_TIMEOUT,
)
def report(tenant_code: str, frequency: Frequency) -> dict[str, Any]:
    """Return how many resources are in which state; fail the run when a set is missing or not delivered.

    The log has a line for each resource: its state, and why it is in it. What a hospital did not report is
    its own state and fails nothing.
    """
    from airflow.sdk.exceptions import AirflowFailException

    from partner_exchange.exports.nhsn import sending, sets
    from partner_exchange.tenants import registry

    tenant = registry.load_one(tenant_code)
    missing = sets.pending(tenant, frequency, until=_run_after())
    if missing:
        due = ", ".join(one.at.isoformat() for one in missing)
        raise AirflowFailException(
            f"{len(missing)} sets are not built: due {due}. The log of build_set says why; the next run "
            "builds them."
        )
    _log_states(tenant_code, frequency)
    waiting = sending.undelivered_sets(tenant, frequency)
    if waiting:
        due = ", ".join(one.at.isoformat() for one in waiting)
        raise AirflowFailException(
            f"{len(waiting)} sets are built and not delivered: due {due}. The log of deliver_sets says why; "
            "the next run takes up where it stopped."
        )
    return sets.summary(tenant, frequency)


def _log_states(tenant_code: str, frequency: Frequency) -> None:
    """Log the state of each resource at the last due time with the reason in words; never a value.

    What NHSN wrote may hold values, so of an answer only our own code is logged.
    """
    from partner_exchange.ledger import nhsn as ledger
    from partner_exchange.ledger.database import transaction
    from partner_exchange.ledger.nhsn import NhsnOrigin

    with transaction() as connection:
        due_at = ledger.last_due(connection, tenant_code, frequency)
        known = ledger.states(connection, tenant_code, frequency, due_at) if due_at else []
    for one in known:
        why = one.comment if one.origin is NhsnOrigin.SET else one.reason_code
        _logger.info("%s: %s%s", one.resource_id, one.state, f". {why}" if why else "")
