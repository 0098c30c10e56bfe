"""Judge the cells of Text and Date types, and the words of any role that could be a formula (E21).

Called by ``values.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from partner_exchange.feeds.status.day_cells import day_cells
from partner_exchange.feeds.status.filled import FilledCells, blanked, text
from partner_exchange.feeds.status.lines import Lines
from partner_exchange.feeds.status.recognise import ElementColumn
from partner_exchange.feeds.status.stating import Say, Statements, by_element, failures
from partner_exchange.feeds.status.suite import date_suite, text_suite, words_suite
from partner_exchange.readers.grid import TableFormat
from partner_exchange.validation.moments import read_days


def judge_texts(cells: FilledCells, elements: Sequence[ElementColumn], *, statements: Statements) -> Lines:
    """Return a line per cell; a text is taken as it is, up to its greatest length."""
    limits = np.array([one.status_type.max_characters for one in elements], dtype=np.float64)
    frame = pd.DataFrame(
        {
            "characters": pc.utf8_length(cells.text).to_numpy().astype(np.float64),
            "limit": limits[cells.element],
        }
    )
    is_taken = np.ones(len(cells), dtype=np.bool_)
    for code, failed in failures(frame, text_suite()):
        is_taken[failed] = False
        for element, positions in by_element(failed, cells.element[failed]):
            say = Say(code, {"limit": elements[element].status_type.max_characters})
            statements.state(say, cells.at[positions], element)
    return Lines.of(cells, cells.text, is_taken)


def judge_dates(cells: FilledCells, *, table_format: TableFormat, statements: Statements) -> Lines:
    """Return a line per cell, with the day as YYYY-MM-DD."""
    cells = replace(cells, text=day_cells(cells.text, table_format))
    distinct = cells.distinct(np.zeros(int(cells.element.max()) + 1, dtype=np.int64))
    is_taken = np.ones(len(cells), dtype=np.bool_)
    frame = pd.DataFrame({"text": distinct.text.to_pandas()})
    for code, failed in failures(frame, date_suite(), distinct.place):
        is_taken[failed] = False
        for element, positions in by_element(failed, cells.element[failed]):
            statements.state(Say(code), cells.at[positions], element)
    days = read_days(pa.chunked_array([distinct.text])).day
    return Lines.of(cells, _iso(days).take(pa.array(distinct.place)), is_taken)


def _iso(days: npt.NDArray[np.datetime64]) -> pa.LargeStringArray:
    is_none = np.isnat(days)
    return blanked(text(days.astype("str").tolist()), is_none)


def note_formulas(cells: FilledCells, *, statements: Statements) -> None:
    """State which words start like a formula; they are taken as text all the same."""
    frame = pd.DataFrame({"text": cells.text.to_pandas()})
    for code, failed in failures(frame, words_suite()):
        for element, positions in by_element(failed, cells.element[failed]):
            statements.state(Say(code), cells.at[positions], element)
