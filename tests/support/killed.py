"""Kill -9 at any call into the package: the code under test runs exactly as it is, in a forked process."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def _is_ours(frame: FrameType) -> bool:
    return f"{os.sep}partner_exchange{os.sep}" in frame.f_code.co_filename


def in_child(action: Callable[[], object], kill_at: int | None) -> int | None:
    """Run in a forked process; return the number of calls, or None when it was killed at call ``kill_at``."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        calls = 0

        def count(frame: FrameType, kind: str, _: Any) -> None:
            nonlocal calls
            if kind == "call" and _is_ours(frame):
                calls += 1
                if calls == kill_at:
                    os.kill(os.getpid(), signal.SIGKILL)

        status = 1
        try:
            sys.setprofile(count)
            action()
            sys.setprofile(None)
            os.write(writer, str(calls).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return None
    assert os.WEXITSTATUS(status) == 0
    return int(told)
