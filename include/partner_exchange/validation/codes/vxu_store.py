"""Codes of the immunization feed: what the store says of a dose or a patient."""

from __future__ import annotations

from partner_exchange.validation.entry import Entry, Scope, Turn
from partner_exchange.validation.findings import Severity

_ROW = Scope.ROW
_WARNING, _INFO = Severity.WARNING, Severity.INFO

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
        "The patient has a dose of this vaccine and day under another number; it was not stored twice.",
        "Send a dose with the same number in ORC-3 always. If both were given, correct vaccine or day.",
        hl7_error="205",
    ),
    Entry(
        "dose-superseded",
        _ROW,
        _INFO,
        "A later line of the file says something else of the dose",
        "A line of the same file that is later by MSH-7, or else by its place, says something else of this "
        "dose; only the later one counts.",
        "Nothing has to be done where a correction was meant; else send each dose once in a file.",
        hl7_error="205",
    ),
    Entry(
        "dose-replaced",
        _ROW,
        _WARNING,
        "A dose was added under the number of another one",
        "The dose is to be added, but its number was told with another vaccine or day before; it took the "
        "place of that dose.",
        "Nothing, if the dose was corrected. Else give each dose its own number in ORC-3, then send both.",
        hl7_error="205",
    ),
    Entry(
        "dose-newer-on-record",
        _ROW,
        _WARNING,
        "A newer message says something else of the dose",
        "The message is older by MSH-7 than the one that the record of this dose, or its deletion, is from; "
        "nothing was changed.",
        "Nothing, if an old file was sent again. Else send the dose in a new message with its own time.",
        hl7_error="205",
    ),
    Entry(
        "identifier-of-another-patient",
        _ROW,
        _WARNING,
        "A patient has an identifier of another one",
        "A further identifier of the patient belongs to somebody with other names, another birth date or "
        "another primary identifier; it was left with that person.",
        "See whose number it is. Send no placeholder such as 999999999: leave out what is not known.",
        hl7_error="205",
    ),
)
