"""Findings, the catalogue of their codes, Great Expectations suites and own expectations, the runner."""
