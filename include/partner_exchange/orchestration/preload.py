"""Heavy imports, done once in the process that tasks are forked from; called by the plugin.

LocalExecutor forks its workers from the scheduler, Celery its pool from the worker's parent, and each task is
one more fork: what is imported there costs a task nothing, where great_expectations alone would cost it five
seconds. The other processes of Airflow (API server, triggerer, DAG processor) never need it.

A Celery worker forks its pool before it would load any plugin by itself: it needs
``AIRFLOW__CORE__LAZY_LOAD_PLUGINS=false`` in its environment. The scheduler needs nothing.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from importlib import import_module

from airflow.sdk.configuration import conf

_logger = logging.getLogger(__name__)

_STEPS = (
    "partner_exchange.exports.delivery.watch",
    "partner_exchange.exports.runs.deliver",
    "partner_exchange.exports.runs.select",
    "partner_exchange.exports.runs.write",
    "partner_exchange.orchestration.builders",
    "partner_exchange.orchestration.failures",
    "partner_exchange.orchestration.targets",
    "partner_exchange.storage.sftp_dial",
    "partner_exchange.submissions.claim",
    "partner_exchange.submissions.load",
    "partner_exchange.submissions.notify",
    "partner_exchange.submissions.respond",
    "partner_exchange.submissions.validate",
)
"""What the tasks import when they run."""


def preload_if_tasks_fork_here(argv: Sequence[str] | None = None) -> bool:
    """Preload when this process is a scheduler or a Celery worker's parent; say whether it did."""
    executor = conf.get("core", "executor")
    if not do_tasks_fork_here(sys.argv if argv is None else argv, executor):
        return False
    if "great_expectations" in sys.modules:
        # A task: forked from the very process that has loaded it, it loads the plugins again.
        return False
    from partner_exchange.validation.preload import preload

    started_s = time.monotonic()
    preload()
    for name in _STEPS:
        import_module(name)
    _logger.info("preload seconds=%.3f", time.monotonic() - started_s)
    return True


def do_tasks_fork_here(argv: Sequence[str], executor: str) -> bool:
    """Say whether this is ``airflow celery worker``, or ``airflow scheduler`` with the LocalExecutor."""
    words = [word for word in argv[1:] if not word.startswith("-")]
    return words[:2] == ["celery", "worker"] or (words[:1] == ["scheduler"] and "LocalExecutor" in executor)
