"""Client programs that partners use; a bare machine may lack some of them."""

from __future__ import annotations

import os
import shutil

import pytest


def require(program: str) -> str:
    """Return the path of ``program``; skip the test where it is absent, unless CI demands it."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if path is None and os.environ.get("EXCHANGE_REQUIRE_CLIENTS") == "1":
        pytest.fail(f"{program} is not installed, but EXCHANGE_REQUIRE_CLIENTS=1")
    if path is None:
        pytest.skip(f"{program} is not installed here; CI installs it and runs this test")
    return path
