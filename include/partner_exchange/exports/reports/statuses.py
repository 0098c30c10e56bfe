"""Reports on what resources report (M63, E30): always of the resources of the tenant's mode."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection, Numeric, Table, and_, cast, func, select

from partner_exchange.exports.columns import Kind, Row
from partner_exchange.exports.reports.parts import days, since
from partner_exchange.exports.reports.report import (
    STATUS,
    Computed,
    Parameter,
    Query,
    Report,
    Request,
    Rows,
    boolean,
    decimal,
    instant,
    integer,
    text,
)
from partner_exchange.exports.reports.settling import wrong
from partner_exchange.stores import tables
from partner_exchange.tenants.nearest import nearest
from partner_exchange.tenants.status_types import StatusKind, StatusType

_status = tables.status
_change = tables.status_change
_resource = tables.resource
_type = tables.status_type

_OF_RESOURCE = (
    text("resource_id", "ResourceId", about="as files carry it"),
    text("resource", "Resource", about="name of the facility or unit", width=40),
    text("kind", "Kind", about="kind of resource, such as Hospital"),
    text("region", "Region", about="region it belongs to"),
)
_OF_TYPE = (
    integer("status_type_id", "StatusTypeId", about="number that never changes"),
    text("status_type", "StatusType", about="name of the status type", width=100),
)
_SAID = (
    text("value", "Value", about="what was reported; empty: not applicable", width=30),
    decimal("number", "Number", about="the value of a type that counts"),
    boolean("is_not_applicable", "NotApplicable", about="whether it does not apply to the resource"),
    text("colour", "Colour", about="colour of the value, where it has one", width=10),
    text("level", "Level", about="level of a score", width=14),
    text("reason", "Reason", about="reason, where one was given", width=30),
    text("comment", "Comment", about="comment, where one was given", width=40),
    boolean("is_computed", "Computed", about="whether a formula made it, not a file"),
    instant("reported_at", "ReportedAt", about="time for which it was reported"),
)
_RECORDED = instant("recorded_at", "RecordedAt", about="when we wrote it")
_SUBMISSION = text("submission_id", "Submission", about="id of the file it came with", width=26)
_RESOURCE = Parameter("resource", Kind.TEXT, "only the resource of this Resource ID")
_STATUS_TYPE = Parameter("status_type", Kind.TEXT, "only the status type of this name or number")


def _reported(report: str, table: Table, request: Request) -> Rows:
    """Return what one of the two tables says of the resources of the tenant's mode."""
    query = (
        select(
            table.c.resource_id,
            _resource.c.name.label("resource"),
            _resource.c.kind,
            _resource.c.region,
            table.c.status_type_id,
            _type.c.name.label("status_type"),
            *(table.c[one.name] for one in _SAID if one.name != "number"),
            cast(table.c.number, Numeric).label("number"),
            table.c.recorded_at,
            table.c.submission_id,
        )
        .join(
            _resource,
            and_(
                _resource.c.tenant_code == table.c.tenant_code,
                _resource.c.resource_id == table.c.resource_id,
                _resource.c.is_test.is_(request.tenant.mode == "test"),
            ),
        )
        .join(
            _type,
            and_(
                _type.c.tenant_code == table.c.tenant_code,
                _type.c.status_type_id == table.c.status_type_id,
            ),
        )
        .where(table.c.tenant_code == request.tenant.code)
    )
    resource, status_type = request.text("resource"), request.text("status_type")
    if resource is not None:
        query = query.where(table.c.resource_id == _known_resource(report, request, resource))
    if status_type is not None:
        query = query.where(table.c.status_type_id == _known_type(report, request, status_type))
    return query


def _known_resource(report: str, request: Request, resource_id: str) -> str:
    """Return the id, if the tenant has it: a misspelled one would give an empty file for ever."""
    ids = _names(request)
    if resource_id not in ids:
        near = nearest(resource_id, ids)
        needs = "a Resource ID of the tenant's mode" + (f"; did you mean {near!r}?" if near else "")
        raise wrong(report, "resource", needs)
    return resource_id


def _known_type(report: str, request: Request, status_type: str) -> int:
    catalogue = request.tenant.status.catalogue
    found = catalogue.find(status_type)
    if found is None:
        near = nearest(status_type, (one.name for one in catalogue))
        needs = "name or number of a status type" + (f"; did you mean {near!r}?" if near else "")
        raise wrong(report, "status_type", needs)
    return found.id


def _names(request: Request) -> dict[str, str]:
    """Return the names of the resources by the ids that files carry in the tenant's mode."""
    mode = request.tenant.mode
    return {one.id_in(mode): one.name for one in request.tenant.status.resources if one.id_in(mode)}


def _now(request: Request) -> Rows:
    return (
        _reported("statuses_now", _status, request)
        .add_columns(_status.c.confirmed_at)
        .where(_resource.c.is_active, _type.c.is_active)
    )


def _history(request: Request) -> Rows:
    return (
        _reported("status_history", _change, request)
        .add_columns(_change.c.is_late, _change.c.merge_no.label("number_of_change"))
        .where(_change.c.reported_at > since(request), _change.c.reported_at <= request.as_of)
    )


def _overdue(connection: Connection, request: Request) -> Iterator[Row]:
    from partner_exchange.stores import statuses

    tenant, names = request.tenant, _names(request)
    catalogue = tenant.status.catalogue
    for one in statuses.overdue(connection, tenant.code, catalogue, at=request.as_of):
        is_told = one.confirmed_at is not None or request.parameters["never_reported"]
        if one.resource_id in names and is_told:
            name = catalogue.get(one.status_type_id).name
            late = None if one.due_at is None else (request.as_of - one.due_at) // timedelta(hours=1)
            of = one.resource_id, names[one.resource_id], one.status_type_id, name, one.value
            yield *of, one.confirmed_at, one.due_at, late


def _silent(connection: Connection, request: Request) -> Iterator[Row]:
    query = (
        select(_status.c.resource_id, func.max(_status.c.confirmed_at))
        .where(_status.c.tenant_code == request.tenant.code)
        .group_by(_status.c.resource_id)
    )
    last_at: dict[str, datetime] = dict(connection.execute(query).all())
    mode = request.tenant.mode
    resources = {one.id_in(mode): one for one in request.tenant.status.resources if one.id_in(mode)}
    for resource_id, resource in sorted(resources.items()):
        last = last_at.get(resource_id)
        if last is None or last <= since(request):
            silent = None if last is None else (request.as_of - last).days
            region = resource.region or request.tenant.status.region
            yield resource_id, resource.name, resource.kind, region, last, silent


def _totals(request: Request) -> Rows:
    of_beds = request.text("which") == "beds"
    wanted = [
        one.id
        for one in request.tenant.status.catalogue
        if one.kind is StatusKind.NUMBER and one.active and (is_of_beds(one) or not of_beds)
    ]
    number = cast(_status.c.number, Numeric)
    is_counted = ~_status.c.is_not_applicable & _status.c.number.is_not(None)
    query = (
        select(
            _type.c.ordinal,
            _status.c.status_type_id,
            _type.c.name.label("status_type"),
            _type.c.section,
            func.count().filter(is_counted).label("resources"),
            func.count().filter(_status.c.is_not_applicable).label("not_applicable"),
            func.sum(number).filter(is_counted).label("total"),
            func.min(number).filter(is_counted).label("least"),
            func.max(number).filter(is_counted).label("most"),
            func.min(_status.c.confirmed_at).label("oldest_at"),
        )
        .join(
            _resource,
            and_(
                _resource.c.tenant_code == _status.c.tenant_code,
                _resource.c.resource_id == _status.c.resource_id,
                _resource.c.is_test.is_(request.tenant.mode == "test"),
                _resource.c.is_active,
            ),
        )
        .join(
            _type,
            and_(
                _type.c.tenant_code == _status.c.tenant_code,
                _type.c.status_type_id == _status.c.status_type_id,
            ),
        )
        .where(_status.c.tenant_code == request.tenant.code, _status.c.status_type_id.in_(wanted))
        .group_by(_type.c.ordinal, _status.c.status_type_id, _type.c.name, _type.c.section)
    )
    hours = request.parameters["not_older_than_h"]
    if hours is not None:
        oldest = request.as_of - timedelta(hours=request.number("not_older_than_h"))
        query = query.where(_status.c.confirmed_at >= oldest)
    return query


def is_of_beds(status_type: StatusType) -> bool:
    """Return whether a status type that counts is about beds: its name, section or description says so.

    That holds for all of CDC's bed capacity, the bed counts of HAvBED and of CDC's HRD, and for own types.
    """
    said = f"{status_type.name} {status_type.section} {status_type.description}".casefold()
    return status_type.kind is StatusKind.NUMBER and "bed" in said


REPORTS = (
    Report(
        name="statuses_now",
        version=1,
        title="Statuses now",
        about="What each resource reports now, status type by status type, with the time it was reported "
        "for and the time it was last confirmed.",
        feeds=STATUS,
        columns=(
            *_OF_RESOURCE,
            *_OF_TYPE,
            *_SAID,
            instant("confirmed_at", "ConfirmedAt", about="latest time for which it was reported"),
            _RECORDED,
            _SUBMISSION,
        ),
        keys=("resource_id", "status_type_id"),
        default_columns=(
            *("resource_id", "resource", "status_type_id", "status_type", "value"),
            *("is_not_applicable", "reason", "comment", "reported_at", "confirmed_at"),
        ),
        source=Query(_now, order=("resource_id", "status_type_id")),
        parameters=(_RESOURCE, _STATUS_TYPE),
    ),
    Report(
        name="status_history",
        version=1,
        title="Status history",
        about="Each change of a status that was reported for a time in the last days. Of several changes "
        "for one time the last one was in force; the others were corrected.",
        feeds=STATUS,
        columns=(
            *_OF_RESOURCE,
            *_OF_TYPE,
            *_SAID,
            integer("number_of_change", "ChangeNumber", about="rises from file to file; gaps mean nothing"),
            boolean("is_late", "Late", about="whether it came when a newer report was known already"),
            _RECORDED,
            _SUBMISSION,
        ),
        keys=("resource_id", "status_type_id", "reported_at", "number_of_change"),
        default_columns=(
            *("resource_id", "resource", "status_type_id", "status_type", "reported_at", "value"),
            *("is_not_applicable", "reason", "comment", "recorded_at"),
        ),
        source=Query(_history, order=("resource_id", "status_type_id", "reported_at", "number_of_change")),
        parameters=(days(7, "how many days back"), _RESOURCE, _STATUS_TYPE),
    ),
    Report(
        name="overdue_statuses",
        version=1,
        title="Overdue statuses",
        about="The statuses that should have been reported again by now, after the hours that the status "
        "type asks for.",
        feeds=STATUS,
        columns=(
            *_OF_RESOURCE[:2],
            *_OF_TYPE,
            text("value", "Value", about="as it is now; empty: never reported", width=30),
            instant("confirmed_at", "ConfirmedAt", about="last report; empty: never reported"),
            instant("due_at", "DueAt", about="when it was to be reported again"),
            integer("late_h", "LateHours", about="full hours since then"),
        ),
        keys=("resource_id", "status_type_id"),
        default_columns=(
            *("resource_id", "resource", "status_type_id", "status_type"),
            *("value", "confirmed_at", "due_at", "late_h"),
        ),
        source=Computed(_overdue),
        parameters=(
            Parameter(
                "never_reported",
                Kind.BOOLEAN,
                "whether what a resource never reported at all is in it",
                default=True,
            ),
        ),
    ),
    Report(
        name="resources_without_report",
        version=1,
        title="Resources without a report",
        about="The resources of the tenant file that reported nothing in the last days, or never.",
        feeds=STATUS,
        columns=(
            *_OF_RESOURCE,
            instant("last_at", "LastReportAt", about="latest time it reported for; empty: never"),
            integer("silent_days", "SilentDays", about="full days since then"),
        ),
        keys=("resource_id",),
        default_columns=("resource_id", "resource", "kind", "region", "last_at", "silent_days"),
        source=Computed(_silent),
        parameters=(days(7, "after how many days without a report"),),
    ),
    Report(
        name="bed_totals",
        version=1,
        title="Bed totals",
        about="The bed counts of all resources added up, by status type: how many beds there are, are "
        "taken or are free. What does not apply to a resource counts as nothing.",
        feeds=STATUS,
        columns=(
            *_OF_TYPE,
            text("section", "Section", about="heading of the status type", width=30),
            integer("resources", "Resources", about="how many report a number"),
            integer("not_applicable", "NotApplicable", about="to how many it does not apply"),
            decimal("total", "Total", about="sum of their numbers; empty: none reports one"),
            decimal("least", "Least", about="the smallest of them"),
            decimal("most", "Most", about="the largest of them"),
            instant("oldest_at", "OldestReportAt", about="how old the oldest report in it is"),
        ),
        keys=("status_type_id",),
        default_columns=("status_type_id", "status_type", "resources", "total", "oldest_at"),
        source=Query(_totals, order=("ordinal", "status_type_id")),
        parameters=(
            Parameter(
                "which",
                Kind.TEXT,
                "`beds`: the counts whose name, section or description speaks of beds; `numbers`: every "
                "count",
                default="beds",
                choices=("beds", "numbers"),
            ),
            Parameter(
                "not_older_than_h",
                Kind.INTEGER,
                "only reports that were confirmed within so many hours",
                at_least=1,
                at_most=24 * 366,
            ),
        ),
    ),
)
