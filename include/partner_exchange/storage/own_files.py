"""Whose a file in a partner's inbox is: ours by its name, or the partner's own.

The gateway keeps our names from partners by it, and the limit on the partner's own files (T38, K13) counts by
it, at the door and in the warnings before.
"""

from __future__ import annotations

from partner_exchange.storage.names import COMPLETED, PROCESSING, SUSPENDED_NOTICE, is_own

_HIDDEN_PREFIX, _HIDDEN_SUFFIX = ".", ".exchange"


def is_hidden(name: str) -> bool:
    """Say whether the name is one of our half-written files, which no partner ever sees."""
    return name.startswith(_HIDDEN_PREFIX) and name.endswith(_HIDDEN_SUFFIX)


def is_reserved(name: str) -> bool:
    """Say whether a partner may not use the name, in whatever case it is written (K17)."""
    lower = name.casefold()
    return is_own(name) or lower.endswith((PROCESSING, COMPLETED)) or lower == SUSPENDED_NOTICE.casefold()


def is_partners(name: str) -> bool:
    """Say whether a file of that name directly in an inbox is the partner's own and counts (K13).

    Names under which a client still uploads (``.part`` ...) count: each of them takes a place.
    """
    return not is_reserved(name) and not is_hidden(name)
