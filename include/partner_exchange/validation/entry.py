"""What the catalogue says about one code: severity, wording, what to do next and whose turn it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from partner_exchange.readers.marks import Fact
from partner_exchange.validation.findings import Severity


class Turn(StrEnum):
    """Who has to act next."""

    PARTNER = "partner IT"
    US = "us"
    NOBODY = "nobody"


class Scope(StrEnum):
    """What a finding is about."""

    REFUSAL = "the whole file, which is refused"
    FILE = "the whole file"
    ROW = "a row"
    CELL = "a cell"


@dataclass(frozen=True)
class Entry:
    """One code of the catalogue."""

    code: str
    scope: Scope
    severity: Severity
    title: str
    message: str
    """What is wrong, for many rows together."""
    next_step: str
    detail: str = ""
    """What is wrong with the facts of one mark; ``message`` stands in where there are none."""
    turn: Turn = Turn.PARTNER
    is_audited: bool = False
    """Also goes into the audit trail: somebody reached for what is not theirs, or sent what must not come."""
    may_be_lowered: bool = False
    """A tenant that does not require the value gets a warning instead of an error (K1)."""
    is_consequence: bool = False
    """Says only what other findings led to, such as that a message fell with its patient."""
    hl7_error: str = ""
    """What an HL7 acknowledgement says of it: code of table HL70357."""
    hl7_application_error: str = ""
    """The same, code of table HL70533; "" where none fits."""

    def sentence(self, facts: Mapping[str, Fact]) -> str:
        """Return what is wrong and what to do, for ``facts``."""
        text = self.detail if facts and self.detail else self.message
        return f"{text} {self.next_step}".format(**facts)

    @property
    def general(self) -> str:
        """Return what is wrong and what to do, for findings with differing facts."""
        return f"{self.message} {self.next_step}"
