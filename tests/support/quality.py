"""What data quality reports are made from: tallies and findings of invented files, without a ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from partner_exchange.feeds.vxu.profile import FIELDS, Section
from partner_exchange.feeds.vxu.report import Document, build
from partner_exchange.feeds.vxu.tables import TALLY_COLUMNS
from partner_exchange.ledger.messages import QualityReport
from partner_exchange.ledger.states import Outcome, State
from partner_exchange.ledger.submissions import Submission
from partner_exchange.readers.marks import Mark
from partner_exchange.tenants.model import Tenant
from partner_exchange.validation.findings import Findings
from partner_exchange.validation.wording import word
from support.vxu_answers import a_clinic, a_loaded_submission

RECEIVED = datetime(2026, 11, 21, 7, 40, 3, tzinfo=UTC)
SUPPORT = (
    "Partner Exchange support\nsupport@exchange.example, +1 555 010 0100\nMonday to Friday, 8:00 to 16:30"
)


@dataclass(frozen=True)
class Found:
    """``count`` findings of one code at one place, in ``messages`` messages."""

    code: str
    place: str
    count: int
    messages: int = 0
    is_warning: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """One invented file."""

    messages: int = 100
    messages_rejected: int = 0
    doses: int = 200
    doses_rejected: int = 0
    doses_held: int = 0
    found: Sequence[Found] = ()
    bad_fields: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Bad states of fields by place, such as ``{"PID-5.3": {"missing": 40}}``; all else is filled."""
    lags: Mapping[int, int] = field(default_factory=lambda: {0: 120, 1: 30})
    more: Sequence[tuple[str, str, str, int]] = ()


def a_tally(case: Case) -> pd.DataFrame:
    """Return the tally of a case."""
    given = sum(case.lags.values())
    lines: list[tuple[str, str, str, int]] = [
        ("count", "messages", "", case.messages),
        ("count", "messages_accepted", "", case.messages - case.messages_rejected),
        ("count", "messages_rejected", "", case.messages_rejected),
        ("count", "patients", "", case.messages),
        ("count", "doses", "", case.doses),
        ("count", "doses_accepted", "", case.doses - case.doses_rejected),
        ("count", "doses_rejected", "", case.doses_rejected),
        ("count", "doses_given", "", given),
        ("count", "doses_historical", "", max(0, case.doses - case.doses_rejected - given)),
        ("time", "first", "2026-11-14T13:02:11+00:00", 1),
        ("time", "last", "2026-11-20T23:41:00+00:00", 1),
    ]
    lines += [line for one in FIELDS for line in _field_lines(one.place, one.section, case)]
    for one in case.found:
        lines.append(("finding", one.code, one.place, one.count))
        lines.append(("finding_messages", one.code, one.place, one.messages or one.count))
    lines += [("lag", "", str(days), count) for days, count in case.lags.items()]
    return pd.DataFrame([*lines, *case.more], columns=list(TALLY_COLUMNS)).astype(dict(TALLY_COLUMNS))


def _field_lines(place: str, section: Section, case: Case) -> Iterable[tuple[str, str, str, int]]:
    expected = case.doses if section is Section.VACCINATION else case.messages
    bad = case.bad_fields.get(place, {})
    yield "field", place, "expected", expected
    yield "field", place, "present", expected - bad.get("missing", 0)
    for state, count in bad.items():
        yield "field", place, state, count


def the_findings(case: Case) -> Findings:
    """Return the findings of a case, as the feed words them."""
    marks = []
    for one in case.found:
        rows = np.arange(one.count) % max(1, one.messages or one.count) + 1
        of_file = not one.place
        marks.append(
            Mark(
                one.code,
                one.place,
                np.empty(0, np.int64) if of_file else np.sort(rows).astype(np.int64),
                facts=one.facts,
                is_warning=one.is_warning,
            )
        )
    columns = list(dict.fromkeys(one.place for one in case.found if one.place))
    return word(marks, columns=columns, cap=10)


def the_submission(case: Case, **over: Any) -> Submission:
    """Return the submission of a case, checked and loaded."""
    accepted = case.messages - case.messages_rejected
    values: dict[str, Any] = {
        "rows_total": case.messages,
        "rows_accepted": accepted,
        "rows_rejected": case.messages_rejected,
        "rows_created": accepted // 2,
        "rows_updated": accepted - accepted // 2,
        "outcome": Outcome.ACCEPTED_WITH_FINDINGS if case.found else Outcome.ACCEPTED,
        "size_bytes": 412_345,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "claimed_at": RECEIVED,
        "validated_at": RECEIVED + timedelta(seconds=4),
        "part_counts": {
            "acknowledged": case.messages,
            "doses_total": case.doses,
            "doses_rejected": case.doses_rejected,
            "doses_held": case.doses_held,
            "doses_stored": case.doses - case.doses_rejected - case.doses_held,
            "found_batches": 1,
            "declared_batches": 1,
            "declared_messages": case.messages,
        },
    }
    return a_loaded_submission(**{**values, **over})


def the_clinic(**over: Any) -> Tenant:
    """Return the tenant of the reports; ``over`` sets options of the file, ``vxu`` those of its policy."""
    clinic = a_clinic(**over.pop("vxu", {}))
    contacts = clinic.contacts.model_copy(update={"support": SUPPORT})
    return clinic.model_copy(
        update={"name": "AAA Sample School of Life Clinic", "contacts": contacts, **over}
    )


def earlier(*scores: float) -> list[QualityReport]:
    """Return reports of files before, one per week, oldest first."""
    reports = []
    for at, score in enumerate(scores):
        on = RECEIVED - timedelta(days=7 * (len(scores) - at))
        document = {
            "head": {
                "file_name": f"AAA-SSL{on:%y%j}.hl7",
                "mode": "production",
                "received": {"utc": f"{on:%Y-%m-%d %H:%M:%S} UTC"},
            }
        }
        reports.append(QualityReport(f"S{at}", score, document, on))
    return reports


def a_report(case: Case | None = None, **over: Any) -> Document:
    """Return the report of a case; ``over`` replaces what ``build`` takes."""
    case = case or Case()
    material: dict[str, Any] = {
        "submission": the_submission(case),
        "tenant": the_clinic(),
        "findings": the_findings(case),
        "tally": a_tally(case),
        "earlier": [],
    }
    return build(**{**material, **over})


def a_refused(code: str = "hl7-name-in-future", **facts: Any) -> Document:
    """Return the report of a file that was refused."""
    case = Case(messages=0, doses=0, lags={}, found=[Found(code, "", 1, facts=facts)])
    submission = the_submission(
        case,
        outcome=Outcome.REFUSED,
        state=State.VALIDATED,
        rows_total=0,
        rows_accepted=0,
        rows_rejected=0,
        rows_created=None,
        rows_updated=None,
        loaded_at=None,
        part_counts={},
    )
    return a_report(case, submission=submission, tally=a_tally(case).iloc[:0])


TYPICAL = Case(
    messages=500,
    messages_rejected=17,
    doses=1_012,
    doses_rejected=38,
    doses_held=61,
    found=(
        Found("file-count-differs", "", 1, facts={"line": 9042, "declared": 2, "found": 1}),
        Found("required-missing", "PID-7", 9),
        Found("date-in-future", "PID-7", 3),
        Found("required-missing", "PID-3", 5),
        Found("code-unknown", "RXA-5", 12, 11),
        Found("value-not-of-type", "RXA-3", 6),
        Found("message-rejected", "PID", 17),
        Found("dose-rejected", "RXA", 21, 19),
        Found("observation-missing", "OBX", 96, 60),
        Found("vis-missing", "OBX", 48, 40),
        Found("time-zone-missing", "MSH-7", 500, 500),
        Found("code-unknown", "RXR-1", 120, 64, is_warning=True),
        Found("code-deprecated", "RXR-2", 14, 10),
        Found("expired-lot", "RXA-16", 4),
        Found("name-looks-temporary", "PID-5", 2),
        Found("looks-historical", "RXA", 8, 8),
    ),
    bad_fields={
        "PID-3": {"missing": 5},
        "PID-7": {"missing": 9, "invalid": 3},
        "PID-5.3": {"missing": 212},
        "PID-6": {"missing": 301},
        "PID-13": {"missing": 44},
        "PID-10": {"missing": 90, "unrecognized": 12},
        "PID-11.5": {"missing": 31},
        "PID-24": {"missing": 500},
        "RXA-3": {"invalid": 6},
        "RXA-5": {"missing": 2, "unrecognized": 10},
        "RXA-15": {"missing": 28},
        "RXA-17": {"missing": 31, "deprecated": 9},
        "OBX 64994-7": {"missing": 96},
        "RXR-1": {"missing": 10, "unrecognized": 120},
        "MSH-22": {"missing": 500},
    },
    lags={0: 312, 1: 120, 2: 60, 3: 22, 5: 31, 9: 40, 14: 3, 20: 11, 33: 7, 400: 2},
    more=(
        *(
            ("vaccine", band, group, count)
            for band, group, count in (
                ("baby", "", 190),
                ("baby", "dtap", 60),
                ("baby", "hep-b", 44),
                ("baby", "polio", 48),
                ("baby", "hib", 5),
                ("baby", "influenza", 20),
                ("baby", "zoster", 2),
                ("child", "", 402),
                ("child", "mmr", 90),
                ("child", "varicella", 85),
                ("child", "influenza", 120),
                ("child", "dtap", 70),
                ("child", "hpv", 3),
                ("teenager", "", 210),
                ("teenager", "hpv", 88),
                ("teenager", "rotavirus", 30),
                ("senior", "", 172),
                ("senior", "zoster", 70),
                ("senior", "influenza", 80),
            )
        ),
        *(
            ("code", name, code, count)
            for name, code, count in (
                ("vaccine", "94", 90),
                ("vaccine", "21", 85),
                ("vaccine", "141", 160),
                ("vaccine", "", 12),
                ("manufacturer", "MSD", 240),
                ("manufacturer", "PMC", 310),
                ("route", "C38299", 400),
                ("route", "C28161", 350),
                ("route", "", 120),
                ("sex", "F", 261),
                ("sex", "M", 230),
                ("sex", "O", 9),
                ("eligibility", "V01", 400),
                ("eligibility", "V00", 14),
                ("eligibility", "V02", 210),
            )
        ),
    ),
)
"""A week of a clinic, with the faults one meets."""
