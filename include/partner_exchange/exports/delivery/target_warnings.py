"""What is told of a target before a delivery fails there, and how the topic of such a mail names it (X10).

Called by the nightly watch, which queues the mails, and by ``notify``, which writes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

WITHIN_DAYS = (30, 14, 7, 3, 1)
"""How many days before a login ends a mail goes out; each once, also when a night was missed."""
_ENDS_WITHIN = "target-login-ends-within-"
_DAY = "%Y%m%d"


@dataclass(frozen=True)
class TargetWarning:
    """One thing that somebody has to see to.

    :param what: code of the probe's step that failed, or one that begins ``target-login-ends-within-``.
    :param day: of the probe, or the last day of the login.
    """

    connection_id: str
    what: str
    day: date

    @property
    def topic(self) -> str:
        """Return the topic of its mails: each recipient is told once per topic."""
        return f"{self.connection_id}.{self.what}.{self.day:{_DAY}}"

    @property
    def is_of_expiry(self) -> bool:
        """Return whether the login ends soon; else a probe failed."""
        return self.what.startswith(_ENDS_WITHIN)


def of_topic(topic: str) -> TargetWarning:
    """Return the warning that a topic names; ids of connections may hold dots."""
    connection_id, what, day = topic.rsplit(".", 2)
    return TargetWarning(connection_id, what, datetime.strptime(day, _DAY).date())  # noqa: DTZ007 - a day


def of_expiry(connection_id: str, last_on: date, today: date) -> TargetWarning | None:
    """Return the warning that is due about the end of a login; None when it is far off or over.

    One that is over is a step of the probe that fails.
    """
    days = (last_on - today).days
    within = [most for most in WITHIN_DAYS if 0 <= days <= most]
    if not within:
        return None
    return TargetWarning(connection_id, f"{_ENDS_WITHIN}{min(within)}-days", last_on)
