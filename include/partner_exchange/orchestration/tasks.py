"""The tasks of an inbound run and of housekeeping: thin wrappers around ``submissions`` and ``notify``.

A task hands on ids and counts only; the ledger holds the rest. Whatever a step needs is imported when the
task runs.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import TriggerRule, get_current_context, task, task_group

from partner_exchange.orchestration.export_assets import store_asset
from partner_exchange.orchestration.sensor import Settled

if TYPE_CHECKING:
    from partner_exchange.tenants.model import Tenant

CLAIM_LIMIT = 200
"""Submissions of one run; the trigger rings for the rest as soon as the claim has left it behind (AN 4)."""

STEP_TIMEOUT = timedelta(hours=2)
"""A step that hangs this long is ended and tried again."""

_LABEL = "{{ file_name }}"
"""Mapped tasks show the name of the file, not a bare index."""


def _tenant(tenant_code: str) -> Tenant:
    from partner_exchange.tenants import registry

    return registry.load_one(tenant_code)


def _show_file_name(submission_id: str) -> None:
    from partner_exchange.ledger import submissions
    from partner_exchange.ledger.database import transaction

    with transaction() as connection:
        file_name = submissions.get(connection, submission_id).file_name
    get_current_context()["file_name"] = file_name  # type: ignore[typeddict-unknown-key] # the label's own key


@task(task_id="claim", execution_timeout=STEP_TIMEOUT)
def claim(tenant_code: str, settled: Settled) -> list[str]:
    """Take the complete files and return the submissions to process; skip the run when there is none."""
    from airflow.sdk.exceptions import AirflowSkipException

    from partner_exchange.orchestration.inbox import open_home
    from partner_exchange.submissions import claim as step

    tenant = _tenant(tenant_code)
    with open_home(tenant, settled=settled) as home:
        claimed = step.claim(home, tenant, limit=CLAIM_LIMIT)
    if not claimed:
        raise AirflowSkipException("Nothing to claim: the inbox is empty, or intake is suspended.")
    return [submission.submission_id for submission in claimed]


@task(task_id="validate", map_index_template=_LABEL, execution_timeout=STEP_TIMEOUT)
def validate(submission_id: str) -> dict[str, Any]:
    """Check every row; findings go to the ledger, good rows to the work area."""
    from partner_exchange.submissions import validate as step

    _show_file_name(submission_id)
    return step.validate(submission_id).as_dict()


@task(task_id="load", map_index_template=_LABEL, execution_timeout=STEP_TIMEOUT)
def load(submission_id: str) -> dict[str, Any]:
    """Merge the good rows into the store, in one transaction with the ledger."""
    from partner_exchange.submissions import load as step

    _show_file_name(submission_id)
    return step.load(submission_id).as_dict()


@task(task_id="respond", map_index_template=_LABEL, execution_timeout=STEP_TIMEOUT)
def respond(tenant_code: str, submission_id: str) -> dict[str, Any]:
    """Put the answer into the partner's folder."""
    from partner_exchange.orchestration.inbox import open_home
    from partner_exchange.submissions import respond as step

    _show_file_name(submission_id)
    with open_home(_tenant(tenant_code)) as home:
        return step.respond(submission_id, home).as_dict()


@task(task_id="notify", map_index_template=_LABEL, execution_timeout=STEP_TIMEOUT)
def notify(submission_id: str) -> dict[str, Any]:
    """Queue the mails, close the submission, and send what can be sent now; housekeeping sends the rest."""
    from partner_exchange.notify import outbox
    from partner_exchange.submissions import notify as step

    _show_file_name(submission_id)
    counts = step.notify(submission_id).as_dict()
    return {**counts, "mails": outbox.deliver(submission_id=submission_id).as_dict()}


@task_group(group_id="file")
def file(tenant_code: str, submission_id: str) -> None:
    """One submission from check to mail."""
    steps = [
        validate(submission_id),
        load.override(outlets=[store_asset(tenant_code)])(submission_id),
        respond(tenant_code, submission_id),
        notify(submission_id),
    ]
    for earlier, later in zip(steps, steps[1:], strict=False):
        earlier >> later


@task(
    task_id="report_failures",
    # Runs whatever became of the files, is skipped with the claim and fails with it: the run shows the
    # color of this task.
    trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS,
    execution_timeout=STEP_TIMEOUT,
)
def report_failures(tenant_code: str, submission_ids: list[str]) -> dict[str, Any]:
    """Close what could not be finished, tell the partner it was us, and fail the run when there is any."""
    from airflow.sdk.exceptions import AirflowFailException

    from partner_exchange.orchestration.failures import close_unfinished

    failed = close_unfinished(_tenant(tenant_code), submission_ids)
    if failed:
        raise AirflowFailException(
            f"{len(failed)} of {len(submission_ids)} submissions failed: {', '.join(failed)}. "
            "The partner was told. Mend the cause, then `exchange replay <submission>`."
        )
    return {"submissions": len(submission_ids), "failed": 0}


@task(task_id="deliver_mails", execution_timeout=STEP_TIMEOUT)
def deliver_mails() -> dict[str, Any]:
    """Send the mails that are due."""
    from partner_exchange.notify import outbox

    return dict(outbox.deliver().as_dict())


@task(task_id="check_quotas", execution_timeout=STEP_TIMEOUT)
def check_quotas() -> dict[str, Any]:
    """Queue the mails about inboxes that are nearly full."""
    from partner_exchange.orchestration import quotas

    return dict(quotas.check_quotas().as_dict())
