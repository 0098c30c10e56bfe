"""Which fields the data quality report counts: section, level and weight of each (T59).

Weights and levels are those of the registries' own reports (MQE); the field names in words are the report's.
``tally.py`` counts how each field is filled, the report turns that into points.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Section(StrEnum):
    """Part of the report; fields of a dose are counted by doses, all others by messages."""

    PATIENT = "Patient"
    VACCINATION = "Vaccination"
    HEADER = "Message header"


class Level(StrEnum):
    """How much a registry asks for a field."""

    REQUIRED = "required"
    EXPECTED = "expected"
    RECOMMENDED = "recommended"
    OPTIONAL = "optional"


ELIGIBILITY = "OBX 64994-7"
"""Place in the tally of the eligibility that goes with a dose; it is an observation, not a field."""
CVX = "RXA-5 CVX"
"""Place in the tally of the CVX code that RXA-5 comes to, sent as such or found by its NDC."""


@dataclass(frozen=True)
class ScoredField:
    """One field of the report."""

    place: str
    """Its name in the tally: ``PID-7``, ``PID-5.2``, or one of ``ELIGIBILITY`` and ``CVX``."""
    section: Section
    level: Level
    weight: int
    """Points it is worth; 0 for what is only counted."""
    when: str = ""
    """Condition of ``predicates.py`` for doses that should have it; "" for all."""


def _fields(
    section: Section, level: Level, *fields: tuple[str, int] | tuple[str, int, str]
) -> list[ScoredField]:
    return [ScoredField(field[0], section, level, *field[1:]) for field in fields]


FIELDS: tuple[ScoredField, ...] = (
    *_fields(
        Section.PATIENT,
        Level.REQUIRED,
        ("PID-3", 30),
        ("PID-5.2", 20),
        ("PID-5.1", 20),
        ("PID-7", 20),
        ("PID-8", 20),
        ("PID-11", 20),
        ("PID-11.1", 20),
        ("PID-11.3", 20),
        ("PID-11.4", 20),
        ("PID-11.5", 20),
    ),
    *_fields(Section.PATIENT, Level.EXPECTED, ("PID-5.3", 20), ("PID-13", 20), ("PID-6", 20)),
    *_fields(
        Section.PATIENT,
        Level.RECOMMENDED,
        ("PID-22", 7),
        ("PID-10", 7),
        ("NK1-2.2", 3),
        ("NK1-2.1", 3),
        ("NK1-3", 1),
    ),
    *_fields(
        Section.PATIENT,
        Level.OPTIONAL,
        ("PID-13.4", 0),
        ("PID-24", 0),
        ("PID-11.9", 0),
        ("NK1-4.1", 0),
        ("NK1-5", 0),
        ("PD1-12", 0),
    ),
    *_fields(
        Section.VACCINATION,
        Level.REQUIRED,
        ("RXA-3", 45),
        ("RXA-5", 45),
        ("RXA-9", 45, "is_completed"),
        (ELIGIBILITY, 22, "is_given"),
    ),
    *_fields(
        Section.VACCINATION, Level.EXPECTED, (CVX, 15), ("RXA-15", 22, "is_given"), ("RXA-17", 22, "is_given")
    ),
    *_fields(Section.VACCINATION, Level.RECOMMENDED, ("RXA-6", 16), ("RXA-20", 7)),
    *_fields(
        Section.VACCINATION,
        Level.OPTIONAL,
        ("RXA-16", 0, "is_given"),
        ("RXR-1", 0, "is_given"),
        ("RXR-2", 0, "is_given"),
        ("RXA-11.4", 0, "is_given"),
        ("RXA-21", 0),
        ("RXA-18", 0, "is_refused"),
    ),
    *_fields(Section.HEADER, Level.RECOMMENDED, ("MSH-22", 10)),
)
"""All fields of the report, in its order.

Own readings: "responsible party" of the registries' list is the relative as a whole, so its relationship
alone is counted; a dose that somebody else gave is not expected to have lot, manufacturer or eligibility, and
a refused one no information source, as the field table says.
"""
