"""Which rows of a file mean the same student, as numbers for the suite over the whole file."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from partner_exchange.feeds.roster.contract import KEYS
from partner_exchange.stores.keys import username_key

BLANK = -1


def file_keys(table: pa.Table) -> pd.DataFrame:
    """Return one row of numbers per record; equal numbers mean equal values.

    ``username`` and ``student_id`` are below zero where blank, ``username_or_blank`` gives blank a number of
    its own, ``whole_row`` is equal for rows that are equal in all cells.
    """
    username = username_key(table.column("username").to_pandas())
    by_username = _numbers(username)
    blank_username = _is_blank(username)
    student_id = table.column("student_id")
    by_student_id = _numbers(student_id)
    keyed = np.where(blank_username, BLANK, by_username)
    return pd.DataFrame(
        {
            "username": keyed,
            "student_id": np.where(_is_blank(student_id), BLANK, by_student_id),
            "username_or_blank": by_username,
            "whole_row": _whole_rows(table, by_username),
        }
    )


def _numbers(values: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int64]:
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    numbers: npt.NDArray[np.int64] = whole.dictionary_encode().indices.to_numpy().astype(np.int64)
    return numbers


def _is_blank(values: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    flags: npt.NDArray[np.bool_] = pc.equal(pc.binary_length(values), 0).to_numpy(zero_copy_only=False)
    return flags


def _whole_rows(table: pa.Table, by_username: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Number the rows; only rows that share a Username can be equal, so only those are compared."""
    numbers = np.arange(len(by_username), dtype=np.int64)
    if not len(by_username):
        return numbers
    shared = np.flatnonzero(np.bincount(by_username)[by_username] > 1)
    if len(shared):
        rows = table.take(pa.array(shared))
        # NUL can stand in no cell: the reader refuses a file that holds one.
        joined = pc.binary_join_element_wise(
            *(rows.column(key) for key in KEYS), pa.scalar("\0", pa.large_string())
        )
        numbers[shared] = len(numbers) + _numbers(joined)
    return numbers
