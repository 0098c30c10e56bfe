"""Codes of the CDC templates: dates, weeks and rules between columns."""

from __future__ import annotations

from partner_exchange.validation.entry import Entry

ENTRIES: tuple[Entry, ...] = ()
