"""Start one part of the stack: ``python -m partner_exchange.local.launch ENVIRONMENTS PART COMMAND...``.

The supervisor runs every program through this. It gives the part its own environment (the gateway has no need of
Airflow's keys), ends what a killed forerunner of the same part left behind, and becomes the command. Only the standard
library and psutil are imported: this runs before each start.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import psutil

PART_MARKER = "EXCHANGE_STACK_PART"
STACK_MARKER = "EXCHANGE_STACK_ID"


def main(arguments: Sequence[str]) -> NoReturn:
    """Become the command of one part."""
    file, part, *command = arguments
    environment = {**os.environ, **json.loads(Path(file).read_text())[part], PART_MARKER: part}
    end_remains(environment[STACK_MARKER], part)
    os.umask(0o077)
    os.execve(command[0], command, environment)  # noqa: S606 - no shell is wanted


def end_remains(stack_id: str, part: str) -> None:
    """Kill the processes of an earlier life of ``part``: a killed scheduler leaves workers that wait for ever.

    What they were doing is taken up again by the next life: every step may be killed and run again.
    """
    remains = [
        process
        for process in psutil.process_iter()
        if process.pid != os.getpid() and _marks(process) == (stack_id, part)
    ]
    for process in remains:
        process.kill()
    psutil.wait_procs(remains, timeout=5)


def _marks(process: psutil.Process) -> tuple[str | None, str | None]:
    try:
        environment = process.environ()
    except (psutil.Error, OSError):
        return None, None
    return environment.get(STACK_MARKER), environment.get(PART_MARKER)


if __name__ == "__main__":
    main(sys.argv[1:])
