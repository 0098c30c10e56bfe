"""When sets are due, and which values and changes belong to a due time (E38).

The sources' times: daily at 16:30 US Eastern, weekly on Tuesday 16:30 for the week from Sunday to Saturday
before it. Called by the builder of sets, by the DAGs and by the command line; imports nothing heavy.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from partner_exchange.tenants.model import Tenant
from partner_exchange.tenants.nhsn_sets import FREQUENCIES, export_name
from partner_exchange.tenants.resources import Frequency
from partner_exchange.tenants.schedule import cron_of

ZONE_NAME = "America/New_York"
SCHEDULE: dict[Frequency, str] = {"daily": "every day at 16:30", "weekly": "Tuesdays at 16:30"}
"""The times in words, in ``ZONE_NAME``; a test holds them together with ``due_times``."""
CRON = {frequency: cron_of(words) for frequency, words in SCHEDULE.items()}
"""The same for a scheduler."""

_ZONE = ZoneInfo(ZONE_NAME)
_DUE_TIME = time(16, 30)
_TUESDAY, _WEDNESDAY = 1, 2
_WINDOW: dict[Frequency, timedelta] = {"daily": timedelta(hours=24), "weekly": timedelta(days=9)}
_DAYS_BETWEEN: dict[Frequency, int] = {"daily": 1, "weekly": 7}


@dataclass(frozen=True, order=True)
class DueTime:
    """One time at which a set is due."""

    at: datetime
    """The instant in UTC."""
    frequency: Frequency

    @property
    def name(self) -> str:
        """Return what the export is called in DAG ids, tags and paths."""
        return export_name(self.frequency)

    @property
    def reports_on(self) -> date:
        """Return the collection date (the due day in US Eastern) or the week-ending date (a Saturday)."""
        day = self.at.astimezone(_ZONE).date()
        return day if self.frequency == "daily" else day - timedelta(days=3)

    @property
    def changed_since(self) -> datetime:
        """Return from when a change counts: 24 hours or nine days of 24 hours before the due time.

        It is the due time before, where that is earlier: on the day of 25 hours that ends daylight saving
        time, a change in the odd hour would otherwise fall between two windows and never go.
        """
        return min(self.at - _WINDOW[self.frequency], self.before.at)

    @property
    def before(self) -> DueTime:
        """Return the due time before this one."""
        local = self.at.astimezone(_ZONE)
        return _due_on(local.date() - timedelta(days=_DAYS_BETWEEN[self.frequency]), self.frequency)

    @property
    def requires_capacity(self) -> bool:
        """Say whether the starred fields are required: weekly always, daily for Wednesday only (57.102)."""
        return self.frequency == "weekly" or self.reports_on.weekday() == _WEDNESDAY

    def values_at(self, time_zone: str) -> datetime:
        """Return the instant whose values count: the due time, or for a weekly set the end of the Saturday.

        :param time_zone: the tenant's: a file without a time of day reports for the end of a day there.
        """
        if self.frequency == "daily":
            return self.at
        return _midnight(self.reports_on + timedelta(days=1), time_zone) - timedelta(microseconds=1)

    def counts_from(self, time_zone: str) -> datetime:
        """Return when the day that counts of a day or a week are reported for begins where the tenant is."""
        return _midnight(self.reports_on, time_zone)

    def counts_at(self, time_zone: str) -> datetime:
        """Return the last instant of that day whose reports count: not later than the other values'."""
        end = _midnight(self.reports_on + timedelta(days=1), time_zone) - timedelta(microseconds=1)
        return min(end, self.values_at(time_zone))


def frequencies_of(tenant: Tenant) -> list[Frequency]:
    """Return how often a status tenant's data is forwarded; nothing for a tenant without NHSN resources."""
    if tenant.feed != "status":
        return []
    there = {one.nhsn.frequency for one in tenant.status.resources if one.nhsn}
    return [frequency for frequency in FREQUENCIES if frequency in there]


def due_times(frequency: Frequency, *, after: datetime, until: datetime) -> list[DueTime]:
    """Return the due times later than ``after`` and not later than ``until``, earliest first."""
    # A day more at both ends: the dates of the two instants depend on the zone.
    day = after.astimezone(_ZONE).date() - timedelta(days=1)
    last = until.astimezone(_ZONE).date() + timedelta(days=1)
    found = []
    while day <= last:
        if frequency == "daily" or day.weekday() == _TUESDAY:
            due = _due_on(day, frequency)
            if after < due.at <= until:
                found.append(due)
        day += timedelta(days=1)
    return found


def latest_due(frequency: Frequency, *, at: datetime) -> DueTime:
    """Return the due time at the instant or the last one before it."""
    return due_times(frequency, after=at - timedelta(days=8), until=at)[-1]


def _midnight(day: date, time_zone: str) -> datetime:
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(time_zone)).astimezone(UTC)


def _due_on(day: date, frequency: Frequency) -> DueTime:
    # 16:30 exists once on every day: clocks are changed at two in the night.
    return DueTime(datetime.combine(day, _DUE_TIME, tzinfo=_ZONE).astimezone(UTC), frequency)
