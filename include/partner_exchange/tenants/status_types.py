"""Status types: what a tenant's resources report, of seven kinds (format page "EMResource").

A tenant writes its own in YAML and takes ready ones by catalogue (``catalogue.py``). The number of a status
type never changes; its name may.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, model_validator

from partner_exchange.tenants.base import Line, Mistake, Model, require_none
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

_LARGEST_NUMBER = 2**31 - 1
"""Numbers of status types are 32-bit integers in data frames and in the store."""

_OF_KINDS: dict[str, tuple[StatusKind, ...]] = {
    **dict.fromkeys(("decimals", "minimum", "maximum", "above_maximum", "takes_9999"), (StatusKind.NUMBER,)),
    "max_characters": (StatusKind.TEXT,),
    "statuses": (StatusKind.MULTI,),
    "formula": (StatusKind.CALCULATED, StatusKind.SATURATION_SCORE),
}
"""The options that only some kinds have; on others they would be read and do nothing."""


class MultiStatus(Model):
    """One of the statuses that a Multi type may have."""

    name: Line = Field(min_length=1, max_length=100, description="as partners write it, in any case")
    colour: Line = Field(default="", description="colour on screens and in answers, such as green")
    active: bool = Field(default=True, description="whether it may still be set")
    comment: CommentRule = Field(
        default="optional", description="whether a comment goes with it; unset: as the status type says"
    )
    reason_required: bool = Field(default=False, description="whether a reason must be given")
    reasons: tuple[Line, ...] = Field(default=(), description="allowed reasons; empty: any text")
    update_every_h: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="overdue after so many hours; unset: as the status type says",
    )


class StatusType(Model):
    """One thing that resources report."""

    id: int = Field(
        ge=1, le=_LARGEST_NUMBER, description="number that never changes; formulas and templates name it"
    )
    name: Line = Field(min_length=1, max_length=100, description="header of its column; may be renamed")
    former_names: tuple[Line, ...] = Field(
        default=(), description="names it had: templates with them stay readable (E14)"
    )
    kind: StatusKind = Field(description="what a status of this type holds")
    description: str = Field(default="", description="what it means, shown in the bulk template")
    section: Line = Field(default="", description="heading it stands under")
    active: bool = Field(default=True, description="whether it may be reported")
    standard: Line = Field(
        default="", description="element of a shared vocabulary, such as HAvBED (EDXL-HAVE)"
    )
    read_only: bool = Field(
        default=False, description="whether the exchange alone says it: no file can set it"
    )
    update_every_h: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="overdue after so many hours; unset: never"
    )
    comment: CommentRule = Field(
        default="optional",
        description="whether a comment goes with it; Multi: for the statuses that do not say it themselves",
    )
    decimals: int = Field(default=0, ge=0, le=6, description="Number: digits after the point")
    minimum: float | None = Field(
        default=0.0, allow_inf_nan=False, description="Number: the least value; null: any"
    )
    maximum: float | None = Field(
        default=None, allow_inf_nan=False, description="Number: the greatest value; unset: any"
    )
    above_maximum: Literal["reject", "warn"] = Field(
        default="reject", description="Number: what happens above the maximum"
    )
    takes_9999: bool = Field(
        default=False, description="Number: whether 9999 in a bulk file is a count like any other (E23)"
    )
    max_characters: int = Field(default=255, ge=1, le=1000, description="Text: longest text")
    statuses: tuple[MultiStatus, ...] = Field(default=(), description="Multi: what may be chosen")
    formula: str = Field(
        default="",
        description="Calculated, Saturation Score: such as st(12001,0) + 2 * st(12002,0); a score that a "
        "file sets holds until a part is reported for a later time",
    )

    @model_validator(mode="before")
    @classmethod
    def _statuses_take_the_comment_rule(cls, data: Any) -> Any:
        """Put the rule of the type into each status that says none."""
        if not isinstance(data, dict) or "comment" not in data:
            return data
        statuses = data.get("statuses")
        if not isinstance(statuses, list | tuple):
            return data
        filled = [{"comment": data["comment"], **one} if isinstance(one, dict) else one for one in statuses]
        return {**data, "statuses": filled}

    @model_validator(mode="after")
    def _fits_its_kind(self) -> StatusType:
        mistakes = [*self._options_of_other_kinds(), *self._unclear_statuses()]
        if self.kind is StatusKind.MULTI and not self.statuses:
            mistakes.append(Mistake(("statuses",), "a Multi type needs them", "List what may be chosen."))
        if self.kind is StatusKind.CALCULATED and not self.formula:
            mistakes.append(
                Mistake(("formula",), "a Calculated type needs one", "Write it as st(12001,0) + st(12002,0).")
            )
        if self.minimum is not None and self.maximum is not None and self.maximum < self.minimum:
            mistakes.append(
                Mistake(("maximum",), "below the minimum", "Raise it, or lower `minimum`; null means any.")
            )
        if self.formula:
            try:
                Formula.parse(self.formula)
            except ValueError as error:
                mistakes.append(Mistake(("formula",), str(error), "docs/status-types.md explains formulas."))
        require_none("status type", mistakes)
        return self

    def _options_of_other_kinds(self) -> list[Mistake]:
        # By value, not by what was written: a dumped policy, which names everything, must be readable again.
        return [
            Mistake(
                (option,),
                f"a type of kind {self.kind} has no such option",
                f"Leave it out; it belongs to {' and '.join(kinds)}.",
            )
            for option, kinds in _OF_KINDS.items()
            if self.kind not in kinds and getattr(self, option) != type(self).model_fields[option].default
        ]

    def _unclear_statuses(self) -> list[Mistake]:
        seen: set[str] = set()
        mistakes = []
        for place, status in enumerate(self.statuses):
            key = status.name.casefold()
            if key in seen:
                mistakes.append(
                    Mistake(
                        ("statuses", place, "name"),
                        "another status of this type has that name",
                        "Names differ by more than case.",
                    )
                )
            seen.add(key)
        return mistakes

    @property
    def is_settable(self) -> bool:
        """Say whether a file may set it; a Calculated one is recomputed, a read-only one said by us."""
        return self.active and not self.read_only and self.kind is not StatusKind.CALCULATED

    @property
    def header(self) -> str:
        """Return the header of its column in templates: the name and the number that outlives it."""
        return f"{self.name} ({self.id})"
