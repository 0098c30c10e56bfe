"""Which failures Airflow tries again: the markers of ``partner_exchange.errors`` decide, nothing else.

What carries neither marker, a task killed from outside for example, follows the task's own ``retries`` and
delays.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from partner_exchange.errors import Terminal, Transient

RETRY_POLICY = ExceptionRetryPolicy(
    rules=[
        # The markers are mixed into exceptions, but are none themselves; the policy asks isinstance only.
        RetryRule(
            exception=Terminal,  # type: ignore[arg-type]
            action=RetryAction.FAIL,
            reason="Terminal: trying again cannot help; somebody has to change something first.",
        ),
        RetryRule(
            exception=Transient,  # type: ignore[arg-type]
            action=RetryAction.RETRY,
            reason="Transient: the same call may succeed later.",
        ),
    ]
)

RETRY_ARGUMENTS: dict[str, Any] = {
    # About 10 s after a killed task or a short outage, then slower: five minutes of outage are bridged.
    "retries": 7,
    "retry_delay": timedelta(seconds=5),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(seconds=90),
    "retry_policy": RETRY_POLICY,
}
"""Default arguments of every task of the exchange."""
