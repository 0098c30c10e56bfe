"""Fixtures of the one-machine stack's tests."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def short_tmp() -> Iterator[Path]:
    """A temporary folder with a short name that the database server's user may pass through."""
    root = Path(tempfile.mkdtemp(prefix="exchange-test-"))
    yield root
    shutil.rmtree(root, ignore_errors=True)
