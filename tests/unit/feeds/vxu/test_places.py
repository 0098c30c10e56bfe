"""Places inside a message, there and back."""

from __future__ import annotations

import pandas as pd

from partner_exchange.feeds.vxu.places import as_marks, columns_of, from_findings, parse_place, places
from partner_exchange.feeds.vxu.tables import ISSUE_COLUMNS
from partner_exchange.validation.wording import word

DOSES = pd.DataFrame({"row": [3, 3], "dose": [1, 2], "rxa": [1, 2], "line": [7, 11]})


def _issues(*lines: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(lines, columns=list(ISSUE_COLUMNS)).astype(dict(ISSUE_COLUMNS))


def test_T50_a_place_ends_where_nothing_more_is_told() -> None:
    issues = _issues(
        (1, 0, 1, "PID", 1, 5, 2, 1, "required-missing", False),
        (1, 1, 4, "RXA", 2, 5, 0, 0, "code-unknown", False),
        (1, 1, 4, "RXA", 2, 0, 0, 0, "dose-rejected", False),
    )
    assert places(issues).tolist() == ["PID^1^5^2^1", "RXA^2^5", "RXA^2"]
    assert columns_of(issues) == ["PID-5", "RXA", "RXA-5"]
    assert parse_place("RXA^2^5") == ("RXA", 2, 5, 0, 0)


def test_T58_what_the_store_says_of_a_dose_comes_back_with_dose_and_line() -> None:
    said = _issues(
        (3, 2, 11, "RXA", 2, 0, 0, 0, "dose-already-reported", False),
        (3, 0, 5, "PID", 1, 3, 0, 0, "delete-of-unknown-dose", False),
    )
    table = word(as_marks(said), columns=columns_of(said), cap=10).table
    back = from_findings(table, ["dose-already-reported", "delete-of-unknown-dose"], DOSES)
    found = {(row.segment, row.dose, row.line) for row in back.itertuples()}
    assert found == {("RXA", 2, 11), ("PID", 0, 0)}
    assert back.dtypes.astype(str).to_dict() == dict(ISSUE_COLUMNS)


def test_T58_other_findings_are_left_out() -> None:
    said = _issues((3, 2, 11, "RXA", 2, 0, 0, 0, "dose-already-reported", False))
    table = word(as_marks(said), columns=columns_of(said), cap=10).table
    assert from_findings(table, ["delete-of-unknown-dose"], DOSES).empty
