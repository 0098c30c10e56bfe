"""How much a partner may leave in the own folders, and how long we keep it (K10, K13)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from partner_exchange.tenants.base import Model


class Quota(Model):
    """How many files the partner's own uploads may be; what we write is never counted (K13, T38)."""

    max_files: int | None = Field(default=None, ge=1, description="most files; unset: any number")
    scope: Literal["folder", "account"] = Field(
        default="folder", description="whether each folder has that limit or all of them together"
    )
    warn_percent: tuple[int, ...] = Field(
        default=(80, 95), description="shares of the limit at which the contacts get a mail"
    )


class Retention(Model):
    """How long files and originals are kept (K10, T39)."""

    days: int | Literal["never"] = Field(
        default="never",
        description="purge what is older than this many days, at least 1; `never` purges nothing",
    )
    legal_hold: bool = Field(
        default=False, description="whether nothing is purged for now, whatever `days` says"
    )

    @field_validator("days")
    @classmethod
    def _is_a_day_at_least(cls, value: int | Literal["never"]) -> int | Literal["never"]:
        # Judged here and not by the type: of a choice of types each one would state its own mistake.
        if value != "never" and value < 1:
            raise ValueError("must be `never`, or 1 day at least")
        return value
