"""The answer files of a status submission: what to mend, and for an XLSX a copy with marked cells."""

from __future__ import annotations

from collections.abc import Sequence

from partner_exchange.feeds.base import AnswerFile, AnswerKind, AnswerMaterial
from partner_exchange.feeds.expected import fix_it_ending, has_annotated
from partner_exchange.feeds.status.annotated import annotated_workbook
from partner_exchange.feeds.status.fix_it import fix_it_file
from partner_exchange.feeds.status.source import Source
from partner_exchange.readers.grid import TableFormat


def answer_files(material: AnswerMaterial) -> Sequence[AnswerFile]:
    """Return the fix-it file when something is to be mended, and the marked copy of an XLSX with findings.

    The ending of the dropped name says whether a fix-it file is a CSV or an XLSX. ``rejected.attrs`` holds
    the ``Source`` of the table.
    """
    files: list[AnswerFile] = []
    if not material.rejected.empty:
        kind = TableFormat(fix_it_ending(material.file_name))
        files.append(fix_it_file(material.rejected, format=kind, newline=material.tenant.policy.newline))
    if has_annotated(material.file_name, material.findings):
        source = Source.kept_in(material.rejected)
        content = annotated_workbook(
            material.original(),
            material.findings,
            sheet_name=source.sheet_name,
            sheet_at=source.sheet_at,
            header_row=source.header_row,
            titles=source.titles,
        )
        files.append(AnswerFile(AnswerKind.ANNOTATED, "xlsx", content))
    return files
