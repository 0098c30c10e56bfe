"""Resources: the facilities and units whose statuses a tenant reports, with their test and production ids."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field, field_validator

from partner_exchange.tenants.base import Line, Mistake, Model

Mode = Literal["test", "production"]
Frequency = Literal["daily", "weekly"]
ReportingContext = Literal["HOSP", "IRF", "IPF", "CHLD", "OTH"]
_ORG_ID = re.compile(r"[0-9]{5}")


def _require_quotes(value: object) -> object:
    # YAML reads 010001 as an octal number: only quotes keep what was meant.
    if isinstance(value, int | float):
        raise ValueError('write it in quotes, such as "01234", so that leading zeros stay')
    return value


class Nhsn(Model):
    """How a resource is known to CDC's NHSN (E18, E27, E28)."""

    org_id: Line = Field(default="", description="NHSN Org ID, five digits in quotes; unset: none yet")
    test_org_id: Line = Field(default="", description="Org ID that stands for it while testing (E32)")
    context: ReportingContext = Field(
        default="HOSP",
        description="reporting context: hospital, inpatient rehabilitation, inpatient psychiatric, "
        "children's hospital, other unit",
    )
    frequency: Frequency | None = Field(
        default=None, description="how often its data is forwarded to NHSN; unset: never"
    )

    @field_validator("org_id", "test_org_id", mode="before")
    @classmethod
    def _is_text(cls, value: object) -> object:
        return _require_quotes(value)

    @field_validator("org_id", "test_org_id")
    @classmethod
    def _has_five_digits(cls, value: str) -> str:
        if value and not _ORG_ID.fullmatch(value):
            raise ValueError("an NHSN Org ID has five digits")
        return value


class Resource(Model):
    """A facility, vehicle, agency or unit."""

    name: Line = Field(min_length=1, max_length=200, description="as people write it")
    kind: Line = Field(
        default="Hospital", min_length=1, description="type of resource, such as Hospital or Ambulance"
    )
    region: Line = Field(default="", description="region it belongs to; unset: the tenant's")
    production_id: Line = Field(
        min_length=1, max_length=100, description="Resource ID of real data, in quotes"
    )
    test_id: Line = Field(
        default="", max_length=100, description="Resource ID that stands for it while testing (E32)"
    )
    nhsn: Nhsn | None = Field(default=None, description="how NHSN knows it; unset: not at all")

    @field_validator("production_id", "test_id", mode="before")
    @classmethod
    def _is_text(cls, value: object) -> object:
        return _require_quotes(value)

    def id_in(self, mode: Mode) -> str:
        """Return the Resource ID that files carry in this mode; "" when there is none."""
        return self.production_id if mode == "production" else self.test_id

    def org_id_in(self, mode: Mode) -> str:
        """Return the NHSN Org ID that files carry in this mode; "" when there is none."""
        if self.nhsn is None:
            return ""
        return self.nhsn.org_id if mode == "production" else self.nhsn.test_org_id


def mistakes_between(resources: Sequence[Resource]) -> list[Mistake]:
    """Return every Resource ID, and every NHSN Org ID with its context, that stands twice.

    An id that stood for a test and for real data at once would mix the two (E32, E37).
    """
    owners: dict[str, str] = {}
    mistakes = []
    for place, resource in enumerate(resources):
        for option, key in _keys(resource):
            if key in owners:
                problem = f"{key} belongs to {owners[key]!r} already"
                mistakes.append(Mistake(("resources", place, *option), problem, _ONE_EACH))
            else:
                owners[key] = resource.name
    return mistakes


_ONE_EACH = "Each resource has one id of its own for real data and another one for tests."


def _keys(resource: Resource) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what files may name the resource by, each with its option."""
    yield ("production_id",), f"Resource ID {resource.production_id}"
    if resource.test_id:
        yield ("test_id",), f"Resource ID {resource.test_id}"
    if resource.nhsn is not None:
        context = resource.nhsn.context
        if resource.nhsn.org_id:
            yield ("nhsn", "org_id"), f"NHSN Org ID {resource.nhsn.org_id} with context {context}"
        if resource.nhsn.test_org_id:
            yield ("nhsn", "test_org_id"), f"NHSN Org ID {resource.nhsn.test_org_id} with context {context}"
