"""The tasks of the daily purge: thin wrappers around ``submissions.purge``.

A task hands on codes of tenants and counts only. Whatever a step needs is imported when the task runs.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import get_current_context, task

from partner_exchange.orchestration.tasks import STEP_TIMEOUT

ACTOR = "pipeline"
"""Who purges, in the audit trail."""


@task(task_id="find_tenants", execution_timeout=STEP_TIMEOUT)
def find_tenants() -> list[str]:
    """Return the tenants whose files do not stay for ever; skip the run when there is none.

    A tenant file that does not hold shows as an import error, and keeps the others from nothing.
    """
    from airflow.sdk.exceptions import AirflowSkipException

    from partner_exchange.settings import get_settings
    from partner_exchange.tenants import registry

    tenants = registry.examine(get_settings().tenants_dir)[0].tenants.values()
    codes = sorted(
        one.code for one in tenants if one.retention.days != "never" and not one.retention.legal_hold
    )
    if not codes:
        raise AirflowSkipException("Nothing to purge: the files of all tenants stay.")
    return codes


@task(task_id="purge_expired", map_index_template="{{ tenant_code }}", execution_timeout=STEP_TIMEOUT)
def purge_expired(tenant_code: str) -> dict[str, Any]:
    """Remove what the retention of one tenant lets go of."""
    from airflow.sdk.exceptions import AirflowFailException

    from partner_exchange.orchestration.inbox import open_home
    from partner_exchange.submissions.purge import purge
    from partner_exchange.tenants import registry

    get_current_context()["tenant_code"] = tenant_code  # type: ignore[typeddict-unknown-key] # the label's key
    tenant = registry.load_one(tenant_code)
    with open_home(tenant) as home:
        done = purge(home, tenant, by=ACTOR)
    if done.failed:
        raise AirflowFailException(
            f"{done.failed} submissions of {tenant_code} have files that cannot be removed; the log says "
            "why. The next run tries them again."
        )
    return dict(done.as_dict())
