"""Findings of one submission, written with COPY and read back as they were recorded.

Called by ``ledger.submissions``, which decides when they may be written.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, func, insert, select

from partner_exchange.ledger import tables
from partner_exchange.ledger.copying import CHUNK_ROWS, copy_rows
from partner_exchange.validation.findings import FindingGroup, Findings, Severity, empty_table

_group = tables.finding_group
_single = tables.finding


def append_findings(connection: Connection, submission_id: str, findings: Findings) -> None:
    """Add groups and listed findings behind those that the submission has already."""
    first = _next_ordinal(connection, _group.c.ordinal, _group.c.submission_id == submission_id)
    groups = [
        {
            "submission_id": submission_id,
            "ordinal": ordinal,
            "code": group.code,
            "severity": str(group.severity),
            "column_name": group.column,
            "count": group.count,
            "row_ranges": group.row_ranges,
            "message": group.message,
        }
        for ordinal, group in enumerate(findings.groups, start=first)
    ]
    if groups:
        connection.execute(insert(_group), groups)
    first = _next_ordinal(connection, _single.c.ordinal, _single.c.submission_id == submission_id)
    schema, name = str(_single.schema), _single.name
    copy_rows(connection, (schema, name), _chunks(submission_id, findings.table, first))


def _next_ordinal(connection: Connection, ordinal: ColumnElement[int], where: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.coalesce(func.max(ordinal), 0)).where(where)).scalar_one()) + 1


def _chunks(submission_id: str, table: pd.DataFrame, first: int) -> Iterator[pa.Table]:
    for start in range(0, len(table), CHUNK_ROWS):
        part = table.iloc[start : start + CHUNK_ROWS]
        yield pa.table(
            {
                "submission_id": pa.repeat(submission_id, len(part)),
                "ordinal": pa.array(range(first + start, first + start + len(part)), pa.int32()),
                "row_number": pa.Array.from_pandas(part["row"], type=pa.int64()),
                **{
                    target: pa.Array.from_pandas(part[source].fillna("").astype("str"), type=pa.string())
                    for target, source in _TEXTS.items()
                },
            }
        )


_TEXTS = {
    "column_name": "column",
    "place": "place",
    "severity": "severity",
    "code": "code",
    "message": "message",
}


def read_findings(connection: Connection, submission_id: str) -> Findings:
    """Return groups in the order recorded and single findings by row, those of the whole file first."""
    groups = connection.execute(
        select(_group).where(_group.c.submission_id == submission_id).order_by(_group.c.ordinal)
    )
    singles = connection.execute(
        select(_single.c.row_number, *(_single.c[name] for name in _TEXTS))
        .where(_single.c.submission_id == submission_id)
        .order_by(_single.c.row_number.nulls_first(), _single.c.ordinal)
    ).all()
    table = empty_table()
    if singles:
        columns = ["row", *_TEXTS.values()]
        table = pd.DataFrame.from_records(singles, columns=columns).astype(table.dtypes.to_dict())[
            [*table.columns]
        ]
    return Findings(
        groups=tuple(
            FindingGroup(
                code=group.code,
                severity=Severity(group.severity),
                column=group.column_name,
                count=group._mapping["count"],
                row_ranges=group.row_ranges,
                message=group.message,
            )
            for group in groups
        ),
        table=table,
    )
