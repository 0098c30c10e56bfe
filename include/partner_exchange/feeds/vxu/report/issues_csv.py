"""Every single finding as a CSV, for the people who mend the sending system (T58).

The same lines as in the acknowledgements, with the same HL7 codes; what is about the whole file comes first.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from partner_exchange.feeds.vxu.places import places
from partner_exchange.feeds.vxu.report.document import Document
from partner_exchange.readers.cells import as_cells, csv_text
from partner_exchange.readers.marks import Mark
from partner_exchange.validation.catalogue import CATALOGUE
from partner_exchange.validation.findings import Severity
from partner_exchange.validation.wording import severity_of

COLUMNS = ("Message", "Dose", "Place", "Line", "Severity", "Code", "HL70357", "HL70533", "Text")

_NO_ERROR, _OUR_ERROR = "0", "207"


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
    return content + csv_text([as_cells(column) for column in _columns(issues)], newline=end)


def _about_the_file(document: Document) -> list[tuple[str, ...]]:
    reason = document.reason
    told = [(reason.code, str(Severity.ERROR), reason.text)] if reason is not None else []
    told += [(line.code, line.severity, line.text) for line in document.findings if not line.place]
    return [
        ("", "", "", "", severity, code, _hl7_error(code, Severity(severity)), _hl7_application(code), text)
        for code, severity, text in told
    ]


def _columns(issues: pd.DataFrame) -> list[pd.Series]:
    order = ["row", "line", "segment", "sequence", "field", "repetition", "component", "code"]
    ordered = issues.sort_values(order, kind="stable", ignore_index=True)
    is_lowered = ordered["is_warning"]
    code = ordered["code"]

    def by_code(of: Callable[[str, bool], str]) -> pd.Series:
        """Return what is to be said of each line; there are few codes and many lines."""
        plain = {one: of(one, False) for one in code.unique()}
        lowered = {one: of(one, True) for one in code[is_lowered].unique()}
        return code.map(plain).where(~is_lowered, code.map(lowered))

    return [
        _number(ordered["row"]),
        _number(ordered["dose"]),
        places(ordered),
        _number(ordered["line"]),
        by_code(lambda one, lowered: str(_severity(one, lowered))),
        code,
        by_code(lambda one, lowered: _hl7_error(one, _severity(one, lowered))),
        by_code(lambda one, lowered: _hl7_application(one)),
        by_code(lambda one, lowered: CATALOGUE[one].general),
    ]


def _severity(code: str, is_lowered: bool) -> Severity:
    return severity_of(Mark(code, is_warning=is_lowered))


def _hl7_error(code: str, severity: Severity) -> str:
    """Return the code of HL70357 that the acknowledgement has as well."""
    return CATALOGUE[code].hl7_error or (_OUR_ERROR if severity is Severity.ERROR else _NO_ERROR)


def _hl7_application(code: str) -> str:
    return CATALOGUE[code].hl7_application_error


def _number(column: pd.Series) -> pd.Series:
    return column.astype("str").where(column != 0, "")
