"""The data quality report of an immunization file: built once, rendered four ways (T58, T59, T60).

``build`` makes a ``Document`` from the ledger and the tally of the checks; ``text``, ``html``, ``json_bytes``
and ``issues_csv`` render it and know nothing else. docs/dqa-report.md says how the score is made.
"""

from partner_exchange.feeds.vxu.report.build import build
from partner_exchange.feeds.vxu.report.document import Document
from partner_exchange.feeds.vxu.report.issues_csv import issues_csv
from partner_exchange.feeds.vxu.report.page import html
from partner_exchange.feeds.vxu.report.plain_text import failure_text, text
from partner_exchange.feeds.vxu.report.structure import json_bytes

__all__ = ["Document", "build", "failure_text", "html", "issues_csv", "json_bytes", "text"]
