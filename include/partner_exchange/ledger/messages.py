"""What became of each accepted message of an HL7 file, and the quality reports (T58, T61, X04).

Called by the immunization feed, in the transaction of the load or of the answer. No value of a message is
kept here: a row is known by its number in the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from partner_exchange import clock
from partner_exchange.ledger import tables
from partner_exchange.ledger.copying import copy_rows
from partner_exchange.ledger.states import DOSE_OUTCOMES
from partner_exchange.ledger.submissions import Submission

_outcome = tables.message_outcome
_report = tables.quality_report


def record_outcomes(connection: Connection, submission_id: str, outcomes: pd.DataFrame) -> None:
    """Keep one line per accepted message.

    :param outcomes: ``row`` int64, ``outcome``, ``consent_status``, ``consent_type`` text, ``consent_on``,
        ``consent_expires_on`` text (yyyy-mm-dd or ""), ``doses_<outcome>`` int for ``DOSE_OUTCOMES``, and
        ``doses_present`` int: of the doses that the message tells the ones in the store after the load, each
        in one message of a file.
    """
    texts = ("outcome", "consent_status", "consent_type")
    dates = ("consent_on", "consent_expires_on")
    counts = (*(f"doses_{name}" for name in DOSE_OUTCOMES), "doses_present")
    chunk = pa.table(
        {
            "submission_id": pa.repeat(submission_id, len(outcomes)),
            "row_number": pa.array(outcomes["row"], pa.int64()),
            **{name: pa.array(outcomes[name], pa.string(), from_pandas=True) for name in texts},
            **{
                name: pa.array(outcomes[name].mask(outcomes[name] == ""), pa.string(), from_pandas=True)
                for name in dates
            },
            **{name: pa.array(outcomes[name], pa.int32()) for name in counts},
        }
    )
    copy_rows(connection, (str(_outcome.schema), _outcome.name), iter([chunk]))


def outcomes(connection: Connection, submission_id: str) -> pd.DataFrame:
    """Return what ``record_outcomes`` kept, by row, in the same form."""
    columns = [column for column in _outcome.c if column.name != "submission_id"]
    query = select(*columns).where(_outcome.c.submission_id == submission_id).order_by(_outcome.c.row_number)
    names = ["row", *(column.name for column in columns[1:])]
    frame = pd.DataFrame.from_records(connection.execute(query).all(), columns=names)
    for name in ("consent_on", "consent_expires_on"):
        frame[name] = pd.Series([one.isoformat() if one else "" for one in frame[name]], dtype="str")
    return frame


@dataclass(frozen=True)
class QualityReport:
    """One data quality report; ``document`` is its JSON form, without any identifying value (T60)."""

    submission_id: str
    score: float | None
    """0 to 100; None when nothing could be judged."""
    document: Mapping[str, Any]
    recorded_at: datetime


def record_report(
    connection: Connection, submission: Submission, *, score: float | None, document: Mapping[str, Any]
) -> QualityReport:
    """Keep the report once; called again, return the one that is kept."""
    row = {
        "submission_id": submission.submission_id,
        "tenant_code": submission.tenant_code,
        "seq": submission.seq,
        "score": score,
        "document": dict(document),
        "recorded_at": clock.now(),
    }
    connection.execute(insert(_report).values(row).on_conflict_do_nothing(constraint="quality_report_pkey"))
    found = report(connection, submission.submission_id)
    if found is None:
        raise LookupError(submission.submission_id)
    return found


def report(connection: Connection, submission_id: str) -> QualityReport | None:
    """Return the report of a submission, None while there is none."""
    row = connection.execute(
        select(_report.c.submission_id, _report.c.score, _report.c.document, _report.c.recorded_at).where(
            _report.c.submission_id == submission_id
        )
    ).one_or_none()
    return QualityReport(*row) if row is not None else None


def reports_before(connection: Connection, submission: Submission, *, limit: int) -> list[QualityReport]:
    """Return the newest scored reports of the tenant's earlier files, oldest first (T58)."""
    query = (
        select(_report.c.submission_id, _report.c.score, _report.c.document, _report.c.recorded_at)
        .where(
            _report.c.tenant_code == submission.tenant_code,
            _report.c.seq < submission.seq,
            _report.c.score.is_not(None),
        )
        .order_by(_report.c.seq.desc())
        .limit(limit)
    )
    return [QualityReport(*row) for row in connection.execute(query)][::-1]
