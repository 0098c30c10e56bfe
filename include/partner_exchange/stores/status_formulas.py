"""Values that formulas give: Calculated types, and Saturation Scores that a file did not set itself.

They are observations like any other, made from the statuses now and reported for the time of the newest part,
so that the statuses they give do not depend on the order of files either. Their history follows the merges: a
late part does not rewrite it. Called by the merge of statuses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection

from partner_exchange.stores.status_frames import read_frame
from partner_exchange.tenants.formula import Formula
from partner_exchange.tenants.status_types import StatusType

_DECIMALS = 6
_NEVER = np.iinfo(np.int64).min

_STATUSES = """
select resource_id, status_type_id, number, is_computed,
    (extract(epoch from reported_at) * 1000000)::bigint, (extract(epoch from confirmed_at) * 1000000)::bigint
from store.status
where tenant_code = {tenant_code} and resource_id = any({resources}) and status_type_id = any({status_types})
"""
_TYPES = {
    "resource_id": pa.string(),
    "status_type_id": pa.int32(),
    "number": pa.float64(),
    "is_computed": pa.bool_(),
    "reported_us": pa.int64(),
    "confirmed_us": pa.int64(),
}


@dataclass(frozen=True)
class _Grid:
    """Statuses of resources as arrays with a line per resource, by status type."""

    resources: npt.NDArray[np.object_]
    number: dict[int, npt.NDArray[np.float64]]
    reported: dict[int, npt.NDArray[np.int64]]
    confirmed: dict[int, npt.NDArray[np.int64]]
    is_computed: dict[int, npt.NDArray[np.bool_]]


def computed(
    connection: Connection,
    status_types: Iterable[StatusType],
    observations: pd.DataFrame,
    *,
    tenant_code: str,
) -> pd.DataFrame:
    """Return the observations that formulas make of what ``observations`` have just said.

    A part that is missing or not applicable counts as the initial value of the formula; a result that is no
    number is not applicable. A score that a file set stays until a part is reported for a later time, be it
    the same: so no order of files matters.
    """
    touched = set(observations["status_type_id"].unique())
    formulas = {one.id: Formula.parse(one.formula) for one in status_types if one.formula and one.active}
    due = {one: formula for one, formula in formulas.items() if touched & formula.parts.keys()}
    if not due:
        return observations.iloc[:0]
    parts = {part for formula in due.values() for part in formula.parts}
    is_part = observations["status_type_id"].isin(parts)
    resources = np.unique(observations.loc[is_part, "resource_id"].to_numpy(dtype=object))
    grid = _grid(connection, tenant_code, resources, sorted(parts | due.keys()))
    return pd.concat([_observations(one, formula, grid) for one, formula in due.items()], ignore_index=True)


def _grid(
    connection: Connection, tenant_code: str, resources: npt.NDArray[np.object_], status_types: list[int]
) -> _Grid:
    parameters = {"tenant_code": tenant_code, "resources": resources.tolist(), "status_types": status_types}
    found = read_frame(connection, _STATUSES, parameters, _TYPES)
    line = np.searchsorted(resources, found["resource_id"].to_numpy(dtype=object))
    held = found["status_type_id"].to_numpy()

    def spread(name: str, default: Any) -> dict[int, npt.NDArray[Any]]:
        values = found[name].to_numpy()
        arrays = {}
        for one in status_types:
            arrays[one] = np.full(len(resources), default, dtype=values.dtype)
            arrays[one][line[held == one]] = values[held == one]
        return arrays

    return _Grid(
        resources=resources,
        number=spread("number", np.nan),
        reported=spread("reported_us", _NEVER),
        confirmed=spread("confirmed_us", _NEVER),
        is_computed=spread("is_computed", True),
    )


def _observations(number: int, formula: Formula, grid: _Grid) -> pd.DataFrame:
    """Return one line per resource that has a part, in the columns of observations; ``row`` is null."""
    values = {
        part: np.where(np.isnan(grid.number[part]), initial, grid.number[part])
        for part, initial in formula.parts.items()
    }
    with np.errstate(all="ignore"):
        result = np.round(np.asarray(formula.evaluate(values), dtype=np.float64), _DECIMALS) + 0.0
    confirmed = np.maximum.reduce([grid.confirmed[part] for part in formula.parts])
    stated = np.maximum.reduce([grid.reported[part] for part in formula.parts])
    own = grid.confirmed[number]
    is_due = (confirmed != _NEVER) & (grid.is_computed[number] | (confirmed > own))
    # Never older than itself: a formula that was changed may take older parts than before.
    at = np.maximum(confirmed, own)
    is_number = np.isfinite(result)
    table = pd.DataFrame(
        {
            "row": pd.Series(pd.NA, index=range(len(result)), dtype="Int64"),
            "resource_id": pd.Series(grid.resources, dtype="str"),
            "status_type_id": np.int32(number),
            "value": pd.Series([_plain(one) for one in result], dtype="str"),
            "number": np.where(is_number, result, np.nan),
            **{
                name: pd.Series("", index=range(len(result)), dtype="str")
                for name in ("colour", "level", "reason", "comment")
            },
            "is_not_applicable": ~is_number,
            "reported_at": pd.Series(at.view("datetime64[us]")).dt.tz_localize("UTC"),
            "is_stated": stated == at,
        }
    )
    due: pd.DataFrame = table.loc[is_due]
    return due


def _plain(number: float) -> str:
    """Return plain digits, six after the point at the most and no zeros at the end; "" for no number."""
    if not np.isfinite(number):
        return ""
    text = f"{number:.{_DECIMALS}f}"
    return text.rstrip("0").rstrip(".")
