"""Resources: the facilities and units whose statuses a tenant reports, with their test and production ids."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator

from partner_exchange.tenants.base import Model

Frequency = Literal["daily", "weekly"]
ReportingContext = Literal["HOSP", "IRF", "IPF", "CHLD", "OTH"]
_ORG_ID = re.compile(r"[0-9]{5}")


class Nhsn(Model):
    """How a resource is known to CDC's NHSN (E18, E27, E28)."""

    org_id: str = Field(default="", description="NHSN Org ID, five digits; blank: none yet")
    test_org_id: str = Field(default="", description="Org ID that stands for it while testing (E32)")
    context: ReportingContext = Field(default="HOSP", description="reporting context")
    frequency: Frequency | None = Field(
        default=None, description="how often its data is forwarded to NHSN; unset: never"
    )

    @field_validator("org_id", "test_org_id", mode="before")
    @classmethod
    def _five_digits(cls, value: object) -> object:
        if isinstance(value, int):
            raise ValueError('write it in quotes, such as "10234", so that leading zeros stay')
        if isinstance(value, str) and value and not _ORG_ID.fullmatch(value):
            raise ValueError("an NHSN Org ID has five digits")
        return value


class Resource(Model):
    """A facility, vehicle, agency or unit."""

    name: str = Field(min_length=1, max_length=200, description="as people write it")
    kind: str = Field(default="Hospital", description="type of resource, such as Hospital or Ambulance")
    region: str = Field(default="", description="region it belongs to; unset: the tenant's")
    production_id: str = Field(min_length=1, description="Resource ID of real data")
    test_id: str = Field(default="", description="Resource ID that stands for it while testing (E32)")
    nhsn: Nhsn | None = Field(default=None, description="how NHSN knows it")

    @field_validator("production_id", "test_id", mode="before")
    @classmethod
    def _text(cls, value: object) -> object:
        if isinstance(value, int):
            raise ValueError('write the id in quotes, such as "10001", so that leading zeros stay')
        return value.strip() if isinstance(value, str) else value

    def id_in(self, mode: Literal["test", "production"]) -> str:
        """Return the Resource ID that files carry in this mode; "" when there is none."""
        return self.production_id if mode == "production" else self.test_id

    def org_id_in(self, mode: Literal["test", "production"]) -> str:
        """Return the NHSN Org ID that files carry in this mode; "" when there is none."""
        if self.nhsn is None:
            return ""
        return self.nhsn.org_id if mode == "production" else self.nhsn.test_org_id
