"""The tasks of the daily purge, thin: ``submissions.purge``, ``exports.purge`` and ``stores.consents`` do it.

A task hands on codes of tenants and counts only. Whatever a step needs is imported when the task runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import get_current_context, task

from partner_exchange.orchestration.tasks import STEP_TIMEOUT

if TYPE_CHECKING:
    from partner_exchange.tenants.model import Tenant


@task(task_id="find_tenants", execution_timeout=STEP_TIMEOUT)
def find_tenants() -> list[str]:
    """Return the tenants with files or doses that do not stay for ever; skip the run when none has.

    A tenant file that does not hold shows as an import error, and keeps the others from nothing.
    """
    from airflow.sdk.exceptions import AirflowSkipException

    from partner_exchange.settings import get_settings
    from partner_exchange.tenants import registry

    tenants = registry.examine(get_settings().tenants_dir)[0].tenants.values()
    asked = (_has_files_to_purge, _goes_by_consent, _has_doses_to_purge)
    codes = sorted(one.code for one in tenants if any(is_asked(one) for is_asked in asked))
    if not codes:
        raise AirflowSkipException("Nothing to purge: what is kept of all tenants stays.")
    return codes


def _has_files_to_purge(tenant: Tenant) -> bool:
    return tenant.retention.days != "never" and not tenant.retention.legal_hold


def _goes_by_consent(tenant: Tenant) -> bool:
    return tenant.feed == "vxu" and tenant.vxu.consent == "required"


def _has_doses_to_purge(tenant: Tenant) -> bool:
    is_purged = tenant.feed == "vxu" and tenant.vxu.held_days is not None
    return is_purged and not tenant.retention.legal_hold


@task(task_id="purge_expired", map_index_template="{{ tenant_code }}", execution_timeout=STEP_TIMEOUT)
def purge_expired(tenant_code: str) -> dict[str, Any]:
    """Remove what one tenant lets go of: doses that are held too long (T62), files that came, and that went.

    First the store is brought in line with the consents of the day: a birthday ends one without any file.
    """
    from airflow.sdk.exceptions import AirflowFailException

    from partner_exchange.tenants import registry

    get_current_context()["tenant_code"] = tenant_code  # type: ignore[typeddict-unknown-key] # the label's key
    tenant = registry.load_one(tenant_code)
    counts = _settle(tenant) if _goes_by_consent(tenant) else {}
    if _has_doses_to_purge(tenant):
        counts["held_doses"] = _purge_doses(tenant)
    if _has_files_to_purge(tenant):
        counts |= _purge_files(tenant)
    came, went = counts.get("failed", 0), counts.get("outbound_failed", 0)
    if came or went:
        raise AirflowFailException(
            f"{came} submissions and {went} deliveries of {tenant_code} have files that cannot be removed; "
            "the log says why. The next run tries them again."
        )
    return counts


def _settle(tenant: Tenant) -> dict[str, int]:
    from partner_exchange import clock
    from partner_exchange.ledger.database import transaction
    from partner_exchange.stores import consents

    with transaction() as connection:
        moved = consents.release(connection, tenant, now=clock.now())
    return {"released_doses": moved.released, "taken_out_doses": moved.taken_out}


def _purge_doses(tenant: Tenant) -> int:
    from partner_exchange import clock
    from partner_exchange.ledger.database import transaction
    from partner_exchange.stores import consents

    with transaction() as connection:
        return consents.purge_held(connection, tenant, now=clock.now())


def _purge_files(tenant: Tenant) -> dict[str, int]:
    from partner_exchange.exports import purge as outbound
    from partner_exchange.ledger import audit
    from partner_exchange.orchestration.inbox import open_home
    from partner_exchange.submissions.purge import purge

    with open_home(tenant) as home:
        came = purge(home, tenant, by=audit.PIPELINE).as_dict()
        went = outbound.purge(home, tenant, by=audit.PIPELINE).as_dict()
    return came | {f"outbound_{name}": count for name, count in went.items()}
