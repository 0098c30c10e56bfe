"""Every single finding as a CSV, for the people who mend the sending system (T58).

The same lines as in the acknowledgements, with the same HL7 codes; what is about the whole file comes first.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from partner_exchange.feeds.vxu.found import hl7_error, severity_of
from partner_exchange.feeds.vxu.places import in_order, places
from partner_exchange.feeds.vxu.report.document import Document
from partner_exchange.readers.cells import Cells, as_cells, csv_text
from partner_exchange.validation.catalogue import CATALOGUE
from partner_exchange.validation.findings import Severity

COLUMNS = ("Message", "Dose", "Place", "Line", "Severity", "Code", "HL70357", "HL70533", "Text")


def issues_csv(document: Document, issues: pd.DataFrame, newline: str) -> bytes:
    """Return the CSV: header, findings about the whole file, findings by message and place in it.

    :param issues: ``ISSUE_COLUMNS``; a number that is 0 is not told.
    :param newline: ``crlf`` or ``lf`` (K16).
    """
    end = "\r\n" if newline == "crlf" else "\n"
    head = [COLUMNS, *_about_the_file(document)]
    content = csv_text([as_cells(list(column)) for column in zip(*head, strict=True)], newline=end)
    if issues.empty:
        return content
    return content + csv_text(_columns(issues), newline=end)


def _about_the_file(document: Document) -> list[tuple[str, ...]]:
    reason = document.reason
    told = [(reason.code, str(Severity.ERROR), reason.text)] if reason is not None else []
    told += [(line.code, line.severity, line.text) for line in document.findings if not line.place]
    return [
        ("", "", "", "", severity, code, hl7_error(code, Severity(severity)), _hl7_application(code), text)
        for code, severity, text in told
    ]


def _columns(issues: pd.DataFrame) -> list[Cells]:
    ordered = in_order(issues)
    which, codes = pd.factorize(ordered["code"])
    is_lowered = ordered["is_warning"].to_numpy()

    def by_code(of: Callable[[str, bool], str]) -> Cells:
        """Return what is to be said of each line; there are few codes and many lines."""
        told = [of(code, lowered) for code in codes for lowered in (False, True)]
        return pa.chunked_array([pa.array(told, pa.large_string()).take(pa.array(which * 2 + is_lowered))])

    return [
        _number(ordered["row"]),
        _number(ordered["dose"]),
        as_cells(places(ordered)),
        _number(ordered["line"]),
        by_code(lambda code, lowered: str(severity_of(code, is_warning=lowered))),
        by_code(lambda code, lowered: code),
        by_code(lambda code, lowered: hl7_error(code, severity_of(code, is_warning=lowered))),
        by_code(lambda code, lowered: _hl7_application(code)),
        by_code(lambda code, lowered: CATALOGUE[code].general),
    ]


def _hl7_application(code: str) -> str:
    return CATALOGUE[code].hl7_application_error


def _number(column: pd.Series) -> Cells:
    numbers = pa.chunked_array([pa.array(column)])
    return pc.if_else(pc.equal(numbers, 0), "", numbers.cast(pa.large_string()))
