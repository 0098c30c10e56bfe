"""Own Great Expectations map expectation between numbers: a total and its parts, a part and its whole.

The ones that come with GX compare two columns, or a sum with a constant; the rules of the CDC templates
compare a column with a sum, where a blank part skips the row or counts as 0. Imported lazily, as
``expectations.py`` is.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from great_expectations.compatibility import pydantic
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import MulticolumnMapExpectation
from great_expectations.expectations.metrics.map_metric_provider.multicolumn_condition_partial import (
    multicolumn_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.multicolumn_map_metric_provider import (
    MulticolumnMapMetricProvider,
)

from partner_exchange.validation.expectations import Steady

_DECIMALS = 6
"""As many as a Number may have: a sum of decimals is off by less than that."""


class FirstAgainstSum(MulticolumnMapMetricProvider):
    """Rows whose first column is to the sum of the others as asked.

    A row with a blank (NaN) or an unknown (infinite) number is not judged, but for blanks of
    ``blank_is_zero``.
    """

    condition_metric_name = "multicolumn_values.exchange_first_against_sum"
    condition_value_keys = ("relation", "blank_is_zero")

    @multicolumn_condition_partial(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator]
    def _pandas(
        cls, column_list: pd.DataFrame, relation: str, blank_is_zero: list[str], **kwargs: Any
    ) -> pd.Series[bool]:
        parts = column_list.iloc[:, 1:]
        filled = parts.fillna(dict.fromkeys(blank_is_zero, 0.0)) if blank_is_zero else parts
        above = np.round(column_list.iloc[:, 0].to_numpy() - filled.to_numpy().sum(axis=1), _DECIMALS)
        is_met = {"at_least": above >= 0, "at_most": above <= 0, "equal": above == 0}[relation]
        return pd.Series(is_met | ~np.isfinite(above), index=column_list.index)


class ExpectFirstAgainstSum(Steady, MulticolumnMapExpectation):
    """Expect the first column to be ``at_least``, ``at_most`` or ``equal`` to the sum of the others."""

    _kept: Any = pydantic.PrivateAttr(default=None)
    ignore_row_if: Literal["all_values_are_missing", "any_value_is_missing", "never"] = "never"
    relation: str
    blank_is_zero: list[str] = []
    map_metric: ClassVar[str] = FirstAgainstSum.condition_metric_name
    success_keys = ("relation", "blank_is_zero", "mostly")
