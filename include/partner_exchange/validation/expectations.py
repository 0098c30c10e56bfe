"""Own Great Expectations map expectations, vectorised over Arrow text.

The expectations that come with GX work through Python objects row by row in places (a pair check of 50 000
rows took 1.5 s); these touch whole columns. A blank cell meets every expectation but
``ExpectCellsToBeFilled``: whether a value must be there and what it must look like are two findings. Imported
lazily, since great_expectations costs seconds: only ``feeds/*/suite.py`` and ``preload`` import this module,
inside functions.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from great_expectations.compatibility import pydantic
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import (
    ColumnMapExpectation,
    ColumnPairMapExpectation,
    MulticolumnMapExpectation,
)
from great_expectations.expectations.metrics.map_metric_provider.column_condition_partial import (
    column_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.column_function_partial import (
    column_function_partial,
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
from great_expectations.expectations.metrics.map_metric_provider.multicolumn_condition_partial import (
    multicolumn_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.multicolumn_map_metric_provider import (
    MulticolumnMapMetricProvider,
)

from partner_exchange.readers.cells import FORMULA_START, as_cells
from partner_exchange.validation.dates import date_faults

Flags = npt.NDArray[np.bool_]


def _series(flags: Any, index: pd.Index[Any]) -> pd.Series[bool]:
    values = flags if isinstance(flags, np.ndarray) else flags.to_numpy(zero_copy_only=False)
    return pd.Series(values, index=index, dtype="bool")


def _blank_or(flags: Any, cells: pa.ChunkedArray) -> Any:
    return pc.or_(flags, pc.equal(pc.binary_length(cells), 0))


class Steady:
    """Keep the configuration of an expectation once it is made.

    GX builds it anew some sixty times per expectation and validation, which is most of the time of a small
    file; our expectations never change after they are made. pydantic wants ``_kept`` declared in each model
    that uses this.
    """

    _kept: Any

    @property
    def configuration(self) -> Any:
        """Return what GX asks for again and again."""
        if self._kept is None:
            self._kept = super().configuration  # type: ignore[misc]
        return self._kept


class _CellExpectation(Steady, ColumnMapExpectation):
    """An expectation about the cells of one column."""

    _kept: Any = pydantic.PrivateAttr(default=None)


class _RowsExpectation(Steady, MulticolumnMapExpectation):
    """An expectation about several columns."""

    _kept: Any = pydantic.PrivateAttr(default=None)


class CellsFilled(ColumnMapMetricProvider):
    """Cells that are not blank."""

    condition_metric_name = "column_values.exchange_filled"
    filter_column_isnull = False

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series[str], **kwargs: Any) -> pd.Series[bool]:
        return _series(pc.greater(pc.binary_length(as_cells(column)), 0), column.index)


class ExpectCellsToBeFilled(_CellExpectation):
    """Expect no blank cell."""

    map_metric: ClassVar[str] = CellsFilled.condition_metric_name


class CellsMatch(ColumnMapMetricProvider):
    """Cells that match a pattern as a whole, in the linear-time syntax of RE2."""

    condition_metric_name = "column_values.exchange_match"
    condition_value_keys = ("pattern",)
    filter_column_isnull = False

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series[str], pattern: str, **kwargs: Any) -> pd.Series[bool]:
        cells = as_cells(column)
        flags = pc.match_substring_regex(cells, rf"\A(?:{pattern})\z")
        return _series(_blank_or(flags, cells), column.index)


class ExpectCellsToMatch(_CellExpectation):
    """Expect each filled cell to match ``pattern`` as a whole."""

    pattern: str
    map_metric: ClassVar[str] = CellsMatch.condition_metric_name
    success_keys = ("pattern", "mostly")


class CellsMatchPolicy(ColumnMapMetricProvider):
    """Cells that match a pattern from a tenant's policy, which is written in the syntax of Python."""

    condition_metric_name = "column_values.exchange_match_policy"
    condition_value_keys = ("pattern",)
    filter_column_isnull = False

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series[str], pattern: str, **kwargs: Any) -> pd.Series[bool]:
        values = column.to_list()
        matches = map(re.compile(pattern).fullmatch, values)
        flags = np.fromiter((found is not None for found in matches), dtype=np.bool_, count=len(values))
        return _series(flags | (column == "").to_numpy(), column.index)


class ExpectCellsToMatchPolicy(_CellExpectation):
    """Expect each filled cell to match the Python ``pattern`` as a whole (M21)."""

    pattern: str
    map_metric: ClassVar[str] = CellsMatchPolicy.condition_metric_name
    success_keys = ("pattern", "mostly")


class CellsWithin(ColumnMapMetricProvider):
    """Cells of at most so many characters."""

    condition_metric_name = "column_values.exchange_within"
    condition_value_keys = ("characters",)
    filter_column_isnull = False

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series[str], characters: int, **kwargs: Any) -> pd.Series[bool]:
        return _series(pc.less_equal(pc.utf8_length(as_cells(column)), characters), column.index)


class ExpectCellsWithin(_CellExpectation):
    """Expect no cell to be longer than ``characters``."""

    characters: int
    map_metric: ClassVar[str] = CellsWithin.condition_metric_name
    success_keys = ("characters", "mostly")


class CellsHarmless(ColumnMapMetricProvider):
    """Cells that no spreadsheet would run; ``but_for`` is a pattern of what may start like a formula."""

    condition_metric_name = "column_values.exchange_harmless"
    condition_value_keys = ("but_for",)
    filter_column_isnull = False

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series[str], but_for: str, **kwargs: Any) -> pd.Series[bool]:
        cells = as_cells(column)
        suspects = pc.indices_nonzero(pc.match_substring_regex(cells, FORMULA_START))
        flags = np.ones(len(cells), dtype=np.bool_)
        if len(suspects) and but_for:
            is_formula = pc.invert(pc.match_substring_regex(cells.take(suspects), rf"\A(?:{but_for})\z"))
            suspects = suspects.filter(is_formula.combine_chunks())
        flags[suspects.to_numpy()] = False
        return _series(flags, column.index)


class ExpectCellsToBeHarmless(_CellExpectation):
    """Expect no cell to start like a formula, unless it is of the form ``but_for``."""

    but_for: str = ""
    map_metric: ClassVar[str] = CellsHarmless.condition_metric_name
    success_keys = ("but_for", "mostly")


class CellsKnown(ColumnMapMetricProvider):
    """Cells that hold one of the known values."""

    condition_metric_name = "column_values.exchange_known"
    condition_value_keys = ("known",)
    filter_column_isnull = False

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series[str], known: list[str], **kwargs: Any) -> pd.Series[bool]:
        cells = as_cells(column)
        flags = pc.is_in(cells, value_set=pa.array(known, pa.large_string()))
        return _series(_blank_or(flags, cells), column.index)


class ExpectCellsToBeKnown(_CellExpectation):
    """Expect each filled cell to hold one of ``known``."""

    known: list[str]
    map_metric: ClassVar[str] = CellsKnown.condition_metric_name
    success_keys = ("known", "mostly")


class FaultsOnce(ColumnMapMetricProvider):
    """A metric whose function finds the one fault of each cell, once; its conditions each ask for one kind.

    GX computes the function's metric a single time for all conditions that depend on it.
    """

    function_metric_name: ClassVar[str]
    condition_metric_name: ClassVar[str]

    @classmethod
    def _get_evaluation_dependencies(
        cls,
        metric: Any,
        configuration: Any = None,
        execution_engine: Any = None,
        runtime_configuration: Any = None,
    ) -> Any:
        from great_expectations.validator.metric_configuration import MetricConfiguration

        dependencies = super()._get_evaluation_dependencies(
            metric=metric,
            configuration=configuration,
            execution_engine=execution_engine,
            runtime_configuration=runtime_configuration,
        )
        if metric.metric_name == f"{cls.condition_metric_name}.condition":
            function = f"{cls.function_metric_name}.map"
            dependencies[function] = MetricConfiguration(
                metric_name=function,
                metric_domain_kwargs=metric.metric_domain_kwargs,
                metric_value_kwargs={
                    name: metric.metric_value_kwargs[name] for name in cls.function_value_keys
                },
            )
        return dependencies


class CellsDates(FaultsOnce):
    """Cells as dates: the function finds the one fault of each, once; a condition asks for one kind."""

    function_metric_name = "column_values.exchange_date"
    function_value_keys = ("today",)
    condition_metric_name = "column_values.exchange_date.without"
    condition_value_keys = ("today", "fault")
    filter_column_isnull = False

    @column_function_partial(engine=PandasExecutionEngine, filter_column_isnull=False)  # type: ignore[untyped-decorator]
    def _pandas_function(cls, column: pd.Series[str], today: str, **kwargs: Any) -> pd.Series[int]:
        return pd.Series(date_faults(as_cells(column), today=today), index=column.index)

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(
        cls, column: pd.Series[str], today: str, fault: int, _metrics: Any, **kwargs: Any
    ) -> pd.Series[bool]:
        faults, _, _ = _metrics["column_values.exchange_date.map"]
        return _series((faults != fault).to_numpy(), column.index)


class ExpectDatesWithout(_CellExpectation):
    """Expect no date with the ``fault`` (a ``DateFault``), judged on the day ``today``."""

    today: str
    fault: int
    map_metric: ClassVar[str] = CellsDates.condition_metric_name
    success_keys = ("today", "fault", "mostly")


class _PairExpectation(Steady, ColumnPairMapExpectation):
    """A pair expectation that sees every row, also those with blank cells."""

    _kept: Any = pydantic.PrivateAttr(default=None)
    ignore_row_if: str = "neither"
    domain_keys: ClassVar[tuple[str, ...]] = (*ColumnPairMapExpectation.domain_keys, "ignore_row_if")  # type: ignore[assignment]


class PairWhole(ColumnPairMapMetricProvider):
    """Pairs of cells that are both filled or both blank."""

    condition_metric_name = "column_pair_values.exchange_whole"
    condition_value_keys = ()

    @column_pair_condition_partial(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator]
    def _pandas(cls, column_A: pd.Series[str], column_B: pd.Series[str], **kwargs: Any) -> pd.Series[bool]:
        is_blank = [pc.equal(pc.binary_length(as_cells(column)), 0) for column in (column_A, column_B)]
        return _series(pc.equal(*is_blank), column_A.index)


class ExpectPairToBeWhole(_PairExpectation):
    """Expect both cells of the pair to be filled, or none."""

    map_metric: ClassVar[str] = PairWhole.condition_metric_name


class PairKnown(ColumnPairMapMetricProvider):
    """Pairs of cells that are known together; judged only where each of the two is known by itself."""

    condition_metric_name = "column_pair_values.exchange_known"
    condition_value_keys = ("pairs",)

    @column_pair_condition_partial(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator]
    def _pandas(
        cls, column_A: pd.Series[str], column_B: pd.Series[str], pairs: list[list[str]], **kwargs: Any
    ) -> pd.Series[bool]:
        places = []
        for column, side in ((column_A, 0), (column_B, 1)):
            known = sorted({pair[side] for pair in pairs})
            place = pc.index_in(as_cells(column), value_set=pa.array(known, pa.large_string()))
            places.append((known, pc.fill_null(place, -1).to_numpy().astype(np.int64)))
        (firsts, at_first), (seconds, at_second) = places
        allowed = {firsts.index(first) * len(seconds) + seconds.index(second) for first, second in pairs}
        is_judged = (at_first >= 0) & (at_second >= 0)
        together = at_first * len(seconds) + at_second
        return _series(~is_judged | np.isin(together, list(allowed)), column_A.index)


class ExpectPairToBeKnown(_PairExpectation):
    """Expect two known values to be one of ``pairs``."""

    pairs: list[list[str]]
    map_metric: ClassVar[str] = PairKnown.condition_metric_name
    success_keys = ("pairs", "mostly")


class KeysAgree(MulticolumnMapMetricProvider):
    """Rows whose key (first column) always goes with one value (second); keys below zero are blank."""

    condition_metric_name = "multicolumn_values.exchange_agree"
    condition_value_keys = ()

    @multicolumn_condition_partial(engine=PandasExecutionEngine)  # type: ignore[untyped-decorator]
    def _pandas(cls, column_list: pd.DataFrame, **kwargs: Any) -> pd.Series[bool]:
        key, value = (column_list.iloc[:, at].to_numpy() for at in (0, 1))
        return _series(~differing(key, value), column_list.index)


class ExpectKeysToAgree(_RowsExpectation):
    """Expect each key of the first column to go with one value of the second."""

    map_metric: ClassVar[str] = KeysAgree.condition_metric_name


class CellsFirst(ColumnMapMetricProvider):
    """Rows that stand in the file for the first time."""

    condition_metric_name = "column_values.exchange_first"
    filter_column_isnull = False

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series[int], **kwargs: Any) -> pd.Series[bool]:
        return _series(~column.duplicated(keep="first").to_numpy(), column.index)


class ExpectRowsToBeFirst(_CellExpectation):
    """Expect no row code to stand there a second time."""

    map_metric: ClassVar[str] = CellsFirst.condition_metric_name


def differing(key: npt.NDArray[np.int64], value: npt.NDArray[np.int64]) -> Flags:
    """Return for each row whether its key (not below zero) also goes with another value somewhere."""
    if not len(key):
        return np.zeros(0, dtype=np.bool_)
    size = int(key.max(initial=-1)) + 1
    lowest = np.full(size, np.iinfo(np.int64).max)
    highest = np.full(size, np.iinfo(np.int64).min)
    is_key = key >= 0
    np.minimum.at(lowest, key[is_key], value[is_key])
    np.maximum.at(highest, key[is_key], value[is_key])
    result = np.zeros(len(key), dtype=np.bool_)
    result[is_key] = lowest[key[is_key]] != highest[key[is_key]]
    return result
