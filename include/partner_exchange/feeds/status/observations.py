"""From judged rows and values to what is loaded, what is to be mended, and the counts of both (E21, K23)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from partner_exchange.feeds.status.period import judge_period
from partner_exchange.feeds.status.recognise import Recognised, Role
from partner_exchange.feeds.status.rows import JudgedRows
from partner_exchange.feeds.status.rules import RuleVerdict, judge_rules
from partner_exchange.feeds.status.source import AS_SENT, HEADER_MARK, Source
from partner_exchange.feeds.status.values import JudgedValues
from partner_exchange.ledger.columns import ColumnOutcome
from partner_exchange.readers.cells import as_cells
from partner_exchange.readers.grid import Grid
from partner_exchange.readers.marks import Mark
from partner_exchange.tenants.model import Tenant

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Judged:
    """A recognised table with its judged rows and values."""

    grid: Grid
    recognised: Recognised
    rows: JudgedRows
    values: JudgedValues
    rules: RuleVerdict

    @property
    def elements(self) -> npt.NDArray[np.int64]:
        """Return the number of the status type of each element."""
        return np.array([one.status_type.id for one in self.recognised.elements], dtype=np.int64)


def apply_rules(
    grid: Grid, recognised: Recognised, rows: JudgedRows, values: JudgedValues, *, tenant: Tenant
) -> RuleVerdict:
    """Judge the values that are sound by themselves: by the rules between columns, and by their period."""
    valued = {one.status_type.id: one.title for one in recognised.elements if one.role is Role.VALUE}
    ids = np.array(list(valued), dtype=np.int64)
    of_element = np.array([one.status_type.id for one in recognised.elements], dtype=np.int64)
    numbers = np.full((len(grid.rows), len(ids)), np.nan)
    place_of = {status_type_id: place for place, status_type_id in enumerate(ids.tolist())}
    # A score from its inputs has no column of its own, and takes part in no rule.
    place_of_element = np.array(
        [place_of.get(one.status_type.id, -1) for one in recognised.elements], dtype=np.int64
    )
    places = place_of_element[values.table["element"].to_numpy()]
    has_place = places >= 0
    at = values.table["at"].to_numpy()[has_place]
    numbers[at, places[has_place]] = values.table["number"].to_numpy(dtype=np.float64)[has_place]
    frame = pd.DataFrame(numbers, columns=ids.tolist())
    rejected = pd.DataFrame(
        {
            "at": values.rejected["at"].to_numpy(dtype=np.int64),
            "status_type_id": of_element[values.rejected["element"].to_numpy(dtype=np.int64)],
        }
    )
    between = judge_rules(recognised.template, frame, rows=grid.rows, titles=valued, rejected=rejected)
    period = judge_period(recognised, rows, values, rows=grid.rows, tenant=tenant)
    return RuleVerdict(
        (*between.marks, *period.marks), pd.concat([between.rejected, period.rejected], ignore_index=True)
    )


def observations(judged: Judged) -> tuple[pd.DataFrame, list[Mark]]:
    """Return the lines to load, in the form that ``stores.statuses.merge`` takes, and what was superseded.

    A value that takes part in a broken rule is left out: the values contradict each other, and nobody can
    tell which is wrong. Of two rows about one resource and time the later one counts, value by value.
    """
    table = judged.values.table
    at = table["at"].to_numpy()
    element = table["element"].to_numpy()
    type_id = judged.elements[element].astype(np.int32)
    titles = np.array([one.title for one in judged.recognised.elements], dtype=object)
    lines = pd.DataFrame(
        {
            "row": judged.grid.rows[at],
            "resource_id": as_cells(judged.rows.resource_id).take(pa.array(at)).to_pandas(),
            "status_type_id": type_id,
            **{
                name: table[name].array
                for name in ("value", "number", "colour", "level", "reason", "comment", "is_not_applicable")
            },
            "reported_at": pd.Series(judged.rows.reported_at[at]).dt.tz_localize("UTC"),
            "is_stated": judged.rows.is_stated[at],
            "column": pd.Series(titles[element], dtype="str"),
        }
    )
    lines = lines[~judged.rows.is_bad[at] & ~_is_ruled_out(at, type_id, judged.rules)]
    is_superseded = lines.duplicated(["resource_id", "status_type_id", "reported_at"], keep="last")
    marks = []
    if is_superseded.any():
        superseded = np.unique(lines.loc[is_superseded, "row"].to_numpy(dtype=np.int64))
        marks.append(Mark("row-superseded", "", superseded))
        lines = lines[~is_superseded]
    return lines.sort_values("row", kind="stable", ignore_index=True), marks


def _is_ruled_out(at: npt.NDArray[np.int64], type_id: npt.NDArray[np.int32], rules: RuleVerdict) -> Flags:
    if rules.rejected.empty:
        return np.zeros(len(at), dtype=np.bool_)
    out = _keys(rules.rejected["at"].to_numpy(), rules.rejected["status_type_id"].to_numpy())
    return np.isin(_keys(at, type_id), out)


def _keys(at: npt.NDArray[np.int64], type_id: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    return at.astype(np.int64) << 32 | type_id.astype(np.int64)


def rejected_cells(judged: Judged) -> Flags:
    """Return which cells of the table were not taken: rows by columns of the file."""
    is_rejected = np.zeros((len(judged.grid.rows), len(judged.grid.header)), dtype=np.bool_)
    position = np.array([one.position for one in judged.recognised.elements], dtype=np.int64)
    rejected = judged.values.rejected
    is_rejected[rejected["at"].to_numpy(), position[rejected["element"].to_numpy()]] = True
    by_type: Mapping[int, int] = {
        one.status_type.id: one.position for one in judged.recognised.elements if one.role is Role.VALUE
    }
    ruled = judged.rules.rejected
    columns = [by_type[one] for one in ruled["status_type_id"].tolist()]
    is_rejected[ruled["at"].to_numpy(), columns] = True
    is_element = np.zeros(len(judged.grid.header), dtype=np.bool_)
    is_element[position] = True
    is_rejected |= np.outer(judged.rows.is_bad, is_element) & _filled(judged.grid)
    return is_rejected


def _filled(grid: Grid) -> Flags:
    if not len(grid.rows):
        return np.zeros((0, len(grid.header)), dtype=np.bool_)
    return np.column_stack(
        [pc.greater(pc.binary_length(cells), 0).to_numpy(zero_copy_only=False) for cells in grid.columns]
    )


def is_row_rejected(judged: Judged, lines: pd.DataFrame, cells: Flags) -> Flags:
    """Return which rows are rejected: bad by their key, or with values of which none could be taken."""
    has_rejected = cells.any(axis=1)
    is_taken = np.isin(judged.grid.rows, lines["row"].to_numpy(dtype=np.int64))
    is_superseded = np.zeros(len(judged.grid.rows), dtype=np.bool_)
    is_superseded[judged.values.table["at"].to_numpy()] = True
    is_superseded &= ~has_rejected
    flags: Flags = judged.rows.is_bad | (has_rejected & ~is_taken & ~is_superseded)
    return flags


def to_mend(judged: Judged, cells: Flags) -> pd.DataFrame:
    """Return the rows with something to mend: key cells as sent, of the others only those not taken."""
    grid = judged.grid
    keys = sorted(judged.recognised.keys.values())
    shown = [at for at in range(len(grid.header)) if at in keys or cells[:, at].any()]
    is_shown = cells.any(axis=1) | judged.rows.is_bad
    frame = pd.DataFrame({"row": grid.rows[is_shown]})
    mask = pa.array(is_shown)
    for at in shown:
        text = grid.columns[at].filter(mask)
        if at not in keys:
            text = pc.if_else(pa.array(cells[is_shown, at]), text, pa.scalar("", pa.large_string()))
        frame[HEADER_MARK + grid.header[at]] = text.to_pandas().to_numpy()
    frame[AS_SENT] = ""
    if not len(grid.faulty_rows):
        return Source.of(grid).keep_in(frame)
    faulty = pd.DataFrame({"row": grid.faulty_rows, AS_SENT: grid.faulty_text.to_pandas()})
    together = pd.concat([frame, faulty], ignore_index=True).fillna("")
    return Source.of(grid).keep_in(together.sort_values("row", kind="stable", ignore_index=True))


def _blank_to_mend(judged: Judged) -> Flags:
    """Return which cells are blank and must be filled before a value beside them can be taken."""
    is_blank = np.zeros((len(judged.grid.rows), len(judged.grid.header)), dtype=np.bool_)
    position = np.array([one.position for one in judged.recognised.elements], dtype=np.int64)
    blank = judged.values.rejected[judged.values.rejected["is_blank"].to_numpy(dtype=np.bool_)]
    is_blank[blank["at"].to_numpy(), position[blank["element"].to_numpy()]] = True
    return is_blank


def column_outcomes(judged: Judged, lines: pd.DataFrame, cells: Flags) -> tuple[ColumnOutcome, ...]:
    """Return how many values of each column were rejected, and how many skipped.

    Every row of the table is counted once per column of values: what is neither to load nor rejected is
    skipped (blank or superseded). Comments and reasons are part of a value and rejected with it, so they are
    not counted; nor is a blank cell that must be filled.
    """
    to_load = lines["column"].value_counts()
    is_value_rejected = cells & ~_blank_to_mend(judged)
    outcomes = []
    for one in judged.recognised.elements:
        loading, rejected = int(to_load.get(one.title, 0)), int(is_value_rejected[:, one.position].sum())
        is_value = one.role is Role.VALUE or loading
        if is_value or (one.role is Role.NEDOCS_INPUT and rejected):
            skipped = max(0, len(judged.grid.rows) - loading - rejected) if is_value else 0
            outcomes.append(ColumnOutcome(one.title, skipped=skipped, rejected=rejected))
    return tuple(outcomes)
