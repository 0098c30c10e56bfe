"""The tasks of an export's run: thin wrappers around ``exports.runs`` and ``exports.answers``.

A task hands on ids and counts only; the ledger holds the rest. Whatever a step needs is imported when the
task runs.
"""

from __future__ import annotations

import logging
import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import TriggerRule, get_current_context, task

from partner_exchange import clock
from partner_exchange.errors import ExchangeError, ExportBlocked, Transient
from partner_exchange.orchestration.ladder_policy import LADDER_ARGUMENTS
from partner_exchange.orchestration.tasks import STEP_TIMEOUT

if TYPE_CHECKING:
    from airflow.sdk.types import DagRunProtocol

    from partner_exchange.tenants.model import Tenant

_logger = logging.getLogger(__name__)

_OF_THE_SCHEDULE = ("scheduled", "backfill")

ON_TIME = timedelta(minutes=10)
"""How long after its time a run of the schedule may start and still be one that somebody waits for."""

_LINE_LENGTH = 100


def due_at(run: DagRunProtocol) -> datetime | None:
    """Return the time of the schedule that a run serves; None when a person started it.

    A run by hand has a logical date as well, but that is only when somebody pressed the button.
    """
    return run.logical_date if run.run_type in _OF_THE_SCHEDULE else None


def is_made_up(run: DagRunProtocol) -> bool:
    """Say whether Airflow starts the run for a time that it missed, as the first one of a DAG that is new.

    Not one that a person asks for, by a backfill or by clearing it.
    """
    if run.run_type != "scheduled" or run.logical_date is None or run.clear_number:
        return False
    return (run.start_date or clock.now()) - run.logical_date > ON_TIME


def in_lines(message: str) -> str:
    """Return the message in lines that a log shows whole; a command in backquotes stays on one of them."""
    kept = re.sub(r"`[^`]*`", lambda command: command[0].replace(" ", "\0"), message)
    lines = textwrap.fill(kept, _LINE_LENGTH, break_long_words=False, break_on_hyphens=False)
    return lines.replace("\0", " ")


def _skip(reason: str) -> NoReturn:
    """Skip the task; Airflow itself does not show the reason in its log."""
    from airflow.sdk.exceptions import AirflowSkipException

    _logger.info("%s", in_lines(reason))
    raise AirflowSkipException(reason)


def _fail(message: str) -> NoReturn:
    """Fail the task for good, with the message readable in front of the traceback."""
    from airflow.sdk.exceptions import AirflowFailException

    _logger.error("%s", in_lines(message))
    raise AirflowFailException(message)


@contextmanager
def _saying_why() -> Iterator[None]:
    """Log the message of our errors in front of the traceback; one that is tried again as a warning."""
    try:
        yield
    except ExchangeError as error:
        level = logging.WARNING if isinstance(error, Transient) else logging.ERROR
        _logger.log(level, "%s", in_lines(error.message))
        raise


@task(task_id="select", execution_timeout=STEP_TIMEOUT, **LADDER_ARGUMENTS)
def select(tenant_code: str, export_name: str) -> str:
    """Open the delivery, or take up the open one, and return its id; skip the run when nothing is to go.

    Fails as long as a dead letter stands in front.
    """
    from airflow.sdk.exceptions import AirflowFailException

    from partner_exchange.exports.runs import select as step
    from partner_exchange.tenants import registry

    tenant = registry.load_one(tenant_code)
    run = get_current_context()["dag_run"]
    not_yet = _why_not_yet(tenant, export_name) if is_made_up(run) else None
    if not_yet:
        _skip(not_yet)
    try:
        with _saying_why():
            delivery = step.select(tenant, export_name, due_at=due_at(run))
    except ExportBlocked as error:
        # The colour of the newest run is the state of the export.
        raise AirflowFailException(error.message) from None
    if delivery is None:
        _skip(_why_nothing(tenant, export_name, due_at(run)))
    return delivery.delivery_id


def _why_not_yet(tenant: Tenant, export_name: str) -> str | None:
    """Return why a time that was missed is not made up for; None when the export had a delivery before."""
    from partner_exchange.exports.schedule import next_runs
    from partner_exchange.ledger import deliveries as ledger
    from partner_exchange.ledger.database import transaction

    export = tenant.exports.get(export_name)
    if export is None or not export.cron:
        return None
    with transaction() as connection:
        if ledger.latest(connection, tenant.code, export_name, limit=1):
            return None
    (next_at,) = next_runs(export.cron, tenant.zone_of(export), after=clock.now(), count=1)
    return (
        "The export is new: its first file goes at the next time of its schedule, "
        f"{next_at:%Y-%m-%d %H:%M}Z; `exchange export run --tenant {tenant.code} {export_name}` sends it now."
    )


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
    from partner_exchange.exports.runs import write as step

    with _saying_why():
        delivery = step.write(delivery_id)
    if delivery is None:
        _skip("There is no row, and `when_empty` of the export says no file then.")
    return delivery.counts()


@task(task_id="deliver", execution_timeout=STEP_TIMEOUT, multiple_outputs=False, **LADDER_ARGUMENTS)
def deliver(delivery_id: str) -> dict[str, Any]:
    """Put the file where it belongs, once."""
    from partner_exchange.exports.runs import deliver as step
    from partner_exchange.orchestration.targets import open_target

    with _saying_why():
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
        _logger.info("No answers are looked for: none are agreed with the partner (`target.answers`).")
        return {}
    try:
        return answers.collect(tenant, export_name, open_target).as_dict()
    except DeliveryError as error:
        _logger.info("%s", in_lines(f"Answers are looked for again later: {error.message}"))
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
    from partner_exchange.exports.runs.turns import blocked
    from partner_exchange.ledger import deliveries as ledger
    from partner_exchange.ledger.database import transaction
    from partner_exchange.notify import outbox

    mails = outbox.deliver(topic=delivery_id).as_dict()
    with transaction() as connection:
        delivery = ledger.get(connection, delivery_id)
    if delivery.state is ledger.DeliveryState.DEAD:
        _fail(blocked(delivery).message)
    if delivery.state not in ledger.SENT:
        _fail(
            f"Delivery {delivery_id} is {delivery.state} and was not delivered; the log of the red task says "
            "why. The next run takes it up, and so does clearing that task."
        )
    return {**delivery.counts(), "mails": mails}
