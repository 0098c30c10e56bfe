"""What the policy of every feed says."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from partner_exchange.tenants.base import Model


class FeedPolicy(Model):
    """Options that every feed has."""

    identical_file: Literal["suspend", "refuse", "allow"] = Field(
        default="suspend",
        description="what happens to a file equal to the one before it, and to the intake (M39)",
    )
    max_findings_listed: int = Field(
        default=10_000, ge=1, description="how many single findings are kept; totals are always exact (X06)"
    )
    newline: Literal["crlf", "lf"] = Field(
        default="crlf", description="line ends of the files we write; all are read (K16)"
    )
