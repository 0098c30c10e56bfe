"""Which columns and rows the bulk template of a tenant has, made from the live catalogue (E14, E15).

Called by the writers of the workbook and its CSV twin. A header carries the number of its status type, so a
template stays readable when a type is renamed later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from partner_exchange.feeds.status.nedocs import MOST, NedocsInput
from partner_exchange.feeds.status.template import KeyName, Template, templates
from partner_exchange.tenants.catalogue import Catalogue
from partner_exchange.tenants.model import Tenant
from partner_exchange.tenants.resources import Resource
from partner_exchange.tenants.status_types import StatusKind, StatusType

AS_TEXT, AS_NUMBER = "@", "General"
AS_DAY, AS_MOMENT = "mm/dd/yyyy", "mm/dd/yyyy hh:mm"
"""Number formats of cells. What is text must say so: a spreadsheet makes a date of the status ``1-3``."""

_KEY_NOTES = {
    KeyName.RESOURCE_ID: "Required. As in your Data Map; keep it as text.",
    KeyName.RESOURCE_NAME: "For people; the Resource ID decides.",
    KeyName.UPDATED_AT: "When this was so, such as 11/21/2026 16:30. Blank: when the file arrives.",
}


@dataclass(frozen=True)
class Limit:
    """What a spreadsheet lets people type into a cell: the bounds are part of it, None is no bound."""

    kind: Literal["whole", "decimal", "date", "textLength"]
    least: float | None = None
    most: float | None = None

    @property
    def words(self) -> str:
        """Return the bounds for people; "" when there are none."""
        if self.least is not None and self.most is not None:
            return f"{plain(self.least)} to {plain(self.most)}"
        if self.least is not None:
            return f"{plain(self.least)} or more"
        return f"{plain(self.most)} or less" if self.most is not None else ""


_ANY_DAY = Limit("date", least=1)
"""From the first day on that a spreadsheet knows: a text is none."""


@dataclass(frozen=True)
class TemplateColumn:
    """One column: its header, what people should know about it, and what they may type or choose."""

    header: str
    note: str
    number_format: str = AS_TEXT
    limit: Limit | None = None
    choices: tuple[str, ...] = ()
    is_closed: bool = True
    """Whether nothing but the choices may be taken; else they are only offered."""


def plain(number: float) -> str:
    """Return a number in plain digits, as formulas of all languages take it."""
    digits = f"{number:.6f}"
    return digits.rstrip("0").rstrip(".")


def newest_template() -> Template:
    """Return the version of the bulk template that is made; all versions are read."""
    return next(template for template in templates() if template.takes_whole_catalogue)


def sections(catalogue: Catalogue) -> list[str]:
    """Return the sections that have columns, in order."""
    return list(dict.fromkeys(one.section for one in catalogue if one.is_settable and one.section))


def columns(catalogue: Catalogue, wanted_sections: Iterable[str] = ()) -> list[TemplateColumn]:
    """Return the columns in order; the first is that of the Resource ID, the second that of its name.

    :param wanted_sections: only status types of these sections, in any case; none: all that may be set.
    """
    wanted = {section.casefold() for section in wanted_sections}
    headers = {key.key: key.header for key in newest_template().keys}
    found = [
        TemplateColumn(headers[KeyName.RESOURCE_ID], _KEY_NOTES[KeyName.RESOURCE_ID]),
        TemplateColumn(headers[KeyName.RESOURCE_NAME], _KEY_NOTES[KeyName.RESOURCE_NAME]),
        TemplateColumn(headers[KeyName.UPDATED_AT], _KEY_NOTES[KeyName.UPDATED_AT], AS_MOMENT, _ANY_DAY),
    ]
    for status_type in catalogue:
        if status_type.is_settable and (not wanted or status_type.section.casefold() in wanted):
            found += _columns_of(status_type)
    return found


def version(layout: Sequence[TemplateColumn]) -> str:
    """Return the version of a template: equal for equal headers, notes and choices, whenever it is made."""
    lines = ("\n".join((column.header, column.note, *column.choices)) for column in layout)
    return hashlib.sha256("\n\n".join(lines).encode()).hexdigest()[:12]


def reported_resources(tenant: Tenant) -> list[tuple[str, Resource]]:
    """Return the resources with the id that files must carry in the tenant's mode; none without an id."""
    found = [(resource.id_in(tenant.mode), resource) for resource in tenant.status.resources]
    return [(resource_id, resource) for resource_id, resource in found if resource_id]


def _columns_of(status_type: StatusType) -> Iterator[TemplateColumn]:
    """Yield the column of the values and those that go with it; optional comments have none."""
    yield _value_column(status_type)
    if status_type.kind is StatusKind.NEDOCS:
        for one in NedocsInput:
            limit = Limit("decimal" if one.is_hours else "whole", least=1 if one.is_beds else 0)
            note = f"One of the seven inputs, instead of a finished score: {limit.words}."
            yield TemplateColumn(f"{status_type.header} {one.label}", note, AS_NUMBER, limit)
    statuses = [status for status in status_type.statuses if status.active]
    reasons = tuple(dict.fromkeys(reason for status in statuses for reason in status.reasons))
    needing = [status.name for status in statuses if status.reason_required]
    if reasons or needing:
        note = f"Required for: {', '.join(needing)}." if needing else "Optional."
        # Which reasons are taken depends on the status in the next cell: a list cannot tell.
        yield TemplateColumn(f"{status_type.header} Reason", note, choices=reasons, is_closed=False)
    commented = [status.name for status in statuses if status.comment == "mandatory"]
    if commented or (status_type.comment == "mandatory" and status_type.kind is not StatusKind.MULTI):
        note = f"Required for: {', '.join(commented)}." if commented else "Required with each value."
        yield TemplateColumn(f"{status_type.header} Comment", note)


def _value_column(status_type: StatusType) -> TemplateColumn:
    limit = _limit(status_type)
    bounds = limit.words if limit else ""
    choices = tuple(status.name for status in status_type.statuses if status.active)
    number_format = AS_NUMBER
    match status_type.kind:
        case StatusKind.NUMBER:
            digits = status_type.decimals
            what = f"A number with up to {digits} decimals" if digits else "A whole number"
            what += f", {bounds}" if bounds else ""
        case StatusKind.MULTI:
            number_format, what = AS_TEXT, f"One of: {', '.join(choices)}"
        case StatusKind.TEXT:
            number_format = AS_TEXT
            what = f"Text of up to {status_type.max_characters} characters; no names of persons"
        case StatusKind.DATE:
            number_format, what = AS_DAY, "A date, such as 11/21/2026"
        case StatusKind.NEDOCS:
            what = f"A finished score, {bounds}, or the seven inputs in the next columns"
        case _:
            what = f"A score, {bounds}"
    about = f"{status_type.description.rstrip('.')}. " if status_type.description else ""
    return TemplateColumn(
        status_type.header, f"{about}{what}. Blank: no update.", number_format, limit, choices
    )


def _limit(status_type: StatusType) -> Limit | None:
    match status_type.kind:
        case StatusKind.NUMBER:
            # What is only warned of may be typed.
            most = status_type.maximum if status_type.above_maximum == "reject" else None
            return Limit("decimal" if status_type.decimals else "whole", status_type.minimum, most)
        case StatusKind.TEXT:
            return Limit("textLength", most=status_type.max_characters)
        case StatusKind.DATE:
            return _ANY_DAY
        case StatusKind.NEDOCS:
            return Limit("decimal", 0, MOST)
        case StatusKind.SATURATION_SCORE:
            return Limit("decimal", 0)
        case _:
            return None
