"""Codes of the roster feed."""

from __future__ import annotations

from partner_exchange.validation.entry import Entry, Scope
from partner_exchange.validation.findings import Severity

_ROW, _CELL = Scope.ROW, Scope.CELL
_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

ENTRIES: tuple[Entry, ...] = (
    Entry(
        "username-missing",
        _CELL,
        _ERROR,
        "Username is blank",
        "Username is blank, but every student needs one.",
        "Fill it in.",
    ),
    Entry(
        "username-too-long",
        _CELL,
        _ERROR,
        "Username is too long",
        "Username is too long.",
        "Use a shorter one.",
        detail="Username has more than {limit} characters.",
    ),
    Entry(
        "username-not-email",
        _CELL,
        _ERROR,
        "Username is not an e-mail address",
        "Username is not an e-mail address.",
        "Write it as name@example.org, so that the student can be reached.",
        may_be_lowered=True,
    ),
    Entry(
        "username-pattern",
        _CELL,
        _ERROR,
        "Username does not have the agreed form",
        "Username does not have the form that was agreed for your organisation.",
        "Correct it, or ask support for the agreed form.",
    ),
    Entry(
        "username-domain",
        _CELL,
        _ERROR,
        "Username is of another domain",
        "Username does not end in a domain that was agreed for your organisation.",
        "Use an address of an agreed domain.",
        detail="Username does not end in an agreed domain ({domains}).",
    ),
    Entry(
        "username-conflict",
        _ROW,
        _ERROR,
        "Rows of one Username disagree",
        (
            "Another row has the same Username (upper and lower case count as the same) but other values; "
            "none was taken."
        ),
        "Keep one row per Username.",
    ),
    Entry(
        "row-repeated",
        _ROW,
        _WARNING,
        "The row stands in the file twice",
        "The same row stands earlier in the file; it was taken once.",
        "Send each student once.",
    ),
    Entry(
        "student-id-missing",
        _CELL,
        _ERROR,
        "StudentId is blank",
        "StudentId is blank.",
        "Fill it in.",
        may_be_lowered=True,
    ),
    Entry(
        "student-id-not-alphanumeric",
        _CELL,
        _ERROR,
        "StudentId is not letters and digits",
        "StudentId holds other characters than the letters A-Z, a-z and the digits 0-9.",
        "Remove spaces, hyphens and other signs.",
    ),
    Entry(
        "student-id-duplicate",
        _CELL,
        _ERROR,
        "StudentId belongs to several students of the file",
        "The same StudentId stands in this file with another Username; none of these rows was taken.",
        "Give each student an own StudentId.",
    ),
    Entry(
        "student-id-taken",
        _CELL,
        _ERROR,
        "StudentId belongs to another student",
        "The StudentId already belongs to another student of your organisation.",
        "Correct the StudentId, or send the other student's new one in the same file.",
    ),
    Entry(
        "dob-format",
        _CELL,
        _ERROR,
        "Dob is not MM/DD/YYYY",
        "Dob is not written as MM/DD/YYYY with two, two and four digits 0-9.",
        "Write it as 04/09/2005, or leave it blank.",
    ),
    Entry(
        "dob-two-digit-year",
        _CELL,
        _ERROR,
        "Dob has a year of two digits",
        "Dob has a year of two digits; the century is not guessed.",
        "Write the year with four digits.",
    ),
    Entry(
        "dob-month-out-of-range",
        _CELL,
        _ERROR,
        "Dob has no such month",
        "The month of Dob is not 01 to 12; the month comes first.",
        "Write the date as MM/DD/YYYY.",
    ),
    Entry(
        "dob-no-such-day",
        _CELL,
        _ERROR,
        "Dob has no such day",
        "The day of Dob does not exist in that month and year.",
        "Correct the date.",
    ),
    Entry(
        "dob-before-1900",
        _CELL,
        _ERROR,
        "Dob is before 1900",
        "Dob is before 1900.",
        "Correct the year.",
    ),
    Entry(
        "dob-in-future",
        _CELL,
        _ERROR,
        "Dob is in the future",
        "Dob is after the day on which the file was checked (UTC).",
        "Correct the date.",
    ),
    Entry(
        "pair-incomplete",
        _CELL,
        _WARNING,
        "RequirementGroup or Term stands alone",
        (
            "RequirementGroup and Term belong together, but one of them is blank; both were skipped, the "
            "rest was taken."
        ),
        "Fill in both or none.",
    ),
    Entry(
        "requirement-group-unknown",
        _CELL,
        _ERROR,
        "RequirementGroup is not known",
        "RequirementGroup is none of the agreed values.",
        "Ask support for the list of agreed values.",
        detail='RequirementGroup is none of the agreed values; the nearest is "{nearest}".',
    ),
    Entry(
        "term-unknown",
        _CELL,
        _ERROR,
        "Term is not known",
        "Term is none of the agreed values.",
        "Ask support for the list of agreed values.",
        detail='Term is none of the agreed values; the nearest is "{nearest}".',
    ),
    Entry(
        "pair-unknown",
        _CELL,
        _ERROR,
        "RequirementGroup and Term do not go together",
        "RequirementGroup and Term are both known, but not as a pair.",
        "Ask support for the list of agreed pairs.",
    ),
    Entry(
        "on-campus-missing",
        _CELL,
        _ERROR,
        "OnCampus is blank",
        "OnCampus is blank.",
        "Write 1 for on campus and 0 for off campus.",
        may_be_lowered=True,
    ),
    Entry(
        "on-campus-not-0-or-1",
        _CELL,
        _ERROR,
        "OnCampus is not 0 or 1",
        "OnCampus is neither 0 nor 1.",
        "Write 1 for on campus and 0 for off campus.",
    ),
)
