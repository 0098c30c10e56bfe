"""Start one part of the stack: ``python -m partner_exchange.local.launch ENVIRONMENTS PART COMMAND...``.

The supervisor runs every program through this. It gives the part its own environment (the gateway has no need
of Airflow's keys), ends what a killed forerunner of the same part left behind, and becomes the command. Only
the standard library and psutil are imported: this runs before each start (ADR-0009).
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import psutil

PART_MARKER = "EXCHANGE_STACK_PART"
"""Environment variable that names the part a process belongs to."""
STACK_MARKER = "EXCHANGE_STACK_ID"
"""Environment variable that every process of one home's stack carries."""
_END_TIMEOUT_S = 5.0


def main(arguments: Sequence[str]) -> NoReturn:
    """Become the command of one part."""
    file, part, *command = arguments
    environment = {**os.environ, **json.loads(Path(file).read_text())[part], PART_MARKER: part}
    end_remains(environment[STACK_MARKER], part)
    os.umask(0o077)
    os.execve(command[0], command, environment)  # noqa: S606 - no shell is wanted


def end_remains(stack_id: str, part: str) -> None:
    """Kill the processes of an earlier life of ``part``: a killed scheduler's workers would wait for ever.

    What they were doing is taken up again by the next life: every step may be killed and run again.
    """
    remains = [
        process
        for process in psutil.process_iter()
        if process.pid != os.getpid() and _marks(process) == (stack_id, part)
    ]
    for process in remains:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    deadline = time.monotonic() + _END_TIMEOUT_S
    while any(is_alive(process) for process in remains) and time.monotonic() < deadline:
        time.sleep(0.02)


def is_alive(process: psutil.Process) -> bool:
    """Tell whether a process still does anything; a zombie, which nobody may ever collect, does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _marks(process: psutil.Process) -> tuple[str | None, str | None]:
    try:
        environment = process.environ()
    except (psutil.Error, OSError):
        return None, None
    return environment.get(STACK_MARKER), environment.get(PART_MARKER)


if __name__ == "__main__":
    main(sys.argv[1:])
