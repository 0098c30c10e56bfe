"""The roster feed: students in, judged row by row (M06-M32)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from partner_exchange.feeds.base import (
    AnswerFile,
    AnswerKind,
    AnswerMaterial,
    Examination,
    ExamineContext,
    LoadOutcome,
    Tables,
)
from partner_exchange.feeds.expected import fix_it_ending
from partner_exchange.feeds.refusal import refusal
from partner_exchange.feeds.roster.contract import (
    AS_SENT,
    COLUMNS,
    CONTRACT_VERSION,
    EMAIL_PATTERN,
    KEYS,
    REPEATS,
    TITLES,
)
from partner_exchange.feeds.roster.fix_it import fix_it_file
from partner_exchange.feeds.roster.keys import file_keys
from partner_exchange.feeds.roster.load import load_rows
from partner_exchange.feeds.roster.nearest import with_suggestions
from partner_exchange.feeds.roster.suite import file_suite, row_suite
from partner_exchange.readers.cells import Cells
from partner_exchange.readers.csv import ReadPolicy, Sheet, read_csv
from partner_exchange.readers.marks import Mark, Refusal, Rows
from partner_exchange.tenants.model import RosterPolicy, Tenant
from partner_exchange.validation.runner import PIECE_ROWS, run
from partner_exchange.validation.wording import rejected_rows, word


class RosterFeed:
    """Implements ``feeds.base.Feed`` for rosters; stateless."""

    name = "roster"
    rule_version = f"roster-{CONTRACT_VERSION}.0"

    def examine(self, content: bytes, context: ExamineContext) -> Examination:
        """Return findings and rows of the file; never raises for what the file holds."""
        policy = context.tenant.roster
        read_policy = ReadPolicy(policy.max_rows, policy.above_max_rows, policy.extension_case)
        sheet = read_csv(content, file_name=context.file_name, columns=COLUMNS, policy=read_policy)
        # The checks need memory of their own, and nobody else holds the text of a large file any more.
        del content
        if isinstance(sheet, Refusal):
            return refusal(sheet.code, rows_total=sheet.rows_total, **sheet.facts)
        judged = [*sheet.marks, *_whole_file_marks(sheet), *_row_marks(sheet, context)]
        meetings = _meeting_marks(sheet)
        rejected = rejected_rows([*judged, *meetings])
        marks = [*judged, *(_without(mark, rejected) for mark in meetings)]
        findings = word(
            (mark for mark in marks if mark.code != "row-repeated" or len(mark.rows)),
            columns=TITLES,
            cap=policy.max_findings_listed,
        )
        accepted = _accepted(sheet, rejected, meetings)
        return Examination(
            is_refused=False,
            rows_total=sheet.rows_total,
            rows_accepted=sheet.rows_total - len(rejected),
            rows_rejected=len(rejected),
            findings=findings,
            accepted=accepted,
            rejected=_rejected(sheet, rejected),
        )

    def load(
        self,
        connection: Connection,
        accepted: pd.DataFrame,
        *,
        tables: Tables,
        tenant: Tenant,
        submission_id: str,
        now: datetime,
    ) -> LoadOutcome:
        """Merge the rows inside the caller's transaction.

        :raises SerializationConflict: somebody else changed the same students meanwhile.
        :raises CountsDoNotReconcile: a row came to no outcome, or to two.
        """
        return load_rows(connection, accepted, tenant=tenant, submission_id=submission_id, now=now)

    def answer_files(self, material: AnswerMaterial) -> Sequence[AnswerFile]:
        """Return the rows to mend as a roster that may be dropped again (N01); nothing when all rows hold."""
        if material.rejected.empty:
            return ()
        content = fix_it_file(material.rejected, newline=material.tenant.roster.newline)
        return (AnswerFile(AnswerKind.FIX_IT, fix_it_ending(material.file_name), content),)


def _whole_file_marks(sheet: Sheet) -> list[Mark]:
    marks = []
    if _looks_like_data(sheet.header):
        marks.append(Mark("header-looks-like-data"))
    first, second = (_looks_like_email(sheet.table.column(key)) for key in ("username", "student_id"))
    swapped = pc.sum(pc.and_(second, pc.invert(first))).as_py() or 0
    if swapped * 2 > len(sheet.rows):
        marks.append(Mark("columns-look-swapped", facts={"count": swapped, "rows": len(sheet.rows)}))
    return marks


def _looks_like_email(cells: Cells) -> pa.ChunkedArray:
    return pc.match_substring_regex(cells, rf"\A(?:{EMAIL_PATTERN})\z")


def _looks_like_data(header: Sequence[str]) -> bool:
    """Tell whether the first row is a student: a mail address, a date or a flag in its place (M09)."""
    cells = [cell.strip() for cell in header]
    patterns = {0: EMAIL_PATTERN, 1: EMAIL_PATTERN, 5: r"[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4}", 8: "[01]"}
    values = pa.array([cells[at] if at < len(cells) else "" for at in patterns], pa.large_string())
    return any(
        pc.match_substring_regex(values.slice(at, 1), rf"\A(?:{pattern})\z")[0].as_py()
        for at, pattern in enumerate(patterns.values())
    )


def _row_marks(sheet: Sheet, context: ExamineContext) -> list[Mark]:
    policy = context.tenant.roster
    expectations = row_suite(policy, context.today)
    marks: list[Mark] = []
    for start in range(0, len(sheet.rows), PIECE_ROWS):
        frame = sheet.table.slice(start, PIECE_ROWS).to_pandas()
        marks += run(frame, expectations, rows=sheet.rows[start : start + PIECE_ROWS])
    return [part for mark in _together(marks) for part in _suggest(mark, sheet, policy)]


def _together(marks: Sequence[Mark]) -> list[Mark]:
    """Return one mark per code and column from those of all pieces."""
    grouped: dict[tuple[str, str], list[Mark]] = {}
    for mark in marks:
        grouped.setdefault((mark.code, mark.column), []).append(mark)
    return [
        Mark(
            same[0].code,
            same[0].column,
            np.concatenate([mark.rows for mark in same]),
            same[0].facts,
            same[0].is_warning,
        )
        for same in grouped.values()
    ]


def _suggest(mark: Mark, sheet: Sheet, policy: RosterPolicy) -> list[Mark]:
    pairs = policy.requirement_terms
    if mark.code == "requirement-group-unknown":
        known = [pair.requirement_group for pair in pairs]
        return with_suggestions(mark, sheet.table, sheet.rows, key="requirement_group", known=known)
    if mark.code == "term-unknown":
        known = [pair.term for pair in pairs]
        return with_suggestions(mark, sheet.table, sheet.rows, key="term", known=known)
    return [mark]


def _meeting_marks(sheet: Sheet) -> list[Mark]:
    """Judge rows against each other, also those with other errors, so their order never matters (M35)."""
    return run(file_keys(sheet.table), file_suite(), rows=sheet.rows, piece_rows=max(1, len(sheet.rows)))


def _without(mark: Mark, rejected: Rows) -> Mark:
    """Return the mark; a repeated row that is rejected anyway is not told that it was taken once."""
    if mark.code != "row-repeated":
        return mark
    return Mark(mark.code, mark.column, np.setdiff1d(mark.rows, rejected, assume_unique=True))


def _accepted(sheet: Sheet, rejected: Rows, meetings: Sequence[Mark]) -> pd.DataFrame:
    repeated = [mark.rows for mark in meetings if mark.code == "row-repeated"]
    left_out = np.union1d(rejected, repeated[0]) if repeated else rejected
    is_kept = ~np.isin(sheet.rows, left_out, assume_unique=True)
    # Without a rejected row the columns stay where they are: a copy would be the largest thing in memory.
    kept = sheet.table if is_kept.all() else sheet.table.filter(pa.array(is_kept))
    frame: pd.DataFrame = kept.to_pandas()
    frame.insert(0, "row", sheet.rows[is_kept])
    frame[REPEATS] = (
        _repeats(sheet, is_kept, np.setdiff1d(repeated[0], rejected)) if repeated else np.int64(0)
    )
    return frame


def _repeats(sheet: Sheet, is_kept: npt.NDArray[np.bool_], repeated: Rows) -> Rows:
    """Return for each kept row how many rows equal to it follow in the file."""
    whole_row = file_keys(sheet.table)["whole_row"].to_numpy()
    times = np.bincount(
        whole_row[np.isin(sheet.rows, repeated, assume_unique=True)], minlength=int(whole_row.max()) + 1
    )
    counts: Rows = times[whole_row[is_kept]].astype(np.int64)
    return counts


def _rejected(sheet: Sheet, rejected: Rows) -> pd.DataFrame:
    """Return all rejected rows in the order of the file, with cells if they have nine, else as sent."""
    is_rejected = np.isin(sheet.rows, rejected, assume_unique=True)
    judged = sheet.table if is_rejected.all() else sheet.table.filter(pa.array(is_rejected))
    nothing = [_blank(len(sheet.faulty_rows))] * len(KEYS)
    parts = [
        _part(judged.columns, sheet.rows[is_rejected], _blank(judged.num_rows)),
        _part(sheet.rest_table.columns, sheet.rest_rows, _blank(len(sheet.rest_rows))),
        _part(nothing, sheet.faulty_rows, sheet.faulty_text),
    ]
    filled = [part for part in parts if part.num_rows]
    if len(filled) < 2:
        return _frame(filled[0] if filled else parts[0])
    together = pa.concat_tables(filled)
    return _frame(together.take(pc.sort_indices(together.column("row"))))


def _blank(count: int) -> Cells:
    return pa.chunked_array([pa.repeat(pa.scalar("", pa.large_string()), count)])


def _part(columns: Sequence[Cells], rows: Rows, as_sent: Cells) -> pa.Table:
    return pa.table([pa.array(rows), *columns, as_sent], names=["row", *KEYS, AS_SENT])


def _frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    return frame
