"""The examination of a file that is refused as a whole; for feeds, and for steps that refuse before them."""

from __future__ import annotations

from partner_exchange.feeds.base import Examination
from partner_exchange.readers.marks import Fact, Refusal
from partner_exchange.validation.wording import refusal_findings


def refusal(code: str, *, rows_total: int = 0, **facts: Fact) -> Examination:
    """Return an examination that accepts nothing, with one finding that says why.

    :param rows_total: how many rows the file has, as far as they could be counted; all of them are rejected.
    :raises KeyError: the code is not in the catalogue.
    """
    findings = refusal_findings(Refusal(code, facts))
    return Examination(
        is_refused=True, rows_total=rows_total, rows_accepted=0, rows_rejected=rows_total, findings=findings
    )
