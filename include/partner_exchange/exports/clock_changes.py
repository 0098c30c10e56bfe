"""What the change of clocks does to a schedule, in sentences for ``exchange tenants check`` (M44).

What is said is read off the runs themselves, so that it is true also where Airflow has ways of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from croniter import croniter

from partner_exchange.exports.schedule import has_any_hour, runs, ticks, wall_time

_DAY = timedelta(days=1)
_YEAR = timedelta(days=366)
_MINUTE = timedelta(minutes=1)
_TIMES_NAMED = 3


@dataclass(frozen=True)
class ClockChange:
    """One change of the clocks of a zone."""

    at: datetime
    """The first instant with the new time, in UTC."""
    forward: timedelta
    """By how much clocks go forward; negative when they go back."""

    @property
    def is_forward(self) -> bool:
        """Return whether times are missing on the day, not doubled."""
        return self.forward > timedelta()

    def from_wall(self, zone: ZoneInfo) -> datetime:
        """Return what the clock would have shown without the change, as a wall-clock time."""
        return self.to_wall(zone) - self.forward

    def to_wall(self, zone: ZoneInfo) -> datetime:
        """Return what the clock shows after the change, as a wall-clock time."""
        return wall_time(self.at, zone)


def clock_changes(zone: ZoneInfo, *, after: datetime, until: datetime) -> Iterator[ClockChange]:
    """Yield the changes of clocks later than ``after`` and not later than ``until``."""
    start = after.astimezone(UTC).replace(second=0, microsecond=0)
    days = [start + n * _DAY for n in range((until - start) // _DAY + 2)]
    for low, high in pairwise(days):
        before, behind = _offset(low, zone), _offset(high, zone)
        if before == behind:
            continue
        while high - low > _MINUTE:
            middle = low + (high - low) // 2 // _MINUTE * _MINUTE
            low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
        if after < high <= until:
            yield ClockChange(high, behind - before)


def sentences(cron: str, zone: ZoneInfo, *, after: datetime, until: datetime) -> list[str]:
    """Return a sentence for each change of clocks later than ``after`` and not later than ``until``.

    A cron with named hours gets one too for the next change in each direction that touches a run: nobody
    thinks of it again on the day.
    """
    told = list(clock_changes(zone, after=after, until=until))
    if not has_any_hour(cron):
        ways = {one.is_forward for one in told}
        for one in clock_changes(zone, after=until, until=after + _YEAR):
            if one.is_forward not in ways and _touched(cron, zone, one):
                told.append(one)
            ways.add(one.is_forward)
    return [_sentence(cron, zone, one) for one in told]


def _touched(cron: str, zone: ZoneInfo, change: ClockChange) -> list[datetime]:
    """Return the wall-clock times of the schedule that do not exist or come twice."""
    ends = (change.from_wall(zone), change.to_wall(zone))
    return list(_on_wall(cron, min(ends), max(ends)))


def _sentence(cron: str, zone: ZoneInfo, change: ClockChange) -> str:
    before, behind = change.from_wall(zone), change.to_wall(zone)
    way = "forward" if change.is_forward else "back"
    told = f"Clocks go {way} on {behind:%Y-%m-%d} from {before:%H:%M} to {behind:%H:%M}"
    touched = _touched(cron, zone, change)
    if not touched:
        return f"{told}: {_displaced(cron, zone, change)}"
    return f"{told}: {(_gap if change.is_forward else _fold)(cron, zone, change, touched)}"


def _gap(cron: str, zone: ZoneInfo, change: ClockChange, missing: Sequence[datetime]) -> str:
    """Say what becomes of times that do not exist."""
    behind = change.to_wall(zone)
    regular = set(_on_wall(cron, behind, behind + change.forward))
    moved = {one + change.forward for one in missing} - regular
    found = [one for one in _runs(cron, zone, change.at, change.at + change.forward) if one in moved]
    done = f"Airflow runs at {_named(found)} instead" if found else "Airflow leaves out what does not exist"
    return f"{_named(missing)} {'does' if len(missing) == 1 else 'do'} not exist that day; {done}."


def _fold(cron: str, zone: ZoneInfo, change: ClockChange, doubled: Sequence[datetime]) -> str:
    """Say what becomes of times that come twice."""
    span = -change.forward
    has_first = bool(_runs(cron, zone, change.at - span, change.at))
    has_second = bool(_runs(cron, zone, change.at, change.at + span))
    when = "both times" if has_first and has_second else "the first time" if has_first else "the second time"
    return (
        f"{_named(doubled)} {'comes' if len(doubled) == 1 else 'come'} twice that day; Airflow runs {when}."
    )


def _displaced(cron: str, zone: ZoneInfo, change: ClockChange) -> str:
    """Say whether the run after the change keeps its time: with any hour, Airflow counts a pause in hours."""
    first = wall_time(next(runs(cron, zone, after=change.at)), zone)
    if first in _on_wall(cron, first, first + _MINUTE):
        return "no run of the schedule is touched."
    return f"Airflow counts the pause over it in hours, so the next run is at {first:%Y-%m-%d %H:%M}."


def _runs(cron: str, zone: ZoneInfo, since: datetime, before: datetime) -> list[datetime]:
    found = ticks(cron, zone, after=since - timedelta(seconds=1), until=before - timedelta(seconds=1))
    return [wall_time(one, zone) for one in found]


def _on_wall(cron: str, low: datetime, high: datetime) -> Iterator[datetime]:
    clock = croniter(cron, low - timedelta(seconds=1))
    while (at := clock.get_next(datetime)) < high:
        yield at


def _named(times: Sequence[datetime]) -> str:
    told = [f"{one:%H:%M}" for one in times]
    if len(told) <= _TIMES_NAMED:
        return ", ".join(told)
    return f"{told[0]} to {told[-1]} ({len(told)} times)"


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()
