"""The result file a partner reads back, and its JSON twin (K17, M34, X06).

The file is one CSV of five columns from its first byte to its last, so that any program reads it: the totals,
the header, one line per kind of finding, one per column of a feed that judges values one by one, then the
single findings by row. Called by the respond step and the command line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from partner_exchange.feeds.base import MappedColumn
from partner_exchange.ledger.columns import ColumnOutcome
from partner_exchange.ledger.states import Outcome, State
from partner_exchange.ledger.submissions import Submission
from partner_exchange.readers.cells import Cells, as_cells, csv_text
from partner_exchange.validation.findings import FindingGroup, Findings, Severity

COLUMNS = ("Row", "Column", "Severity", "Code", "Message")
TOTALS = "Totals"
VALUES = "values"
VALUE_OUTCOMES = ("set", "unchanged", "late", "skipped", "rejected")
FAILED = "failed"
_SEVERITY_OF = {
    Outcome.ACCEPTED: Severity.INFO,
    Outcome.ACCEPTED_WITH_FINDINGS: Severity.WARNING,
    Outcome.REFUSED: Severity.ERROR,
}
_FAILURE = (
    "The file could not be processed, and that is our fault; nothing is asked of you. "
    "We have kept the file and will process it when the cause is mended; do not send it again."
)


@dataclass(frozen=True)
class Totals:
    """What became of one file in numbers; without an outcome the submission failed on our side."""

    outcome: Outcome | None
    rows_total: int = 0
    rows_accepted: int = 0
    rows_rejected: int = 0
    rows_created: int = 0
    rows_updated: int = 0
    rows_unchanged: int = 0
    is_failed: bool = False

    @classmethod
    def of(cls, submission: Submission) -> Totals:
        """Return the totals that the ledger holds."""
        return cls(
            outcome=submission.outcome,
            rows_total=submission.rows_total or 0,
            rows_accepted=submission.rows_accepted or 0,
            rows_rejected=submission.rows_rejected or 0,
            rows_created=submission.rows_created or 0,
            rows_updated=submission.rows_updated or 0,
            rows_unchanged=submission.rows_unchanged or 0,
            is_failed=submission.state is State.FAILED or submission.failure_code is not None,
        )


def all_columns(columns: Iterable[ColumnOutcome]) -> ColumnOutcome:
    """Return the sum over all columns; its column is ""."""
    counts = [[getattr(one, name) for name in VALUE_OUTCOMES] for one in columns]
    return ColumnOutcome("", *(sum(each) for each in zip(*counts, strict=True)))


def value_counts(outcome: ColumnOutcome) -> dict[str, int]:
    """Return how many values had which outcome, by its name, in the order in which we always show them."""
    return {name: getattr(outcome, name) for name in VALUE_OUTCOMES}


def value_sentence(counts: Mapping[str, int]) -> str:
    """Return ``17 values: 8 set, 9 rejected; 25 cells without a value to load`` for counts by outcome.

    Skipped cells are no values: they were blank, or a later row took their place.
    """
    told = {name: count for name, count in counts.items() if name != "skipped"}
    sentence = f"{many(sum(told.values()), 'value')}: {', '.join(f'{n} {name}' for name, n in told.items())}"
    skipped = counts["skipped"]
    return f"{sentence}; {many(skipped, 'cell')} without a value to load" if skipped else sentence


def many(count: int, what: str) -> str:
    """Return ``1 file`` or ``2 files``."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def result_file(
    *,
    file_name: str,
    totals: Totals,
    findings: Findings,
    newline: str,
    support: str,
    columns: Sequence[ColumnOutcome] = (),
) -> bytes:
    """Return the result file.

    :param columns: what became of the values, for feeds that judge values one by one (E21).
    :param newline: ``crlf`` or ``lf`` (K16).
    :param support: whom to ask, shown in the totals; "" for nobody.
    """
    end = "\r\n" if newline == "crlf" else "\n"
    if totals.is_failed or totals.outcome is None:
        head = [(TOTALS, "", str(Severity.INFO), FAILED, _with_support(f"{file_name}: {_FAILURE}", support))]
        return _lines([*head, COLUMNS], end)
    numbers = f"{_numbers(totals)}; {_value_numbers(totals, columns)}{_finding_numbers(findings)}"
    sentence = _with_support(f"{file_name}: {numbers}", support)
    head = [(TOTALS, "", str(_SEVERITY_OF[totals.outcome]), str(totals.outcome), sentence)]
    kinds = [_kind(group) for group in findings.groups if group.count > 1]
    # A template has many columns that a partner leaves blank: only those with a value are told one by one.
    values = [_values(one) for one in columns if one.total > one.skipped]
    return _lines([*head, COLUMNS, *kinds, *values], end) + _singles(findings.table, end)


def _numbers(totals: Totals) -> str:
    if totals.outcome is Outcome.REFUSED:
        return f"the file was refused, nothing was loaded ({totals.rows_total} rows)"
    return (
        f"{totals.rows_total} rows: {totals.rows_accepted} accepted (created {totals.rows_created}, "
        f"updated {totals.rows_updated}, unchanged {totals.rows_unchanged}), {totals.rows_rejected} rejected"
    )


def _value_numbers(totals: Totals, columns: Sequence[ColumnOutcome]) -> str:
    if totals.outcome is Outcome.REFUSED or not columns:
        return ""
    return f"{value_sentence(value_counts(all_columns(columns)))}; "


def _values(outcome: ColumnOutcome) -> tuple[str, ...]:
    return "Values", outcome.column, str(Severity.INFO), VALUES, value_sentence(value_counts(outcome))


def _finding_numbers(findings: Findings) -> str:
    if not findings.total:
        return "no findings."
    by_severity = ", ".join(
        f"{severity} {findings.count(severity)}" for severity in Severity if findings.count(severity)
    )
    listed = (
        "all listed"
        if findings.listed >= findings.total
        else f"the first {findings.listed} listed, errors first"
    )
    return f"{findings.total} findings ({by_severity}), {listed}."


def _with_support(text: str, support: str) -> str:
    contact = " ".join(support.split())
    return f"{text} Questions: {contact}" if contact else text


def _kind(group: FindingGroup) -> tuple[str, ...]:
    where = f" in rows {group.row_ranges}" if group.row_ranges else ""
    message = f"{group.count} times{where}: {group.message}"
    return "Summary", group.column, str(group.severity), group.code, message


def _lines(records: Sequence[Sequence[str]], end: str) -> bytes:
    return csv_text([as_cells(list(column)) for column in zip(*records, strict=True)], newline=end)


def _singles(table: pd.DataFrame, end: str) -> bytes:
    if table.empty:
        return b""
    row = pa.array(table["row"], pa.int64(), from_pandas=True).cast(pa.large_string()).fill_null("")
    columns: list[Cells] = [as_cells(row)]
    columns += [as_cells(table[name].fillna("")) for name in ("column", "severity", "code", "message")]
    return csv_text([_one_chunk(cells) for cells in columns], newline=end)


def _one_chunk(cells: Cells) -> Cells:
    return pa.chunked_array([cells.combine_chunks()])


def result_json(
    *,
    file_name: str,
    feed: str,
    outcome: str,
    rows_total: int,
    rows_accepted: int,
    rows_rejected: int,
    findings: Findings,
    template: str | None = None,
    columns: Sequence[dict[str, Any]] = (),
    values: dict[str, int] | None = None,
) -> dict[str, Any]:
    """Return the structure that ``exchange check --json`` and ``process --json`` print (design 8).

    A finding has a ``place`` only where rows have parts, such as the segments of a message.

    :param template: which of the feed's templates the file follows; null for a feed with one form only.
    :param columns: as ``mapping_json`` or ``columns_json`` returns them.
    :param values: counts of values over all columns; null for a feed that judges rows.
    """
    table = findings.table
    rows = [None if pd.isna(row) else int(row) for row in table["row"]]
    texts = [table[name].fillna("").to_list() for name in ("column", "place", "severity", "code", "message")]
    return {
        "file": file_name,
        "feed": feed,
        "outcome": str(outcome),
        "template": template or None,
        "rows": {"total": rows_total, "accepted": rows_accepted, "rejected": rows_rejected},
        "values": values,
        "columns": list(columns),
        "findings": [
            {"row": row, "column": column or None}
            | ({"place": place} if place else {})
            | {"severity": severity, "code": code, "message": message}
            for row, column, place, severity, code, message in zip(rows, *texts, strict=True)
        ],
    }


def mapping_json(mapping: Iterable[MappedColumn]) -> list[dict[str, Any]]:
    """Return for ``result_json`` which column goes where (E34)."""
    return [{"column": one.column, "target": one.target} for one in mapping]


def columns_json(columns: Iterable[ColumnOutcome]) -> list[dict[str, Any]]:
    """Return for ``result_json`` what became of the values of each column (E21)."""
    return [{"column": one.column, **value_counts(one)} for one in columns]
