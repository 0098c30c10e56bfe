"""Judge the cells of Multi types: one status of the list, in any case, that is still in use (E21).

Called by ``values.py``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from partner_exchange.feeds.nearest import nearest
from partner_exchange.feeds.status.filled import Distinct, FilledCells, Flags, Places, Text, ruled, text
from partner_exchange.feeds.status.lines import Lines
from partner_exchange.feeds.status.recognise import ElementColumn
from partner_exchange.feeds.status.stating import Say, Statements, by_element, failures
from partner_exchange.feeds.status.suite import choice_suite
from partner_exchange.tenants.status_types import MultiStatus

_BETWEEN = re.compile(r"[;,/|\n]")
"""What may stand between two statuses in one cell; some names hold such a sign themselves, such as N/A."""


@dataclass(frozen=True)
class Choices:
    """The statuses that the Multi columns of a file may take, one list behind the other."""

    statuses: tuple[MultiStatus, ...]
    rule_of_element: Places
    by_name: Sequence[Mapping[str, int]]
    """For each list: place in ``statuses`` by name without case."""

    @classmethod
    def of(cls, elements: Sequence[ElementColumn]) -> Choices:
        """Return what the columns may take; columns with the same list share it."""
        lists, rule_of_element = ruled(elements, lambda one: one.status_type.statuses)
        statuses: list[MultiStatus] = []
        by_name = []
        for each in lists:
            by_name.append({one.name.casefold(): len(statuses) + at for at, one in enumerate(each)})
            statuses += each
        return cls(tuple(statuses), rule_of_element, by_name)


def judge_choices(
    cells: FilledCells, elements: Sequence[ElementColumn], choices: Choices, *, statements: Statements
) -> Lines:
    """Return a line per cell; ``status`` is -1 where the cell names no status, or several."""
    distinct = cells.distinct(choices.rule_of_element)
    texts = [each.casefold() for each in distinct.text.to_pylist()]
    rules = distinct.rule.tolist()
    found = np.array(
        [choices.by_name[rule].get(each, -1) for rule, each in zip(rules, texts, strict=True)], dtype=np.int64
    )
    frame = _frame(found, texts, rules, choices)
    is_unknown = (frame["status"] == "none").to_numpy()
    nearest_of, offers = _suggestions(is_unknown, distinct, choices)
    is_taken = np.ones(len(cells), dtype=np.bool_)
    known = [str(at) for at in range(len(choices.statuses))]
    active = [str(at) for at, status in enumerate(choices.statuses) if status.active]
    for code, failed in failures(frame, choice_suite(known, active), distinct.place):
        is_taken[failed] = False
        for element, positions in by_element(failed, cells.element[failed]):
            for offer, part in by_element(positions, nearest_of[distinct.place[positions]]):
                say = Say(code, {"nearest": offers[offer]} if offer >= 0 else {})
                statements.state(say, cells.at[part], element)
    status = found[distinct.place]
    return Lines.of(
        cells,
        _of_status(status, [one.name for one in choices.statuses]),
        is_taken,
        colour=_of_status(status, [one.colour for one in choices.statuses]),
        status=status,
    )


def _of_status(status: Places, values: Sequence[str]) -> Text:
    """Return the value of each status; "" of none."""
    return text([*values, ""]).take(pa.array(np.where(status < 0, len(values), status)))


def _frame(found: Places, texts: Sequence[str], rules: Sequence[int], choices: Choices) -> pd.DataFrame:
    """Return the frame of ``choice_suite``; a status goes by its place."""
    named = np.ones(len(found))
    for at in np.flatnonzero(found < 0).tolist():
        parts = (part.strip() for part in _BETWEEN.split(texts[at]))
        named[at] = sum(part in choices.by_name[rules[at]] for part in parts)
    is_known = found >= 0
    places = pd.Series(found).astype("str")
    return pd.DataFrame(
        {
            "status": places.where(is_known, "none").where(named < 2, ""),
            "known_status": places.where(is_known, ""),
            "named": named,
            "one": 1.0,
        }
    )


def _suggestions(is_unknown: Flags, distinct: Distinct, choices: Choices) -> tuple[Places, list[str]]:
    """Return the place of the nearest status in use for each unknown text, -1 where nothing is near.

    What is suggested are names of the catalogue, never what was sent.
    """
    nearest_of = np.full(len(is_unknown), -1, dtype=np.int64)
    offers: list[str] = []
    for rule, by_name in enumerate(choices.by_name):
        unknown = np.flatnonzero(is_unknown & (distinct.rule == rule))
        known = [choices.statuses[at].name for at in by_name.values() if choices.statuses[at].active]
        texts = distinct.text.take(unknown).to_pylist()
        near = nearest(texts, known)
        for at, each in zip(unknown.tolist(), texts, strict=True):
            if each in near:
                if near[each] not in offers:
                    offers.append(near[each])
                nearest_of[at] = offers.index(near[each])
    return nearest_of, offers
