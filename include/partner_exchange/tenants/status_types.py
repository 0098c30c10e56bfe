"""Status types: what a tenant's resources report, of seven kinds (format page "EMResource").

A tenant writes its own in YAML and takes ready ones by catalogue (``catalogue.py``). The number of a status
type never changes; its name may.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field, model_validator

from partner_exchange.tenants.base import Model
from partner_exchange.tenants.formula import Formula


class StatusKind(StrEnum):
    """What a status holds; the words are those of EMResource."""

    NUMBER = "number"
    MULTI = "multi"
    TEXT = "text"
    DATE = "date"
    SATURATION_SCORE = "saturation_score"
    NEDOCS = "nedocs"
    CALCULATED = "calculated"


NUMERIC_KINDS = frozenset(
    {StatusKind.NUMBER, StatusKind.SATURATION_SCORE, StatusKind.NEDOCS, StatusKind.CALCULATED}
)

CommentRule = Literal["optional", "mandatory", "unavailable"]


class MultiStatus(Model):
    """One of the statuses that a Multi type may have."""

    name: str = Field(min_length=1, max_length=100, description="as partners write it, in any case")
    colour: str = Field(default="", description="colour on screens and in answers, such as green")
    active: bool = Field(default=True, description="whether it may still be set")
    comment: CommentRule = Field(default="optional", description="whether a comment goes with it")
    reason_required: bool = Field(default=False, description="whether a reason must be given")
    reasons: tuple[str, ...] = Field(default=(), description="allowed reasons; empty: any text")
    update_every_h: float | None = Field(
        default=None, gt=0, description="overdue after so many hours; unset: as the status type says"
    )


class StatusType(Model):
    """One thing that resources report."""

    id: int = Field(ge=1, description="number that never changes; formulas and templates name it")
    name: str = Field(min_length=1, max_length=100, description="header of its column; may be renamed")
    former_names: tuple[str, ...] = Field(
        default=(), description="names it had: templates with them stay readable (E14)"
    )
    kind: StatusKind = Field(description="what a status of this type holds")
    description: str = Field(default="", description="what it means, shown in the bulk template")
    section: str = Field(default="", description="heading it stands under")
    active: bool = Field(default=True, description="whether it may be reported")
    standard: str = Field(
        default="", description="element of a shared vocabulary, such as HAvBED (EDXL-HAVE)"
    )
    update_every_h: float | None = Field(default=None, gt=0, description="overdue after so many hours")
    comment: CommentRule = Field(
        default="optional", description="whether a comment goes with it; a Multi type says it per status"
    )
    decimals: int = Field(default=0, ge=0, le=6, description="Number: digits after the point")
    minimum: float | None = Field(default=0, description="Number: the least value; null: any")
    maximum: float | None = Field(default=None, description="Number: the greatest value")
    above_maximum: Literal["reject", "warn"] = Field(
        default="reject", description="Number: what happens above the maximum"
    )
    takes_9999: bool = Field(
        default=False, description="Number: whether 9999 in a bulk file is a count like any other (E23)"
    )
    max_characters: int = Field(default=255, ge=1, le=1000, description="Text: longest text")
    statuses: tuple[MultiStatus, ...] = Field(default=(), description="Multi: what may be chosen")
    formula: str = Field(
        default="", description="Calculated, Saturation Score: such as st(12001,0) + 2 * st(12002,0)"
    )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> StatusType:
        if (self.kind is StatusKind.MULTI) != bool(self.statuses):
            raise ValueError("`statuses` belongs to a Multi type, and a Multi type needs it")
        names = [status.name.casefold() for status in self.statuses]
        if len(set(names)) != len(names):
            raise ValueError("two statuses have the same name")
        if self.kind is StatusKind.CALCULATED and not self.formula:
            raise ValueError("a Calculated type needs a formula")
        if self.formula:
            if self.kind not in (StatusKind.CALCULATED, StatusKind.SATURATION_SCORE):
                raise ValueError("only Calculated and Saturation Score types have a formula")
            Formula.parse(self.formula)
        return self

    @property
    def is_settable(self) -> bool:
        """Say whether a file may set it; a Calculated one is recomputed instead."""
        return self.active and self.kind is not StatusKind.CALCULATED

    @property
    def header(self) -> str:
        """Return the header of its column in templates: the name and the number that outlives it."""
        return f"{self.name} ({self.id})"
