"""Fixtures that every room's tests may ask for by name, and how property tests choose their examples."""

import os

from hypothesis import settings

pytest_plugins = ["support.pg"]

# On a contributor's machine each run tries other examples; in CI the verdict depends on the change alone.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
