"""Judge single values: codes, dates, numbers; what is wrong counts as empty afterwards (K23)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from partner_exchange.feeds.vxu import rules, suite
from partner_exchange.feeds.vxu.cells import Coded, Flags, Places
from partner_exchange.feeds.vxu.code_sets import codes
from partner_exchange.feeds.vxu.found import Found
from partner_exchange.feeds.vxu.piece import Piece
from partner_exchange.feeds.vxu.predicates import when
from partner_exchange.feeds.vxu.rules import CodeRule, FixedRule, Rule

_VALID = 0
_UNEXPECTED = "value-unexpected"
_STAYS = frozenset({"code-deprecated", _UNEXPECTED})
"""Codes of what is wrong with a value that counts all the same."""


@dataclass(frozen=True)
class CodeCount:
    """How often a code was sent."""

    set: str
    code: str
    """"" for all that are not known: they may be any text."""
    count: int


@dataclass(frozen=True)
class _Asked:
    """A rule with the distinct values it has to judge."""

    rule: Rule
    column: Coded
    lines: Flags
    """The lines it is about, also those without a value."""
    values: Places
    """Which distinct values these lines hold, but for the blank one."""

    @property
    def texts(self) -> list[str]:
        found: list[str] = self.column.values.take(self.values).to_pylist()
        return found

    def found(self, code: str, at: Places) -> Found:
        """Return a code about those of ``values``."""
        bad = np.zeros(len(self.column.values), dtype=np.bool_)
        bad[self.values[at]] = True
        lines = np.flatnonzero(self.lines & self.column.spread(bad))
        return Found(code, self.rule.place, lines, self.rule.is_warning)


def judge_codes(piece: Piece) -> tuple[list[Found], list[CodeCount]]:
    """Return what is wrong with codes and fixed values, and how often each code was sent."""
    asked = [_asked(piece, rule) for rule in (*rules.CODES, *rules.FIXED)]
    keys = [f"{_set_of(each.rule)}|{text}" for each in asked for text in each.texts]
    failed = suite.judge_codes(keys, [_known().get(key, _VALID) for key in keys], list(_known()))
    found = list(_found(asked, failed))
    counts = [count for each in asked for count in _counts(each)]
    kept = {(rule.place, suite.UNKNOWN) for rule in rules.CODES if rule.is_kept}
    take_out(piece, [each for each in found if (each.place, each.code) not in kept])
    return found, counts


def judge_dates(piece: Piece) -> list[Found]:
    """Return what is wrong with dates and times."""
    asked = [_asked(piece, rule) for rule in rules.DATES]
    faults = [piece.stamps(each.rule.place).fault[each.values] for each in asked]
    found = list(_found(asked, suite.judge_stamps(np.concatenate(faults))))
    take_out(piece, found)
    return found


def judge_numbers(piece: Piece) -> list[Found]:
    """Return which values are no numbers."""
    found: list[Found] = []
    for pattern in dict.fromkeys(rule.pattern for rule in rules.NUMBERS):
        asked = [_asked(piece, rule) for rule in rules.NUMBERS if rule.pattern == pattern]
        texts = [text for each in asked for text in each.texts]
        found += _found(asked, {suite.NO_NUMBER: suite.judge_numbers(texts, pattern)})
    take_out(piece, found)
    return found


def _asked(piece: Piece, rule: Rule) -> _Asked:
    column = piece.table(rule.place).coded(rule.place)
    lines = piece.is_judged(rule.place)
    if rule.when:
        lines = lines & when(piece, rule.when)
    is_used = np.bincount(column.at[lines], minlength=len(column.values)) > 0
    blank = column.values.index("").as_py()
    if blank >= 0:
        is_used[blank] = False
    return _Asked(rule, column, lines, np.flatnonzero(is_used))


def _found(asked: Sequence[_Asked], failed: Mapping[str, Places]) -> Iterator[Found]:
    """Split what failed in the frame of all rules by rule."""
    ends = np.cumsum([len(each.values) for each in asked])
    for code, places in failed.items():
        of = np.searchsorted(ends, places, side="right")
        for rule in np.unique(of):
            each = asked[rule]
            at = places[of == rule] - (ends[rule] - len(each.values))
            is_fixed = isinstance(each.rule, FixedRule)
            yield each.found(_UNEXPECTED if is_fixed else code, at)


def take_out(piece: Piece, found: Sequence[Found]) -> None:
    """Let the values that something was found about count as empty."""
    for each in found:
        if each.code not in _STAYS:
            table = piece.table(each.place)
            lines = np.zeros(len(table), dtype=np.bool_)
            lines[each.lines] = True
            table.put(each.place, lines, "")


def _set_of(rule: Rule) -> str:
    return rule.set if isinstance(rule, CodeRule) else rule.place


@lru_cache
def _known() -> Mapping[str, int]:
    """Return the number of its state for each known code, by code set and code."""
    known = {f"{rule.place}|{value}": _VALID for rule in rules.FIXED for value in rule.values}
    for name in {rule.set for rule in rules.CODES}:
        for code in codes(name).values():
            known[f"{name}|{code.code}"] = (
                suite.STATES[code.state][0] if code.state in suite.STATES else _VALID
            )
    return known


def _counts(asked: _Asked) -> Iterator[CodeCount]:
    if not isinstance(asked.rule, CodeRule):
        return
    name = asked.rule.set
    counts = np.bincount(asked.column.at[asked.lines], minlength=len(asked.column.values))
    for text, count in zip(asked.texts, counts[asked.values].tolist(), strict=True):
        yield CodeCount(name, text if text in codes(name) else "", count)
