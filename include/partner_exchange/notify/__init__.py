"""Mails: composed from the ledger, kept in an outbox, sent by a transport (E36)."""
