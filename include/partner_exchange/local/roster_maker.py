"""Made-up rosters for the demo and the bench; every name and number in them is invented.

Faults are placed on purpose and counted, so that the demo can hold the answer against what it put in.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from partner_exchange.tenants.model import RequirementTerm

HEADER = "Username,StudentId,LastName,FirstName,Telephone,Dob,RequirementGroup,Term,OnCampus"
_FIRST = ("Ada", "Bao", "Chloé", "Dario", "Efua", "Farid", "Grace", "Hana", "Ivo", "José", "Kofi", "Lena")
_LAST = ("Nguyen", "O'Neil", "García", "Smith", "Okafor", "Kowalski", "Haddad", "Lindström", "Park", "Silva")
_BAD_DOBS = ("1999-04-31", "02/30/2001", "13/01/2000", "4/5/2002", "01/01/1899")


@dataclass(frozen=True)
class MadeRoster:
    """A roster file and what is wrong with it by intent."""

    content: bytes
    rows: int
    bad_rows: int


def make_roster(rows: int, *, seed: int, terms: tuple[RequirementTerm, ...], faults: int = 0) -> MadeRoster:
    """Return a roster of ``rows`` students; ``faults`` of its rows carry one bad birth date each.

    :param seed: another seed gives other students, so that two files are never identical (M39).
    """
    chance = random.Random(seed)  # noqa: S311 - invented people, nothing to guard
    bad = set(chance.sample(range(rows), faults))
    lines = [HEADER]
    for number in range(rows):
        last, first = chance.choice(_LAST), chance.choice(_FIRST)
        term = (
            chance.choice(terms) if terms else RequirementTerm(requirement_group="Undergraduate", term="Fall")
        )
        birthday = f"{chance.randint(1, 12):02}/{chance.randint(1, 28):02}/{chance.randint(1985, 2008)}"
        lines.append(
            f"student{seed}.{number}@state-university.example,{seed:06}{number:07},{last},"
            f'"{first}, {chance.choice("ABCDEFG")}.",512-555-{chance.randint(0, 9999):04},'
            f"{chance.choice(_BAD_DOBS) if number in bad else birthday},"
            f"{term.requirement_group},{term.term},{chance.randint(0, 1)}"
        )
    return MadeRoster(("\r\n".join(lines) + "\r\n").encode(), rows, len(bad))
