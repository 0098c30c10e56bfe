"""``exchange demo``: start the stack, act as the demo partners, and show each file's way to its answer."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from partner_exchange import clock
from partner_exchange.gateway.service import pinned_host_key
from partner_exchange.ledger import mails
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.states import FINAL
from partner_exchange.ledger.submissions import Submission
from partner_exchange.local import stack
from partner_exchange.local.database import ensure_database
from partner_exchange.local.mailsink import KeptMail, read_mails
from partner_exchange.local.partner import Partner, ensure_partner_key
from partner_exchange.local.roster_maker import make_roster
from partner_exchange.local.status_maker import MadeFile, make_status_files
from partner_exchange.settings import Settings
from partner_exchange.storage import paths
from partner_exchange.storage.names import StampedName, utc_stamp
from partner_exchange.tenants import registry
from partner_exchange.tenants.model import Tenant
from partner_exchange.validation.findings import Findings, Severity

ROSTERS = "state-university"
STATUSES = "mercy-hospital"
FAULTS = 23
PATIENCE_S = 120.0
_LOOK_S = 0.1
_HEAD_LINES = 12


@dataclass(frozen=True)
class Dropped:
    """One file that a partner drops, and how to tell that it was answered as it should be."""

    file_name: str
    about: str
    content: bytes
    complaint: Callable[[Submission, Findings], str]
    """Says what is not as expected; "" when all is."""


@dataclass(frozen=True)
class Journey:
    """One dropped file and where it stands."""

    file_name: str
    dropped_at: datetime
    submission: Submission | None
    mailed_at: datetime | None

    def milestones(self) -> list[tuple[str, datetime | None]]:
        """Return each stage with its instant, None while it lies ahead."""
        steps = ("claimed", "validated", "loaded", "answered")
        reached = [(step, getattr(self.submission, f"{step}_at", None)) for step in steps]
        return [("dropped", self.dropped_at), *reached, ("mailed", self.mailed_at)]


def run(settings: Settings, *, rows: int, is_ending: bool) -> int:
    """Play the demo; return 0 when every file was answered as it should be, 1 otherwise.

    :raises StackError: the stack cannot start.
    """
    console = Console()
    started_s = time.monotonic()
    rosters, statuses = (registry.load_one(code) for code in (ROSTERS, STATUSES))
    for tenant in (rosters, statuses):
        ensure_partner_key(settings, tenant)
    was_up = stack.status(settings).is_up
    if not was_up:
        stack.up(settings, detach=True, echo=console.print)
    try:
        with ensure_database(settings):
            is_well = _play(console, settings, rosters, [_roster(rosters, rows)])
            is_well &= _play(console, settings, statuses, _status_files(statuses))
            _show_statuses(console, statuses)
        _show_urls(console, settings)
        console.print(f"The whole demo took {time.monotonic() - started_s:.0f} s.")
        if not is_ending:
            _stay(console, settings)
    finally:
        if not was_up:
            stack.down(settings, echo=console.print)
    return 0 if is_well else 1


def _roster(tenant: Tenant, rows: int) -> Dropped:
    made = make_roster(
        rows, seed=int(time.time()), terms=tenant.roster.requirement_terms, faults=min(FAULTS, rows // 4)
    )

    def complaint(submission: Submission, _: Findings) -> str:
        expected = (made.rows, made.rows - made.bad_rows, made.bad_rows)
        found = (submission.rows_total, submission.rows_created, submission.rows_rejected)
        return "" if found == expected else f"Rows, created, rejected: expected {expected}, found {found}."

    return Dropped(
        file_name=f"roster-{utc_stamp(clock.now())}.csv",
        about=f"{made.rows:,} students, {made.bad_rows} of them with a bad birth date",
        content=made.content,
        complaint=complaint,
    )


def _status_files(tenant: Tenant) -> list[Dropped]:
    # A minute ago: what a file reports for must not lie in the future.
    made = make_status_files(tenant, at=clock.now() - timedelta(minutes=1), seed=int(time.time()))
    return [Dropped(one.file_name, one.about, one.content, _status_complaint(one)) for one in made]


def _status_complaint(made: MadeFile) -> Callable[[Submission, Findings], str]:
    def complaint(submission: Submission, findings: Findings) -> str:
        found = (submission.rows_total, submission.rows_rejected)
        if found != (made.rows, made.bad_rows):
            return f"Rows, rejected: expected {(made.rows, made.bad_rows)}, found {found}."
        codes = {group.code for group in findings.groups if group.severity is Severity.ERROR}
        return "" if codes == made.codes else f"Error codes: expected {made.codes}, found {codes}."

    return complaint


def _play(console: Console, settings: Settings, tenant: Tenant, files: list[Dropped]) -> bool:
    """Drop the files in one session and watch each to its answer."""
    partner = Partner(settings, tenant, pinned_host_key(settings))
    console.rule(f"{tenant.name} drops {len(files)} file{'s' if len(files) > 1 else ''}")
    for file in files:
        console.print(f"{file.file_name}: {file.about}, {len(file.content):,} bytes", highlight=False)
    console.print(f"by {partner.client_name}: [dim]{partner.command}[/dim]", soft_wrap=True)
    with TemporaryDirectory() as folder:
        local = [Path(folder) / file.file_name for file in files]
        for path, file in zip(local, files, strict=True):
            path.write_bytes(file.content)
        partner.put_all(local, tenant.inbox.folder)
    dropped_at = clock.now()
    # Each is shown, also after one that was not answered as it should be.
    is_well = [_follow(console, settings, tenant, partner, file, dropped_at) for file in files]
    return all(is_well)


def _follow(
    console: Console,
    settings: Settings,
    tenant: Tenant,
    partner: Partner,
    file: Dropped,
    dropped_at: datetime,
) -> bool:
    console.rule(file.file_name, style="dim")
    journey = _watch(console, tenant, file.file_name, dropped_at)
    if journey.submission is None or journey.submission.state not in FINAL:
        console.print(
            f"[red]No answer within {PATIENCE_S:.0f} s; see `exchange status` and the Airflow UI.[/red]"
        )
        return False
    _show_answer(console, settings, tenant, partner, journey.submission)
    with transaction() as connection:
        findings = ledger.findings(connection, journey.submission.submission_id)
    complaint = file.complaint(journey.submission, findings)
    if complaint:
        console.print(f"[red]{complaint}[/red]")
    return not complaint


def _watch(console: Console, tenant: Tenant, file_name: str, dropped_at: datetime) -> Journey:
    deadline_s = time.monotonic() + PATIENCE_S
    journey = Journey(file_name, dropped_at, None, None)
    with Live(_progress(journey), console=console, refresh_per_second=10) as live:
        while time.monotonic() < deadline_s:
            journey = _look(tenant, journey)
            live.update(_progress(journey))
            if journey.mailed_at is not None:
                break
            time.sleep(_LOOK_S)
    console.print()
    return journey


def _look(tenant: Tenant, journey: Journey) -> Journey:
    with transaction() as connection:
        newest = ledger.latest(connection, tenant.code, limit=5)
        submission = next((one for one in newest if one.file_name == journey.file_name), None)
        mailed_at = mails.sent_at(connection, submission.submission_id) if submission else None
    return Journey(journey.file_name, journey.dropped_at, submission, mailed_at)


def _progress(journey: Journey) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("step")
    table.add_column("seconds since the drop", justify="right")
    for stage, at in journey.milestones():
        since_s = (at - journey.dropped_at).total_seconds() if at else None
        mark = "[green]✔[/green]" if at else "[dim]…[/dim]"
        table.add_row(f"{mark} {stage}", f"{max(since_s, 0):.2f}" if since_s is not None else "")
    return table


def _show_answer(
    console: Console, settings: Settings, tenant: Tenant, partner: Partner, submission: Submission
) -> None:
    name = StampedName(submission.file_name, submission.stamp)
    place = paths.completed(tenant.inbox.folder, name)
    answer = partner.get(place).decode()
    head = "\n".join(answer.splitlines()[:_HEAD_LINES])
    about = Text(f"/{place} (its first lines)")
    console.print(Panel(Text(head), title=about, title_align="left"))
    home = settings.partner_homes_dir / tenant.code
    others = [found for found in sorted(home.rglob(f"*{submission.stamp}*")) if found != home / place]
    for found in others:
        console.print(
            f"also there: /{found.relative_to(home)}", soft_wrap=True, highlight=False, markup=False
        )
    mail = _mail_of(settings, submission)
    if mail is not None:
        title = f"mail to {', '.join(mail.recipients)}: {mail.subject}"
        console.print(Panel(Text(mail.text.rstrip()), title=Text(title), title_align="left"))
    table = Table(
        "rows", "created", "updated", "unchanged", "rejected", title="in the store", title_justify="left"
    )
    counts = (submission.rows_total, submission.rows_created, submission.rows_updated)
    table.add_row(*(str(count) for count in (*counts, submission.rows_unchanged, submission.rows_rejected)))
    console.print(table)


def _show_statuses(console: Console, tenant: Tenant) -> None:
    """Show what the store says now of the tenant's first resource: three files have filled it."""
    from partner_exchange.stores import statuses

    resource = tenant.status.resources[0]
    catalogue = tenant.status.catalogue
    with transaction() as connection:
        found = statuses.now(connection, tenant.code, resource_id=resource.id_in(tenant.mode))
    table = Table("status type", "status", "reported (UTC)", title=resource.name, title_justify="left")
    for one in found:
        shown = "not applicable" if one.is_not_applicable else f"{one.value} {one.level}".strip()
        name = catalogue.get(one.status_type_id).name
        table.add_row(name, Text(shown), f"{one.reported_at:%Y-%m-%d %H:%M:%S}")
    console.rule(f"{tenant.name}: what is known now")
    console.print(table)
    console.print(f"exchange statuses now --tenant {tenant.code}", highlight=False)


def _mail_of(settings: Settings, submission: Submission) -> KeptMail | None:
    about = (mail for mail in reversed(read_mails(settings)))
    return next(
        (mail for mail in about if mail.message["X-Exchange-Submission"] == submission.submission_id), None
    )


def _show_urls(console: Console, settings: Settings) -> None:
    base = f"http://{settings.host}:{settings.airflow_port}"
    for code in (ROSTERS, STATUSES):
        console.print(f"Airflow:  {base}/dags/inbound__{code}", soft_wrap=True)
    console.print(f"Login:    {stack.login_hint(settings)}", soft_wrap=True)
    console.print(f"Mails:    {settings.home_dir / 'mails'}", soft_wrap=True)


def _stay(console: Console, settings: Settings) -> None:
    console.print("The stack stays up; Ctrl-C ends it.")
    with_stop = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, with_stop)
    try:
        signal.sigwait(with_stop)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, with_stop)
