"""Judge NEDOCS: a finished score, or seven inputs from which it is worked out (format page "EMResource").

Where a row has both, the inputs count. Inputs that cannot be used do not keep a sound finished score from
being taken, nor the other way round (K23). Called by ``values.py`` after the single numbers are judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from partner_exchange.feeds.status.filled import FilledCells, Flags, Places, text
from partner_exchange.feeds.status.layout import Layout
from partner_exchange.feeds.status.lines import Lines
from partner_exchange.feeds.status.nedocs import COLOURS, LEVELS, NedocsInput, levels, scores
from partner_exchange.feeds.status.stating import Say, Statements, by_element, failures
from partner_exchange.feeds.status.suite import nedocs_suite

_INPUTS = tuple(NedocsInput)
_TOLERATED = 1.0
"""By so much a finished score may differ from its inputs: partners round, and some wait times are rounded."""
_NOISE_DECIMALS = 6


@dataclass(frozen=True)
class Crowding:
    """The scores of one status type, and what became of the cells."""

    lines: Lines
    to_mend: tuple[Places, Places]
    """Position in the rows and element of inputs that were not taken or are missing."""
    unused: tuple[Places, Places]
    """The same of finished scores for which the inputs count."""


@dataclass(frozen=True)
class _Inputs:
    """The inputs of some rows: arrays of rows by ``NedocsInput``."""

    at: Places
    is_filled: Flags
    number: npt.NDArray[np.float64]
    """NaN where blank, or not taken."""

    @property
    def is_complete(self) -> Flags:
        is_complete: Flags = np.logical_and.reduce(self.is_filled, axis=1)
        return is_complete

    @property
    def is_sound(self) -> Flags:
        is_sound: Flags = np.logical_and.reduce(~np.isnan(self.number), axis=1)
        return is_sound


def judge_crowding(
    layout: Layout, type_: int, numbers: Lines, *, is_struck: Flags, statements: Statements
) -> Crowding:
    """Return the scores of a NEDOCS type.

    :param type_: place of the type in the layout.
    :param numbers: the judged cells of all its columns, ordered by row.
    :param is_struck: cells that the reader found faulty, rows of the grid by elements; they count as filled.
    """
    columns = layout.inputs[type_]
    inputs = _inputs(columns, numbers, is_struck)
    is_score = numbers.element == layout.value[type_]
    finished = numbers.where(is_score & numbers.is_taken)
    worked_out = inputs.at[inputs.is_sound]
    score = scores(inputs.number[inputs.is_sound])
    has_both, in_finished, in_worked_out = np.intersect1d(
        finished.at, worked_out, assume_unique=True, return_indices=True
    )
    differences = finished.number[in_finished] - score[in_worked_out]
    incomplete = _state(layout, type_, inputs, has_both, differences, statements)
    is_unusable = np.isin(inputs.at, incomplete) | ~inputs.is_sound
    at, which = np.nonzero(
        (inputs.is_filled | ~inputs.is_complete[:, None]) & is_unusable[:, None] & (columns >= 0)
    )
    return Crowding(
        _lines(layout, type_, numbers, finished, worked_out, score),
        (inputs.at[at], columns[which]),
        (has_both, np.full(len(has_both), layout.value[type_], dtype=np.int64)),
    )


def _inputs(columns: Places, numbers: Lines, is_struck: Flags) -> _Inputs:
    """Return the inputs of the rows that have any."""
    shape = (len(is_struck), len(_INPUTS))
    is_filled, number = np.zeros(shape, dtype=np.bool_), np.full(shape, np.nan)
    for which, element in enumerate(columns.tolist()):
        if element < 0:
            continue
        is_filled[:, which] = is_struck[:, element]
        is_here = numbers.element == element
        at = numbers.at[is_here]
        is_filled[at, which] = True
        number[at, which] = np.where(numbers.is_taken, numbers.number, np.nan)[is_here]
    at = np.flatnonzero(is_filled.any(axis=1))
    return _Inputs(at, is_filled[at], number[at])


def _state(
    layout: Layout,
    type_: int,
    inputs: _Inputs,
    has_both: Places,
    differences: npt.NDArray[np.float64],
    statements: Statements,
) -> Places:
    """State which inputs are missing and which scores do not fit theirs; return the rows of the former."""
    difference = np.full(len(inputs.at), np.nan)
    difference[np.searchsorted(inputs.at, has_both)] = np.round(np.abs(differences), _NOISE_DECIMALS)
    frame = pd.DataFrame(
        {
            "needed": float(len(_INPUTS)),
            "filled": inputs.is_filled.sum(axis=1).astype(np.float64),
            "difference": difference,
            "tolerated": _TOLERATED,
        }
    )
    found = dict(failures(frame, nedocs_suite()))
    differs = found.get("nedocs-score-differs")
    if differs is not None:
        statements.state(Say("nedocs-score-differs"), inputs.at[differs], int(layout.value[type_]))
    incomplete = found.get("nedocs-inputs-incomplete", np.empty(0, dtype=np.int64))
    patterns = inputs.is_filled[incomplete] @ (1 << np.arange(len(_INPUTS)))
    for pattern, positions in by_element(incomplete, patterns):
        missing = [each for each in range(len(_INPUTS)) if not pattern >> each & 1]
        facts = {"missing": ", ".join(_INPUTS[each].label for each in missing)}
        target = _target(layout.inputs[type_], missing)
        statements.state(Say("nedocs-inputs-incomplete", facts), inputs.at[positions], target)
    return inputs.at[incomplete]


def _target(columns: Places, missing: Sequence[int]) -> int:
    """Return the first missing input that the file has a column for, else the first input that is there."""
    elements = [int(columns[each]) for each in missing if columns[each] >= 0]
    return elements[0] if elements else next(each for each in columns.tolist() if each >= 0)


def _lines(
    layout: Layout,
    type_: int,
    numbers: Lines,
    finished: Lines,
    worked_out: Places,
    score: npt.NDArray[np.float64],
) -> Lines:
    """Return one line for each row with any filled cell."""
    at = np.unique(numbers.at)
    count = len(at)
    sent, made = np.searchsorted(at, finished.at), np.searchsorted(at, worked_out)
    home = int(layout.home[type_])
    first_input = next((each for each in layout.inputs[type_].tolist() if each >= 0), home)
    element = np.full(count, home, dtype=np.int64)
    element[made] = first_input
    number = np.full(count, np.nan)
    number[sent] = finished.number
    number[made] = score
    value = np.full(count, "", dtype=object)
    value[sent] = finished.value.to_pylist()
    value[made] = [format(each, ".1f").removesuffix(".0") for each in score.tolist()]
    is_taken = ~np.isnan(number)
    level = np.where(is_taken, levels(np.where(is_taken, number, 0.0)), len(LEVELS))
    return Lines.of(
        FilledCells(at, element, text(value.tolist())),
        text(value.tolist()),
        is_taken,
        number=number,
        colour=text([*COLOURS, ""]).take(level),
        level=text([*LEVELS, ""]).take(level),
    )
