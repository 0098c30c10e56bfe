"""When a delivery that failed is tried again, and when it is given up (X10)."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

LADDER_S = (600, 3600, 14_400, 43_200, 86_400)
"""Pause after the first, second ... failed try; after one more the delivery is given up."""
SPREAD = 0.1
"""Part by which a pause may be shorter or longer, so that what failed together does not come together."""
LONGEST = timedelta(seconds=LADDER_S[-1] * (1 + SPREAD))
"""No pause is longer."""


def next_attempt(attempts_so_far: int, at: datetime, seed: str) -> datetime | None:
    """Return when to try again after that many failed tries, the last of them at ``at``; None: give it up.

    The same arguments give the same instant: a step that is run twice plans nothing else.

    :param attempts_so_far: failed tries, 1 after the first.
    :param seed: what sets this delivery apart from others, its id.
    :raises ValueError: nothing was tried yet.
    """
    if attempts_so_far < 1:
        raise ValueError("nothing was tried yet")
    if attempts_so_far > len(LADDER_S):
        return None
    digest = sha256(f"{seed}:{attempts_so_far}".encode()).digest()
    place = int.from_bytes(digest[:4]) / 0xFFFF_FFFF
    pause_s = LADDER_S[attempts_so_far - 1] * (1 + SPREAD * (2 * place - 1))
    return at + timedelta(seconds=round(pause_s))
