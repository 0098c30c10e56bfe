"""Derive HRD figures from bed capacity (K24): NHSN lets one meet part of the duty of the other.

A proposal of the format page "CDC NHSN Hospital Bed Capacity"; called where the set for NHSN is built.
"""

from __future__ import annotations

from collections.abc import Mapping

_PARTS: Mapping[str, tuple[str, ...]] = {
    "numInPtBeds": ("AllBedsOccupied", "AllBedsUnoccupied"),
    "numInPtBedsOcc": ("AllBedsOccupied",),
    "numICUBedsAdult": ("AdultICUOccupied", "AdultICUUnoccupied"),
    "numICUBedsOccAdult": ("AdultICUOccupied",),
    "numICUBedsPed": ("PedsICUOccupied", "PedsICUUnoccupied"),
    "numICUBedsOccPed": ("PedsICUOccupied",),
}
_NICU_PARTS: Mapping[str, tuple[str, ...]] = {
    "numICUBedsPed": ("NICUTotalOccupied", "NICUTotalUnoccupied"),
    "numICUBedsOccPed": ("NICUTotalOccupied",),
}


def bridge(now: Mapping[str, float | None], *, nicu_is_pediatric_icu: bool) -> dict[str, float]:
    """Return the HRD elements, by name, that the measures add up to.

    An element whose measures are not all there is left out: a part of a sum would look like the whole.

    :param now: bed-capacity measures by their code; None where blank or not applicable.
    :param nicu_is_pediatric_icu: whether NICU beds count as pediatric ICU beds, on which guidance differs.
    """
    derived = {}
    for element, measures in _PARTS.items():
        parts = measures + (_NICU_PARTS.get(element, ()) if nicu_is_pediatric_icu else ())
        numbers = [number for part in parts if (number := now.get(part)) is not None]
        if len(numbers) == len(parts):
            derived[element] = sum(numbers)
    return derived
