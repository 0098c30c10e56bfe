"""The tasks of an export's run: thin wrappers around ``exports.runs`` and ``exports.answers``.

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
    from airflow.sdk.types import DagRunProtocol

    from partner_exchange.tenants.model import Tenant

_logger = logging.getLogger(__name__)

_OF_THE_SCHEDULE = ("scheduled", "backfill")


def due_at(run: DagRunProtocol) -> datetime | None:
    """Return the time of the schedule that a run serves; None when a person started it.

    A run by hand has a logical date as well, but that is only when somebody pressed the button.
    """
    return run.logical_date if run.run_type in _OF_THE_SCHEDULE else None


@task(task_id="select", execution_timeout=STEP_TIMEOUT, **LADDER_ARGUMENTS)
def select(tenant_code: str, export_name: str) -> str:
    """Open the delivery, or take up the open one, and return its id; skip the run when nothing is to go."""
    from airflow.sdk.exceptions import AirflowSkipException

    from partner_exchange.errors import ExportBlocked
    from partner_exchange.exports.runs import select as step
    from partner_exchange.tenants import registry

    tenant = registry.load_one(tenant_code)
    due = due_at(get_current_context()["dag_run"])
    try:
        delivery = step.select(tenant, export_name, due_at=due)
    except ExportBlocked as error:
        # Its mail is out, and ``housekeeping__targets`` turns red: every run in red would only hide others.
        raise AirflowSkipException(error.message) from None
    if delivery is None:
        raise AirflowSkipException(_why_nothing(tenant, export_name, due))
    return delivery.delivery_id


def _why_nothing(tenant: Tenant, export_name: str, due: datetime | None) -> str:
    from partner_exchange.ledger import deliveries as ledger
    from partner_exchange.ledger.database import transaction

    with transaction() as connection:
        if due is not None and ledger.is_served(connection, tenant.code, export_name, due):
            return f"The schedule's time {due:%Y-%m-%d %H:%M}Z was served before; nothing goes twice."
        last_at = ledger.last_delivered_at(connection, tenant.code, export_name)
    since = f"since the last delivery, {last_at:%Y-%m-%d %H:%M}Z" if last_at else "so far"
    return f"Nothing has changed {since}; `when_empty` of the export says whether an empty file goes."


@task(task_id="write", execution_timeout=STEP_TIMEOUT, multiple_outputs=False, **LADDER_ARGUMENTS)
def write(delivery_id: str) -> dict[str, Any]:
    """Write the file into the archive; skip what follows when it would have no row and is not to go then."""
    from airflow.sdk.exceptions import AirflowSkipException

    from partner_exchange.exports.runs import write as step

    delivery = step.write(delivery_id)
    if delivery is None:
        raise AirflowSkipException("There is no row, and `when_empty` of the export says no file then.")
    return delivery.counts()


@task(task_id="deliver", execution_timeout=STEP_TIMEOUT, multiple_outputs=False, **LADDER_ARGUMENTS)
def deliver(delivery_id: str) -> dict[str, Any]:
    """Put the file where it belongs, once."""
    from partner_exchange.exports.runs import deliver as step
    from partner_exchange.orchestration.targets import open_target

    counts = step.deliver(delivery_id, open_target).counts()
    context = get_current_context()
    for asset in context["task"].outlets:
        context["outlet_events"][asset].extra = {"delivery": delivery_id, "rows": counts["rows"]}
    return counts


@task(task_id="confirm", execution_timeout=STEP_TIMEOUT, multiple_outputs=False)
def confirm(tenant_code: str, export_name: str) -> dict[str, int]:
    """Look for the answers to an export or a set (X11); housekeeping looks again at a server that is away."""
    from partner_exchange import log
    from partner_exchange.errors import DeliveryError
    from partner_exchange.exports import answers
    from partner_exchange.orchestration.targets import open_target
    from partner_exchange.tenants import registry

    tenant = registry.load_one(tenant_code)
    target = tenant.targets().get(export_name)
    if target is None or target.answers is None:
        # Not skipped: a skipped task would take ``notify`` with it.
        return {}
    try:
        return answers.collect(tenant, export_name, open_target).as_dict()
    except DeliveryError as error:
        log.event(_logger, "export.confirm", tenant=tenant_code, export=export_name, code=error.code)
        return {"unreachable": 1}


@task(
    task_id="notify",
    # Runs when a step failed, is skipped when one was, and the run shows its color: it fails when the file
    # did not get to its place.
    trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS,
    execution_timeout=STEP_TIMEOUT,
    multiple_outputs=False,
)
def notify(delivery_id: str) -> dict[str, Any]:
    """Send the mails about the delivery, and fail the run when it was not delivered."""
    from airflow.sdk.exceptions import AirflowFailException

    from partner_exchange.exports.runs.turns import blocked
    from partner_exchange.ledger import deliveries as ledger
    from partner_exchange.ledger.database import transaction
    from partner_exchange.notify import outbox

    mails = outbox.deliver(topic=delivery_id).as_dict()
    with transaction() as connection:
        delivery = ledger.get(connection, delivery_id)
    if delivery.state is ledger.DeliveryState.DEAD:
        raise AirflowFailException(blocked(delivery).message)
    if delivery.state not in ledger.SENT:
        raise AirflowFailException(
            f"Delivery {delivery_id} is {delivery.state} and was not delivered; the log of the red task says "
            "why. The next run takes it up, and so does clearing that task."
        )
    return {**delivery.counts(), "mails": mails}
