"""Heavy imports happen where tasks are forked, and nowhere else."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from partner_exchange.orchestration.preload import _STEPS, do_tasks_fork_here, preload_if_tasks_fork_here


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("airflow scheduler", True),
        ("airflow scheduler --skip-serve-logs", True),
        ("/venv/lib/airflow/__main__.py scheduler", True),
        ("airflow celery worker --concurrency 4", True),
        ("airflow api-server", False),
        ("airflow triggerer", False),
        ("airflow dag-processor", False),
        ("airflow standalone", False),
        ("airflow celery flower", False),
        ("airflow dags list", False),
        ("airflow dags trigger scheduler", False),
        ("pytest", False),
    ],
)
def test_AN5_only_scheduler_and_celery_worker_preload(command: str, expected: bool) -> None:
    assert do_tasks_fork_here(command.split(), "LocalExecutor") is expected


def test_AN5_a_scheduler_whose_tasks_run_elsewhere_does_not_preload() -> None:
    assert do_tasks_fork_here(["airflow", "scheduler"], "CeleryExecutor") is False
    assert do_tasks_fork_here(["airflow", "scheduler"], "LocalExecutor,CeleryExecutor") is True


def test_AN5_other_processes_do_not_preload() -> None:
    assert preload_if_tasks_fork_here(["airflow", "triggerer"]) is False


@pytest.mark.parametrize("name", _STEPS)
def test_AN5_what_is_preloaded_is_there(name: str) -> None:
    assert find_spec(name) is not None
