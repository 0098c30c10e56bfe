"""Policy of the immunization feed: consent, scoring and limits, where the sources are silent."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from partner_exchange.tenants.base import Model
from partner_exchange.tenants.feed_policy import FeedPolicy


class Weights(Model):
    """How many of the 100 points each part of a data quality report is worth (T59)."""

    completeness: float = Field(default=50, ge=0, le=100, description="points for filled fields")
    quality: float = Field(default=40, ge=0, le=100, description="points for right values")
    timeliness: float = Field(default=10, ge=0, le=100, description="points for doses reported in time")

    @model_validator(mode="after")
    def _make_a_hundred(self) -> Weights:
        if round(self.completeness + self.quality + self.timeliness, 6) != 100:
            raise ValueError("completeness, quality and timeliness must make 100 together")
        return self


class Scoring(Model):
    """How a data quality report is scored."""

    weights: Weights = Field(default=Weights(), description="points of the three parts")
    bands: tuple[float, float, float, float] = Field(
        default=(90, 80, 70, 60), description="least scores of the bands A, B, C and D; below is F"
    )
    timely_days: tuple[int, int, int] = Field(
        default=(3, 14, 30),
        description="days from a dose to its report: on time, late, very late; beyond is too late",
    )
    ready_messages: int = Field(
        default=51, ge=1, description="messages a file must have to show readiness for production"
    )
    ready_required_percent: float = Field(
        default=99, gt=0, le=100, description="share of required fields that must be filled for it"
    )

    @model_validator(mode="after")
    def _steps_are_in_order(self) -> Scoring:
        if list(self.bands) != sorted(set(self.bands), reverse=True):
            raise ValueError("bands must fall from A to D")
        if list(self.timely_days) != sorted(set(self.timely_days)) or self.timely_days[0] < 0:
            raise ValueError("timely_days must rise and not be negative")
        return self


class VxuPolicy(FeedPolicy):
    """Policy of the immunization feed."""

    identical_file: Literal["suspend", "refuse", "allow"] = Field(
        default="allow",
        description="what happens to a file equal to the one before it; its doses are unchanged anyway (T64)",
    )
    consent: Literal["required", "not_required"] = Field(
        default="required",
        description="whether doses enter the store only with consent in the registry; without it they are "
        "held apart (T62)",
    )
    adult_age_y: int = Field(
        default=18, ge=1, le=130, description="from this age a consent of the parents counts no more"
    )
    held_days: int | None = Field(
        default=180, ge=1, description="days after which held doses are purged; `null`: never (T62)"
    )
    max_messages: int = Field(default=200_000, ge=1, description="messages one file may have")
    scoring: Scoring = Field(default=Scoring(), description="how data quality reports are scored (T59)")
