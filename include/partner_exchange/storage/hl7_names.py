"""Names of immunization files: ``ImportCodeYYDDD.hl7``, and ``ImportCodeYYDDD-2.hl7`` for the second of a day
(T47, K20).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Self

_OLD_DAYS = 31
_AFTER_CODE = re.compile(r"(?P<year>[0-9]{2})(?P<day>[0-9]{3})(?:-(?P<number>[1-9][0-9]{0,3}))?\.hl7", re.I)
_OTHER_CODE = re.compile(r".+[0-9]{5}(?:-[1-9][0-9]{0,3})?\.hl7", re.I | re.S)


@dataclass(frozen=True)
class NameFault:
    """Why a name is refused: a code of the catalogue with its facts, which never hold the name itself."""

    code: str
    facts: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class Hl7Name:
    """What the name of an immunization file says."""

    import_code: str
    """As the tenant has it, however the name spells it."""
    day: date
    number: int
    """The how-manieth file of the day, from 1."""

    def format(self) -> str:
        """Return the name."""
        return f"{self.import_code}{self.day:%y%j}{f'-{self.number}' if self.number > 1 else ''}.hl7"

    def is_old(self, today_local: date) -> bool:
        """Say whether the day is more than 31 days ago: the name was hardly meant for today."""
        return (today_local - self.day).days > _OLD_DAYS

    @classmethod
    def parse(cls, name: str, *, import_code: str, today_local: date) -> Self | NameFault:
        """Return what the name says, or why it cannot be taken.

        Code and ending may be in any case. The five digits behind the code are the day, also where the code
        itself ends in digits.

        :param today_local: the day on which the file arrived, in the tenant's zone.
        """
        own = name[: len(import_code)].casefold() == import_code.casefold()
        match = _AFTER_CODE.fullmatch(name, len(import_code)) if own else None
        facts = {"example": cls(import_code, today_local, 1).format()}
        if match is None:
            is_of_others = not own and _OTHER_CODE.fullmatch(name)
            return NameFault("hl7-name-import-code" if is_of_others else "hl7-name-wrong", facts)
        number = int(match["number"] or 1)
        if match["number"] == "1":
            return NameFault("hl7-name-wrong", facts)
        day = _day(2000 + int(match["year"]), int(match["day"]))
        if day is None:
            return NameFault("hl7-name-no-such-day", facts)
        if day > today_local:
            return NameFault("hl7-name-in-future", facts)
        return cls(import_code, day, number)


def _day(year: int, day_of_year: int) -> date | None:
    day = date(year, 1, 1) + timedelta(days=day_of_year - 1)
    return day if day.year == year else None
