"""Codes of the status feed: resources, reporting times and values of each kind."""

from __future__ import annotations

from partner_exchange.validation.entry import Entry, Scope, Turn
from partner_exchange.validation.findings import Severity

_REFUSED, _FILE, _ROW, _CELL = Scope.REFUSAL, Scope.FILE, Scope.ROW, Scope.CELL
_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

ENTRIES: tuple[Entry, ...] = (
    # What the header says.
    Entry(
        "template-unknown",
        _REFUSED,
        _ERROR,
        "The header is that of no template",
        "The header is that of no template: a bulk file has a Resource ID, a CDC file has orgID, "
        "reportingContext "
        "and a date.",
        "Take the header of a current template, leave it as it is, and drop the file again.",
        detail="The header is that of no template. The nearest is {template}; missing columns: {missing}.",
    ),
    Entry(
        "template-ambiguous",
        _REFUSED,
        _ERROR,
        "The header is that of several templates",
        "The header has the columns of several templates, so nobody can tell how its values are meant.",
        "Send each template as a file of its own.",
        detail="The header has the columns of {templates}, so nobody can tell how its values are meant.",
    ),
    Entry(
        "template-not-configured",
        _REFUSED,
        _ERROR,
        "The template was not agreed for the organisation",
        "The template is a known one, but none of its status types was agreed for your organisation.",
        "Ask support to have them added, then drop the file again.",
        detail="The file follows {template}, but none of its status types was agreed for your organisation.",
    ),
    Entry(
        "no-known-columns",
        _REFUSED,
        _ERROR,
        "No column names a status type that can be set",
        "The header has the key columns of a template, but no column that names a status type which can be "
        "set.",
        "Head each column by the name of the status type as in your template, and drop the file again.",
        detail=(
            "The header has the key columns of {template}, but no column that names a status type which "
            "can be "
            "set."
        ),
    ),
    Entry(
        "header-duplicate",
        _REFUSED,
        _ERROR,
        "Two columns are the same",
        "Two columns have the same header or name the same status type, so nobody can tell which one counts.",
        "Keep one column of each, and drop the file again.",
        detail="These columns are the same, so nobody can tell which one counts: {columns}.",
    ),
    Entry(
        "dates-ambiguous",
        _REFUSED,
        _ERROR,
        "Weekly and daily dates are both filled",
        "The file has both a week and a day to report for, so nobody can tell which one counts.",
        "Keep the week in a weekly file and the day in a daily one, and drop the file again.",
        detail="The file has values in {columns}, so nobody can tell for when it reports.",
    ),
    Entry(
        "column-unknown",
        _FILE,
        _WARNING,
        "The header of a column names no status type",
        "The header of the column names nothing that is known, so the column was ignored.",
        "Head it by the name of a status type as in your template, or leave the column out.",
        detail=(
            "The header of the column names nothing that is known, so the column was ignored; near is "
            '"{nearest}".'
        ),
    ),
    Entry(
        "column-not-in-template",
        _FILE,
        _INFO,
        "A column is none of the template",
        "The template has no such column, so it was ignored.",
        "Nothing has to be done if it is not meant for us.",
        detail='The template has no such column, so it was ignored; near is "{nearest}".',
        turn=Turn.NOBODY,
    ),
    Entry(
        "column-derived-total",
        _FILE,
        _INFO,
        "A column is a total that CDC works out",
        "The column is a total that CDC adds up itself from the other columns, so it was ignored.",
        "Send the columns that it is made of.",
        turn=Turn.NOBODY,
    ),
    Entry(
        "column-not-configured",
        _FILE,
        _WARNING,
        "A column of the template was not agreed for the organisation",
        "The template has this column, but its status type was not agreed for your organisation; it was "
        "ignored.",
        "Ask support to have it added, or leave the column out.",
    ),
    Entry(
        "companion-without-column",
        _FILE,
        _WARNING,
        "A comment or reason has no column to go with",
        "The column goes with the values of a status type that has no column in this file; it was ignored.",
        "Send the column with the values too.",
    ),
    Entry(
        "calculated-not-settable",
        _FILE,
        _WARNING,
        "A calculated status cannot be set",
        "The status type is worked out from others and cannot be set by a file; the column was ignored.",
        "Leave the column out and send the parts that it is worked out from.",
    ),
    Entry(
        "status-type-inactive",
        _FILE,
        _WARNING,
        "The status type is no longer in use",
        "The status type is not in use any more, so the column was ignored.",
        "Leave the column out, or take a current template.",
    ),
    # Whose row it is.
    Entry(
        "resource-id-missing",
        _CELL,
        _ERROR,
        "Resource ID is blank",
        "Resource ID is blank, so nobody can tell whose values these are.",
        "Fill it in from your Data Map file.",
    ),
    Entry(
        "resource-unknown",
        _CELL,
        _ERROR,
        "Resource ID is none of the organisation",
        "Resource ID is none of those of your organisation; nothing of the row was taken.",
        "Take the Resource ID from your Data Map file, or ask support to add the resource.",
    ),
    Entry(
        "resource-id-restored",
        _CELL,
        _INFO,
        "Resource ID was written in another form",
        "Resource ID lost leading zeros or got zeros added, as spreadsheets do; it was recognised.",
        "Keep the column as text, so that the Resource ID stays as in your Data Map file.",
        turn=Turn.NOBODY,
    ),
    Entry(
        "test-id-in-production",
        _CELL,
        _ERROR,
        "The id is that of a test resource",
        "The id stands for a test resource, but your organisation is in production; nothing of the row was "
        "taken.",
        "Use the production ids of your Data Map file.",
    ),
    Entry(
        "production-id-in-test",
        _CELL,
        _ERROR,
        "The id is that of a production resource",
        "The id stands for a production resource, but your organisation is still testing; nothing of the "
        "row was "
        "taken.",
        "Use the test ids of your Data Map file until support has moved you to production.",
    ),
    Entry(
        "resource-name-differs",
        _CELL,
        _WARNING,
        "Resource Name is not that of the Resource ID",
        "Resource Name differs from the name that belongs to the Resource ID; the Resource ID counts.",
        "Check that the row is about the resource that is meant, and correct the one or the other.",
    ),
    Entry(
        "org-id-missing",
        _CELL,
        _ERROR,
        "NHSN Org ID is blank",
        "NHSN Org ID is blank, so nobody can tell whose values these are.",
        "Fill in the five digits from your Data Map file.",
    ),
    Entry(
        "org-id-format",
        _CELL,
        _ERROR,
        "NHSN Org ID does not have five digits",
        "NHSN Org ID does not have five digits.",
        "Write it as five digits, with leading zeros, and keep the column as text.",
    ),
    Entry(
        "org-id-restored",
        _CELL,
        _WARNING,
        "NHSN Org ID lost its leading zeros",
        "NHSN Org ID has fewer than five digits, as spreadsheets cut leading zeros; with them it is known "
        "and was "
        "taken.",
        "Keep the column as text, so that all five digits stay.",
    ),
    Entry(
        "org-id-unknown",
        _CELL,
        _ERROR,
        "NHSN Org ID is none of the organisation",
        "NHSN Org ID is none of those of your organisation; nothing of the row was taken.",
        "Take it from your Data Map file, or ask support to add the resource.",
        detail=(
            "NHSN Org ID is none of those of your organisation; nothing of the row was taken. Yours that "
            "come "
            "near: {candidates}."
        ),
    ),
    Entry(
        "context-missing",
        _CELL,
        _ERROR,
        "Reporting context is blank",
        "Reporting context is blank.",
        "Write HOSP, IRF, IPF, CHLD or OTH, as in your Data Map file.",
    ),
    Entry(
        "context-unknown",
        _CELL,
        _ERROR,
        "Reporting context is none of NHSN's",
        "Reporting context is none of those that NHSN has.",
        "Write HOSP, IRF, IPF, CHLD or OTH, as in your Data Map file.",
    ),
    Entry(
        "context-not-set",
        _CELL,
        _ERROR,
        "Reporting context does not belong to the NHSN Org ID",
        "The NHSN Org ID is known, but not with this reporting context; nothing of the row was taken.",
        "Take Org ID and context from the same line of your Data Map file.",
        detail=(
            "The NHSN Org ID is known, but not with this reporting context; nothing of the row was taken. "
            "It goes "
            "with: {contexts}."
        ),
    ),
    Entry(
        "resource-without-test-id",
        _CELL,
        _ERROR,
        "The resource has no test Resource ID",
        "The resource is known by NHSN Org ID and context, but has no Resource ID for testing yet.",
        "Ask support to give it one, then drop the file again.",
        turn=Turn.US,
    ),
    Entry(
        "row-superseded",
        _ROW,
        _WARNING,
        "A later row says something else about the same status and time",
        "A later row of the file is about the same status of the same resource at the same time; the last "
        "one was "
        "taken.",
        "Send one row per resource and time.",
    ),
    # For when it reports.
    Entry(
        "reporting-date-missing",
        _CELL,
        _ERROR,
        "The date is blank",
        "The date for which the row reports is blank.",
        "Write it as 11/21/2026 or 2026-11-21.",
    ),
    Entry(
        "reporting-date-format",
        _CELL,
        _ERROR,
        "The date has another form",
        "The date is written in a form that is not taken.",
        "Write it as 11/21/2026 or 2026-11-21; a time, where the column takes one, goes behind it as 16:30.",
    ),
    Entry(
        "reporting-date-no-such-day",
        _CELL,
        _ERROR,
        "There is no such day",
        "The date is none of the calendar.",
        "Correct it; the month comes before the day, as in 11/21/2026, or write 2026-11-21.",
    ),
    Entry(
        "reporting-time-format",
        _CELL,
        _ERROR,
        "The time has another form",
        "The time is written in a form that is not taken.",
        "Write it as 16:30, 16:30:00 or 4:30 PM.",
    ),
    Entry(
        "reporting-time-no-such-time",
        _CELL,
        _ERROR,
        "There is no such time",
        "The time is none of the clock, which runs from 00:00 to 23:59.",
        "Correct it; write it as 16:30, 16:30:00 or 4:30 PM.",
    ),
    Entry(
        "reporting-time-in-future",
        _CELL,
        _ERROR,
        "The reporting time is in the future",
        "The reporting time is later than the arrival of the file; nothing of the row was taken.",
        "Correct it, and check clock and time zone of the computer that wrote the file.",
    ),
    Entry(
        "date-too-old",
        _CELL,
        _ERROR,
        "The reporting time is more than ten years old",
        "The reporting time is more than ten years before the arrival of the file; nothing of the row was "
        "taken.",
        "Correct the year.",
    ),
    Entry(
        "week-ending-not-saturday",
        _CELL,
        _ERROR,
        "The week does not end on a Saturday",
        "The date is no Saturday, but weeks at CDC run from Sunday to Saturday.",
        "Write the Saturday on which the week ended.",
    ),
    # Values, by kind.
    Entry(
        "number-not-a-number",
        _CELL,
        _ERROR,
        "The value is not a number",
        "The value is not a number in plain digits.",
        "Write digits such as 12 or 1,234, without words, units or an exponent; leave the cell blank if "
        "there is nothing to report.",
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
        "Fill in the Reason column of the status in the same row; add the column if the file has none.",
    ),
    Entry(
        "reason-unknown",
        _CELL,
        _ERROR,
        "The reason is not known",
        "The reason is none of those agreed for the status, so the status was not changed.",
        "Choose one of the agreed reasons; upper and lower case do not matter.",
        detail=(
            "The reason is none of those agreed for the status, so the status was not changed; the nearest "
            'is "{nearest}".'
        ),
    ),
    Entry(
        "comment-missing",
        _CELL,
        _ERROR,
        "The comment is missing",
        "The value needs a comment, and none is given, so the value was not taken.",
        "Fill in the Comment column of the value in the same row; add the column if the file has none.",
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
            "The NEDOCS score takes seven inputs, and these are blank or no column of the file: {missing}. "
            "So none of the inputs was taken."
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
