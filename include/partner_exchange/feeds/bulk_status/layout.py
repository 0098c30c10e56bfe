"""Which columns the bulk template of a tenant has, made from the live catalogue (E14, E15).

Called by the writers of the workbook and its CSV twin. A header carries the number of its status type, so a
template stays readable when a type is renamed later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from partner_exchange.feeds.status.nedocs import NedocsInput
from partner_exchange.tenants.catalogue import Catalogue
from partner_exchange.tenants.model import Tenant
from partner_exchange.tenants.resources import Resource
from partner_exchange.tenants.status_types import StatusKind, StatusType

RESOURCE_ID, RESOURCE_NAME, UPDATED_AT = "Resource ID", "Resource Name", "Update Date/Time"


@dataclass(frozen=True)
class TemplateColumn:
    """One column: its header, what people should know about it, and what may be chosen."""

    header: str
    note: str
    status_type: StatusType | None = None
    choices: tuple[str, ...] = ()
    is_value: bool = False


def columns(catalogue: Catalogue, sections: Iterable[str] = ()) -> list[TemplateColumn]:
    """Return the columns in order.

    :param sections: only status types of these sections; none: all that may be set.
    """
    wanted = {section.casefold() for section in sections}
    found = [
        TemplateColumn(RESOURCE_ID, "Required. As in your Data Map file; keep it as text."),
        TemplateColumn(RESOURCE_NAME, "For people; the Resource ID decides."),
        TemplateColumn(
            UPDATED_AT, "When this was so, such as 11/21/2026 16:30. Blank: when the file arrives."
        ),
    ]
    for status_type in catalogue:
        if status_type.is_settable and (not wanted or status_type.section.casefold() in wanted):
            found += _columns_of(status_type)
    return found


def _columns_of(status_type: StatusType) -> Iterator[TemplateColumn]:
    choices = tuple(status.name for status in status_type.statuses if status.active)
    yield TemplateColumn(status_type.header, _note(status_type), status_type, choices, is_value=True)
    if status_type.kind is StatusKind.NEDOCS:
        for one in NedocsInput:
            note = f"Fill in all seven inputs instead of a finished score: {one.label}."
            yield TemplateColumn(f"{status_type.header} {one.label}", note, status_type)
    reasons = {reason: None for status in status_type.statuses for reason in status.reasons}
    if reasons or any(status.reason_required for status in status_type.statuses):
        which = ", ".join(status.name for status in status_type.statuses if status.reason_required)
        note = f"Required for: {which}." if which else "Optional."
        yield TemplateColumn(f"{status_type.header} Reason", note, status_type, tuple(reasons))
    commented = [status.name for status in status_type.statuses if status.comment == "mandatory"]
    if commented or (status_type.comment == "mandatory" and not status_type.statuses):
        note = f"Required for: {', '.join(commented)}." if commented else "Required with each value."
        yield TemplateColumn(f"{status_type.header} Comment", note, status_type)


def _note(status_type: StatusType) -> str:
    parts = [status_type.description.rstrip(".") + "." if status_type.description else ""]
    match status_type.kind:
        case StatusKind.NUMBER:
            digits = status_type.decimals
            parts.append(f"A number with up to {digits} decimals." if digits else "A whole number.")
        case StatusKind.MULTI:
            parts.append("One of: " + ", ".join(one.name for one in status_type.statuses if one.active) + ".")
        case StatusKind.TEXT:
            parts.append(f"Text of up to {status_type.max_characters} characters; no names of persons.")
        case StatusKind.DATE:
            parts.append("A date, such as 11/21/2026.")
        case StatusKind.SATURATION_SCORE:
            parts.append("A score of 0 or more.")
        case StatusKind.NEDOCS:
            parts.append("A finished score of 0 to 200, or the seven inputs in the next columns.")
        case StatusKind.CALCULATED:
            pass
    parts.append("Blank: no update.")
    return " ".join(part for part in parts if part)


def version(layout: Iterable[TemplateColumn]) -> str:
    """Return the version of a template: equal for equal columns and choices, whenever it is made."""
    text = "\n".join("|".join((column.header, *column.choices)) for column in layout)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def reported_resources(tenant: Tenant) -> list[tuple[str, Resource]]:
    """Return the resources with the id that files must carry in the tenant's mode; none without an id."""
    found = [(resource.id_in(tenant.mode), resource) for resource in tenant.status.resources]
    return [(resource_id, resource) for resource_id, resource in found if resource_id]
