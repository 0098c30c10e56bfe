"""Codes of the guard against personal data where none belongs (E08)."""

from __future__ import annotations

from partner_exchange.validation.entry import Entry

ENTRIES: tuple[Entry, ...] = ()
