"""Exports: what goes out on a schedule, built from the stores; a package per receiver."""
