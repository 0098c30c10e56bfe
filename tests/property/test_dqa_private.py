"""No value of a message gets into its data quality report, whatever the message holds (T60).

Every place of the messages that is not a code of a code set holds a mark that occurs nowhere else, or a date
that is nobody's but the patient's; sometimes a mark stands where a code, a date or a number should. None of
them may be in any form of the report.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from partner_exchange.feeds.base import Examination, ExamineContext
from partner_exchange.feeds.registry import get_feed
from partner_exchange.feeds.vxu import report
from partner_exchange.feeds.vxu.tables import ISSUE_COLUMNS, TALLY_COLUMNS, empty
from partner_exchange.ledger.states import Outcome
from support.quality import the_clinic
from support.vxu_answers import a_loaded_submission

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 21, 7, 47, 12, tzinfo=UTC)
BIRTHS = ("20190725", "19551231", "20080229")
DOSES = ("20261113", "20200820", "19991104")
_MARK = "ZQ0"
_TAILS = ("X", "x-y", "é", " B C", "'q", "<b>", "&amp;", "=1+1", "%7C", "{{z}}")
_FORMS = {
    "html": report.html,
    "text": report.text,
    "json": report.json_bytes,
}


class Marks:
    """Hands out marks; ``given`` are all that went into a file."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.given: list[str] = []

    def mark(self) -> str:
        """A value of somebody, as it stands in a message."""
        mark = f"{_MARK}{len(self.given):04d}{self._random.choice(_TAILS)}"
        self.given.append(mark)
        return mark.replace("&", "\\T\\")

    def maybe(self, *usual: str) -> str:
        """A usual value, nothing, or a mark in its place."""
        choice = self._random.randrange(24)
        if choice == 0:
            return self.mark()
        return "" if choice == 1 else self._random.choice(usual)

    def name(self) -> str:
        """A name of a person with its parts."""
        return f"{self.mark()}^{self.mark()}^{self.mark()}"


def _file(random: Random) -> tuple[bytes, list[str]]:
    """A file of a few messages, and the marks in it."""
    marks = Marks(random)
    messages = [_message(marks) for _ in range(random.randint(4, 12))]
    content = (
        f"FHS|^~\\&|{marks.mark()}\rBHS|^~\\&\rNTE|{marks.mark()}\r{''.join(messages)}"
        f"BTS|9\rFTS|1|{marks.mark()}\r"
    )
    return content.encode(), marks.given


def _message(marks: Marks) -> str:
    identifiers = (
        f"{marks.mark()}^^^{marks.mark()}^{marks.maybe('MR', 'SS', 'ZZ')}~{marks.mark()}^^^&{marks.mark()}"
    )
    segments = [
        f"MSH|^~\\&|{marks.mark()}|{marks.mark()}|{marks.mark()}|{marks.mark()}|"
        f"{marks.maybe('20261120101500-0600', '20261120')}|{marks.mark()}|{marks.maybe('VXU^V04^VXU_V04')}|"
        f"{marks.mark()}|{marks.maybe('P')}|{marks.maybe('2.5.1')}|||ER|AL||||||Z22^CDCPHINVS|{marks.mark()}",
        f"PID|1||{identifiers}||{marks.name()}^^^^{marks.maybe('L')}|{marks.mark()}|"
        f"{marks.maybe(*BIRTHS)}|{marks.maybe('F', 'O')}||{marks.maybe('2106-3')}|"
        f"{marks.mark()}^^{marks.mark()}^{marks.maybe('TX')}^{marks.mark()}^{marks.maybe('USA')}||"
        f"^PRN^PH^{marks.mark()}^^512^{marks.mark()}~^NET^^{marks.mark()}|||||||||{marks.maybe('2186-5')}||"
        f"{marks.maybe('Y', 'N')}|{marks.maybe('2')}||||{marks.maybe('20261101')}|{marks.maybe('Y')}",
        f"PD1||||||||||||{marks.maybe('Y', 'N')}|{marks.maybe('20261101')}",
        f"NK1|1|{marks.name()}|{marks.maybe('MTH')}|{marks.mark()}|{marks.mark()}",
        *(line for _ in range(2) for line in _dose(marks)),
        f"ZZZ|{marks.mark()}",
    ]
    return "".join(f"{segment}\r" for segment in segments)


def _dose(marks: Marks) -> list[str]:
    return [
        f"ORC|RE|{marks.mark()}|{marks.mark()}^{marks.mark()}|||||||{marks.name()}||{marks.name()}",
        f"RXA|0|1|{marks.maybe(*DOSES)}||{marks.maybe('94^MMRV^CVX', '998^none^CVX', '00005-0100-01^T^NDC')}|"
        f"{marks.maybe('0.5', '999')}|{marks.maybe('mL')}||{marks.maybe('00^New^NIP001', '01^Old^NIP001')}|"
        f"{marks.name()}|^^^{marks.mark()}||||{marks.mark()}|{marks.maybe('20270430')}|{marks.maybe('MSD^M^MVX')}|"
        f"{marks.maybe('', '00')}||{marks.maybe('CP', 'RE')}|{marks.maybe('A', 'D')}",
        f"RXR|{marks.maybe('C38299^S^NCIT')}|{marks.maybe('LT^L^HL70163')}",
        f"OBX|1|{marks.maybe('CE')}|{marks.maybe('64994-7^E^LN')}|1|{marks.maybe('V01^N^HL70064')}||||||F|||20261113",
        f"OBX|2|ST|{marks.mark()}^{marks.mark()}^LN|2|{marks.mark()}||||||F",
    ]


def _report(content: bytes) -> tuple[dict[str, bytes], Examination]:
    clinic = the_clinic()
    context = ExamineContext(clinic, "AAA-SSL26325.hl7", date(2026, 11, 21), NOW)
    found = get_feed("vxu").examine(content, context)
    submission = a_loaded_submission(
        outcome=Outcome.REFUSED if found.is_refused else Outcome.ACCEPTED_WITH_FINDINGS,
        rows_total=found.rows_total,
        rows_accepted=found.rows_accepted,
        rows_rejected=found.rows_rejected,
        part_counts=found.part_counts,
    )
    document = report.build(
        submission=submission,
        tenant=clinic,
        findings=found.findings,
        tally=found.tables.get("tally", empty(TALLY_COLUMNS)),
        earlier=[],
    )
    forms = {name: render(document) for name, render in _FORMS.items()}
    issues = found.tables.get("issues", empty(ISSUE_COLUMNS))
    return {**forms, "csv": report.issues_csv(document, issues, "crlf")}, found


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False))
def test_T60_no_value_of_a_message_is_in_its_report(random: Random) -> None:
    content, marks = _file(random)

    forms, _ = _report(content)

    for name, form in forms.items():
        text = form.decode()
        assert (name, _MARK in text) == (name, False), [mark for mark in marks if mark in text]
        days = [day for day in (*BIRTHS, *DOSES) if day in text or _iso(day) in text]
        assert (name, days) == (name, [])


def test_T60_the_marks_pass_through_the_rules_and_are_found_fault_with() -> None:
    """What the property holds would mean nothing of messages that nobody reads."""
    contents = [_file(Random(seed)) for seed in range(4)]

    found = [_report(content)[1] for content, _ in contents]

    assert sum(one.rows_accepted for one in found) > 5
    assert sum(one.rows_rejected for one in found) > 5
    codes = {group.code for one in found for group in one.findings.groups}
    assert {"code-unknown", "required-missing", "value-not-of-type"} <= codes
    assert all(content.count(_MARK.encode()) > 30 for content, _ in contents)


def _iso(day: str) -> str:
    return f"{day[:4]}-{day[4:6]}-{day[6:]}"
