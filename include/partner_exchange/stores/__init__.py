"""What partners' rows become: tables, set-based merges and queries, in schema ``store``."""
