"""Codes of the status feed: resources, reporting times and values of each kind."""

from __future__ import annotations

from partner_exchange.validation.entry import Entry

ENTRIES: tuple[Entry, ...] = ()
