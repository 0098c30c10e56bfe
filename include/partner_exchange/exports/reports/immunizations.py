"""Reports on doses and refusals (M63): counts only, no patient is in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Integer,
    Numeric,
    and_,
    case,
    cast,
    func,
    select,
)

from partner_exchange.exports.columns import Kind, Row
from partner_exchange.exports.reports.parts import days, since, utc_day, utc_month
from partner_exchange.exports.reports.report import (
    VXU,
    Computed,
    Parameter,
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
from partner_exchange.feeds.vxu.code_sets import AGE_BANDS, vaccines
from partner_exchange.stores import tables

_dose = tables.dose
_patient = tables.patient
_refusal = tables.refusal
_held = tables.held_dose

_UNKNOWN = "unknown"
_AGES = (*AGE_BANDS, _UNKNOWN)
_LAG_DAYS = (3, 14, 30)
_CVX = text("cvx", "Cvx", about="CVX code; empty: none is known", width=6)
_VACCINE = text("vaccine", "Vaccine", about="name of the vaccine", width=140)
_GIVEN = integer("given", "Given", about="of them given by who reported them")
_HISTORICAL = integer("historical", "Historical", about="of them told from records of others")
_FROM = Parameter("from", Kind.DATE, "only doses given from this day on")
_UNTIL = Parameter("until", Kind.DATE, "only doses given up to this day")


def _between(query: Rows, request: Request) -> Rows:
    start, end = request.day("from"), request.day("until")
    if start is not None:
        query = query.where(_dose.c.administered_on >= start)
    if end is not None:
        query = query.where(_dose.c.administered_on <= end)
    return query


def _label(cvx: str) -> str:
    known = vaccines().get(cvx)
    return known.label if known else ""


def _by_vaccine_and_age(connection: Connection, request: Request) -> Iterator[Row]:
    years = func.date_part("year", func.age(_dose.c.administered_on, _patient.c.birth_on))
    # From a place in a list and not from a name: the young come first.
    bands = [(years.between(first, end - 1), place) for place, (first, end) in enumerate(AGE_BANDS.values())]
    band = case(*bands, else_=len(bands))
    cvx = func.coalesce(_dose.c.cvx, "")
    query: Rows = (
        select(
            cvx.label("cvx"),
            band.label("band"),
            func.count().label("doses"),
            func.count().filter(_dose.c.is_given).label("given"),
        )
        .join(
            _patient,
            and_(
                _patient.c.tenant_code == _dose.c.tenant_code,
                _patient.c.patient_key == _dose.c.patient_key,
            ),
        )
        .where(_dose.c.tenant_code == request.tenant.code)
    )
    inner = _between(query, request).group_by("cvx", "band").subquery()
    for one in connection.execute(select(inner).order_by(inner.c.cvx, inner.c.band)):
        yield one.cvx, _label(one.cvx), _AGES[one.band], one.doses, one.given, one.doses - one.given


def _refusals(connection: Connection, request: Request) -> Iterator[Row]:
    cvx = func.coalesce(_refusal.c.cvx, "").label("cvx")
    reason = func.coalesce(_refusal.c.refusal_reason, "").label("reason")
    query = (
        select(cvx, reason, func.count().label("refusals"), func.max(_refusal.c.refused_on).label("last_on"))
        .where(_refusal.c.tenant_code == request.tenant.code)
        .group_by(cvx, reason)
        .order_by(cvx, reason)
    )
    for one in connection.execute(query):
        yield one.cvx, _label(one.cvx), one.reason, one.refusals, one.last_on


def _by_month(request: Request) -> Rows:
    month = func.coalesce(func.to_char(_dose.c.administered_on, "YYYY-MM"), "").label("month")
    query: Rows = select(
        month,
        func.count().label("doses"),
        func.count().filter(_dose.c.is_given).label("given"),
        func.count().filter(~_dose.c.is_given).label("historical"),
        func.count(_dose.c.patient_key.distinct()).label("patients"),
    ).where(_dose.c.tenant_code == request.tenant.code)
    return _between(query, request).group_by(month)


def _lag(request: Request) -> Rows:
    month = utc_month(_dose.c.created_at).label("month")
    lag = cast(utc_day(_dose.c.created_at), Date) - _dose.c.administered_on

    def share(of: float) -> ColumnElement[Any]:
        return cast(func.percentile_disc(of).within_group(lag), Integer)

    within = [func.count().filter(lag <= limit).label(f"within_{limit}") for limit in _LAG_DAYS]
    return (
        select(
            month,
            func.count().label("doses"),
            share(0.5).label("median_days"),
            share(0.9).label("slowest_tenth_days"),
            *within,
            func.round(
                cast(func.count().filter(lag <= _LAG_DAYS[-1]) * 100, Numeric) / func.count(), 1
            ).label("percent_within_30"),
        )
        .where(
            _dose.c.tenant_code == request.tenant.code,
            _dose.c.is_given,
            _dose.c.administered_on.is_not(None),
            _dose.c.created_at > since(request),
        )
        .group_by(month)
    )


def _held_doses(request: Request) -> Rows:
    month = utc_month(_held.c.held_at).label("month")
    return (
        select(
            month,
            func.count().filter(~_held.c.is_refusal).label("doses"),
            func.count().filter(_held.c.is_refusal).label("refusals"),
            func.count(_held.c.patient_key.distinct()).label("patients"),
            func.min(_held.c.held_at).label("oldest_at"),
        )
        .where(_held.c.tenant_code == request.tenant.code)
        .group_by(month)
    )


REPORTS = (
    Report(
        name="doses_by_vaccine_and_age",
        version=1,
        title="Doses by vaccine and age",
        about="How many doses of each vaccine are stored, by the age at which they were given: the "
        "numbers of a yearly report. Doses that wait for a consent are not in it.",
        feeds=VXU,
        columns=(
            _CVX,
            _VACCINE,
            text(
                "age",
                "Age",
                about="; ".join(
                    f"`{name}` {first} to {end - 1} years" for name, (first, end) in AGE_BANDS.items()
                )
                + f"; `{_UNKNOWN}` where a date is missing",
                width=10,
            ),
            integer("doses", "Doses", about="all of them"),
            _GIVEN,
            _HISTORICAL,
        ),
        keys=("cvx", "age"),
        default_columns=("cvx", "vaccine", "age", "doses", "given", "historical"),
        source=Computed(_by_vaccine_and_age),
        parameters=(_FROM, _UNTIL),
    ),
    Report(
        name="doses_by_month",
        version=1,
        title="Doses by month",
        about="How many stored doses were given in each month, and to how many patients.",
        feeds=VXU,
        columns=(
            text(
                "month", "Month", about="in which they were given, such as 2026-11; empty: not known", width=8
            ),
            integer("doses", "Doses", about="all of them"),
            _GIVEN,
            _HISTORICAL,
            integer("patients", "Patients", about="who got them"),
        ),
        keys=("month",),
        default_columns=("month", "doses", "given", "historical", "patients"),
        source=Query(_by_month, order=("month",)),
        parameters=(_FROM, _UNTIL),
    ),
    Report(
        name="reporting_lag",
        version=1,
        title="Time from dose to report",
        about="How many days lie between the day on which a dose was given and the day on which it "
        "entered the store, by the month in which it did; only doses given by who reported them. A "
        "dose that waited for a consent counts from the dose, too.",
        feeds=VXU,
        columns=(
            text("month", "Month", about="in which they entered the store, such as 2026-11", width=8),
            integer("doses", "Doses", about="all of them"),
            integer("median_days", "MedianDays", about="half of them took no longer"),
            integer("slowest_tenth_days", "SlowestTenthDays", about="nine of ten took no longer"),
            *(
                integer(f"within_{limit}", f"Within{limit}Days", about=f"entered within {limit} days")
                for limit in _LAG_DAYS
            ),
            decimal("percent_within_30", "PercentWithin30Days", about="with one decimal", width=20),
        ),
        keys=("month",),
        default_columns=("month", "doses", "median_days", "slowest_tenth_days", "percent_within_30"),
        source=Query(_lag, order=("month",)),
        parameters=(days(365, "how many days back the doses entered the store"),),
    ),
    Report(
        name="refusals_by_vaccine",
        version=1,
        title="Refusals by vaccine and reason",
        about="How often a vaccine was refused, and why.",
        feeds=VXU,
        columns=(
            _CVX,
            _VACCINE,
            text("reason", "Reason", about="code of RXA-18 (NIP002); empty: none was given", width=8),
            integer("refusals", "Refusals", about="how often"),
            day("last_on", "LastOn", about="day of the last one"),
        ),
        keys=("cvx", "reason"),
        default_columns=("cvx", "vaccine", "reason", "refusals"),
        source=Computed(_refusals),
    ),
    Report(
        name="held_doses",
        version=1,
        title="Doses that wait for a consent",
        about="How many doses and refusals are held until their patient has consent, by the month since "
        "which they wait.",
        feeds=VXU,
        columns=(
            text("month", "Month", about="since which they wait, such as 2026-11", width=8),
            integer("doses", "Doses", about="doses"),
            integer("refusals", "Refusals", about="refusals"),
            integer("patients", "Patients", about="whose they are"),
            instant("oldest_at", "OldestAt", about="since when the oldest waits"),
        ),
        keys=("month",),
        default_columns=("month", "doses", "refusals", "patients", "oldest_at"),
        source=Query(_held_doses, order=("month",)),
    ),
)
