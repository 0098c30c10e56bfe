"""Judge rules that two numbers decide, all lines of all rules in one long frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from partner_exchange.feeds.vxu import suite
from partner_exchange.feeds.vxu.cells import Places
from partner_exchange.feeds.vxu.dates import Numbers
from partner_exchange.feeds.vxu.found import Found
from partner_exchange.feeds.vxu.measures import measure
from partner_exchange.feeds.vxu.piece import Piece, table_of
from partner_exchange.feeds.vxu.predicates import when
from partner_exchange.feeds.vxu.rules import Comparison, Forbidden, Limit, Required

_VOID = frozenset(
    {
        "value-not-allowed",
        "refusal-inconsistent",
        "date-in-future",
        "date-too-long-ago",
        "amount-not-positive",
    }
)


def compare(piece: Piece, rules: Sequence[Comparison]) -> list[Found]:
    """Return the lines that break a rule, for each rule that some line breaks."""
    lines = [_lines(piece, rule) for rule in rules]
    pairs = [_pair(piece, rule, asked) for rule, asked in zip(rules, lines, strict=True)]
    first, second = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
    failed = suite.judge_order(pd.DataFrame({"first": first, "second": second}))
    ends = np.cumsum([len(asked) for asked in lines])
    of = np.searchsorted(ends, failed, side="right")
    return [
        _found(rules[at], lines[at][failed[of == at] - (ends[at] - len(lines[at]))]) for at in np.unique(of)
    ]


def voided(found: Sequence[Found]) -> list[Found]:
    """Return what lets a value count as empty: it must not be there, or cannot be that."""
    return [each for each in found if each.code in _VOID]


def _lines(piece: Piece, rule: Comparison) -> Places:
    lines = piece.is_judged(rule.place)
    return np.flatnonzero(lines & when(piece, rule.when) if rule.when else lines)


def _pair(piece: Piece, rule: Comparison, lines: Places) -> tuple[Numbers, Numbers]:
    zeros, ones = np.zeros(len(lines)), np.ones(len(lines))
    if isinstance(rule, Limit):
        table = table_of(rule.place)
        return measure(piece, rule.first, table)[lines], measure(piece, rule.second, table)[lines]
    if isinstance(rule, Required):
        return ones, piece.table(rule.place).is_filled(rule.place)[lines].astype(np.float64)
    if isinstance(rule, Forbidden):
        return piece.table(rule.place).is_filled(rule.place)[lines].astype(np.float64), zeros
    return ones, zeros


def _found(rule: Comparison, lines: Places) -> Found:
    return Found(rule.code, rule.place, lines, rule.is_warning)
