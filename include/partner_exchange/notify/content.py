"""What tells one mail from another; made by modules that know what a mail is about, sent by ``compose``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Content:
    """A pair of templates and what they show."""

    template: str
    """Name of both templates without their endings."""
    subject: str
    facts: Mapping[str, object]
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further headers, by which a program can sort mails."""


def one_line(text: str) -> str:
    """Return text of other people as it may stand in a header: no line break may make one of its own."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
