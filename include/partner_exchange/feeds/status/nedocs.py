"""NEDOCS: how crowded an emergency department is, from seven inputs, and the level of a score.

The formula and the levels are those of the format page "EMResource". A computed score is never below 0, and
is kept with one decimal, rounded half up; a finished score is kept as it was sent. The level is that of the
kept score rounded half up to a whole number, so what a screen shows always fits together: 20.4 is not busy,
20.5 is busy. Above 200 it stays in the top level.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt


class NedocsInput(StrEnum):
    """The seven inputs, in the order of the formula."""

    ED_PATIENTS = "ed_patients"
    ED_BEDS = "ed_beds"
    ADMITTED_PATIENTS = "admitted_patients"
    HOSPITAL_BEDS = "hospital_beds"
    VENTILATED_PATIENTS = "ventilated_patients"
    LONGEST_ADMIT_WAIT_H = "longest_admit_wait_h"
    LAST_DOOR_TO_BED_WAIT_H = "last_door_to_bed_wait_h"

    @property
    def label(self) -> str:
        """Return what stands behind the name of the status type in the header of the input's column."""
        return _LABELS[self]

    @property
    def is_hours(self) -> bool:
        """Say whether it is a time in hours, which may have decimals; the others are counts."""
        return self in (NedocsInput.LONGEST_ADMIT_WAIT_H, NedocsInput.LAST_DOOR_TO_BED_WAIT_H)

    @property
    def is_beds(self) -> bool:
        """Say whether the formula divides by it."""
        return self in (NedocsInput.ED_BEDS, NedocsInput.HOSPITAL_BEDS)


_LABELS = {
    NedocsInput.ED_PATIENTS: "ED Patients",
    NedocsInput.ED_BEDS: "ED Beds",
    NedocsInput.ADMITTED_PATIENTS: "Admitted Patients",
    NedocsInput.HOSPITAL_BEDS: "Hospital Beds",
    NedocsInput.VENTILATED_PATIENTS: "Ventilated Patients",
    NedocsInput.LONGEST_ADMIT_WAIT_H: "Longest Admit Wait",
    NedocsInput.LAST_DOOR_TO_BED_WAIT_H: "Last Door to Bed Wait",
}

MOST = 200.0
"""The greatest score that a file may give finished."""

_LEVELS = (
    (20, "not busy", "green"),
    (60, "busy", "yellowgreen"),
    (100, "extremely busy", "yellow"),
    (140, "overcrowded", "orange"),
    (180, "severely overcrowded", "red"),
)
"""Greatest whole score, name and colour of each level but the top one."""
LEVELS = (*(name for _, name, _ in _LEVELS), "dangerously overcrowded / disaster")
COLOURS = (*(colour for _, _, colour in _LEVELS), "darkred")
"""Colours of ``LEVELS``, as CSS names them."""

_NOISE_DECIMALS = 6
"""Arithmetic in binary is off by less; without it 20.45 would be rounded down now and then."""


def scores(inputs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the score of each row, with one decimal.

    :param inputs: a row per score, a column per ``NedocsInput`` in order; numbers of beds are not 0.
    """
    patients, beds, admitted, hospital_beds, ventilated, longest_wait, last_wait = inputs.T
    raw = (
        -20
        + 85.8 * patients / beds
        + 600 * admitted / hospital_beds
        + 13.4 * ventilated
        + 0.93 * longest_wait
        + 5.64 * last_wait
    )
    return _half_up(np.maximum(raw, 0.0) * 10) / 10


def levels(score: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the place in ``LEVELS`` of each score."""
    limits = np.array([limit for limit, _, _ in _LEVELS], dtype=np.float64)
    places: npt.NDArray[np.int64] = np.searchsorted(limits, _half_up(score), side="left")
    return places


def _half_up(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    rounded: npt.NDArray[np.float64] = np.floor(np.round(numbers, _NOISE_DECIMALS) + 0.5)
    return rounded
