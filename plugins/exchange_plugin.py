"""The one file Airflow loads from this folder; ``.airflowignore`` hides every other one (AN 6).

It preloads what tasks need in the processes that tasks are forked from: a task does not pay for imports.
"""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin


class ExchangePlugin(AirflowPlugin):
    """Registers the exchange with Airflow."""

    name = "partner_exchange"

    @classmethod
    def on_load(cls, *args: Any, **kwargs: Any) -> None:
        """Preload in the scheduler and in a Celery worker; do nothing in any other process."""
        from partner_exchange.orchestration.preload import preload_if_tasks_fork_here

        preload_if_tasks_fork_here()
