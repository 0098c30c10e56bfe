"""Own Great Expectations map expectations about values of many columns in one long frame.

A file of sixty columns with five expectations each would cost seconds in GX alone. So the status feed puts
the filled cells of all columns below each other, with what is asked of each beside it, and these expectations
compare one with the other. Imported lazily, as ``expectations.py`` is.
"""

from __future__ import annotations

from typing import Any, ClassVar

import pandas as pd
from great_expectations.compatibility import pydantic
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import ColumnMapExpectation, ColumnPairMapExpectation
from great_expectations.expectations.metrics.map_metric_provider.column_condition_partial import (
    column_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.column_map_metric_provider import (
    ColumnMapMetricProvider,
)
from great_expectations.expectations.metrics.map_metric_provider.column_pair_condition_partial import (
    column_pair_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.column_pair_map_metric_provider import (
    ColumnPairMapMetricProvider,
)

from partner_exchange.readers.cells import as_cells
from partner_exchange.validation.expectations import Steady
from partner_exchange.validation.moments import read_days


class _NumberPairExpectation(Steady, ColumnPairMapExpectation):
    """A pair expectation that sees every row, also those with nothing in them."""

    _kept: Any = pydantic.PrivateAttr(default=None)
    ignore_row_if: str = "neither"
    domain_keys: ClassVar[tuple[str, ...]] = (*ColumnPairMapExpectation.domain_keys, "ignore_row_if")  # type: ignore[assignment]


class PairInOrder(ColumnPairMapMetricProvider):
    """Rows whose first number is not above the second; NaN on either side is in order."""

    condition_metric_name = "column_pair_values.exchange_in_order"
    condition_value_keys = ()

    @column_pair_condition_partial(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator]
    def _pandas(
        cls, column_A: pd.Series[float], column_B: pd.Series[float], **kwargs: Any
    ) -> pd.Series[bool]:
        return pd.Series(~(column_A.to_numpy() > column_B.to_numpy()), index=column_A.index)


class ExpectFirstNotAboveSecond(_NumberPairExpectation):
    """Expect the number of ``column_A`` not to be above that of ``column_B``, where both are there."""

    map_metric: ClassVar[str] = PairInOrder.condition_metric_name


class PairDifferent(ColumnPairMapMetricProvider):
    """Rows whose two numbers differ; NaN differs from everything."""

    condition_metric_name = "column_pair_values.exchange_different"
    condition_value_keys = ()

    @column_pair_condition_partial(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator]
    def _pandas(
        cls, column_A: pd.Series[float], column_B: pd.Series[float], **kwargs: Any
    ) -> pd.Series[bool]:
        return pd.Series(column_A.to_numpy() != column_B.to_numpy(), index=column_A.index)


class ExpectFirstNotToBeSecond(_NumberPairExpectation):
    """Expect the number of ``column_A`` not to be the one of ``column_B``."""

    map_metric: ClassVar[str] = PairDifferent.condition_metric_name


class CellsDays(ColumnMapMetricProvider):
    """Cells that are a day of the calendar; a condition asks for one kind of fault."""

    condition_metric_name = "column_values.exchange_day_without"
    condition_value_keys = ("fault",)
    filter_column_isnull = False

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series[str], fault: int, **kwargs: Any) -> pd.Series[bool]:
        return pd.Series(read_days(as_cells(column)).fault != fault, index=column.index, dtype="bool")


class ExpectDaysWithout(Steady, ColumnMapExpectation):
    """Expect no date with the ``fault`` (a ``MomentFault``)."""

    _kept: Any = pydantic.PrivateAttr(default=None)
    fault: int
    map_metric: ClassVar[str] = CellsDays.condition_metric_name
    success_keys = ("fault", "mostly")
