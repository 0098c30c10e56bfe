"""Rosters: students of a university or clinic, one row each."""
