"""Policy of the status feed: resources, status types, and the options where the sources are silent."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from pydantic import Field, model_validator

from partner_exchange.tenants.base import Line, require_none
from partner_exchange.tenants.catalogue import Catalogue, CatalogueName, build
from partner_exchange.tenants.catalogue_rules import mistakes_in
from partner_exchange.tenants.exports import Target
from partner_exchange.tenants.feed_policy import FeedPolicy
from partner_exchange.tenants.resources import Resource, mistakes_between
from partner_exchange.tenants.status_types import StatusType


class StatusPolicy(FeedPolicy):
    """Policy of the status feed."""

    identical_file: Literal["suspend", "refuse", "allow"] = Field(
        default="allow",
        description="what happens to a file equal to the one before it; statuses often do not change",
    )
    region: Line = Field(default="", description="region of the resources; it owns the status types")
    catalogues: tuple[CatalogueName, ...] = Field(
        default=(), description="ready sets of status types, see docs/status-types.md"
    )
    status_types: tuple[StatusType, ...] = Field(
        default=(), description="own status types; one with the number of a ready one replaces it"
    )
    resources: tuple[Resource, ...] = Field(default=(), description="the facilities and units")
    resources_file: str = Field(
        default="",
        description="CSV with more resources, in the tenants folder and named relative to the YAML file; its "
        "columns are name, kind, region, production_id, test_id, org_id, test_org_id, context, frequency",
    )
    nhsn_target: Target | None = Field(
        default=None,
        description="where sets for NHSN go, of `kind: server`; unset: they stay in the archive (E38)",
    )
    personal_data: Literal["refuse", "warn"] = Field(
        default="refuse",
        description="what happens to a file that seems to hold names, SSNs or birth dates (E08)",
    )
    max_count: int = Field(default=6000, ge=1, description="CDC templates: counts above it are doubted")
    above_max_count: Literal["reject", "warn"] = Field(
        default="warn", description="CDC templates: what happens to such a count"
    )
    nicu_counts_as_pediatric_icu: bool = Field(
        default=False, description="bridge from bed capacity to HRD: whether NICU is pediatric ICU (K24)"
    )
    max_rows: int = Field(
        default=100_000, ge=1, description="rows one file may have; the header is not counted"
    )

    @model_validator(mode="after")
    def _names_and_ids_are_clear(self) -> StatusPolicy:
        require_none(
            "status", [*mistakes_between(self.resources), *mistakes_in(self.catalogues, self.status_types)]
        )
        return self

    @cached_property
    def catalogue(self) -> Catalogue:
        """Return all status types: the ready ones and the tenant's own."""
        return build(self.catalogues, self.status_types)
