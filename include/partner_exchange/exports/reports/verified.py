"""Reports on who is verified, and who became so or ceased to be (M42, M46-M48)."""

from __future__ import annotations

from sqlalchemy import Numeric, and_, case, cast, func, select

from partner_exchange.exports.reports.parts import US_DAY, of_students, same_student, utc_day
from partner_exchange.exports.reports.report import (
    ROSTER,
    Query,
    Report,
    Request,
    Rows,
    day,
    decimal,
    instant,
    integer,
    text,
)
from partner_exchange.stores import tables, verification_log

_student = tables.student
_verification = tables.verification
_change = tables.verification_change

_STUDENT = (
    text("username", "Username", about="as the partner provided it", width=50),
    text("student_id", "StudentId", about="StudentId, provided by the partner or the student"),
)
_MORE = (
    text("last_name", "LastName", about="surname", width=30),
    text("first_name", "FirstName", about="given name", width=30),
    text("requirement_group", "RequirementGroup", about="group of requirements, empty when none is known"),
    text("term", "Term", about="term that goes with the group", width=15),
)


def _settled(request: Request, *, is_verified: bool) -> Rows:
    """Return the students of one side: as of now, or those that came to it within the window (M46)."""
    if request.window is not None:
        # Of several changes of a student only what they come to counts.
        net = verification_log.net_changes(request.tenant.code, request.window).subquery()
        state, is_kept = net.c, net.c.is_verified.is_(is_verified)
        joined = _student.join(net, _student.c.username_key == net.c.username_key)
    else:
        state = _verification.c
        is_kept = state.is_verified.is_(True) if is_verified else state.is_verified.is_not(True)
        joined = _student.join(_verification, same_student(), isouter=not is_verified)
    return (
        select(
            _student.c.username_key,
            *of_students((*_STUDENT, *_MORE)),
            state.changed_at,
            utc_day(state.changed_at).label("changed_on"),
            state.rule_version,
        )
        .select_from(joined)
        .where(_student.c.tenant_code == request.tenant.code, is_kept)
    )


def _verified(request: Request) -> Rows:
    found = _settled(request, is_verified=True).subquery()
    own = (found.c.changed_on.label("verify_date"), found.c.changed_at.label("verified_at"))
    return select(found, *own)


def _unverified(request: Request) -> Rows:
    found = _settled(request, is_verified=False).subquery()
    return select(found, found.c.changed_at.label("unverified_at"))


def _changes(request: Request) -> Rows:
    query = (
        select(
            _change.c.change_id.label("number"),
            *of_students((*_STUDENT, *_MORE)),
            case((_change.c.is_verified, "verified"), else_="unverified").label("change"),
            _change.c.changed_at.label("at"),
            _change.c.rule_version,
            _change.c.reason,
        )
        .join(
            _student,
            and_(
                _student.c.tenant_code == _change.c.tenant_code,
                _student.c.username_key == _change.c.username_key,
            ),
        )
        .where(_change.c.tenant_code == request.tenant.code)
    )
    if request.window is None:
        return query
    return query.where(verification_log.within(request.tenant.code, request.window))


def _compliance(request: Request) -> Rows:
    group = func.coalesce(_student.c.requirement_group, "").label("requirement_group")
    term = func.coalesce(_student.c.term, "").label("term")
    students = func.count()
    verified = func.count().filter(_verification.c.is_verified)
    return (
        select(
            group,
            term,
            students.label("students"),
            verified.label("verified"),
            (students - verified).label("unverified"),
            func.round(cast(verified * 100, Numeric) / students, 1).label("percent_verified"),
        )
        .select_from(_student.join(_verification, same_student(), isouter=True))
        .where(_student.c.tenant_code == request.tenant.code)
        .group_by(group, term)
    )


_RULES = text(
    "rule_version",
    "RuleVersion",
    about="version of the rules by which it was decided; empty: never",
    width=12,
)

REPORTS = (
    Report(
        name="verified_students",
        version=1,
        title="Verified students",
        about="The students that are verified. An export with `content: delta` holds those that became "
        "verified since the last delivered file, each exactly once; one that became verified and "
        "lost it again in between is not in it. Without columns in the tenant file exactly "
        "Username, StudentId and VerifyDate go out, in the form that the sources agree on.",
        feeds=ROSTER,
        columns=(
            *_STUDENT,
            day(
                "verify_date",
                "VerifyDate",
                about="UTC day of the moment at which the student became verified",
                form=US_DAY,
            ),
            *_MORE,
            instant("verified_at", "VerifiedAt", about="that moment itself"),
            _RULES,
        ),
        keys=("username",),
        default_columns=("username", "student_id", "verify_date"),
        source=Query(_verified, order=("username_key",)),
        reads_changes=True,
    ),
    Report(
        name="unverified_students",
        version=1,
        title="Students who are not verified",
        about="The students that are not verified now, whether they never were or have lost it. An export "
        "with `content: delta` holds those that lost it since the last delivered file.",
        feeds=ROSTER,
        columns=(
            *_STUDENT,
            *_MORE,
            instant("unverified_at", "UnverifiedAt", about="when it was lost; empty: never verified"),
            _RULES,
        ),
        keys=("username",),
        default_columns=("username", "student_id"),
        source=Query(_unverified, order=("username_key",)),
        reads_changes=True,
    ),
    Report(
        name="verification_changes",
        version=1,
        title="Changes of verification",
        about="Each time a student became verified or lost it, in the order in which it was recorded. An "
        "export with `content: delta` holds the changes since the last delivered file, all of them, "
        "also where one takes back another; a full one the whole log.",
        feeds=ROSTER,
        columns=(
            integer("number", "Number", about="rises with each change; gaps mean nothing"),
            *_STUDENT,
            text("change", "Change", about="`verified` or `unverified`", width=10),
            instant("at", "At", about="when"),
            text("rule_version", "RuleVersion", about="version of the rules that decided", width=12),
            text("reason", "Reason", about="why, where somebody said so", width=40),
            *_MORE,
        ),
        keys=("number",),
        default_columns=("username", "student_id", "change", "at", "rule_version", "reason"),
        source=Query(_changes, order=("number",)),
        reads_changes=True,
    ),
    Report(
        name="compliance_by_group_and_term",
        version=1,
        title="Compliance by requirement group and term",
        about="How many students of each requirement group and term are verified: the numbers of a yearly "
        "compliance report. Students without a group are counted in a line without one.",
        feeds=ROSTER,
        columns=(
            text("requirement_group", "RequirementGroup", about="empty: students without one", width=30),
            text("term", "Term", about="empty: students without one", width=15),
            integer("students", "Students", about="all of the group and term"),
            integer("verified", "Verified", about="those of them that are verified"),
            integer("unverified", "Unverified", about="the others"),
            decimal("percent_verified", "PercentVerified", about="with one decimal", width=16),
        ),
        keys=("requirement_group", "term"),
        default_columns=(
            "requirement_group",
            "term",
            "students",
            "verified",
            "unverified",
            "percent_verified",
        ),
        source=Query(_compliance, order=("requirement_group", "term")),
    ),
)
