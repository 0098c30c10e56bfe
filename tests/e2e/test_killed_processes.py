"""Kill -9 of task processes, of the scheduler and of PostgreSQL while files are on their way (X03).

After each kill the stack heals by itself: every file is answered once, no row twice, no row lost. Can also be
run by itself: ``pytest tests/e2e/test_killed_processes.py``.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import psutil
import pytest
from sqlalchemy import text

from e2e.conftest import Stack, roster, wait_for
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.states import State
from partner_exchange.local import stack as local_stack

pytestmark = pytest.mark.e2e

TENANT = "first-college"
FILES, ROWS, BAD = 6, 3_000, 5
HEALING_S = 240.0


def _task_pids(stack: Stack) -> list[int]:
    """Processes that run a task right now: grandchildren of the scheduler below its executor's workers."""
    scheduler = _part(stack, "scheduler")
    workers = psutil.Process(scheduler).children() if scheduler else []
    return [task.pid for worker in workers for task in worker.children(recursive=True)]


def _part(stack: Stack, name: str) -> int | None:
    parts = {part.name: part.pid for part in local_stack.status(stack.settings).parts}
    return parts[name]


def _kill_tasks(stack: Stack) -> None:
    for pid in wait_for("running task", lambda: _task_pids(stack), timeout_s=30):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _kill_part(name: str) -> Callable[[Stack], None]:
    def kill(stack: Stack) -> None:
        pid = _part(stack, name)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    return kill


def _rows_of(stack: Stack, prefix: str) -> int:
    query = text("select count(*) from store.student where tenant_code = :tenant and student_id like :prefix")
    with transaction() as connection:
        return int(connection.execute(query, {"tenant": TENANT, "prefix": f"{prefix}%"}).scalar_one())


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("number", "kill", "kills"),
    [
        (1, _kill_tasks, 3),
        (2, _kill_part("scheduler"), 1),
        (3, _kill_part("postgres"), 1),
        (4, _kill_part("gateway"), 1),
    ],
    ids=["tasks", "scheduler", "postgres", "gateway"],
)
def test_X03_after_a_kill_every_file_is_answered_once(
    stack: Stack, number: int, kill: Callable[[Stack], None], kills: int
) -> None:
    base = 1_000_000 * number
    names = {f"killed-{number}-{index}.csv": base + ROWS * index for index in range(FILES)}
    stack.drop(TENANT, {name: roster(first, ROWS, bad=BAD) for name, first in names.items()})
    wait_for("claimed file", lambda: [one for one in stack.submissions(TENANT) if one.file_name in names])
    for _ in range(kills):
        kill(stack)
    ended = stack.wait_for_end(TENANT, set(names), timeout_s=HEALING_S)
    assert {one.state for one in ended.values()} == {State.DONE}
    assert {(one.rows_created, one.rows_unchanged, one.rows_rejected) for one in ended.values()} == {
        (ROWS - BAD, 0, BAD)
    }
    stack.assert_answered_once(TENANT, set(names))
    assert _rows_of(stack, f"S{number}") == FILES * (ROWS - BAD)
