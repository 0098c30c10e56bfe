"""Codes of the immunization feed: what the store says of a dose, and what a consent file says of a line."""

from __future__ import annotations

from partner_exchange.validation.entry import Entry, Scope, Turn
from partner_exchange.validation.findings import Severity

_REFUSED, _ROW, _CELL = Scope.REFUSAL, Scope.ROW, Scope.CELL
_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

_CONSENT = "Correct the line and import the file again; what was taken is taken once."

ENTRIES: tuple[Entry, ...] = (
    Entry(
        "update-of-unknown-dose",
        _ROW,
        _INFO,
        "An update is of a dose that was not known",
        "The dose is to be updated, but there is none of its number; it was taken as a new one.",
        "Nothing, if the dose was never reported. Else see that ORC-3 has the number it was reported with.",
        turn=Turn.NOBODY,
        hl7_error="204",
    ),
    Entry(
        "delete-of-unknown-dose",
        _ROW,
        _WARNING,
        "A deletion is of a dose that is not known",
        "The dose is to be deleted, but there is none of its number, so nothing was deleted.",
        "See that ORC-3 has the number the dose was reported with; nothing, if it was deleted before.",
        hl7_error="204",
    ),
    Entry(
        "dose-already-reported",
        _ROW,
        _WARNING,
        "The dose was reported before under another number",
        "The patient has a given dose of this vaccine and day under another number; it was not stored twice.",
        "Send a dose with the same number in ORC-3 always. If both were given, correct vaccine or day.",
        hl7_error="205",
    ),
    Entry(
        "dose-superseded",
        _ROW,
        _WARNING,
        "A later line of the file says something else of the dose",
        "A later line of the same file says something else of this dose; only the later one counts.",
        "Send each dose once in a file, as it is in the end.",
        hl7_error="205",
    ),
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
        f"Say whose consent it is. {_CONSENT}",
    ),
    Entry(
        "consent-type-unknown",
        _CELL,
        _ERROR,
        "ConsentType is not CHILD or ADULT",
        "ConsentType is neither CHILD nor ADULT.",
        f"Write CHILD for a consent of the parents, ADULT for the patient's own. {_CONSENT}",
    ),
    Entry(
        "consent-status-unknown",
        _CELL,
        _ERROR,
        "ConsentStatus is not one of the four",
        "ConsentStatus is none of YES, NO, PENDING and WITHDRAWN.",
        f"Write one of them. {_CONSENT}",
    ),
    Entry(
        "consent-date",
        _CELL,
        _ERROR,
        "A date of a consent is no date",
        "The date is missing, no day of the calendar, or not written as 20261121 or 2026-11-21.",
        _CONSENT,
    ),
    Entry(
        "consent-date-in-future",
        _CELL,
        _ERROR,
        "A date of a consent is in the future",
        "The date is later than today.",
        _CONSENT,
    ),
    Entry(
        "consent-value-too-long",
        _CELL,
        _ERROR,
        "A value of a consent is too long",
        "The value has more than 200 characters.",
        _CONSENT,
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
