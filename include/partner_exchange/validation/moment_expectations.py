"""Own Great Expectations map expectation about reporting times, vectorised as those of ``expectations.py``.

Imported lazily by ``feeds/status/reporting.py``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from great_expectations.compatibility import pydantic
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import ColumnMapExpectation
from great_expectations.expectations.metrics.map_metric_provider.column_condition_partial import (
    column_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.column_function_partial import (
    column_function_partial,
)

from partner_exchange.readers.cells import as_cells
from partner_exchange.validation.expectations import FaultsOnce, Steady
from partner_exchange.validation.moments import Reporting, judge_moments

_BY = ("arrived_at", "zone", "may_have_time", "is_week_ending")


class CellsMoments(FaultsOnce):
    """Reporting times: the function finds the one fault of each, once; a condition asks for one kind."""

    function_metric_name = "column_values.exchange_moment"
    function_value_keys = _BY
    condition_metric_name = "column_values.exchange_moment.without"
    condition_value_keys = (*_BY, "fault")
    filter_column_isnull = False

    @column_function_partial(engine=PandasExecutionEngine, filter_column_isnull=False)  # type: ignore[untyped-decorator]
    def _pandas_function(cls, column: pd.Series[str], arrived_at: str, **kwargs: Any) -> pd.Series[int]:
        by = Reporting(datetime.fromisoformat(arrived_at), **{name: kwargs[name] for name in _BY[1:]})
        return pd.Series(judge_moments(as_cells(column), by).fault, index=column.index)

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series[str], fault: int, _metrics: Any, **kwargs: Any) -> pd.Series[bool]:
        faults, _, _ = _metrics["column_values.exchange_moment.map"]
        return pd.Series(faults.to_numpy() != np.int8(fault), index=column.index, dtype="bool")


class ExpectMomentsWithout(Steady, ColumnMapExpectation):
    """Expect no reporting time with the ``fault`` (a ``MomentFault``); the rest is a ``Reporting``."""

    arrived_at: str
    zone: str
    may_have_time: bool
    is_week_ending: bool
    fault: int
    map_metric: ClassVar[str] = CellsMoments.condition_metric_name
    success_keys = (*_BY, "fault", "mostly")
    _kept: Any = pydantic.PrivateAttr(default=None)
