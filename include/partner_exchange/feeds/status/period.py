"""Hold new admissions to the period that a resource reports to NHSN: a day or a week (E16, E38).

A week's total that stood in a daily set, or a day's count in a weekly one, would be a wrong number that no
later check can see. Called by the feed after the single values are judged.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from partner_exchange.feeds.status.recognise import Recognised
from partner_exchange.feeds.status.rows import JudgedRows
from partner_exchange.feeds.status.rules import RuleVerdict
from partner_exchange.feeds.status.template import KeyName
from partner_exchange.feeds.status.values import JudgedValues
from partner_exchange.readers.cells import as_cells
from partner_exchange.readers.marks import Mark, Rows
from partner_exchange.tenants.model import Tenant
from partner_exchange.tenants.resources import Frequency

_OF_KEY: Mapping[KeyName, Frequency] = {KeyName.WEEK_ENDING: "weekly", KeyName.COLLECTION_DATE: "daily"}
_PERIOD: Mapping[Frequency, str] = {"weekly": "week", "daily": "day"}


def judge_period(
    recognised: Recognised, judged: JudgedRows, values: JudgedValues, *, rows: Rows, tenant: Tenant
) -> RuleVerdict:
    """Return which new admissions are those of a week where the resource reports days, or the reverse.

    A resource without ``nhsn.frequency`` may send both, and a 9999 counts nothing. One mark per column.

    :param rows: the row number of each row of the table.
    """
    of_file = next((each for key, each in _OF_KEY.items() if key in recognised.keys), None)
    if of_file is None or not recognised.template.period_counts:
        return RuleVerdict((), _rejected(values, np.empty(0, dtype=np.int64), recognised))
    counted = [one.status_type.id in recognised.template.period_counts for one in recognised.elements]
    table = values.table
    is_wrong = np.array(counted, dtype=np.bool_)[table["element"].to_numpy()]
    is_wrong &= ~table["is_not_applicable"].to_numpy(dtype=np.bool_)
    is_wrong &= _is_of_other(judged, of_file, tenant)[table["at"].to_numpy()]
    wrong = np.flatnonzero(is_wrong)
    due: Frequency = "daily" if of_file == "weekly" else "weekly"
    facts = {"sent": _PERIOD[of_file], "due": _PERIOD[due]}
    at, element = (table[name].to_numpy()[wrong] for name in ("at", "element"))
    title = [one.title for one in recognised.elements]
    marks = tuple(
        Mark("admissions-of-other-period", title[one], rows[at[element == one]], facts)
        for one in np.unique(element).tolist()
    )
    return RuleVerdict(marks, _rejected(values, wrong, recognised))


def _is_of_other(judged: JudgedRows, of_file: Frequency, tenant: Tenant) -> npt.NDArray[np.bool_]:
    """Return which rows are about a resource that reports at another frequency."""
    others = [
        each.id_in(tenant.mode)
        for each in tenant.status.resources
        if each.nhsn and each.nhsn.frequency not in (None, of_file)
    ]
    known = pa.array([each for each in others if each], pa.large_string())
    flags: npt.NDArray[np.bool_] = pc.is_in(as_cells(judged.resource_id), value_set=known).to_numpy()
    return flags


def _rejected(values: JudgedValues, wrong: npt.NDArray[np.int64], recognised: Recognised) -> pd.DataFrame:
    """Return the values in these lines of the table, in the form of ``RuleVerdict.rejected``."""
    of_element = np.array([one.status_type.id for one in recognised.elements], dtype=np.int32)
    lines = values.table.iloc[wrong]
    return pd.DataFrame(
        {
            "at": lines["at"].to_numpy(dtype=np.int64),
            "status_type_id": of_element[lines["element"].to_numpy(dtype=np.int64)],
        }
    )
