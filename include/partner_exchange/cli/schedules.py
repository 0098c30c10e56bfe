"""What ``tenants check`` says of each export: its schedule as written, as cron, and when it runs (M44, M45).

Shown for approval: who wrote "weekdays at 7:30" sees which instants that means, in the zone and in UTC.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from partner_exchange import clock
from partner_exchange.exports import clock_changes, missing_days
from partner_exchange.exports.schedule import next_runs
from partner_exchange.tenants.exports import Export
from partner_exchange.tenants.model import Tenant
from partner_exchange.tenants.schedule import words_of


@dataclass(frozen=True)
class ExportSchedule:
    """When one export runs."""

    tenant: str
    export: str
    report: str
    schedule: str
    """As it is written; "" for an export that goes only by hand, which has no cron and no runs."""
    cron: str
    words: str
    """The cron, in the words that Airflow shows beside it."""
    zone: str
    next_runs: tuple[datetime, ...]
    """In the zone, with its offset."""
    clock_changes: tuple[str, ...]
    """What changes of clocks do to it, in sentences."""
    missing_days: tuple[str, ...]
    """Which months lack a day that it names, in sentences."""


def schedules(tenants: Iterable[Tenant]) -> list[ExportSchedule]:
    """Return when each export of the tenants runs, in the order of the tenant files."""
    return [_schedule(one, name, export) for one in tenants for name, export in one.exports.items()]


def as_json(one: ExportSchedule) -> dict[str, object]:
    """Return a schedule for machines; each run as the instant in the zone and in UTC."""
    runs = [{"local": at.isoformat(), "utc": _utc(at)} for at in one.next_runs]
    return {
        **asdict(one),
        "next_runs": runs,
        "clock_changes": list(one.clock_changes),
        "missing_days": list(one.missing_days),
    }


def show(one: ExportSchedule) -> None:
    """Print a schedule."""
    print(f"{one.tenant}: exports.{one.export}: report {one.report}")
    if not one.cron:
        print("  schedule: none, it goes only by hand")
        return
    print(f"  schedule: {one.schedule}")
    words = f" ({one.words})" if one.words else ""
    print(f"  cron: {one.cron}{words}, in {one.zone}")
    for place, at in enumerate(one.next_runs):
        label = "next runs:" if not place else ""
        print(f"  {label:10} {at:%a %Y-%m-%d %H:%M} {_offset(at)}  {_utc(at)}")
    for sentence in (*one.missing_days, *one.clock_changes):
        print(f"  {sentence}")


def _schedule(tenant: Tenant, name: str, export: Export) -> ExportSchedule:
    zone = tenant.zone_of(export)
    cron = export.cron
    now = clock.now()
    runs = next_runs(cron, zone, after=now) if cron else []
    return ExportSchedule(
        tenant=tenant.code,
        export=name,
        report=export.report,
        schedule=export.schedule,
        cron=cron,
        words=words_of(cron) if cron else "",
        zone=zone.key,
        next_runs=tuple(at.astimezone(zone) for at in runs),
        clock_changes=tuple(clock_changes.sentences(cron, zone, after=now, until=runs[-1])) if runs else (),
        missing_days=tuple(missing_days.sentences(cron)) if cron else (),
    )


def _offset(at: datetime) -> str:
    return f"{at:%z}"[:3] + ":" + f"{at:%z}"[3:5]


def _utc(at: datetime) -> str:
    return f"{at.astimezone(ZoneInfo('UTC')):%Y-%m-%dT%H:%MZ}"
