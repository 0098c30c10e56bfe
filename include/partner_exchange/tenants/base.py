"""What every part of a tenant file shares: unknown options are refused, nothing changes once it is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

MISTAKE = "mistake"
"""Type of the validation errors that carry a remedy of their own in their context."""


class Model(BaseModel):
    """Base of all parts of a tenant file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _without_control_characters(value: str) -> str:
    if not value.isprintable():
        raise ValueError("a line break, tab or other invisible character stands in it")
    return value


Line = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_without_control_characters)]
"""One line of text; space around it does not count."""


@dataclass(frozen=True)
class Mistake:
    """What does not hold between options that are right one by one, and how it is mended."""

    at: tuple[str | int, ...]
    """Where, seen from the part that is being checked."""
    problem: str
    remedy: str


def require_none(part: str, mistakes: Sequence[Mistake]) -> None:
    """Return when there are no mistakes; called by validators of the part that is named.

    :raises ValidationError: with one error per mistake, which pydantic puts at its place in the whole file.
    """
    if mistakes:
        raise ValidationError.from_exception_data(
            part,
            [
                InitErrorDetails(
                    type=PydanticCustomError(
                        MISTAKE, "{problem}", {"problem": mistake.problem, "remedy": mistake.remedy}
                    ),
                    loc=mistake.at,
                    input=None,
                )
                for mistake in mistakes
            ],
        )
