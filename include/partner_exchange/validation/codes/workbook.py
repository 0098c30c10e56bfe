"""Codes of what the workbook reader states, and of tables found by their header."""

from __future__ import annotations

from partner_exchange.validation.entry import Entry

ENTRIES: tuple[Entry, ...] = ()
