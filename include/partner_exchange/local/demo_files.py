"""What the demo's partners drop: files with known faults, and how to tell that each was answered rightly."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from partner_exchange import clock
from partner_exchange.feeds.vxu.consent_file import read_consents
from partner_exchange.ledger import submissions as ledger
from partner_exchange.ledger.database import transaction
from partner_exchange.ledger.submissions import Submission
from partner_exchange.local.roster_maker import make_roster
from partner_exchange.local.status_maker import MadeFile, make_status_files
from partner_exchange.local.vxu_maker import consent_file, make_batch
from partner_exchange.storage.hl7_names import Hl7Name
from partner_exchange.storage.names import utc_stamp
from partner_exchange.stores import consents
from partner_exchange.tenants.model import Tenant
from partner_exchange.validation.findings import Findings, Severity

FAULTS = 23
MESSAGES = 500
FAULTY_MESSAGES = 30
CONSENT_SHARE = 0.9


@dataclass(frozen=True)
class Dropped:
    """One file that a partner drops, and how to tell that it was answered as it should be."""

    file_name: str
    about: str
    content: bytes
    complaint: Callable[[Submission, Findings], str]
    """Says what is not as expected; "" when all is."""


def roster(tenant: Tenant, rows: int) -> Dropped:
    """Return a roster with bad birth dates in some rows."""
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


def batch(tenant: Tenant) -> Dropped:
    """Return a batch with faults, and let the registry know of most patients' consent."""
    at = clock.now()
    name = _free_name(tenant, at)
    made = make_batch(
        messages=MESSAGES,
        seed=int(time.time()),
        import_code=tenant.import_code,
        at=at,
        faulty=FAULTY_MESSAGES,
    )
    content = consent_file(made, share=CONSENT_SHARE, at=at)
    read = read_consents(content, file_name="consents.csv", today=at.date())
    with transaction() as connection:
        consents.record(
            connection, read.records, tenant_code=tenant.code, source="demo", actor="demo", now=at
        )

    def complaint(submission: Submission, findings: Findings) -> str:
        found = (submission.rows_total, submission.rows_rejected, submission.part_counts["doses_rejected"])
        expected = (made.messages, made.rejected_messages, made.rejected_doses)
        if found != expected:
            return f"Messages, rejected, doses rejected: expected {expected}, found {found}."
        missing = made.codes - {group.code for group in findings.groups}
        return f"Codes not found: {missing}." if missing else ""

    return Dropped(
        file_name=name,
        about=f"{made.messages:,} messages with {made.doses:,} doses, a fault in {FAULTY_MESSAGES} of them",
        content=made.content,
        complaint=complaint,
    )


def _free_name(tenant: Tenant, at: datetime) -> str:
    """Return a name of today that the partner has not used: the demo may be played again (K20)."""
    today = at.astimezone(ZoneInfo(tenant.time_zone)).date()
    with transaction() as connection:
        used = {one.file_name for one in ledger.latest(connection, tenant.code, limit=1000)}
    numbers = (Hl7Name(tenant.import_code, today, number).format() for number in count(1))
    return next(name for name in numbers if name not in used)


def status_files(tenant: Tenant) -> list[Dropped]:
    """Return one file of each template and format."""
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
