"""What every part of a tenant file shares: unknown options are refused, nothing changes once it is read."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Base of all parts of a tenant file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
