"""Parameters and expressions that several reports share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Date, cast, func

from partner_exchange.exports.columns import Kind
from partner_exchange.exports.reports.report import Parameter, Request

MAX_DAYS = 3660


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
