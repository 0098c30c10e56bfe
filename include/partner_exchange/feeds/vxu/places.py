"""Places inside a message, and tables of issues as marks and back (ERR-2 of HL7)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from partner_exchange.feeds.vxu.tables import ISSUE_COLUMNS, empty
from partner_exchange.readers.marks import Mark

_OF_A_DOSE = ("ORC", "RXA", "RXR", "OBX")
_SEGMENTS = ("MSH", "PID", "PD1", "NK1", *_OF_A_DOSE)


def is_of_a_dose(place: str) -> bool:
    """Say whether a place such as ``RXA-5``, or a segment, is in the order group of a dose."""
    return place[:3] in _OF_A_DOSE


def places(issues: pd.DataFrame) -> pd.Series:
    """Return ``RXA^2^5^1^1`` for each line: segment, occurrence, field, repetition, component; a part that
    is 0, and all behind it, are left out.
    """
    place = issues["segment"].astype("str")
    is_told = np.ones(len(issues), dtype=np.bool_)
    for name in ("sequence", "field", "repetition", "component"):
        is_told &= issues[name].to_numpy() > 0
        place = place.where(~is_told, place + "^" + issues[name].astype("str"))
    return place


def columns(issues: pd.DataFrame) -> pd.Series:
    """Return ``RXA-5`` for each line, or the segment alone when it is about all of it."""
    segment = issues["segment"].astype("str")
    return segment.where(issues["field"] == 0, segment + "-" + issues["field"].astype("str"))


def columns_of(issues: pd.DataFrame) -> list[str]:
    """Return all columns that issues are about, in the order of a message."""
    found = issues[["segment", "field"]].drop_duplicates()
    order = {name: at for at, name in enumerate(_SEGMENTS)}
    found = found.assign(at=found["segment"].map(order).fillna(len(order)))
    return list(columns(found.sort_values(["at", "segment", "field"], kind="stable")))


def in_order(issues: pd.DataFrame) -> pd.DataFrame:
    """Return the issues as a reader of the file meets them: what befalls a segment after its fields.

    What has no line comes last in its message: a segment that is not there, and what the store says.
    """
    last = np.iinfo(np.int64).max
    line, field = (np.where(issues[name] == 0, last, issues[name]) for name in ("line", "field"))
    keys = (issues["component"].to_numpy(), issues["repetition"].to_numpy(), field, line)
    return issues.take(np.lexsort((*keys, issues["row"].to_numpy()))).reset_index(drop=True)


def as_marks(issues: pd.DataFrame) -> list[Mark]:
    """Return one mark per code, column and weight."""
    told = issues.assign(column=columns(issues), place=places(issues))
    return [
        Mark(
            str(code),
            str(column),
            same["row"].to_numpy(dtype=np.int64),
            is_warning=bool(is_warning),
            places=same["place"].to_list(),
        )
        for (code, column, is_warning), same in told.groupby(["code", "column", "is_warning"], sort=False)
    ]


def parse_place(place: str) -> tuple[str, int, int, int, int]:
    """Return segment, occurrence, field, repetition and component of ``RXA^2^5^1^1``, 0 where not told."""
    segment, *numbers = place.split("^")
    sequence, field, repetition, component = (*map(int, numbers), 0, 0, 0, 0)[:4]
    return segment, sequence, field, repetition, component


def from_findings(table: pd.DataFrame, codes: Sequence[str], doses: pd.DataFrame) -> pd.DataFrame:
    """Return the findings of some codes, as the ledger keeps them, as a table of issues again.

    :param doses: the accepted doses with ``row``, ``dose``, ``rxa`` and ``line``: the ledger knows of a dose
        only the place of its RXA. What is not about one has dose and line 0.
    """
    found = table[table["code"].isin(codes) & table["row"].notna()]
    if found.empty:
        return empty(ISSUE_COLUMNS)
    parts = pd.DataFrame(
        [parse_place(place) for place in found["place"]],
        columns=["segment", "sequence", "field", "repetition", "component"],
    )
    parts.insert(0, "row", found["row"].to_numpy(dtype=np.int64))
    parts["code"] = found["code"].to_numpy()
    of_rxa = doses.loc[doses["rxa"] > 0, ["row", "rxa", "dose", "line"]].rename(columns={"rxa": "sequence"})
    parts = parts.merge(of_rxa.assign(segment="RXA"), on=["row", "segment", "sequence"], how="left")
    parts = parts.fillna({"dose": 0, "line": 0}).assign(is_warning=False)
    return parts.astype(dict(ISSUE_COLUMNS))[list(ISSUE_COLUMNS)]
