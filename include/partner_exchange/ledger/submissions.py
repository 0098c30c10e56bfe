"""The life of a submission in the ledger: opened at the claim, moved by each step, asked by everyone.

Called by the steps, the command line and the pages. Each ``record_*`` moves a submission one state on, once:
called again when that has happened it changes nothing, so a step may be killed and run again at any point
(X03).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from ulid import ULID

from partner_exchange import clock
from partner_exchange.errors import CountsDoNotReconcile, StateConflict, UnknownSubmission
from partner_exchange.ledger import tables
from partner_exchange.ledger.columns import ColumnOutcome
from partner_exchange.ledger.columns import add as add_columns
from partner_exchange.ledger.columns import read as read_columns
from partner_exchange.ledger.database import CLAIM_LOCK, hold
from partner_exchange.ledger.findings import append_findings, read_findings
from partner_exchange.ledger.states import FINAL, Outcome, State, may_move
from partner_exchange.storage.names import StampedName
from partner_exchange.validation.findings import Findings, Severity

_table = tables.submission


@dataclass(frozen=True)
class Submission:
    """One received file and how far it has come; row counts are None until they are known."""

    submission_id: str
    seq: int
    """Order of the claims; a smaller one is earlier. Gaps mean nothing."""
    tenant_code: str
    feed: str
    file_name: str
    """As the partner dropped it."""
    stamp: str
    sha256: str
    size_bytes: int
    state: State
    outcome: Outcome | None
    rule_version: str | None
    policy_sha256: str
    """Of the tenant's policy at the claim, and at the checks once they are done."""
    rows_total: int | None
    rows_accepted: int | None
    """Of the checks until the load, afterwards without the rows that the store rejected."""
    rows_rejected: int | None
    rows_created: int | None
    rows_updated: int | None
    rows_unchanged: int | None
    template: str | None
    """Which of the feed's templates the file follows; None for a feed with one form only."""
    lines_to_load: int | None
    """How many lines the checks left for the load, in the feed's own form."""
    is_first_of_name: bool
    """Whether no earlier file of the tenant had this name, in whatever case, and its place was free (K20)."""
    part_counts: Mapping[str, int]
    """Counts of what is smaller than a row, by the feed's own names, such as ``doses_stored``."""
    fixes_submission_id: str | None
    """The first submission, when this file is its fix-it file, mended and dropped again (N01)."""
    failure_code: str | None
    failure_message: str | None
    claimed_at: datetime
    validated_at: datetime | None
    loaded_at: datetime | None
    answered_at: datetime | None
    finished_at: datetime | None
    step_seconds: Mapping[str, float]
    purged_at: datetime | None = None
    """When its files were purged; what the ledger says of it stays (T39)."""

    @property
    def name(self) -> StampedName:
        """Return the name that all files about this submission are named after."""
        return StampedName(self.file_name, self.stamp, is_first=self.is_first_of_name)


def _of(row: RowMapping) -> Submission:
    values: dict[str, Any] = {field.name: row[field.name] for field in fields(Submission)}
    values["state"] = State(values["state"])
    values["outcome"] = Outcome(values["outcome"]) if values["outcome"] else None
    return Submission(**values)


def open_submission(
    connection: Connection,
    *,
    tenant_code: str,
    feed: str,
    file_name: str,
    stamp: str,
    sha256: str,
    size_bytes: int,
    policy_sha256: str,
    fixes_submission_id: str | None = None,
    is_name_free: bool = True,
) -> Submission:
    """Return the row of a claimed file, new or the one that an earlier try has written (M33, X02).

    :param is_name_free: whether nothing lies in the home under the name yet that the original would have as
        the first of its name: a home may remember more than the ledger.
    """
    # Claims of one tenant take turns, so that ``seq`` is also the order in which they become visible: nobody
    # overlooks an earlier submission that is not committed yet.
    hold(connection, CLAIM_LOCK, tenant_code)
    at = clock.now()
    row = {
        "submission_id": str(ULID.from_datetime(at)),
        "tenant_code": tenant_code,
        "feed": feed,
        "file_name": file_name,
        "stamp": stamp,
        "sha256": sha256,
        "size_bytes": size_bytes,
        "state": State.CLAIMED,
        "policy_sha256": policy_sha256,
        "fixes_submission_id": fixes_submission_id,
        "is_first_of_name": is_name_free and not _has_name(connection, tenant_code, file_name),
        "claimed_at": at,
    }
    connection.execute(insert(_table).values(row).on_conflict_do_nothing(constraint="submission_claim_key"))
    known = find(connection, tenant_code, file_name, stamp)
    if known is None:
        raise UnknownSubmission(
            "submission-vanished", "A submission was removed while it was claimed; nothing was changed."
        )
    return known


def _has_name(connection: Connection, tenant_code: str, file_name: str) -> bool:
    query = select(_table.c.seq).where(
        _table.c.tenant_code == tenant_code, func.lower(_table.c.file_name) == func.lower(file_name)
    )
    return connection.execute(query.limit(1)).first() is not None


def stamped(connection: Connection, tenant_code: str, stamp: str) -> list[str]:
    """Return the names of all files of a tenant that were claimed under one time code."""
    query = select(_table.c.file_name).where(_table.c.tenant_code == tenant_code, _table.c.stamp == stamp)
    return list(connection.execute(query).scalars())


def get(connection: Connection, submission_id: str) -> Submission:
    """Return one submission.

    :raises UnknownSubmission: there is none of that id.
    """
    return _one(connection, submission_id, select(_table))


def lock(connection: Connection, submission_id: str) -> Submission:
    """Return one submission that nobody else can change until the transaction ends.

    :raises UnknownSubmission: there is none of that id.
    """
    # Not for its key: a claim that refers to the row (a fix-it file) must not wait for who waits for claims.
    return _one(connection, submission_id, select(_table).with_for_update(key_share=True))


def _one(connection: Connection, submission_id: str, query: Select[Any]) -> Submission:
    row = connection.execute(query.where(_table.c.submission_id == submission_id)).mappings().one_or_none()
    if row is None:
        raise UnknownSubmission(
            "unknown-submission",
            f"There is no submission {submission_id}; list them with `exchange submissions`.",
            submission_id=submission_id,
        )
    return _of(row)


def find(connection: Connection, tenant_code: str, file_name: str, stamp: str) -> Submission | None:
    """Return the submission of a claimed name, None when the ledger does not know it."""
    row = connection.execute(
        select(_table).where(
            _table.c.tenant_code == tenant_code, _table.c.file_name == file_name, _table.c.stamp == stamp
        )
    )
    found = row.mappings().one_or_none()
    return _of(found) if found is not None else None


def latest(connection: Connection, tenant_code: str | None = None, limit: int = 50) -> list[Submission]:
    """Return the newest submissions, newest first, of one tenant or of all."""
    query = select(_table).order_by(_table.c.seq.desc()).limit(limit)
    return _all(
        connection, query.where(_table.c.tenant_code == tenant_code) if tenant_code is not None else query
    )


def unfinished(connection: Connection, tenant_code: str) -> list[Submission]:
    """Return the tenant's submissions with something left to do, oldest first; a failed one is to be
    answered.
    """
    is_open = or_(
        _table.c.state.not_in([*FINAL, State.HELD]),
        (_table.c.state == State.FAILED) & _table.c.answered_at.is_(None),
    )
    query = select(_table).where(_table.c.tenant_code == tenant_code, is_open)
    return _all(connection, query.order_by(_table.c.seq))


def unresolved_before(connection: Connection, submission: Submission) -> list[Submission]:
    """Return earlier submissions of the same tenant and feed whose rows may still come, oldest first."""
    may_load = or_(
        _table.c.state == State.CLAIMED,
        (_table.c.state == State.VALIDATED) & (_table.c.outcome != Outcome.REFUSED),
    )
    return _all(connection, select(_table).where(_before(submission), may_load).order_by(_table.c.seq))


def last_counted_before(connection: Connection, submission: Submission) -> Submission | None:
    """Return the submission that this one follows; a refused or failed one does not count (M39)."""
    counts = _table.c.outcome.is_distinct_from(Outcome.REFUSED) & (_table.c.state != State.FAILED)
    query = select(_table).where(_before(submission), counts).order_by(_table.c.seq.desc()).limit(1)
    return next(iter(_all(connection, query)), None)


def has_same_content_before(connection: Connection, submission: Submission) -> bool:
    """Say whether the tenant has sent this very content before, whatever became of it."""
    query = select(_table.c.seq).where(_before(submission), _table.c.sha256 == submission.sha256).limit(1)
    return connection.execute(query).first() is not None


def first_claimed_at(connection: Connection, submission: Submission) -> datetime:
    """Return when the tenant first sent this content; of a fix-it file, when that came which it mends (E24).

    A chain of fix-it files leads to the file that was dropped first.
    """
    if submission.fixes_submission_id is not None:
        while submission.fixes_submission_id is not None:
            submission = get(connection, submission.fixes_submission_id)
        return submission.claimed_at
    query = (
        select(_table.c.claimed_at)
        .where(_before(submission), _table.c.sha256 == submission.sha256)
        .order_by(_table.c.seq)
        .limit(1)
    )
    earlier: datetime | None = connection.execute(query).scalar()
    return earlier or submission.claimed_at


def has_later_load(connection: Connection, submission: Submission) -> bool:
    """Say whether rows of a later file of the same tenant and feed are in the store already."""
    is_later = (
        (_table.c.tenant_code == submission.tenant_code)
        & (_table.c.feed == submission.feed)
        & (_table.c.seq > submission.seq)
        & _table.c.loaded_at.is_not(None)
    )
    return connection.execute(select(_table.c.seq).where(is_later).limit(1)).first() is not None


def _before(submission: Submission) -> ColumnElement[bool]:
    return (
        (_table.c.tenant_code == submission.tenant_code)
        & (_table.c.feed == submission.feed)
        & (_table.c.seq < submission.seq)
    )


def _all(connection: Connection, query: Select[Any]) -> list[Submission]:
    return [_of(row) for row in connection.execute(query).mappings()]


def findings(connection: Connection, submission_id: str) -> Findings:
    """Return what was found in a file, by the checks and by the store."""
    return read_findings(connection, submission_id)


def column_outcomes(connection: Connection, submission_id: str) -> tuple[ColumnOutcome, ...]:
    """Return what became of the values of a file, column by column; none for a feed that judges rows."""
    return read_columns(connection, submission_id)


def record_validation(
    connection: Connection,
    submission_id: str,
    *,
    outcome: Outcome,
    rule_version: str,
    rows_total: int,
    rows_accepted: int,
    rows_rejected: int,
    findings: Findings,
    seconds: float,
    policy_sha256: str | None = None,
    lines_to_load: int | None = None,
    template: str = "",
    columns: Iterable[ColumnOutcome] = (),
    part_counts: Mapping[str, int] | None = None,
) -> Submission:
    """Keep the verdict of the checks and every finding; claimed becomes validated.

    :param columns: values skipped and rejected, for feeds that judge values one by one (E21).
    :param part_counts: for feeds whose rows have parts: how many there are, by the feed's own names.

    :raises CountsDoNotReconcile: rows in are not accepted plus rejected; nothing was changed (X04).
    :raises StateConflict: the submission failed.
    """
    _reconcile(submission_id, rows_total, accepted=rows_accepted, rejected=rows_rejected)
    submission = lock(connection, submission_id)
    if submission.validated_at is not None and submission.state is not State.FAILED:
        return submission
    _may(submission, State.VALIDATED)
    append_findings(connection, submission_id, findings)
    add_columns(connection, submission_id, columns)
    return _move(
        connection,
        submission,
        State.VALIDATED,
        step=("validate", seconds),
        outcome=outcome,
        rule_version=rule_version,
        rows_total=rows_total,
        rows_accepted=rows_accepted,
        rows_rejected=rows_rejected,
        policy_sha256=policy_sha256 or submission.policy_sha256,
        lines_to_load=lines_to_load,
        template=template or None,
        part_counts=dict(part_counts or {}),
        validated_at=clock.now(),
    )


def take_back_validation(connection: Connection, submission_id: str) -> Submission:
    """Take back the verdict of the checks, with all they found: validated becomes claimed again.

    For a submission whose tenant's policy changed before its rows were loaded: what was accepted then may not
    be the tenant's any more. The caller records the new verdict in the same transaction.

    :raises StateConflict: it is not validated, or its rows are loaded.
    """
    submission = lock(connection, submission_id)
    if submission.state is not State.VALIDATED:
        raise _conflict(submission, State.CLAIMED)
    for table in (tables.finding, tables.finding_group, tables.column_outcome):
        connection.execute(delete(table).where(table.c.submission_id == submission_id))
    counts = ("rows_total", "rows_accepted", "rows_rejected", "lines_to_load")
    nothing = dict.fromkeys((*counts, "outcome", "template", "validated_at"))
    return _move(connection, submission, State.CLAIMED, part_counts={}, **nothing)


def record_load(
    connection: Connection,
    submission_id: str,
    *,
    created: int,
    updated: int,
    unchanged: int,
    rejected_at_load: int,
    findings: Findings,
    seconds: float,
    columns: Iterable[ColumnOutcome] = (),
    part_counts: Mapping[str, int] | None = None,
) -> Submission:
    """Keep what became of the rows in the store; validated becomes loaded.

    :param columns: values set, unchanged and late; added to those of the checks.
    :param part_counts: what became of the parts of rows; joins the counts of the checks.

    Rows that the store rejected move from accepted to rejected, and their findings follow those of the
    checks.

    :raises CountsDoNotReconcile: rows in are not the sum of row outcomes; nothing was changed (X04).
    :raises StateConflict: the submission is not validated, was refused, or failed.
    """
    submission = lock(connection, submission_id)
    if submission.loaded_at is not None and submission.state is not State.FAILED:
        return submission
    _may(submission, State.LOADED)
    if submission.outcome is Outcome.REFUSED:
        raise _conflict(submission, State.LOADED)
    rejected = (submission.rows_rejected or 0) + rejected_at_load
    _reconcile(
        submission_id,
        submission.rows_total or 0,
        created=created,
        updated=updated,
        unchanged=unchanged,
        rejected=rejected,
    )
    append_findings(connection, submission_id, findings)
    add_columns(connection, submission_id, columns)
    is_noted = findings.count(Severity.ERROR) or findings.count(Severity.WARNING)
    return _move(
        connection,
        submission,
        State.LOADED,
        step=("load", seconds),
        outcome=Outcome.ACCEPTED_WITH_FINDINGS if is_noted or rejected_at_load else submission.outcome,
        rows_accepted=(submission.rows_accepted or 0) - rejected_at_load,
        rows_rejected=rejected,
        rows_created=created,
        rows_updated=updated,
        rows_unchanged=unchanged,
        part_counts={**submission.part_counts, **(part_counts or {})},
        loaded_at=clock.now(),
    )


def record_answer(connection: Connection, submission_id: str, *, seconds: float) -> Submission:
    """Keep that the partner's result file is written; loaded, or validated when refused, becomes answered.

    A failed submission is answered too, and stays failed.

    :raises StateConflict: rows are still to be loaded.
    """
    submission = lock(connection, submission_id)
    if submission.answered_at is not None:
        return submission
    if submission.state is State.FAILED:
        return _move(connection, submission, State.FAILED, step=("respond", seconds), answered_at=clock.now())
    require_answerable(submission)
    return _move(connection, submission, State.ANSWERED, step=("respond", seconds), answered_at=clock.now())


def require_answerable(submission: Submission) -> None:
    """Return when the partner may be answered now: all is loaded, or the file was refused or failed.

    :raises StateConflict: rows are still to be loaded.
    """
    if submission.state is State.FAILED:
        return
    _may(submission, State.ANSWERED)
    if submission.state is State.VALIDATED and submission.outcome is not Outcome.REFUSED:
        raise _conflict(submission, State.ANSWERED)


def finish(connection: Connection, submission_id: str, *, seconds: float) -> Submission:
    """Close an answered submission: done, or refused when the whole file was.

    :raises StateConflict: it is not answered, or failed.
    """
    submission = lock(connection, submission_id)
    if submission.state in (State.DONE, State.REFUSED):
        return submission
    target = State.REFUSED if submission.outcome is Outcome.REFUSED else State.DONE
    _may(submission, target)
    return _move(connection, submission, target, step=("notify", seconds), finished_at=clock.now())


def fail(connection: Connection, submission_id: str, *, code: str, message: str) -> Submission:
    """Close a submission that we could not bring to its end; the first reason stays.

    :raises StateConflict: it is done or refused.
    """
    submission = lock(connection, submission_id)
    if submission.state is State.FAILED:
        return submission
    _may(submission, State.FAILED)
    return _move(
        connection,
        submission,
        State.FAILED,
        failure_code=code,
        failure_message=message,
        finished_at=clock.now(),
    )


def reopen(connection: Connection, submission_id: str) -> Submission:
    """Take a failed submission up again where it stopped, for a replay.

    :raises StateConflict: it has not failed.
    """
    submission = lock(connection, submission_id)
    target = State.CLAIMED
    if submission.validated_at is not None:
        target = State.VALIDATED if submission.loaded_at is None else State.LOADED
    if submission.state is not State.FAILED:
        raise _conflict(submission, target)
    return _move(
        connection,
        submission,
        target,
        failure_code=None,
        failure_message=None,
        answered_at=None,
        finished_at=None,
    )


def _may(submission: Submission, target: State) -> None:
    if not may_move(submission.state, target):
        raise _conflict(submission, target)


def _conflict(submission: Submission, target: State) -> StateConflict:
    outcome = f" ({submission.outcome})" if submission.outcome else ""
    return StateConflict(
        "state-conflict",
        f"Submission {submission.submission_id} is {submission.state}{outcome} and cannot become {target}; "
        "nothing was changed.",
        submission_id=submission.submission_id,
        state=str(submission.state),
        target=str(target),
    )


def _reconcile(submission_id: str, rows_total: int, **outcomes: int) -> None:
    if rows_total != sum(outcomes.values()) or min(outcomes.values()) < 0:
        told = " + ".join(f"{name} {count}" for name, count in outcomes.items())
        raise CountsDoNotReconcile(
            "counts-do-not-reconcile",
            f"Submission {submission_id} has {rows_total} rows, but {told}; nothing was committed.",
            submission_id=submission_id,
            rows_total=rows_total,
            **outcomes,
        )


def _move(
    connection: Connection,
    submission: Submission,
    target: State,
    *,
    step: tuple[str, float] | None = None,
    **changes: Any,
) -> Submission:
    """Write the new state; the caller holds the row and has asked whether the move is allowed."""
    seconds = dict(submission.step_seconds)
    if step is not None:
        seconds[step[0]] = round(step[1], 3)
    statement = (
        update(_table)
        .where(_table.c.submission_id == submission.submission_id)
        .values(state=target, step_seconds=seconds, **changes)
        .returning(_table)
    )
    return _of(connection.execute(statement).mappings().one())
