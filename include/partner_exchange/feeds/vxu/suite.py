"""The rules of immunization messages as Great Expectations over long frames, four suites for all of them.

Rules are lines of ``rules.py``; what they are about is put below each other, each distinct value once, so
that a handful of expectations judges hundreds of columns. Whose rule a line is, whoever made it knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from partner_exchange.feeds.vxu.cells import Places
from partner_exchange.feeds.vxu.code_sets import State
from partner_exchange.feeds.vxu.dates import StampFault
from partner_exchange.validation.runner import PIECE_ROWS, Stated, failed_rows, quiet

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

STATES: Mapping[State, tuple[int, str]] = {
    State.INVALID: (1, "code-invalid"),
    State.IGNORED: (2, "code-ignored"),
    State.DEPRECATED: (3, "code-deprecated"),
}
"""Number in the frame and code of each state that is not simply valid."""
STAMP_CODES: Mapping[StampFault, str] = {
    StampFault.NOT_OF_TYPE: "value-not-of-type",
    StampFault.NO_SUCH_DAY: "no-such-day",
    StampFault.NOT_PRECISE: "value-not-precise",
}
UNKNOWN = "code-unknown"
NO_NUMBER = "value-not-a-number"
_ABOVE = "first-above-second"


def judge_codes(keys: Sequence[str], states: Sequence[int], known: Sequence[str]) -> dict[str, Places]:
    """Return which of the ``keys`` (code set and code) are not ``known``, or of a state of ``STATES``."""
    quiet()
    from partner_exchange.validation.expectations import ExpectCellsToBeKnown
    from partner_exchange.validation.value_expectations import ExpectFirstNotToBeSecond

    frame = pd.DataFrame({"key": pd.Series(keys, dtype="str"), "state": np.array(states, dtype=np.float64)})
    suite: list[Expectation] = [
        ExpectCellsToBeKnown(column="key", known=list(known), meta=Stated(UNKNOWN, "key").meta)
    ]
    for number, code in STATES.values():
        frame[code] = float(number)
        suite.append(
            ExpectFirstNotToBeSecond(column_A="state", column_B=code, meta=Stated(code, "state").meta)
        )
    return _failed(frame, suite)


def judge_stamps(faults: Places) -> dict[str, Places]:
    """Return the dates with each fault, by its code; ``faults`` are those of ``Stamps``."""
    quiet()
    from partner_exchange.validation.value_expectations import ExpectFirstNotToBeSecond

    frame = pd.DataFrame({"fault": faults.astype(np.float64)})
    suite: list[Expectation] = []
    for fault, code in STAMP_CODES.items():
        frame[code] = float(fault)
        suite.append(
            ExpectFirstNotToBeSecond(column_A="fault", column_B=code, meta=Stated(code, "fault").meta)
        )
    return _failed(frame, suite)


def judge_numbers(texts: Sequence[str], pattern: str) -> Places:
    """Return which filled texts are no number of the pattern."""
    quiet()
    from partner_exchange.validation.expectations import ExpectCellsToMatch

    frame = pd.DataFrame({"text": pd.Series(texts, dtype="str")})
    suite: list[Expectation] = [
        ExpectCellsToMatch(column="text", pattern=pattern, meta=Stated(NO_NUMBER, "text").meta)
    ]
    return _failed(frame, suite)[NO_NUMBER]


def judge_order(frame: pd.DataFrame) -> Places:
    """Return the lines whose number ``first`` is above ``second``; NaN on either side is in order."""
    quiet()
    from partner_exchange.validation.value_expectations import ExpectFirstNotAboveSecond

    suite: list[Expectation] = [
        ExpectFirstNotAboveSecond(column_A="first", column_B="second", meta=Stated(_ABOVE, "first").meta)
    ]
    return _failed(frame, suite)[_ABOVE]


def _failed(frame: pd.DataFrame, suite: Sequence[Expectation]) -> dict[str, Places]:
    # Below the size at which the runner collects garbage: no list here is long enough to be worth it.
    found = failed_rows(frame, suite, rows=np.arange(len(frame)), piece_rows=PIECE_ROWS - 1)
    return {(each.meta or {})["code"]: rows for each, rows in zip(suite, found, strict=True)}
