"""The acknowledgements of a file: one HL7 batch, one ACK of profile Z23 per message (T49, T50).

A program of the partner reads them, so each carries the control id of its message and every finding with its
place, its HL7 code and what to do next; never a value of the message besides that id and the four names of
applications and facilities, which go back to whom they came from. Called by the feed's answers; written from
the same issue table as the data quality report, so the two agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

from partner_exchange.feeds.base import AnswerKind
from partner_exchange.feeds.vxu.found import hl7_error, severity_of
from partner_exchange.feeds.vxu.places import in_order, places
from partner_exchange.ledger.submissions import Submission
from partner_exchange.tenants.model import Tenant
from partner_exchange.validation.catalogue import CATALOGUE, Entry
from partner_exchange.validation.findings import Severity

OUR_FACILITY = "PARTNER-EXCHANGE"
"""Who answers where the message does not say whom it was sent to."""

LONGEST_TEXT = 250
"""Characters that ERR-8 may have, escapes included."""

HL70357: Mapping[str, str] = {
    "0": "Message accepted",
    "100": "Segment sequence error",
    "101": "Required field missing",
    "102": "Data type error",
    "103": "Table value not found",
    "200": "Unsupported message type",
    "201": "Unsupported event code",
    "202": "Unsupported processing id",
    "203": "Unsupported version id",
    "204": "Unknown key identifier",
    "205": "Duplicate key identifier",
    "206": "Application record locked",
    "207": "Application internal error",
}
"""What ERR-3 may say."""

HL70533: Mapping[str, str] = {
    "1": "Illogical date error",
    "2": "Invalid date",
    "3": "Illogical value error",
    "4": "Invalid value",
    "5": "Table value not found",
    "6": "Required observation missing",
    "7": "Required data missing",
}
"""What ERR-5 may say."""

_REJECTING = frozenset({"200", "201", "202", "203"})
"""Only these are AR: sent again as it is, the message would never be read. All other errors are AE."""

_MESSAGE_REJECTED_CODE = "message-rejected"
_ACCEPTED, _ERROR, _REJECTED = "AA", "AE", "AR"
_LETTERS = {Severity.ERROR: "E", Severity.WARNING: "W", Severity.INFO: "I"}
_PROCESSING_IDS = frozenset({"P", "D", "T"})
_UTF_8 = "UNICODE UTF-8"
_MESSAGE_TEXTS = ("MSH-3", "MSH-4", "MSH-5", "MSH-6", "MSH-10", "MSH-11")
_END = "\r"

_CONTROLS = (*range(32), *range(127, 160), 0x2028, 0x2029)
"""Signs that are no letters; some readers take more of them for a line end than CR."""

_ESCAPES = str.maketrans(
    {
        **{chr(code): f"\\X{chr(code).encode().hex().upper()}\\" for code in _CONTROLS},
        "\\": "\\E\\",
        "|": "\\F\\",
        "^": "\\S\\",
        "&": "\\T\\",
        "~": "\\R\\",
    }
)


def acknowledgements(
    messages: pd.DataFrame, issues: pd.DataFrame, *, tenant: Tenant, submission: Submission
) -> bytes:
    """Return the batch: FHS, BHS, one ACK per message in the order of the file, BTS and FTS.

    A message is AA exactly when it has no finding of severity error. The same input gives the same bytes:
    time and control ids come from the submission.

    :param messages: all messages of the file: ``row`` int64, ``is_rejected`` bool, and the texts MSH-3, 4, 5,
        6, 10 and 11 of ``Flat.messages``. A rejected one is never AA.
    :param issues: all findings (``ISSUE_COLUMNS``), those of the store included, in any order; lines of no
        message are left out.
    :raises KeyError: a code is not in the catalogue.
    """
    at = _instant(submission, tenant)
    lines, worst = _findings_by_row(issues)
    texts = [messages[name].tolist() for name in _MESSAGE_TEXTS]
    heads = _Heads(at=at, submission_id=submission.submission_id, import_code=tenant.import_code)
    parts = [*_opening(submission, tenant, at)]
    verdicts = (messages["row"].tolist(), messages["is_rejected"].tolist())
    for row, is_rejected, *values in zip(*verdicts, *texts, strict=True):
        code = worst.get(row, _ERROR if is_rejected else _ACCEPTED)
        parts.append(heads.head(row, code, *values))
        parts += lines.get(row, ())
    parts += [f"BTS|{len(messages)}{_END}", f"FTS|1{_END}"]
    return "".join(parts).encode()


def escaped(text: str) -> str:
    """Return a text as it stands in a component between the usual separators, control signs included."""
    return text.translate(_ESCAPES)


def _instant(submission: Submission, tenant: Tenant) -> str:
    at: datetime = submission.validated_at or submission.claimed_at
    return at.astimezone(ZoneInfo(tenant.time_zone)).strftime("%Y%m%d%H%M%S%z")


def _opening(submission: Submission, tenant: Tenant, at: str) -> Iterator[str]:
    parties = f"{OUR_FACILITY}||{escaped(tenant.import_code)}"
    own_name = escaped(submission.name.report(AnswerKind.ACKNOWLEDGEMENTS, "hl7"))
    for name in ("FHS", "BHS"):
        fields = (name, "^~\\&", "", parties, at, "", own_name, "", submission.submission_id)
        yield f"{'|'.join(fields)}|{escaped(submission.file_name)}{_END}"


class _Heads:
    """Writes MSH and MSA of each message; names of applications and facilities hardly differ in a file."""

    def __init__(self, *, at: str, submission_id: str, import_code: str) -> None:
        self._at = at
        self._submission_id = submission_id
        self._import_code = import_code
        self._parties: dict[tuple[str, str, str, str], str] = {}

    def head(
        self,
        row: int,
        code: str,
        from_application: str,
        from_facility: str,
        to_application: str,
        to_facility: str,
        control_id: str,
        processing_id: str,
    ) -> str:
        key = (to_application, to_facility, from_application, from_facility)
        parties = self._parties.get(key)
        if parties is None:
            parties = self._parties[key] = self._swapped(*key)
        echoed = escaped(control_id)
        processing = processing_id if processing_id in _PROCESSING_IDS else "P"
        charset = "" if parties.isascii() and echoed.isascii() else _UTF_8
        return (
            f"MSH|^~\\&|{parties}|{self._at}||ACK^V04^ACK|{self._submission_id}-{row}|{processing}|2.5.1"
            f"|||NE|NE||{charset}|||Z23^CDCPHINVS{_END}MSA|{code}|{echoed}{_END}"
        )

    def _swapped(self, application: str, facility: str, to_application: str, to_facility: str) -> str:
        """Return MSH-3 to MSH-6 of the answer to a message that was sent to ``application``."""
        names = (application, facility or OUR_FACILITY, to_application, to_facility or self._import_code)
        return "|".join(escaped(name) for name in names)


def _findings_by_row(issues: pd.DataFrame) -> tuple[dict[int, list[str]], dict[int, str]]:
    """Return the ERR segments of each row, and what MSA-1 says of each row that has an error.

    That a message falls is told at the segment without which it does; where its header says so already, no
    second time.
    """
    ordered = in_order(issues)
    is_told = (ordered["code"] != _MESSAGE_REJECTED_CODE) | (ordered["segment"] != "MSH")
    wordings: dict[tuple[str, bool], tuple[str, str]] = {}
    lines: dict[int, list[str]] = {}
    worst: dict[int, str] = {}
    columns = [ordered[name].tolist() for name in ("row", "code", "is_warning")]
    told = (places(ordered).tolist(), is_told.tolist())
    for row, code, is_warning, place, is_said in zip(*columns, *told, strict=True):
        wording = wordings.get((code, is_warning))
        if wording is None:
            wording = wordings[(code, is_warning)] = _wording(code, is_warning)
        verdict, text = wording
        if is_said:
            lines.setdefault(row, []).append(f"ERR||{place}{text}")
        if verdict != _ACCEPTED:
            worst[row] = max(worst.get(row, verdict), verdict)
    return lines, worst


def _wording(code: str, is_warning: bool) -> tuple[str, str]:
    """Return what a finding makes of MSA-1, and its ERR segment from the end of ERR-2 on."""
    entry = CATALOGUE[code]
    severity = severity_of(code, is_warning=is_warning)
    is_error = severity is Severity.ERROR
    number = hl7_error(code, severity)
    verdict = _ACCEPTED if not is_error else _REJECTED if number in _REJECTING else _ERROR
    application = entry.hl7_application_error
    detail = f"{application}^{HL70533[application]}^HL70533" if application else ""
    fields = (f"{number}^{HL70357[number]}^HL70357", _LETTERS[severity], detail, "", "", user_text(entry))
    return verdict, f"|{'|'.join(fields)}{_END}"


def user_text(entry: Entry) -> str:
    """Return what ERR-8 says: what is wrong and what to do, escaped, cut at a word where it is too long."""
    text = entry.general
    if len(escaped(text)) <= LONGEST_TEXT:
        return escaped(text)
    while len(escaped(text)) > LONGEST_TEXT - len(" ..."):
        text = text.rpartition(" ")[0]
    return f"{escaped(text)} ..."
