"""Codes of the CDC templates: rules between columns.

The names in braces are the file's own column titles: what stands left in the rule, and what it is held
against.

Of new admissions, ``sent`` is what the file counts them for and ``due`` what the resource reports: the words
day and week.
"""

from __future__ import annotations

from partner_exchange.validation.entry import Entry, Scope
from partner_exchange.validation.findings import Severity

_CELL = Scope.CELL
_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

ENTRIES: tuple[Entry, ...] = (
    Entry(
        "cdc-total-below-parts",
        _CELL,
        _ERROR,
        "A total is smaller than what it includes",
        "This total is smaller than other counts of the row that it includes; none of them was taken.",
        "Correct whichever count is wrong.",
        detail="{left} is smaller than {right}, which it includes; none of these counts was taken.",
    ),
    Entry(
        "cdc-part-above-whole",
        _CELL,
        _ERROR,
        "A part is greater than its whole",
        "This count is greater than the count of which it is a part; neither was taken.",
        "Correct whichever count is wrong.",
        detail="{left} is greater than {right}, of which it is a part; neither count was taken.",
    ),
    Entry(
        "cdc-sum-differs",
        _CELL,
        _WARNING,
        "A total is not the sum of its parts",
        "This total is not the sum of its parts; all were taken as they are.",
        "Correct the total or the parts if this is a slip.",
        detail="{left} is not {right}; all were taken as they are.",
    ),
    Entry(
        "cdc-occupied-above-staffed",
        _CELL,
        _WARNING,
        "More beds are occupied than staffed",
        "More beds are occupied than staffed; both counts were taken as they are.",
        "Correct them if this is a slip; more patients than staffed beds may be true.",
        detail="{left} is greater than {right}; both counts were taken as they are.",
    ),
    Entry(
        "cdc-patients-above-occupied",
        _CELL,
        _WARNING,
        "More patients with a disease than occupied beds",
        "More patients with the disease are counted than occupied beds; both counts were taken as they are.",
        "Correct them if this is a slip.",
        detail="{left} is greater than {right}; both counts were taken as they are.",
    ),
    Entry(
        "cdc-icu-patients-above-inpatients",
        _CELL,
        _WARNING,
        "More ICU patients than inpatients",
        "More ICU patients with the disease are counted than inpatients with it; both counts were taken.",
        "Correct them if this is a slip: ICU patients are inpatients too.",
        detail="{left} is greater than {right}; both counts were taken as they are.",
    ),
    Entry(
        "admissions-of-other-period",
        _CELL,
        _ERROR,
        "New admissions are counted for another period",
        "These new admissions are counted for another period than this resource reports to NHSN; "
        "they were not taken.",
        "Send new admissions by the day in a file with a collection date, or by the week in one with a "
        "week-ending date, as the resource reports; tell us if it reports differently now.",
        detail="These new admissions are those of a {sent}, but this resource reports them to NHSN by the "
        "{due}; they were not taken.",
    ),
)
