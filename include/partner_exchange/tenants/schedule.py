"""Schedules as cron or in people's words (M44, M45).

``cron_of`` is all that a tenant file needs to hold; when a schedule runs is worked out in
``exports.schedule``.
"""

from __future__ import annotations

from croniter import croniter


def cron_of(text: str) -> str:
    """Return the schedule as cron with five fields.

    :raises ValueError: it is neither a cron expression nor words that are known; says what can be written.
    """
    fields = text.split()
    if len(fields) == 5 and croniter.is_valid(text):
        return " ".join(fields)
    raise ValueError("neither cron with five fields nor known words; write it as `every 5 minutes`")
