"""Make sure of what is asked of a report: its columns and its parameters (M50, M73).

Called by who reads a tenant file and by the command line, so that a mistake is told before anything runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from partner_exchange.errors import ReportRefused
from partner_exchange.exports.columns import Kind, Value
from partner_exchange.exports.reports.report import Parameter, Report, ReportColumn
from partner_exchange.tenants.nearest import nearest

_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_WRITTEN_AS = {
    Kind.INTEGER: "a whole number",
    Kind.BOOLEAN: "true or false",
    Kind.DATE: "a day as 2026-11-21, in quotes",
    Kind.TEXT: "a text",
}


def columns(report: Report, names: Sequence[str] = ()) -> tuple[ReportColumn, ...]:
    """Return the columns of these names in this order; without names those that go out by default (M50).

    :raises ReportRefused: ``report-column-unknown``.
    """
    known = {one.name: one for one in report.columns}
    for name in names:
        if name not in known:
            raise ReportRefused.of(
                "report-column-unknown",
                f"Report {report.name} has no column {name!r}.",
                _hint(name, known),
                report=report.name,
                column=name,
            )
    return tuple(known[name] for name in names or report.default_columns)


def settle(report: Report, given: Mapping[str, object]) -> dict[str, Value]:
    """Return every parameter of the report: what is given, as its kind, and else its default.

    :param given: values as YAML or a command line has them: text, whole numbers, truths, days.
    :raises ReportRefused: ``report-parameter-unknown`` or ``report-parameter-wrong``.
    """
    known = {one.name: one for one in report.parameters}
    for name in given:
        if name not in known:
            hint = _hint(name, known) if known else "It takes none."
            raise ReportRefused.of(
                "report-parameter-unknown",
                f"Report {report.name} has no parameter {name!r}.",
                hint,
                report=report.name,
                parameter=name,
            )
    return {name: _value(report, one, given.get(name)) for name, one in known.items()}


def wrong(report: str, parameter: str, needs: str) -> ReportRefused:
    """Return the error of a parameter whose value cannot be; what was given is not repeated."""
    return ReportRefused(
        "report-parameter-wrong",
        f"Parameter {parameter} of report {report} must be {needs}.",
        report=report,
        parameter=parameter,
    )


def _value(report: Report, parameter: Parameter, given: object) -> Value:
    if given is None:
        return parameter.default
    value = _of_kind(parameter.kind, given)
    if value is None:
        raise wrong(report.name, parameter.name, _WRITTEN_AS[parameter.kind])
    if parameter.choices and value not in parameter.choices:
        raise wrong(report.name, parameter.name, f"one of {', '.join(parameter.choices)}")
    if isinstance(value, int) and not _is_within(value, parameter):
        raise wrong(report.name, parameter.name, limits(parameter))
    return value


def _of_kind(kind: Kind, given: object) -> str | int | bool | date | None:
    """Return what is given as the kind; None when it is not of the kind."""
    if kind is Kind.BOOLEAN:
        return given if isinstance(given, bool) else _TRUTHS.get(str(given).strip().casefold())
    if isinstance(given, bool):
        return None
    if kind is Kind.TEXT:
        return str(given) if isinstance(given, (str, int)) else None
    if isinstance(given, date) and not isinstance(given, datetime):
        return given if kind is Kind.DATE else None
    return _read(kind, str(given).strip())


def _read(kind: Kind, written: str) -> int | date | None:
    if not written.isascii():
        return None
    try:
        if kind is Kind.DATE:
            return datetime.strptime(written, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
        return int(written) if written.lstrip("-").isdigit() else None
    except ValueError:
        return None


def _is_within(value: int, parameter: Parameter) -> bool:
    low, high = parameter.at_least, parameter.at_most
    return (low is None or value >= low) and (high is None or value <= high)


def limits(parameter: Parameter) -> str:
    """Return in words which values a parameter takes."""
    if parameter.choices:
        return f"one of {', '.join(parameter.choices)}"
    low, high = parameter.at_least, parameter.at_most
    if low is not None and high is not None:
        return f"a whole number from {low} to {high}"
    return _WRITTEN_AS[parameter.kind] if low is None else f"a whole number, at least {low}"


def _hint(name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = nearest(name, names)
    return f"Did you mean {near!r}?" if near else f"It has {', '.join(names)}."
