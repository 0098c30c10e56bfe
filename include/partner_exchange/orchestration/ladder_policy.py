"""When a task of an export is tried again: the ledger's ladder says it, Airflow only waits (X10).

The decision is made in the worker, with the exception at hand; the stored DAG holds no more than that there
is a policy.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryDecision

from partner_exchange.errors import ExchangeError
from partner_exchange.orchestration.retry import RETRY_ARGUMENTS, RETRY_POLICY

if TYPE_CHECKING:
    from airflow.sdk import Context

LONGEST_PAUSE_S = 3600.0
"""A longer pause is waited for in parts: a run whose delivery somebody has sent by hand meanwhile then ends
within the hour, and the next one can begin. A part costs a look at the ledger."""

RETRIES = 60
"""Enough for the whole ladder in parts of an hour, 42 hours and 10 % of spread, and some killed tasks."""

_RETRIES_OF_OTHERS: int = RETRY_ARGUMENTS["retries"]


class LadderRetryPolicy(ExceptionRetryPolicy):
    """The house's policy, with the pause that the error names in ``fields["retry_after_s"]``."""

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: Context | None = None,
    ) -> RetryDecision:
        """See ``RetryPolicy.evaluate``."""
        decision = super().evaluate(exception, try_number, max_tries, context)
        if decision.action is RetryAction.DEFAULT and try_number > _RETRIES_OF_OTHERS:
            return RetryDecision.fail(
                "It failed as often as other tasks may, and not for a reason to wait for."
            )
        pause_s = exception.fields.get("retry_after_s") if isinstance(exception, ExchangeError) else None
        if decision.action is not RetryAction.RETRY or pause_s is None:
            return decision
        part_s = min(float(pause_s), LONGEST_PAUSE_S)
        reason = f"The next try is due in {float(pause_s):.0f} s; looks again in {part_s:.0f} s."
        return RetryDecision.retry(timedelta(seconds=part_s), reason)


LADDER_ARGUMENTS: dict[str, Any] = {
    "retries": RETRIES,
    "retry_policy": LadderRetryPolicy(RETRY_POLICY.rules),
}
"""Arguments of the tasks of an export, beside those of every task."""
