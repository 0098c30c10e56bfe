"""Fixtures that every room's tests may ask for by name."""

pytest_plugins = ["support.pg"]
