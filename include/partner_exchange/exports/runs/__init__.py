"""The life of one delivery, a function per step: select, write, deliver (M46, M67, X10).

Each step asks the ledger first, so it may be killed at any point and run again with the same result. An
export has one open delivery at a time: what changes meanwhile goes with the next one. The cursor moves in the
transaction that records the file as delivered, and that comes after the file has got its name.

Called by the outbound DAGs and by ``exchange export``.
"""
