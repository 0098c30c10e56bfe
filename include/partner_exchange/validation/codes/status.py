"""Codes of the status feed: resources, reporting times and values of each kind."""

from __future__ import annotations

from partner_exchange.validation.entry import Entry, Scope
from partner_exchange.validation.findings import Severity

_CELL = Scope.CELL
_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

ENTRIES: tuple[Entry, ...] = (
    # Values, by kind.
    Entry(
        "number-not-a-number",
        _CELL,
        _ERROR,
        "The value is not a number",
        "The value is not a number in plain digits.",
        "Write digits such as 12 or 1,234, without words, units or an exponent; leave the cell blank if there "
        "is nothing to report.",
    ),
    Entry(
        "number-too-long",
        _CELL,
        _ERROR,
        "The number has too many digits",
        "The number has more digits than can be kept exactly.",
        "Check it; a number that long often comes from two values in one cell.",
        detail="The number has more than {limit} digits, which cannot be kept exactly.",
    ),
    Entry(
        "number-not-whole",
        _CELL,
        _ERROR,
        "The number is not whole",
        "The number has decimals, but the column takes whole numbers only.",
        "Write a whole number.",
    ),
    Entry(
        "number-too-precise",
        _CELL,
        _ERROR,
        "The number has too many decimals",
        "The number has more decimals than the column takes.",
        "Round it.",
        detail="The number has more decimals than the column takes, which is {decimals}.",
    ),
    Entry(
        "number-below-minimum",
        _CELL,
        _ERROR,
        "The number is too small",
        "The number is smaller than the column allows.",
        "Correct it; most columns take nothing below 0.",
        detail="The number is below {minimum}, the least that the column takes.",
    ),
    Entry(
        "number-above-maximum",
        _CELL,
        _ERROR,
        "The number is too large",
        "The number is larger than is expected in the column.",
        "Correct it, or ask support to raise the limit.",
        detail="The number is above {maximum}, the most that is expected in the column.",
        may_be_lowered=True,
    ),
    Entry(
        "nines-in-bulk",
        _CELL,
        _ERROR,
        "9999 stands in a bulk file",
        'The value is 9999, which means "not applicable" in the CDC templates only.',
        "Leave the cell blank to keep the status as it is; ask support if 9999 is a true count here.",
    ),
    Entry(
        "count-doubtful",
        _CELL,
        _ERROR,
        "The count is doubtful",
        "The count is larger than CDC expects of one hospital.",
        "Check it.",
        detail="The count is above {limit}, which is more than CDC expects of one hospital.",
        may_be_lowered=True,
    ),
    Entry(
        "status-two-values",
        _CELL,
        _ERROR,
        "The cell names several statuses",
        "The cell names more than one status of the column, but a resource has one at a time.",
        "Keep one of them.",
    ),
    Entry(
        "status-unknown",
        _CELL,
        _ERROR,
        "The status is not known",
        "The value is none of the statuses of the column.",
        "Choose one of the list in the bulk template; upper and lower case do not matter.",
        detail='The value is none of the statuses of the column; the nearest is "{nearest}".',
    ),
    Entry(
        "status-inactive",
        _CELL,
        _ERROR,
        "The status is no longer used",
        "The status was switched off for your region and may not be set any more.",
        "Choose one of the list in the bulk template.",
    ),
    Entry(
        "reason-missing",
        _CELL,
        _ERROR,
        "The reason is missing",
        "The status needs a reason, and none is given, so the status was not changed.",
        'Fill in the column "<status type> Reason" of the same row.',
    ),
    Entry(
        "reason-unknown",
        _CELL,
        _ERROR,
        "The reason is not known",
        "The reason is none of those agreed for the status, so the status was not changed.",
        "Choose one of the agreed reasons; upper and lower case do not matter.",
        detail=(
            "The reason is none of those agreed for the status, so the status was not changed; the nearest is "
            '"{nearest}".'
        ),
    ),
    Entry(
        "comment-missing",
        _CELL,
        _ERROR,
        "The comment is missing",
        "The value needs a comment, and none is given, so the value was not taken.",
        'Fill in the column "<status type> Comment" of the same row.',
    ),
    Entry(
        "comment-not-taken",
        _CELL,
        _WARNING,
        "No comment belongs here",
        "The value takes no comment; the comment was left out, the value was taken if nothing else is wrong.",
        "Leave the comment blank.",
    ),
    Entry(
        "companion-without-value",
        _CELL,
        _WARNING,
        "A comment or reason stands alone",
        "The row has a comment or a reason, but no value that it belongs to; it was left out.",
        "Send the value together with its comment and reason.",
    ),
    Entry(
        "text-too-long",
        _CELL,
        _ERROR,
        "The text is too long",
        "The text is longer than the column takes.",
        "Shorten it.",
        detail="The text has more than {limit} characters.",
    ),
    Entry(
        "date-format",
        _CELL,
        _ERROR,
        "The value is not a date",
        "The value is not a date of the form M/D/YYYY, MM/DD/YYYY or YYYY-MM-DD.",
        "Write it as 11/21/2026 or 2026-11-21, without a time.",
    ),
    Entry(
        "date-no-such-day",
        _CELL,
        _ERROR,
        "There is no such day",
        "The date is not in the calendar; in 04/05/2026 the month comes first.",
        "Correct the date.",
    ),
    Entry(
        "nedocs-above-200",
        _CELL,
        _ERROR,
        "The NEDOCS score is above 200",
        "A finished NEDOCS score is 0 to 200; this one is above.",
        "Send 200, or the seven inputs, from which the score is worked out.",
    ),
    Entry(
        "nedocs-inputs-incomplete",
        _CELL,
        _ERROR,
        "Inputs of NEDOCS are missing",
        "The NEDOCS score takes seven inputs, and some of them are blank, so none of them was taken.",
        "Fill in all seven (0 counts as filled), or none and the finished score instead.",
        detail=(
            "The NEDOCS score takes seven inputs, and these are blank or no column of the file: {missing}. So "
            "none of the inputs was taken."
        ),
    ),
    Entry(
        "nedocs-zero-beds",
        _CELL,
        _ERROR,
        "NEDOCS is divided by zero beds",
        "The number of beds is 0, but the NEDOCS score divides by it, so no score can be worked out.",
        "Correct the number of beds, or leave all seven inputs blank.",
    ),
    Entry(
        "nedocs-score-differs",
        _CELL,
        _WARNING,
        "The NEDOCS score does not fit its inputs",
        "The finished NEDOCS score differs by more than 1 from what its seven inputs give; the inputs count.",
        "Send the inputs or the score, not both, or correct one of them.",
    ),
)
