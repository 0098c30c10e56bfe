"""Compose one mail from the ledger alone: counts and codes, never a cell value (E36, X05)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from sqlalchemy import Connection

from partner_exchange import clock
from partner_exchange.feeds.answer import all_columns
from partner_exchange.feeds.expected import dose_counts, has_rejected, places, was_not_read
from partner_exchange.ledger import messages, quotas
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.columns import ColumnOutcome
from partner_exchange.ledger.mails import Event, QueuedMail
from partner_exchange.ledger.quotas import QuotaWarning
from partner_exchange.ledger.submissions import Submission
from partner_exchange.notify import deliveries
from partner_exchange.notify.content import Content, one_line
from partner_exchange.tenants.model import GATEWAY, Tenant
from partner_exchange.validation.catalogue import CATALOGUE
from partner_exchange.validation.findings import FindingGroup

GROUPS_SHOWN = 25


@dataclass(frozen=True)
class _Wording:
    subject: str
    headline: str
    turn: str


_WORDINGS = {
    Event.SUCCESS: _Wording(
        "{file}: {all_rows} loaded",
        "Every row of your file was accepted.",
        "Nothing is asked of you.",
    ),
    Event.FINDINGS: _Wording(
        "{file}: {accepted} of {total} {rows} loaded, {rejected}",
        "The good rows of your file are loaded; some rows were rejected.",
        "Your turn: mend the rows in the fix-it file and drop it into the inbox as it is named.",
    ),
    Event.REFUSAL: _Wording(
        "{file}: refused, nothing loaded",
        "The file as a whole was refused. Nothing of it was loaded.",
        "Your turn: see the reason below, then drop a mended file.",
    ),
    Event.SUSPENDED: _Wording(
        "{file}: refused, and intake is suspended",
        "The same file came twice in succession, so intake is suspended until this is remedied.",
        "Your turn: tell us that the cause is remedied. Files dropped meanwhile wait and are not lost.",
    ),
    Event.FAILURE: _Wording(
        "{file}: delayed by a failure on our side",
        "A step failed on our side. The original of your file is kept.",
        "Our turn: we look into it. Nothing is asked of you, please do not send the file again.",
    ),
}


_VALUE_FINDINGS = _Wording(
    _WORDINGS[Event.FINDINGS].subject,
    "The good values of your file are loaded; some values were rejected.",
    "Your turn: mend the values in the fix-it file and drop it into the inbox as it is named.",
)
_MESSAGES = {
    Event.SUCCESS: _Wording(
        "{file}: {all_rows} accepted",
        "Your file was processed.",
        "See its report.",
    ),
    Event.FINDINGS: _Wording(
        "{file}: {accepted} of {total} {rows} accepted, {rejected}",
        "Your file was processed, but parts of it could not be taken.",
        "Your turn: see its report.",
    ),
    Event.REFUSAL: _Wording(
        "{file}: refused, nothing loaded",
        "The file as a whole was refused. Nothing of it was loaded.",
        "Your turn: see its report.",
    ),
}
"""Subjects for a registry's partner; what became of the file and whose turn it is says the kept report."""

_NOTHING_REJECTED = _Wording(
    "{file}: {accepted} of {total} {rows} loaded, with findings",
    "Your file is loaded, but something about it is not right.",
    "Your turn: see the findings below.",
)


@dataclass(frozen=True)
class FindingLine:
    """One finding group as the mail shows it."""

    severity: str
    code: str
    column: str
    count: int
    rows: str
    unit: str
    """``row``, or ``message`` of a registry's file."""
    title: str
    text: str
    """What is wrong and what to do next; stands alone."""

    @property
    def sentence(self) -> str:
        """Return the text behind its rows, such as ``Row 4.`` or ``Messages 4, 9-12.``, where it has some."""
        unit = self.unit if self.rows.isdigit() else f"{self.unit}s"
        return f"{unit.capitalize()} {self.rows}. {self.text}" if self.rows else self.text


@lru_cache(maxsize=1)
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("partner_exchange.notify"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def compose(connection: Connection, mail: QueuedMail, tenant: Tenant, *, sender: str) -> EmailMessage:
    """Return the mail as text and HTML; its Message-ID is stable, so a doubled sending is seen as one."""
    content = _content(connection, mail, tenant)
    message = EmailMessage(policy=SMTP)
    label = "[TEST] " if tenant.mode == "test" else ""
    message["Subject"] = f"[Partner Exchange] {label}{content.subject}"
    message["From"] = sender
    message["To"] = mail.recipient
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{mail.mail_id}@{sender.rpartition('@')[2].rstrip('>') or 'localhost'}>"
    message["Auto-Submitted"] = "auto-generated"
    for name, value in content.headers.items():
        message[name] = value
    message["X-Exchange-Event"] = str(mail.event)
    message.set_content(_templates().get_template(f"{content.template}.txt").render(content.facts))
    html = _templates().get_template(f"{content.template}.html").render(content.facts)
    message.add_alternative(html, subtype="html")
    return message


def _content(connection: Connection, mail: QueuedMail, tenant: Tenant) -> Content:
    if mail.submission_id is not None:
        return _about_submission(connection, mail.event, mail.submission_id, tenant)
    if mail.event is Event.QUOTA:
        return _about_quota(quotas.get(connection, mail.topic), tenant)
    return deliveries.about(connection, mail, tenant)


def _about_quota(warning: QuotaWarning, tenant: Tenant) -> Content:
    """Tell that a folder is nearly full, by the count that a look has found (T38)."""
    files, most = warning.file_count, warning.max_files
    where = f"folder {warning.folder}" if tenant.quota.scope == "folder" else "account"
    is_refusing = tenant.inbox.connection == GATEWAY
    facts = {
        "tenant": tenant,
        "warning": warning,
        "headline": f"Your {where} holds {files} files of your own; {most} are the most.",
        "turn": "Your turn: remove what nobody needs there, half-sent files too; what waits goes by itself.",
        "is_refusing": is_refusing,
    }
    return Content("quota", f"{warning.folder}: {files} of {most} files, {files * 100 // most} %", facts)


def _about_submission(connection: Connection, event: Event, submission_id: str, tenant: Tenant) -> Content:
    submission = ledger.get(connection, submission_id)
    findings = ledger.findings(connection, submission_id)
    columns = ledger.column_outcomes(connection, submission_id)
    groups = _causes(findings.groups)
    wording = _wording(event, submission, columns, tenant)
    headline, turn = _verdict(connection, event, submission_id, tenant) or (wording.headline, wording.turn)
    is_registry = tenant.inbox.is_registry
    unit = _unit(tenant)
    found = places(submission, columns, findings, tenant)
    facts = {
        "tenant": tenant,
        "submission": submission,
        "headline": headline,
        "turn": turn,
        "lines": [_line(group, unit) for group in groups[:GROUPS_SHOWN]],
        "hidden_count": max(0, len(groups) - GROUPS_SHOWN),
        "places": found,
        "label_width": max(map(len, found)),
        "was_not_read": is_registry and was_not_read(submission),
        "values": _values(submission, columns),
        "doses": dose_counts(submission.part_counts) if submission.loaded_at is not None else {},
        "rows_are": f"{unit.capitalize()}s",
        "place_is": "Place" if is_registry else "Column",
        "listed_in": "the report" if is_registry else "the result file",
    }
    subject = _subject(wording.subject, submission, columns, unit)
    return Content("mail", subject, facts, {"X-Exchange-Submission": submission_id})


def _unit(tenant: Tenant) -> str:
    return "message" if tenant.inbox.is_registry else "row"


def _verdict(
    connection: Connection, event: Event, submission_id: str, tenant: Tenant
) -> tuple[str, str] | None:
    """Return what the kept report says became of the file, and whose turn it is; None without one (X05)."""
    if not tenant.inbox.is_registry or event not in _MESSAGES:
        return None
    report = messages.report(connection, submission_id)
    if report is None:
        return None
    verdict = report.document["verdict"]
    return str(verdict["sentence"]), str(verdict["turn"])


def _causes(groups: Sequence[FindingGroup]) -> Sequence[FindingGroup]:
    """Return the groups without those that only follow from others, unless there is nothing else."""
    causes = [group for group in groups if not CATALOGUE[group.code].is_consequence]
    return causes or groups


def _wording(
    event: Event, submission: Submission, columns: Sequence[ColumnOutcome], tenant: Tenant
) -> _Wording:
    if tenant.inbox.is_registry and event in _MESSAGES:
        return _MESSAGES[event]
    if event is not Event.FINDINGS:
        return _WORDINGS[event]
    if not has_rejected(submission, columns):
        return _NOTHING_REJECTED
    return _VALUE_FINDINGS if columns else _WORDINGS[event]


def _values(submission: Submission, columns: Sequence[ColumnOutcome]) -> ColumnOutcome | None:
    """Return what became of the values when that is known and the feed judges them one by one (E21)."""
    return all_columns(columns) if columns and submission.loaded_at is not None else None


def _rejected(submission: Submission, columns: Sequence[ColumnOutcome]) -> str:
    """Return how much was rejected, such as ``1 rejected, 3 values rejected``."""
    rows = submission.rows_rejected or 0
    smaller = {
        "value": sum(one.rejected for one in columns),
        "dose": submission.part_counts.get("doses_rejected", 0),
    }
    parts = [f"{n} {name if n == 1 else f'{name}s'} rejected" for name, n in smaller.items() if n]
    return ", ".join([f"{rows} rejected", *parts] if rows or not parts else parts)


def _subject(pattern: str, submission: Submission, columns: Sequence[ColumnOutcome], unit: str) -> str:
    total = submission.rows_total or 0
    return pattern.format(
        file=one_line(submission.file_name),
        total=total,
        rows=unit if total == 1 else f"{unit}s",
        all_rows=f"the one {unit}" if total == 1 else f"all {total} {unit}s",
        accepted=submission.rows_accepted or 0,
        rejected=_rejected(submission, columns),
    )


def _line(group: FindingGroup, unit: str) -> FindingLine:
    return FindingLine(
        severity=str(group.severity),
        code=group.code,
        column=group.column,
        count=group.count,
        rows=group.row_ranges,
        unit=unit,
        title=CATALOGUE[group.code].title,
        text=group.message,
    )
