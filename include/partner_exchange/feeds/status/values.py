"""Judge the values of a status file one by one: what is set, what is to be mended, what is skipped (K23).

Works on the filled cells of all columns at once (``filled.py``). Rules of single cells are Great Expectations
of ``suite.py``; which of them apply is the tenant's catalogue. Called by the feed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from partner_exchange.feeds.status.choices import Choices, judge_choices
from partner_exchange.feeds.status.companions import Companions, judge_companions, judge_orphans
from partner_exchange.feeds.status.crowding import judge_crowding
from partner_exchange.feeds.status.filled import FilledCells, Flags, Places, blanks, fill, is_filled
from partner_exchange.feeds.status.layout import Layout
from partner_exchange.feeds.status.lines import Lines, joined, table
from partner_exchange.feeds.status.numeric import NINES, judge_numbers
from partner_exchange.feeds.status.plain import judge_dates, judge_texts, note_formulas
from partner_exchange.feeds.status.recognise import Recognised, Role
from partner_exchange.feeds.status.stating import Statements
from partner_exchange.readers.grid import Grid
from partner_exchange.readers.marks import Mark
from partner_exchange.tenants.status_policy import StatusPolicy
from partner_exchange.tenants.status_types import NUMERIC_KINDS, StatusKind
from partner_exchange.validation.findings import Severity
from partner_exchange.validation.numbers import parse_numbers
from partner_exchange.validation.wording import severity_of


@dataclass(frozen=True)
class JudgedValues:
    """What became of the filled cells of the rows that are sound by their key."""

    table: pd.DataFrame
    """A line per value to store, by row and element.

    ``at`` (int64): position in ``grid.rows``. ``element`` (int64): place in ``recognised.elements`` of the
    value's column; of a NEDOCS score from inputs, of its first input. ``value`` (str): canonical, "" when not
    applicable. ``number`` (float64): NaN for words. ``colour`` (str): of a Multi status or a NEDOCS level.
    ``level`` (str): of NEDOCS. ``reason`` and ``comment`` (str). ``is_not_applicable`` (bool).
    """
    rejected: pd.DataFrame
    """``at`` and ``element`` of each cell to mend, of any role, and whether it ``is_blank`` (bool).

    Filled cells that were not taken with the comment and the reason beside them, and the blank ones (comment,
    reason, NEDOCS input) for want of which a value was not taken.
    """
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class _Cells:
    """Which cells are what, as rows of the grid by elements."""

    is_struck: Flags
    """The reader found them faulty and said so: they are not taken, and nothing more is said of them."""
    is_filled: Flags
    """Filled and not struck."""

    @classmethod
    def of(cls, grid: Grid, recognised: Recognised) -> _Cells:
        """Return what the grid's cells are."""
        elements = recognised.elements
        is_struck = np.zeros((len(grid.rows), len(elements)), dtype=np.bool_)
        for mark in grid.marks:
            if mark.column and len(mark.rows) and severity_of(mark) is Severity.ERROR:
                is_column = np.array([one.title == mark.column for one in elements])
                is_struck |= np.outer(np.isin(grid.rows, mark.rows), is_column)
        filled = np.column_stack([is_filled(grid.columns[one.position]) for one in elements])
        return cls(is_struck, filled & ~is_struck)


def judge_values(grid: Grid, recognised: Recognised, *, policy: StatusPolicy) -> JudgedValues:
    """Return what became of the values of the file, also in rows that are rejected for their key.

    A partner so hears of everything at once.

    :raises SuiteBroken: an expectation raised instead of judging.
    """
    elements = recognised.elements
    layout = Layout.of(elements)
    cells = _Cells.of(grid, recognised)
    statements = Statements(grid.rows, [one.title for one in elements])
    return _Judging(grid, recognised, policy, layout, cells, statements).result()


@dataclass
class _Judging:
    """One file on its way through the judging of its values."""

    grid: Grid
    recognised: Recognised
    policy: StatusPolicy
    layout: Layout
    cells: _Cells
    statements: Statements

    def __post_init__(self) -> None:
        self.filled = fill(self.grid, self.recognised.elements, self.cells.is_filled)
        self.is_to_mend = self.cells.is_struck.copy()
        self.is_left_out = np.zeros_like(self.is_to_mend)

    def result(self) -> JudgedValues:
        """Return what became of the values."""
        note_formulas(self._words(), statements=self.statements)
        choices = Choices.of(self.recognised.elements)
        lines = joined([*self._numbers(), *self._others(choices)])
        companions = self._companions(lines, choices)
        lines = lines.but_not(companions.is_refused)
        self._settle(lines, companions)
        at, element = np.nonzero(self.is_to_mend)
        is_blank = ~(self.cells.is_filled | self.cells.is_struck)
        is_taken = pa.array(lines.is_taken)
        return JudgedValues(
            table(
                lines.where(lines.is_taken),
                companions.reason.filter(is_taken),
                companions.comment.filter(is_taken),
            ),
            pd.DataFrame({"at": at, "element": element, "is_blank": is_blank[at, element]}),
            tuple(self.statements.marks),
        )

    @property
    def _is_cdc(self) -> bool:
        return self.recognised.template.nine_means_not_applicable

    def _words(self) -> FilledCells:
        is_word = self.layout.has_role(Role.COMMENT, Role.REASON) | self.layout.is_value_of(StatusKind.TEXT)
        return self.filled.where(is_word[self.filled.element])

    def _numbers(self) -> Iterator[Lines]:
        is_number = self.layout.is_value_of(*NUMERIC_KINDS) | self.layout.has_role(Role.NEDOCS_INPUT)
        numbers = judge_numbers(
            self.filled.where(is_number[self.filled.element]),
            self.recognised.elements,
            policy=self.policy,
            is_cdc=self._is_cdc,
            statements=self.statements,
        )
        self.is_to_mend[numbers.at[~numbers.is_taken], numbers.element[~numbers.is_taken]] = True
        type_of = self.layout.type_of[numbers.element]
        is_plain = np.ones(len(numbers), dtype=np.bool_)
        for type_, one in enumerate(self.layout.types):
            if one.kind is StatusKind.NEDOCS:
                is_plain &= type_of != type_
                yield self._crowding(type_, numbers.where(type_of == type_))
        yield numbers.where(is_plain)

    def _crowding(self, type_: int, numbers: Lines) -> Lines:
        crowding = judge_crowding(
            self.layout, type_, numbers, is_struck=self.cells.is_struck, statements=self.statements
        )
        self.is_to_mend[crowding.to_mend] = True
        self.is_left_out[crowding.unused] = True
        return crowding.lines

    def _others(self, choices: Choices) -> Iterator[Lines]:
        kinds = (StatusKind.MULTI, StatusKind.TEXT, StatusKind.DATE)
        cells = self.filled.where(self.layout.is_value_of(*kinds)[self.filled.element])
        if self._is_cdc:
            is_nines = parse_numbers(cells.text).number == NINES
            yield _not_applicable(cells.where(is_nines))
            cells = cells.where(~is_nines)
        multi, texts, dates = (cells.where(self.layout.is_value_of(kind)[cells.element]) for kind in kinds)
        elements, statements = self.recognised.elements, self.statements
        if len(multi):
            yield judge_choices(multi, elements, choices, statements=statements)
        if len(texts):
            yield judge_texts(texts, elements, statements=statements)
        if len(dates):
            yield judge_dates(dates, table_format=self.grid.format, statements=statements)

    def _companions(self, lines: Lines, choices: Choices) -> Companions:
        if not self.recognised.template.takes_whole_catalogue:
            return Companions.none(len(lines))
        cells = self.filled.where(self.layout.has_role(Role.COMMENT, Role.REASON)[self.filled.element])
        has_value = self._has_value()[cells.at, self.layout.type_of[cells.element]]
        is_orphan = judge_orphans(cells, has_value, statements=self.statements)
        self.is_left_out[cells.at[is_orphan], cells.element[is_orphan]] = True
        return judge_companions(
            self.grid,
            self.layout,
            lines,
            choices.statuses,
            is_struck=self.cells.is_struck,
            statements=self.statements,
        )

    def _has_value(self) -> Flags:
        """Return for each row and status type whether the row holds a value for it, sound or not."""
        is_value = self.layout.has_role(Role.VALUE, Role.NEDOCS_INPUT)
        at, element = np.nonzero((self.cells.is_filled | self.cells.is_struck) & is_value)
        return self._by_type(at, self.layout.type_of[element])

    def _by_type(self, at: Places, type_: Places) -> Flags:
        result = np.zeros((len(self.grid.rows), len(self.layout.types)), dtype=np.bool_)
        result[at, type_] = True
        return result

    def _is_taken(self, lines: Lines) -> Flags:
        taken = lines.where(lines.is_taken)
        return self._by_type(taken.at, self.layout.type_of[taken.element])

    def _settle(self, lines: Lines, companions: Companions) -> None:
        """Mark what goes with a value that is not taken, and what is left out."""
        type_ = self.layout.type_of[lines.element]
        for is_there, column, target in (
            (companions.is_comment_missing, self.layout.comment, self.is_to_mend),
            (companions.is_reason_missing, self.layout.reason, self.is_to_mend),
            (companions.is_comment_ignored, self.layout.comment, self.is_left_out),
        ):
            of_line = column[type_]
            is_there = is_there & (of_line >= 0)
            target[lines.at[is_there], of_line[is_there]] = True
        is_refused = self._has_value() & ~self._is_taken(lines)
        goes_with_it = self.cells.is_filled & is_refused[:, self.layout.type_of]
        self.is_to_mend |= goes_with_it & ~self.is_left_out


def _not_applicable(cells: FilledCells) -> Lines:
    every = np.ones(len(cells), dtype=np.bool_)
    return Lines.of(cells, blanks(len(cells)), every, is_not_applicable=every)
