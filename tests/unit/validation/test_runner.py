"""The runner: pieces, broken rules, and no telemetry."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from partner_exchange.validation.runner import Stated, SuiteBroken, failed_rows, run


def _frame(*cells: str) -> pd.DataFrame:
    return pd.DataFrame({"cell": pd.Series(cells, dtype="str")})


def test_P8_rows_are_those_of_the_file_whatever_the_pieces() -> None:
    from partner_exchange.validation.expectations import ExpectCellsToBeFilled

    filled = ExpectCellsToBeFilled(column="cell", meta=Stated("username-missing", "Username").meta)
    rows = np.array([2, 4, 5, 9, 11], dtype=np.int64)

    (mark,) = run(_frame("a", "", "", "b", ""), [filled], rows=rows, piece_rows=2)

    assert (mark.code, mark.column, mark.rows.tolist()) == ("username-missing", "Username", [4, 5, 11])


def test_P8_rules_of_one_code_and_column_are_told_apart_by_their_facts() -> None:
    from partner_exchange.validation.expectations import ExpectCellsWithin

    def within(characters: int, limit: int) -> ExpectCellsWithin:
        stated = Stated("username-too-long", "Username", facts=(("limit", limit),))
        return ExpectCellsWithin(column="cell", characters=characters, meta=stated.meta)

    frame, rows = _frame("a", "bb", "ccc"), np.array([2, 3, 4], dtype=np.int64)

    assert [found.tolist() for found in failed_rows(frame, [within(1, 1), within(2, 2)], rows=rows)] == [
        [3, 4],
        [4],
    ]
    with pytest.raises(ValueError, match="the same code, column and facts"):
        run(frame, [within(1, 9), within(2, 9)], rows=rows)


def test_P8_a_rule_that_cannot_be_applied_is_our_fault_and_never_silent() -> None:
    from partner_exchange.validation.expectations import ExpectCellsToMatch

    broken = ExpectCellsToMatch(column="cell", pattern="(", meta=Stated("username-pattern", "Username").meta)

    with pytest.raises(SuiteBroken) as caught:
        run(_frame("secret"), [broken], rows=np.array([2], dtype=np.int64))
    assert "secret" not in str(caught.value)


@pytest.mark.slow
def test_P8_the_feeds_import_without_great_expectations_and_preload_brings_it() -> None:
    code = (
        "import sys; import partner_exchange.feeds.registry as r; r.get_feed('roster');"
        "assert 'great_expectations' not in sys.modules;"
        "from partner_exchange.validation.preload import preload; preload();"
        "assert 'great_expectations' in sys.modules;"
        "import os; assert os.environ['GX_ANALYTICS_ENABLED'] == 'false'"
    )

    environment = {key: value for key, value in os.environ.items() if key != "GX_ANALYTICS_ENABLED"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_P8_a_process_forked_after_preload_can_examine() -> None:
    """LocalExecutor forks its workers from the scheduler: threads of Arrow do not survive that."""
    code = (
        "import os\n"
        "from datetime import date\n"
        "from partner_exchange.validation.preload import preload\n"
        "preload()\n"
        "from partner_exchange.feeds.base import ExamineContext\n"
        "from partner_exchange.feeds.registry import get_feed\n"
        "from partner_exchange.tenants.model import Tenant\n"
        "context = ExamineContext(Tenant(code='a', name='A', feed='roster'), 'a.csv', date(2026, 11, 21))\n"
        "content = b',,,,,,,,\\n' + b''.join(b'u%d@x.org,%d,,,,,,,1\\n' % (n, n) for n in range(40_000))\n"
        "assert get_feed('roster').examine(content, context).rows_accepted == 40_000\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    os._exit(get_feed('roster').examine(content, context).rows_accepted != 40_000)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stderr


def test_P8_great_expectations_logs_nothing_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    from partner_exchange.validation.expectations import ExpectCellsToBeFilled

    filled = ExpectCellsToBeFilled(column="cell", meta=Stated("username-missing", "Username").meta)
    with caplog.at_level("INFO"):
        run(_frame("a", ""), [filled], rows=np.array([2, 3], dtype=np.int64))

    assert [record.name for record in caplog.records if record.name.startswith("great_expectations")] == []
