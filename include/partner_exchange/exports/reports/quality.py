"""Report on the data quality of immunization files over time (T58, M63)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Integer, Numeric, Text, cast, func, select
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH

from partner_exchange.exports.reports.parts import days, since
from partner_exchange.exports.reports.report import (
    VXU,
    Query,
    Report,
    Request,
    Rows,
    decimal,
    instant,
    integer,
    text,
)
from partner_exchange.ledger import tables

_report = tables.quality_report
_submission = tables.submission

_PARTS = ("completeness", "quality", "timeliness")
_COUNTS = (
    *("messages", "messages_rejected", "patients", "doses", "doses_stored", "doses_held", "doses_rejected"),
    *("errors", "warnings"),
)


def _part(name: str) -> ColumnElement[Any]:
    """Return one part of the score; a part that was not judged is JSON's null, which is none here."""
    path = cast(f'$.result.parts[*] ? (@.name == "{name}").percent', JSONPATH)
    found = func.jsonb_path_query_first(_report.c.document, path, type_=JSONB)
    # As text JSON's null is none of SQL.
    return func.round(cast(found.op("#>>")(cast([], ARRAY(Text))), Numeric), 1)


def _trend(request: Request) -> Rows:
    document = _report.c.document
    return (
        select(
            _report.c.seq,
            _report.c.submission_id,
            _submission.c.file_name,
            _submission.c.claimed_at.label("received_at"),
            document["head"]["mode"].astext.label("mode"),
            func.round(cast(_report.c.score, Numeric), 1).label("score"),
            document["result"]["band"].astext.label("band"),
            *(_part(name).label(name) for name in _PARTS),
            *(cast(document["counts"][name].astext, Integer).label(name) for name in _COUNTS),
        )
        .join(_submission, _submission.c.submission_id == _report.c.submission_id)
        .where(_report.c.tenant_code == request.tenant.code, _submission.c.claimed_at > since(request))
    )


REPORTS = (
    Report(
        name="dqa_trend",
        version=1,
        title="Data quality over time",
        about="The score of each file's data quality report, with what it was made of, oldest file first: "
        "whether the data gets better.",
        feeds=VXU,
        columns=(
            text("submission_id", "Submission", about="id of the received file", width=26),
            text("file_name", "FileName", about="as the partner dropped it", width=40),
            instant("received_at", "ReceivedAt", about="when it was taken in"),
            text("mode", "Mode", about="`test` or `production`, as it was then", width=12),
            decimal("score", "Score", about="0 to 100; empty: nothing could be judged"),
            text("band", "Band", about="`A` to `D`, or `F`", width=6),
            decimal("completeness", "Completeness", about="percent; empty: not judged"),
            decimal("quality", "Quality", about="percent; empty: not judged"),
            decimal("timeliness", "Timeliness", about="percent; empty: not judged"),
            integer("messages", "Messages", about="messages in it"),
            integer("messages_rejected", "MessagesRejected", about="of them rejected", width=16),
            integer("patients", "Patients", about="patients in accepted messages"),
            integer("doses", "Doses", about="doses in it"),
            integer("doses_stored", "DosesStored", about="of them stored"),
            integer("doses_held", "DosesHeld", about="of them waiting for a consent"),
            integer("doses_rejected", "DosesRejected", about="of them rejected", width=14),
            integer("errors", "Errors", about="findings that reject something"),
            integer("warnings", "Warnings", about="findings that do not"),
        ),
        keys=("submission_id",),
        default_columns=(
            *("file_name", "received_at", "mode", "score", "band", *_PARTS),
            *("messages", "messages_rejected", "doses", "doses_rejected"),
        ),
        source=Query(_trend, order=("seq",)),
        parameters=(days(365, "how many days back"),),
    ),
)
