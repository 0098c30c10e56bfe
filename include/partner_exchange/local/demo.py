"""``exchange demo``: start the stack, act as the demo partners, and show each file's way to its answer."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from partner_exchange import clock
from partner_exchange.feeds.answer import all_columns, value_counts, value_sentence
from partner_exchange.feeds.base import AnswerKind
from partner_exchange.feeds.expected import dose_counts, places
from partner_exchange.gateway.service import pinned_host_key
from partner_exchange.ledger import mails
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.columns import ColumnOutcome
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.states import FINAL
from partner_exchange.ledger.submissions import Submission
from partner_exchange.local import stack
from partner_exchange.local.database import ensure_database
from partner_exchange.local.demo_exports import EXPORT, Verified, verify_everybody, wait_for_file
from partner_exchange.local.demo_files import Dropped, batch, roster, status_files
from partner_exchange.local.mailsink import KeptMail, read_mails
from partner_exchange.local.partner import Partner, ensure_partner_key
from partner_exchange.settings import Settings
from partner_exchange.storage import paths
from partner_exchange.tenants import registry
from partner_exchange.tenants.model import Tenant
from partner_exchange.validation.findings import Findings

ROSTERS = "state-university"
STATUSES = "mercy-hospital"
IMMUNIZATIONS = "aaa-ssl"
PATIENCE_S = 120.0
_LOOK_S = 0.1
_STAY_LOOK_S = 5.0
_HEAD_LINES = 12
_EXPORT_LINES = 6
_STATUSES_SHOWN = 12


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


@dataclass(frozen=True)
class Answered:
    """What is known of one file at its end."""

    submission: Submission
    findings: Findings
    columns: tuple[ColumnOutcome, ...]
    mail: KeptMail | None
    """The newest to one of the contacts; each of them gets the same."""


def run(settings: Settings, *, rows: int, is_ending: bool) -> int:
    """Play the demo; return 0 when every file was answered as it should be, 1 otherwise.

    :raises StackError: the stack cannot start.
    """
    console = Console()
    started_s = time.monotonic()
    tenants = [registry.load_one(code) for code in (ROSTERS, STATUSES, IMMUNIZATIONS)]
    rosters, statuses, immunizations = tenants
    for tenant in tenants:
        ensure_partner_key(settings, tenant)
    was_up = stack.status(settings).is_up
    if not was_up:
        stack.up(settings, detach=True, echo=console.print)
    try:
        with ensure_database(settings):
            is_well = _play(console, settings, rosters, [roster(rosters, rows)], is_mail_shown=True)
            # The file that this makes comes within a minute: other partners' files are shown meanwhile.
            verified = _verify(console, rosters)
            is_well &= _play(console, settings, statuses, status_files(statuses), is_mail_shown=False)
            _show_statuses(console, statuses)
            is_well &= _play(console, settings, immunizations, [batch(immunizations)], is_mail_shown=False)
            is_well &= _show_export(console, settings, rosters, verified)
        console.print(f"The whole demo took {time.monotonic() - started_s:.0f} s.")
        if was_up or not is_ending:
            _show_urls(console, settings)
        if not is_ending:
            _stay(console, settings)
    finally:
        if not was_up:
            stack.down(settings, echo=console.print)
    return 0 if is_well else 1


def _play(
    console: Console, settings: Settings, tenant: Tenant, files: list[Dropped], *, is_mail_shown: bool
) -> bool:
    """Drop the files in one session and watch each to its answer; the first is shown whole."""
    partner = Partner(settings, tenant, pinned_host_key(settings))
    console.rule(f"{tenant.name} drops {len(files)} file{'s' if len(files) > 1 else ''}")
    for file in files:
        _say(console, f"{file.file_name}: {file.about}, {len(file.content):,} bytes")
    console.print(f"by {partner.client_name}: [dim]{partner.command}[/dim]", soft_wrap=True)
    with TemporaryDirectory() as folder:
        local = [Path(folder) / file.file_name for file in files]
        for path, file in zip(local, files, strict=True):
            path.write_bytes(file.content)
        partner.put_all(local, tenant.inbox.folder)
    dropped_at = clock.now()
    is_well = True
    for number, file in enumerate(files):
        is_whole = number == 0
        journey = _watch(console, tenant, file.file_name, dropped_at, is_whole=is_whole)
        answered = _answered(settings, journey)
        if answered is None:
            console.print(
                f"[red]No answer within {PATIENCE_S:.0f} s; see `exchange status` and the Airflow UI.[/red]"
            )
            is_well = False
            continue
        if is_whole:
            _show_answer(console, settings, tenant, partner, answered, is_mail_shown=is_mail_shown)
        else:
            _show_briefly(console, journey, answered)
        complaint = file.complaint(answered.submission, answered.findings)
        if complaint:
            console.print(f"[red]{complaint}[/red]")
            is_well = False
    return is_well


def _answered(settings: Settings, journey: Journey) -> Answered | None:
    """Return what is known of a file at its end, None before."""
    submission = journey.submission
    if submission is None or submission.state not in FINAL:
        return None
    with transaction() as connection:
        findings = ledger.findings(connection, submission.submission_id)
        columns = ledger.column_outcomes(connection, submission.submission_id)
    return Answered(submission, findings, columns, _mail_of(settings, submission))


def _watch(
    console: Console, tenant: Tenant, file_name: str, dropped_at: datetime, *, is_whole: bool
) -> Journey:
    deadline_s = time.monotonic() + PATIENCE_S
    journey = Journey(file_name, dropped_at, None, None)
    console.rule(file_name, style="dim")
    # What is shown briefly leaves no table of its steps behind.
    with Live(_progress(journey), console=console, refresh_per_second=10, transient=not is_whole) as live:
        while time.monotonic() < deadline_s:
            journey = _look(tenant, journey)
            live.update(_progress(journey))
            if journey.mailed_at is not None:
                break
            time.sleep(_LOOK_S)
    if is_whole:
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
    console: Console,
    settings: Settings,
    tenant: Tenant,
    partner: Partner,
    answered: Answered,
    *,
    is_mail_shown: bool,
) -> None:
    submission = answered.submission
    name = submission.name
    place = paths.completed(tenant.inbox.folder, name)
    if tenant.inbox.is_registry:
        place = paths.answer_file(tenant.inbox, name, AnswerKind.REPORT, "txt")
    answer = partner.get(place).decode()
    head = "\n".join(answer.splitlines()[:_HEAD_LINES])
    about = Text(f"/{place} (its first lines)")
    console.print(Panel(Text(head), title=about, title_align="left"))
    for label, found in places(submission, answered.columns, answered.findings, tenant).items():
        _say(console, f"{label.lower()}: /{found}")
    if answered.mail is not None and is_mail_shown:
        title = Text(_about_mail(answered.mail))
        console.print(Panel(Text(answered.mail.text.rstrip()), title=title, title_align="left"))
    elif answered.mail is not None:
        _say(console, _about_mail(answered.mail))
    _say(console, f"in the store: {_counts(answered)}")


def _show_briefly(console: Console, journey: Journey, answered: Answered) -> None:
    """Say in three lines what the whole example shows at length."""
    reached = [(stage, at) for stage, at in journey.milestones()[1:] if at]
    told = ", ".join(f"{stage} {(at - journey.dropped_at).total_seconds():.1f} s" for stage, at in reached)
    _say(console, f"{told} after the drop")
    found = ", ".join(f"{group.count} x {group.code}" for group in answered.findings.groups)
    _say(console, f"{_counts(answered)}; {found or 'no findings'}")
    _say(console, _about_mail(answered.mail) if answered.mail else "no mail")


def _counts(answered: Answered) -> str:
    one = answered.submission
    doses = dose_counts(one.part_counts)
    what = "messages" if doses else "rows"
    rows = (
        f"{one.rows_total} {what}: {one.rows_created} created, {one.rows_updated} updated, "
        f"{one.rows_unchanged} unchanged, {one.rows_rejected} rejected"
    )
    if doses:
        told = ", ".join(f"{count} {name}" for name, count in doses.items())
        return f"{rows}; {one.part_counts['doses_total']} doses: {told}"
    values = value_sentence(value_counts(all_columns(answered.columns))) if answered.columns else ""
    return f"{rows}; {values}" if values else rows


def _about_mail(mail: KeptMail) -> str:
    return f"mail to {', '.join(mail.recipients)}: {mail.subject}"


def _say(console: Console, line: str) -> None:
    console.print(line, soft_wrap=True, highlight=False, markup=False)


def _show_statuses(console: Console, tenant: Tenant) -> None:
    """Show what the store says now of the tenant's first resource: three files have filled it."""
    from partner_exchange.stores import statuses

    resource = tenant.status.resources[0]
    catalogue = tenant.status.catalogue
    with transaction() as connection:
        found = statuses.now(connection, tenant.code, resource_id=resource.id_in(tenant.mode))
    table = Table("status type", "status", "reported (UTC)", title=resource.name, title_justify="left")
    for one in found[:_STATUSES_SHOWN]:
        shown = "not applicable" if one.is_not_applicable else f"{one.value} {one.level}".strip()
        name = catalogue.get(one.status_type_id).name
        table.add_row(name, Text(shown), f"{one.reported_at:%Y-%m-%d %H:%M:%S}")
    console.rule(f"{tenant.name}: what is known now")
    console.print(table)
    more = f"and {len(found) - _STATUSES_SHOWN} more: " if len(found) > _STATUSES_SHOWN else ""
    _say(console, f"{more}exchange statuses now --tenant {tenant.code}")


def _verify(console: Console, tenant: Tenant) -> Verified:
    """Verify the students that came, as a person who has looked at their records would."""
    verified = verify_everybody(tenant)
    console.rule(f"{tenant.name}: {verified.count:,} students are verified")
    _say(console, "as a person would by: exchange students verify --tenant " + tenant.code + " --all")
    _say(console, f"the export {EXPORT} looks each minute for whom no file has held yet")
    return verified


def _show_export(console: Console, settings: Settings, tenant: Tenant, verified: Verified) -> bool:
    """Show the file in which the verified students went out, as the partner takes it."""
    console.rule(f"{tenant.name} finds who is verified")
    received = wait_for_file(tenant, Partner(settings, tenant, pinned_host_key(settings)), verified)
    if received is None:
        console.print(f"[red]No file came; see the DAG outbound__{tenant.code}__{EXPORT}.[/red]")
        return False
    delivery = received.delivery
    head = "\n".join(received.text.splitlines()[:_EXPORT_LINES])
    about = Text(f"/{tenant.inbox.outbox}/{delivery.delivered_name} (its first lines)")
    console.print(Panel(Text(head, no_wrap=True, overflow="ellipsis"), title=about, title_align="left"))
    since_s = ((delivery.delivered_at or verified.at) - verified.at).total_seconds()
    _say(console, f"{delivery.rows_total:,} students, {since_s:.1f} s after they were verified")
    _say(console, f"who is listed once is not listed again: exchange export list --tenant {tenant.code}")
    complaint = received.complaint(verified)
    if complaint:
        console.print(f"[red]{complaint}[/red]")
    return not complaint


def _mail_of(settings: Settings, submission: Submission) -> KeptMail | None:
    about = (mail for mail in reversed(read_mails(settings)))
    return next(
        (mail for mail in about if mail.message["X-Exchange-Submission"] == submission.submission_id), None
    )


def _show_urls(console: Console, settings: Settings) -> None:
    base = f"http://{settings.host}:{settings.airflow_port}"
    for code in (ROSTERS, STATUSES, IMMUNIZATIONS):
        console.print(f"Airflow:  {base}/dags/inbound__{code}", soft_wrap=True)
    console.print(f"          {base}/dags/outbound__{ROSTERS}__{EXPORT}", soft_wrap=True)
    console.print(f"Login:    {stack.login_hint(settings)}", soft_wrap=True)
    console.print(f"Mails:    {settings.home_dir / 'mails'}", soft_wrap=True)


def _stay(console: Console, settings: Settings) -> None:
    """Wait until somebody ends the demo, or the stack from another terminal."""
    console.print("The stack stays up; Ctrl-C ends it.")
    with_stop = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, with_stop)
    try:
        while signal.sigtimedwait(with_stop, _STAY_LOOK_S) is None and stack.status(settings).is_up:
            pass
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, with_stop)
