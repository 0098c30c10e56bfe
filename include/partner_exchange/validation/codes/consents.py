"""Codes of a file of consents, which an operator imports: what is wrong with it or with a line."""

from __future__ import annotations

from partner_exchange.validation.entry import Entry, Scope, Turn
from partner_exchange.validation.findings import Severity

_REFUSED, _ROW, _CELL = Scope.REFUSAL, Scope.ROW, Scope.CELL
_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

_AGAIN = "Correct the line and import the file again; what was taken is taken once."

ENTRIES: tuple[Entry, ...] = (
    Entry(
        "consent-header",
        _REFUSED,
        _ERROR,
        "The header is not that of a consent file",
        "The header is not that of a consent file.",
        "Write the titles of docs/consents.md, in their order, into the first line.",
    ),
    Entry(
        "consent-person-missing",
        _ROW,
        _ERROR,
        "The line does not say whose consent it is",
        "The line has neither a PatientId nor all of LastName, FirstName and BirthDate.",
        f"Say whose consent it is. {_AGAIN}",
    ),
    Entry(
        "consent-type-unknown",
        _CELL,
        _ERROR,
        "ConsentType is not CHILD or ADULT",
        "ConsentType is neither CHILD nor ADULT.",
        f"Write CHILD for a consent of the parents, ADULT for the patient's own. {_AGAIN}",
    ),
    Entry(
        "consent-status-unknown",
        _CELL,
        _ERROR,
        "ConsentStatus is not one of the four",
        "ConsentStatus is none of YES, NO, PENDING and WITHDRAWN.",
        f"Write one of them. {_AGAIN}",
    ),
    Entry(
        "consent-date",
        _CELL,
        _ERROR,
        "A date of a consent is no date",
        "The date is missing, no day of the calendar, or not written as 20261121 or 2026-11-21.",
        _AGAIN,
    ),
    Entry(
        "consent-date-in-future",
        _CELL,
        _ERROR,
        "A date of a consent is in the future",
        "The date is later than today.",
        _AGAIN,
    ),
    Entry(
        "consent-value-too-long",
        _CELL,
        _ERROR,
        "A value of a consent is too long",
        "The value has more than 200 characters.",
        _AGAIN,
    ),
    Entry(
        "consent-line-repeated",
        _ROW,
        _WARNING,
        "A later line says something else of the same consent",
        "A later line of the file has another status of the same consent and day; only the later one counts.",
        "Nothing, if the later line is right.",
        turn=Turn.NOBODY,
    ),
)
