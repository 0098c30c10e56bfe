"""Reports on the files that a partner sent, for every feed (M63): never a value of a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Numeric, cast, func, select

from partner_exchange.exports.columns import Kind, Row
from partner_exchange.exports.reports.parts import days, since
from partner_exchange.exports.reports.report import (
    EVERY_FEED,
    Computed,
    Parameter,
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
from partner_exchange.ledger.states import Outcome, State

_submission = tables.submission
_finding = tables.finding
_group = tables.finding_group

_OF_FILE = (
    text("submission_id", "Submission", about="id of the received file", width=26),
    text("file_name", "FileName", about="as the partner dropped it", width=40),
    instant("received_at", "ReceivedAt", about="when it was taken in"),
)
_SEVERITIES = ("all", "error", "warning", "info")


def _recent(request: Request) -> Any:
    return (_submission.c.tenant_code == request.tenant.code) & (_submission.c.claimed_at > since(request))


def _submissions(request: Request) -> Rows:
    each = func.jsonb_each_text(_submission.c.step_seconds).table_valued("key", "value")
    seconds = select(func.round(func.coalesce(func.sum(cast(each.c.value, Numeric)), 0), 3)).scalar_subquery()
    names = [one.name for one in _SUBMISSION if one.name in _submission.c]
    query = select(
        _submission.c.seq,
        *(_submission.c[name] for name in names),
        _submission.c.claimed_at.label("received_at"),
        seconds.label("seconds"),
    ).where(_recent(request))
    for name in ("state", "outcome"):
        if request.text(name) != "all":
            query = query.where(_submission.c[name] == request.text(name))
    return query


def _findings(request: Request) -> Rows:
    query = (
        select(
            _submission.c.seq,
            _finding.c.submission_id,
            _finding.c.ordinal.label("number"),
            _submission.c.file_name,
            _submission.c.claimed_at.label("received_at"),
            _finding.c.row_number,
            _finding.c.column_name.label("column"),
            _finding.c.place,
            _finding.c.severity,
            _finding.c.code,
            _finding.c.message,
        )
        .join(_submission, _submission.c.submission_id == _finding.c.submission_id)
        .where(_recent(request))
    )
    wanted = request.text("severity")
    return query if wanted == "all" else query.where(_finding.c.severity == wanted)


def _by_code(connection: Connection, request: Request) -> Iterator[Row]:
    from partner_exchange.validation.catalogue import CATALOGUE

    query = (
        select(
            _group.c.code,
            _group.c.severity,
            func.count(_group.c.submission_id.distinct()),
            func.sum(_group.c.count),
            func.max(_submission.c.claimed_at),
        )
        .join(_submission, _submission.c.submission_id == _group.c.submission_id)
        .where(_recent(request))
        .group_by(_group.c.code, _group.c.severity)
        .order_by(_group.c.code, _group.c.severity)
    )
    for code, severity, files, findings, last_at in connection.execute(query):
        entry = CATALOGUE.get(code)
        title, step = (entry.title, entry.next_step) if entry else ("", "")
        yield code, severity, title, files, findings, last_at, step


_SUBMISSION = (
    *_OF_FILE,
    text("feed", "Feed", about="kind of data", width=10),
    text("state", "State", about="how far it has come", width=10),
    text("outcome", "Outcome", about="what the checks say of the whole file; empty: not known yet", width=24),
    text("template", "Template", about="which of the feed's templates it follows, where there are several"),
    integer("rows_total", "Rows", about="rows, or messages, in it"),
    integer("rows_accepted", "Accepted", about="of them accepted"),
    integer("rows_rejected", "Rejected", about="of them rejected"),
    integer("rows_created", "Created", about="that made something new"),
    integer("rows_updated", "Updated", about="that changed something"),
    integer("rows_unchanged", "Unchanged", about="that said what was known"),
    integer("size_bytes", "Bytes", about="size of the file"),
    text("sha256", "Sha256", about="checksum of the file", width=64),
    text("failure_code", "FailureCode", about="what went wrong on our side; empty: nothing"),
    instant("answered_at", "AnsweredAt", about="when its answer lay in the home"),
    instant("finished_at", "FinishedAt", about="when all was done"),
    decimal("seconds", "Seconds", about="time that the steps took together"),
)

REPORTS = (
    Report(
        name="submissions",
        version=1,
        title="Received files",
        about="Each file that was dropped in the last days: what became of it, how many rows were taken, "
        "and how long it took.",
        feeds=EVERY_FEED,
        columns=_SUBMISSION,
        keys=("submission_id",),
        default_columns=(
            *("file_name", "feed", "received_at", "state", "outcome"),
            *("rows_total", "rows_accepted", "rows_rejected", "finished_at", "seconds"),
        ),
        source=Query(_submissions, order=("seq",)),
        parameters=(
            days(30, "how many days back"),
            Parameter(
                "state",
                Kind.TEXT,
                "only files in this state",
                default="all",
                choices=("all", *State),
            ),
            Parameter(
                "outcome",
                Kind.TEXT,
                "only files with this outcome",
                default="all",
                choices=("all", *Outcome),
            ),
        ),
    ),
    Report(
        name="rejected_rows",
        version=1,
        title="Rejected rows and values",
        about="What the checks found row by row in the files of the last days: file, row, column and what "
        "is wrong, never the value itself. The row is the number that a spreadsheet shows, or the "
        "message's.",
        feeds=EVERY_FEED,
        columns=(
            *_OF_FILE,
            integer("number", "Number", about="of the finding within its file"),
            integer("row_number", "Row", about="row or message; empty: the whole file"),
            text("column", "Column", about="column it is about; empty: the whole row", width=100),
            text("place", "Place", about="where in an HL7 message, such as PID-7", width=12),
            text("severity", "Severity", about="`error`: it was rejected; `warning`, `info`: it was not"),
            text("code", "Code", about="stable, see findings.md", width=40),
            text("message", "Message", about="what is wrong and what to do", width=500),
        ),
        keys=("submission_id", "number"),
        default_columns=("file_name", "received_at", "row_number", "column", "code", "message"),
        source=Query(_findings, order=("seq", "number")),
        parameters=(
            days(30, "how many days back"),
            Parameter(
                "severity",
                Kind.TEXT,
                "errors are what rejects a row or a value",
                default="error",
                choices=_SEVERITIES,
            ),
        ),
    ),
    Report(
        name="findings_by_code",
        version=1,
        title="Findings by code",
        about="What was wrong with the files of the last days, counted by kind: the first place to look "
        "when many rows are rejected.",
        feeds=EVERY_FEED,
        columns=(
            text("code", "Code", about="stable, see findings.md", width=40),
            text("severity", "Severity", about="`error`, `warning` or `info`", width=10),
            text("title", "Title", about="what it says", width=80),
            integer("files", "Files", about="in how many files"),
            integer("findings", "Findings", about="how often in all"),
            instant("last_at", "LastReceivedAt", about="when the last file with it came"),
            text("next_step", "NextStep", about="what to do about it", width=200),
        ),
        keys=("code", "severity"),
        default_columns=("code", "severity", "title", "files", "findings", "last_at"),
        source=Computed(_by_code),
        parameters=(days(30, "how many days back"),),
    ),
)
