"""Codes of the immunization feed: file, envelope and framing."""

from __future__ import annotations

from partner_exchange.validation.entry import Entry

ENTRIES: tuple[Entry, ...] = ()
