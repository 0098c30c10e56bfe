"""Judge the cells that hold numbers: Number, Saturation Score, NEDOCS and its inputs (E21-E23).

Called by ``values.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from partner_exchange.feeds.status import nedocs
from partner_exchange.feeds.status.filled import FilledCells, Places, Text, blanked, flags, ruled
from partner_exchange.feeds.status.lines import Lines
from partner_exchange.feeds.status.recognise import ElementColumn
from partner_exchange.feeds.status.stating import Say, Statements, by_element, failures
from partner_exchange.feeds.status.suite import number_suite
from partner_exchange.readers.values import number_text
from partner_exchange.tenants.status_policy import StatusPolicy
from partner_exchange.tenants.status_types import StatusKind
from partner_exchange.validation.numbers import EXACT_DIGITS, parse_numbers

NINES = 9999
NOT_A_NUMBER = "number-not-a-number"
SCORE_DECIMALS = 6
"""Of scores and hours; the store keeps computed numbers with as many."""

_BETWEEN_THOUSANDS = r" '\x{a0}\x{2009}\x{2019}\x{202f}"
_NEAR_NUMBERS = {
    "number-with-blanks": rf"\A[+-]?[0-9]{{1,3}}(?:[{_BETWEEN_THOUSANDS}][0-9]{{3}})+(?:[.,][0-9]+)?\z",
    "number-decimal-comma": r"\A[+-]?[0-9]+(?:\.[0-9]{3})*,[0-9]+\z",
}
"""Texts that are no numbers, but nearly: there is more to say of them. In the syntax of RE2."""
_WITHOUT_DIGITS = r"\A[^0-9]*\z"


@dataclass(frozen=True)
class NumberRule:
    """What is asked of the numbers of a column; None where nothing is."""

    decimals: int = SCORE_DECIMALS
    minimum: float | None = 0.0
    maximum: float | None = None
    doubtful: int | None = None
    """The greatest count that CDC does not doubt."""
    may_be_nines: bool = False
    """Whether 9999 is a number as any other."""
    may_be_zero: bool = True

    @classmethod
    def of(cls, one: ElementColumn, policy: StatusPolicy, *, is_cdc: bool) -> NumberRule:
        """Return the rule of a column."""
        if one.nedocs_input:
            decimals = SCORE_DECIMALS if one.nedocs_input.is_hours else 0
            return cls(decimals, may_be_zero=not one.nedocs_input.is_beds)
        kind, type_ = one.status_type.kind, one.status_type
        if kind is StatusKind.NEDOCS:
            return cls(maximum=nedocs.MOST)
        if kind is StatusKind.SATURATION_SCORE:
            return cls()
        doubtful = policy.max_count if is_cdc else None
        may_be_nines = type_.takes_9999 and not is_cdc
        return cls(type_.decimals, type_.minimum, type_.maximum, doubtful, may_be_nines)


def judge_numbers(
    cells: FilledCells,
    elements: Sequence[ElementColumn],
    *,
    policy: StatusPolicy,
    is_cdc: bool,
    statements: Statements,
) -> Lines:
    """Return a line per cell, also of the inputs of NEDOCS; each distinct number of a rule is judged once.

    :param is_cdc: whether 9999 means "not applicable" (E23).
    """
    rules, rule_of_element = ruled(elements, lambda one: NumberRule.of(one, policy, is_cdc=is_cdc))
    distinct = cells.distinct(rule_of_element)
    numbers = parse_numbers(distinct.text)
    limits = _limits(rules, is_cdc=is_cdc)
    is_nines = (numbers.number == NINES) & ~np.array([rule.may_be_nines for rule in rules])[distinct.rule]
    frame = pd.DataFrame(
        {
            "text": distinct.text.to_pandas(),
            "number": np.where(is_nines, np.nan, numbers.number),
            "written": numbers.number,
            "decimals": numbers.decimals,
            "digits": numbers.digits,
            **{name: limit[distinct.rule] for name, limit in limits.items()},
        }
    )
    is_taken = np.ones(len(cells), dtype=np.bool_)
    asked = [name for name, limit in limits.items() if not np.isnan(limit).all()]
    for code, failed in failures(frame, number_suite(asked), distinct.place):
        for each, same in _worded(code, failed, distinct.text, distinct.place[failed], is_cdc=is_cdc):
            for element, positions in by_element(same, cells.element[same]):
                say = _say(each, elements[element], rules[rule_of_element[element]], policy)
                if statements.state(say, cells.at[positions], element):
                    is_taken[positions] = False
    if not is_cdc:
        is_nines[:] = False
    return Lines.of(
        cells,
        blanked(numbers.value, is_nines).take(distinct.place),
        is_taken,
        number=np.where(is_nines, np.nan, numbers.number)[distinct.place],
        is_not_applicable=is_nines[distinct.place],
    )


def _worded(
    code: str, failed: Places, texts: Text, place: Places, *, is_cdc: bool
) -> Iterator[tuple[str, Places]]:
    """Return the code to state of each of the failed cells; what is no number is told apart by its form.

    :param place: place of each of the failed cells in ``texts``.
    """
    if code != NOT_A_NUMBER:
        yield code, failed
        return
    sent = texts.take(pa.array(place))
    forms = _NEAR_NUMBERS | ({"count-in-words": _WITHOUT_DIGITS} if is_cdc else {})
    is_left = np.ones(len(failed), dtype=np.bool_)
    for near, pattern in forms.items():
        is_near = flags(pc.match_substring_regex(sent, pattern)) & is_left
        is_left &= ~is_near
        yield near, failed[is_near]
    yield code, failed[is_left]


def _limits(rules: Sequence[NumberRule], *, is_cdc: bool) -> Mapping[str, npt.NDArray[np.float64]]:
    """Return the limits by rule, NaN where there is none."""

    def of(values: list[float | None]) -> npt.NDArray[np.float64]:
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)

    return {
        "most_digits": of([EXACT_DIGITS for _ in rules]),
        "most_decimals": of([rule.decimals for rule in rules]),
        "minimum": of([rule.minimum for rule in rules]),
        "maximum": of([rule.maximum for rule in rules]),
        "doubtful": of([rule.doubtful for rule in rules]),
        "nines": of([None if is_cdc or rule.may_be_nines else NINES for rule in rules]),
        "zero_beds": of([None if rule.may_be_zero else 0.0 for rule in rules]),
    }


def _say(code: str, one: ElementColumn, rule: NumberRule, policy: StatusPolicy) -> Say:
    if code == "number-too-precise":
        return Say(code, {"decimals": rule.decimals}) if rule.decimals else Say("number-not-whole")
    if code == "number-above-maximum" and one.status_type.kind is StatusKind.NEDOCS:
        return Say("nedocs-above-200")
    facts: dict[str, dict[str, str | int]] = {
        "number-too-long": {"limit": EXACT_DIGITS},
        "number-below-minimum": {"minimum": number_text(rule.minimum or 0.0)},
        "number-above-maximum": {"maximum": number_text(rule.maximum or 0.0)},
        "count-doubtful": {"limit": policy.max_count},
    }
    warnings = {
        "number-above-maximum": one.status_type.above_maximum == "warn",
        "count-doubtful": policy.above_max_count == "warn",
    }
    return Say(code, facts.get(code, {}), warnings.get(code, False))
