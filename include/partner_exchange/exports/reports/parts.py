"""Parameters and expressions that several reports share."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, and_, cast, func

from partner_exchange.exports.columns import Kind
from partner_exchange.exports.reports.report import Parameter, ReportColumn, Request
from partner_exchange.stores import tables

MAX_DAYS = 3660
US_DAY = "MM/DD/YYYY"
"""Form of the sources for days, both ways (M48)."""


def days(default: int, about: str) -> Parameter:
    """Return the parameter that says how far back a report looks."""
    return Parameter("days", Kind.INTEGER, about, default=default, at_least=1, at_most=MAX_DAYS)


def since(request: Request) -> datetime:
    """Return the instant that the parameter ``days`` leads back to."""
    return request.as_of - timedelta(days=request.number("days"))


def utc_day(column: ColumnElement[datetime]) -> ColumnElement[object]:
    """Return the UTC day of an instant (M48)."""
    return cast(func.timezone("UTC", column), Date)


def utc_month(column: ColumnElement[datetime]) -> ColumnElement[str]:
    """Return the UTC month of an instant, such as ``2026-11``."""
    return func.to_char(func.timezone("UTC", column), "YYYY-MM")


def day_start(request: Request, name: str) -> datetime | None:
    """Return the first instant of a parameter's UTC day, None where it restricts nothing."""
    given = request.day(name)
    return None if given is None else datetime(given.year, given.month, given.day, tzinfo=UTC)


def of_students(columns: Iterable[ReportColumn]) -> list[ColumnElement[Any]]:
    """Return the columns of the table of students that have the names of these columns."""
    return [tables.student.c[one.name] for one in columns]


def same_student() -> ColumnElement[bool]:
    """Return that a row of the table of verifications is of the student."""
    student, verification = tables.student.c, tables.verification.c
    return and_(
        verification.tenant_code == student.tenant_code,
        verification.username_key == student.username_key,
    )
