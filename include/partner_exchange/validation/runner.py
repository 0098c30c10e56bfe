"""Run a Great Expectations suite over a data frame and return what failed, as marks.

Called by the feeds. GX gets the frame in pieces, so memory stays flat; each expectation carries in ``meta``
the code, the column and the weight of its finding, and what comes back are row positions, never cell values.
"""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from partner_exchange.errors import ExchangeError, Terminal
from partner_exchange.readers.marks import Fact, Mark, Rows, no_rows

if TYPE_CHECKING:
    from great_expectations.core.batch_definition import BatchDefinition
    from great_expectations.expectations.expectation import Expectation

PIECE_ROWS = 100_000
_TALKATIVE = ("great_expectations", "great_expectations.data_context.types.base")
_RESULT_FORMAT = {
    "result_format": "COMPLETE",
    "partial_unexpected_count": 0,
    "include_unexpected_rows": False,
    "exclude_unexpected_values": True,
    "return_unexpected_index_query": False,
}


class SuiteBroken(ExchangeError, Terminal):
    """An expectation could not be evaluated: our fault, never the partner's."""


@dataclass(frozen=True)
class Stated:
    """What the failure of one expectation means; kept in its ``meta``."""

    code: str
    column: str = ""
    is_warning: bool = False
    facts: tuple[tuple[str, Fact], ...] = ()

    @property
    def meta(self) -> dict[str, Any]:
        """Return the form that GX carries along."""
        return {
            "code": self.code,
            "column": self.column,
            "is_warning": self.is_warning,
            "facts": dict(self.facts),
        }


def quiet() -> None:
    """Keep GX from calling home and from drawing bars; must come before its first import (design 6)."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def run(
    frame: pd.DataFrame, expectations: Sequence[Expectation], *, rows: Rows, piece_rows: int = PIECE_ROWS
) -> list[Mark]:
    """Return one mark per expectation that some row does not meet.

    :param rows: the row number of each row of ``frame``.
    :param piece_rows: how many rows an expectation sees at a time; all of them where rows are judged by each
        other.
    :raises SuiteBroken: an expectation raised instead of judging.
    """
    found = failed_rows(frame, expectations, rows=rows, piece_rows=piece_rows)
    return [
        _mark(expectation.meta or {}, failed)
        for expectation, failed in zip(expectations, found, strict=True)
        if len(failed)
    ]


def failed_rows(
    frame: pd.DataFrame, expectations: Sequence[Expectation], *, rows: Rows, piece_rows: int = PIECE_ROWS
) -> list[Rows]:
    """Return for each expectation the rows that do not meet it; parameters as those of ``run``.

    :raises SuiteBroken: an expectation raised instead of judging.
    """
    if not expectations:
        return []
    failed: list[list[Rows]] = [[no_rows()] for _ in expectations]
    for start in range(0, len(frame), piece_rows):
        piece = frame.iloc[start : start + piece_rows].reset_index(drop=True)
        for at, positions in _validate(_definition(), piece, expectations):
            failed[at].append(rows[start + positions])
        if len(piece) >= PIECE_ROWS:
            # GX leaves its row lists in reference cycles; of a large file they would pile up to a gigabyte.
            gc.collect()
    return [np.concatenate(found) for found in failed]


def _mark(meta: dict[str, Any], rows: Rows) -> Mark:
    return Mark(meta["code"], meta["column"], rows, meta["facts"], meta["is_warning"])


@lru_cache(maxsize=1)
def _definition() -> BatchDefinition[Any]:
    """Return where GX takes a frame from: one context a process, which keeps no frame and no result."""
    quiet()
    import great_expectations as gx

    quiet()  # The import sets the levels of its loggers anew.
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    asset = context.data_sources.add_pandas("exchange").add_dataframe_asset("sheet")
    return asset.add_batch_definition_whole_dataframe("piece")


def _validate(
    definition: BatchDefinition[Any], piece: pd.DataFrame, expectations: Sequence[Expectation]
) -> Iterable[tuple[int, Rows]]:
    import great_expectations as gx
    from great_expectations.validator.v1_validator import Validator

    # The place in the list is the identity of an expectation here: GX gives results back in an order of its
    # own.
    suite = gx.ExpectationSuite(name="sheet")
    suite.expectations = list(expectations)
    # As ValidationDefinition.run does it, but without storing a result that the ledger keeps anyway (design
    # 5).
    validator = Validator(definition, result_format=_RESULT_FORMAT, batch_parameters={"dataframe": piece})
    result = validator.validate_expectation_suite(suite)
    places = {_identity(expectation.meta): at for at, expectation in enumerate(expectations)}
    if len(places) < len(expectations):
        raise ValueError("two expectations of one suite have the same code, column and facts")
    for each in result.results:
        at = places[_identity(each.expectation_config.meta if each.expectation_config else None)]
        if each.exception_info.get("raised_exception", True):
            code, column, _ = _identity(expectations[at].meta)
            message = (
                f"The rule behind {code!r} could not be applied to {column or 'the rows'}; the file was not "
                "judged. That is our fault: mend the rule in the feed's suite, then replay the submission."
            )
            raise SuiteBroken("suite-broken", message, finding=code, column=column)
        if not each.success:
            yield at, np.array(each.result["unexpected_index_list"], dtype=np.int64)


def _identity(meta: dict[str, Any] | None) -> tuple[str, str, tuple[tuple[str, Fact], ...]]:
    """Return what tells the expectations of one suite apart: code, column and facts."""
    return (meta["code"], meta["column"], tuple(sorted(meta["facts"].items()))) if meta else ("", "", ())
