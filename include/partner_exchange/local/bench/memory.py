"""How much memory this process has had at the most; its own, whoever started it."""

from __future__ import annotations

import resource
from pathlib import Path

_STATUS = Path("/proc/self/status")
_PEAK = "VmHWM:"


def peak_bytes() -> int:
    """Return the peak of resident memory since this program began.

    What ``getrusage`` says is at least the peak of the process that started this one, so Linux is asked
    otherwise; elsewhere it is what there is.
    """
    if _STATUS.exists():
        for line in _STATUS.read_text().splitlines():
            if line.startswith(_PEAK):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
