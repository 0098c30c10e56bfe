"""When an export runs (M44, M74): the times of a cron in a zone, just as Airflow has them, without Airflow.

Airflow's ``CronTriggerTimetable`` counts on the wall clock and treats the days on which clocks change in two
ways. With any hour (``*``) it adds the pause to the instant before: the hour that comes twice has its runs
twice. With named hours it takes the wall-clock time of a run: one that comes twice runs the second time, one
that does not exist runs as much later as the clocks go forward. Called by the runs of exports and by
``exchange tenants check``; a test compares with Airflow itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from croniter import croniter

_MARGIN = timedelta(hours=3)
"""More than clocks are ever put forward or back."""


def has_any_hour(cron: str) -> bool:
    """Say whether it names no hours, so that Airflow counts from instant to instant."""
    return bool(croniter(cron).expanded[1] == ["*"])


def wall_time(at: datetime, zone: ZoneInfo) -> datetime:
    """Return what clocks in the zone show at an instant, without a zone."""
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


class _Clock:
    """A cron in a zone; wall-clock times are naive, instants aware and in UTC."""

    def __init__(self, cron: str, zone: ZoneInfo) -> None:
        self._cron = croniter(cron, datetime(2000, 1, 1))  # noqa: DTZ001  wall-clock time
        self._zone = zone
        self._has_any_hour = has_any_hour(cron)

    def next_on_wall(self, wall: datetime) -> datetime:
        found: datetime = self._cron.get_next(datetime, start_time=wall)
        return found

    def previous_on_wall(self, wall: datetime) -> datetime:
        found: datetime = self._cron.get_prev(datetime, start_time=wall)
        return found

    def instant(self, wall: datetime) -> datetime:
        """Return the second of two instants with this time, and one later by the shift if there is none."""
        first, second = self._offsets(wall)
        forward = max(second - first, timedelta())
        return (wall + forward).replace(tzinfo=self._zone, fold=1).astimezone(UTC)

    def is_plain(self, wall: datetime) -> bool:
        """Say whether this time comes exactly once."""
        first, second = self._offsets(wall)
        return first == second

    def _offsets(self, wall: datetime) -> tuple[timedelta, timedelta]:
        """Return how far the time is from UTC before a change of clocks and after it."""
        first, second = (wall.replace(tzinfo=self._zone, fold=fold).utcoffset() for fold in (0, 1))
        return first or timedelta(), second or timedelta()

    def after(self, at: datetime) -> datetime:
        """Return the run that Airflow has next after one at this instant."""
        wall = wall_time(at, self._zone)
        scheduled = self.next_on_wall(wall)
        return at + (scheduled - wall) if self._has_any_hour else self.instant(scheduled)

    def start(self, at: datetime) -> datetime:
        """Return a run well before the instant from which Airflow's chain of runs can be followed.

        Each run hangs on the one before: started in mid-chain after a change of clocks, others come out.
        """
        wall = self.previous_on_wall(wall_time(at, self._zone) - _MARGIN)
        for _ in range(_TRIES):
            wall = self.previous_on_wall(wall)
            if self.is_plain(wall):
                break
        return self.instant(wall)


_TRIES = 60
"""How many runs are skipped that lie within an hour that comes twice: as many as a minute schedule has."""


def runs(cron: str, zone: ZoneInfo, *, after: datetime) -> Iterator[datetime]:
    """Yield the runs later than an instant, in UTC, without end.

    :param cron: five fields, as ``tenants.schedule.cron_of`` returns them.
    """
    clock = _Clock(cron, zone)
    at = clock.start(after)
    while True:
        if at > after:
            yield at
        at = clock.after(at)


def ticks(cron: str, zone: ZoneInfo, *, after: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the runs later than ``after`` and not later than ``until``, in UTC."""
    for at in runs(cron, zone, after=after):
        if at > until:
            return
        yield at


def next_runs(cron: str, zone: ZoneInfo, *, after: datetime, count: int = 5) -> list[datetime]:
    """Return the next runs later than an instant, in UTC."""
    return list(islice(runs(cron, zone, after=after), count))
