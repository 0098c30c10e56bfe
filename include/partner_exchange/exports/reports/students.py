"""Reports on the students that a partner sent (M61, M63)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, select, union_all

from partner_exchange.exports.columns import Kind
from partner_exchange.exports.reports.parts import (
    US_DAY,
    day_start,
    days,
    of_students,
    same_student,
    since,
    utc_day,
)
from partner_exchange.exports.reports.report import (
    ROSTER,
    Parameter,
    Query,
    Report,
    ReportColumn,
    Request,
    Rows,
    boolean,
    day,
    instant,
    integer,
    text,
)
from partner_exchange.stores import tables

_student = tables.student
_verification = tables.verification

# The names and the order of the file that partners drop, so that a full roster can be dropped as it is.
_SENT: tuple[ReportColumn, ...] = (
    text("username", "Username", about="login name", width=50),
    text("student_id", "StudentId", about="StudentId, empty when none is known"),
    text("last_name", "LastName", about="surname", width=30),
    text("first_name", "FirstName", about="given name", width=30),
    text("telephone", "Telephone", about="telephone number, as it was sent"),
    day("dob", "Dob", about="date of birth", form=US_DAY),
    text("requirement_group", "RequirementGroup", about="group of requirements"),
    text("term", "Term", about="term that goes with the group", width=15),
    boolean("on_campus", "OnCampus", about="whether the student lives on campus; empty: not known"),
)
_CREATED = instant("created_at", "CreatedAt", about="when a file named the student first")
_UPDATED = instant("updated_at", "UpdatedAt", about="when a value of the student last changed")
_IS_VERIFIED = boolean("is_verified", "Verified", about="whether the student is verified now")
_GROUP = Parameter("requirement_group", Kind.TEXT, "only students of this requirement group, spelled so")
_TERM = Parameter("term", Kind.TEXT, "only students of this term, spelled so")


def _ours(request: Request, *more: ColumnElement[Any]) -> Rows:
    """Return the tenant's students with all that was sent of them, and whether they are verified."""
    is_verified = func.coalesce(_verification.c.is_verified, False)
    return (
        select(
            _student.c.username_key,
            *of_students((*_SENT, _CREATED, _UPDATED)),
            is_verified.label("is_verified"),
            *more,
        )
        .select_from(_student.join(_verification, same_student(), isouter=True))
        .where(_student.c.tenant_code == request.tenant.code)
    )


def _of_group(query: Rows, request: Request) -> Rows:
    for name in ("requirement_group", "term"):
        wanted = request.text(name)
        if wanted is not None:
            query = query.where(_student.c[name] == wanted)
    return query


def _roster(request: Request) -> Rows:
    return _of_group(_ours(request), request)


def _on_campus(request: Request) -> Rows:
    is_verified = func.coalesce(_verification.c.is_verified, False)
    verified_on = case((is_verified, utc_day(_verification.c.changed_at)))
    query = _ours(request, verified_on.label("verify_date")).where(_student.c.on_campus)
    wanted = request.text("verified")
    if wanted != "all":
        query = query.where(is_verified.is_(wanted == "yes"))
    return query


def _new(request: Request) -> Rows:
    start, end = day_start(request, "from"), day_start(request, "until")
    query = _ours(request)
    if start is None and end is None:
        return query.where(_student.c.created_at > since(request))
    if start is not None:
        query = query.where(_student.c.created_at >= start)
    if end is not None:
        query = query.where(_student.c.created_at < end + timedelta(days=1))
    return query


def _without_group(request: Request) -> Rows:
    return _ours(request).where(_student.c.requirement_group.is_(None) | _student.c.term.is_(None))


def _alike(request: Request, what: str, shared: Sequence[ColumnElement[Any]]) -> Rows:
    """Return the students by whom they share something with, themselves among them."""
    return _ours(
        request,
        literal(what).label("alike"),
        func.min(_student.c.username).over(partition_by=shared).label("first_of"),
        func.count().over(partition_by=shared).label("students"),
    ).where(*(one.is_not(None) for one in shared))


def _twins(request: Request) -> Rows:
    person = (func.lower(_student.c.last_name), func.lower(_student.c.first_name), _student.c.dob)
    found = union_all(
        _alike(request, "name and date of birth", person),
        _alike(request, "telephone", [_student.c.telephone_key]),
    ).subquery()
    return select(found).where(found.c.students > 1)


_FEW = ("username", "student_id", "last_name", "first_name")

REPORTS = (
    Report(
        name="student_roster",
        version=1,
        title="Student roster",
        about="All students, with every value that stands for them now. Without columns in the tenant "
        "file it has the nine columns of the file that partners drop, in the same order, so that it "
        "can be compared with the partner's own list or dropped again.",
        feeds=ROSTER,
        columns=(*_SENT, _CREATED, _UPDATED, _IS_VERIFIED),
        keys=("username",),
        default_columns=tuple(one.name for one in _SENT),
        source=Query(_roster, order=("username_key",)),
        parameters=(_GROUP, _TERM),
    ),
    Report(
        name="on_campus",
        version=1,
        title="Students on campus",
        about="The students who live on campus, and whether they are verified: whom a residence office "
        "may let move in.",
        feeds=ROSTER,
        columns=(
            *_SENT[:4],
            _IS_VERIFIED,
            day(
                "verify_date",
                "VerifyDate",
                about="UTC day on which it became so; empty: it is not",
                form=US_DAY,
            ),
            *_SENT[4:8],
            _UPDATED,
        ),
        keys=("username",),
        default_columns=(*_FEW, "requirement_group", "term", "is_verified"),
        source=Query(_on_campus, order=("username_key",)),
        parameters=(
            Parameter(
                "verified",
                Kind.TEXT,
                "all of them, only the verified ones, or only the others",
                default="all",
                choices=("all", "yes", "no"),
            ),
        ),
    ),
    Report(
        name="new_students",
        version=1,
        title="New students",
        about="The students that a file named for the first time: in the last days, or between two UTC "
        "days where one of them is given.",
        feeds=ROSTER,
        columns=(*_SENT, _CREATED, _UPDATED, _IS_VERIFIED),
        keys=("username",),
        default_columns=(*_FEW, "requirement_group", "term", "created_at"),
        source=Query(_new, order=("username_key",)),
        parameters=(
            days(30, "how many days back, where neither `from` nor `until` is given"),
            Parameter("from", Kind.DATE, "first UTC day"),
            Parameter("until", Kind.DATE, "last UTC day"),
        ),
    ),
    Report(
        name="students_without_group",
        version=1,
        title="Students without requirement group or term",
        about="The students of whom no pair of requirement group and term is known, so that nobody can "
        "say what is asked of them.",
        feeds=ROSTER,
        columns=(*_SENT, _CREATED, _UPDATED),
        keys=("username",),
        default_columns=(*_FEW, "created_at"),
        source=Query(_without_group, order=("username_key",)),
    ),
    Report(
        name="possible_duplicates",
        version=1,
        title="Students who may be the same person",
        about="Students who share last name, first name and date of birth, or a telephone number: often "
        "one person with two login names. Those who belong together have the same FirstOf. A "
        "student may be in it once for each of the two.",
        feeds=ROSTER,
        columns=(
            text("alike", "Alike", about="`name and date of birth` or `telephone`", width=22),
            text("first_of", "FirstOf", about="Username that comes first of those alike", width=50),
            *_SENT,
            integer("students", "Students", about="how many are alike"),
            _CREATED,
        ),
        keys=("alike", "username"),
        default_columns=("alike", "first_of", *_FEW, "students"),
        source=Query(_twins, order=("alike", "first_of", "username_key")),
    ),
)
