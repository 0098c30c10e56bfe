"""Fixtures that every room's tests may ask for by name, and how property tests choose their examples."""

import os

import pytest
from hypothesis import settings

pytest_plugins = ["support.pg"]

# On a contributor's machine each run tries other examples; in CI the verdict depends on the change alone.
settings.register_profile("ci", derandomize=True)
# For `make test-fast`: a look at each property; the whole suite takes its time.
settings.register_profile("quick", max_examples=10)
if os.environ.get("CI"):
    settings.load_profile("ci")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks for a database as needing a service, whatever fixture lies in between."""
    for item in items:
        if "database_url" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.service)
