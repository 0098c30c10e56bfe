"""The life of one file, a function per step: claim, validate, load, respond, notify.

Airflow calls each step in a task of its own, ``exchange process`` calls them one after the other: the same
functions. Every step asks the ledger first, so it may be killed and run again at any point with the same
result.
"""
