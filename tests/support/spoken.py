"""What pages and DAGs say of pauses and days, made of what the code does."""

from __future__ import annotations

from collections.abc import Sequence

from partner_exchange.exports.delivery.ladder import LADDER_S
from partner_exchange.exports.delivery.target_warnings import WITHIN_DAYS

_HOUR_S = 3600


def ladder_in_words() -> str:
    """Return the pauses of the ladder, such as ``after 10 minutes, then 1, 4 and 12 hours``."""
    first, *others = LADDER_S
    assert first % 60 == 0
    assert all(pause % _HOUR_S == 0 for pause in others)
    return f"after {first // 60} minutes, then {_listed([pause // _HOUR_S for pause in others])} hours"


def warning_days_in_words() -> str:
    """Return when mails go before a login ends, such as ``30, 14 and 1 days before``."""
    return f"{_listed(WITHIN_DAYS)} days before"


def _listed(numbers: Sequence[int]) -> str:
    *most, last = map(str, numbers)
    return f"{', '.join(most)} and {last}"
