"""Kill -9 in the middle of each step: the file is answered once, no row twice, no row lost (X03).

The child process counts calls into the package and kills itself at one of them, so the sweep over call
numbers hits a step before, between and after its effects, with the code exactly as it is.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from partner_exchange.ledger.states import State
from partner_exchange.submissions.claim import claim
from partner_exchange.submissions.load import load
from partner_exchange.submissions.notify import notify
from partner_exchange.submissions.process import run_steps
from partner_exchange.submissions.respond import respond
from partner_exchange.submissions.validate import validate
from submissions.conftest import Exchange, roster, student
from support.killed import in_child

pytestmark = [pytest.mark.service, pytest.mark.slow]

ROWS, BAD = 40, 3
POINTS = 12
STEPS = ("claim", "validate", "load", "respond", "notify")


def _file(batch: int) -> bytes:
    first = batch * ROWS
    lines = [student(first + n, dob="13/01/2000" if n < BAD else "01/31/2001") for n in range(ROWS)]
    return roster(*lines)


def _action(exchange: Exchange, step: str, submission_id: str) -> Callable[[], object]:
    home = exchange.home()
    return {
        "claim": lambda: claim(home, exchange.tenant()),
        "validate": lambda: validate(submission_id),
        "load": lambda: load(submission_id),
        "respond": lambda: respond(submission_id, home),
        "notify": lambda: notify(submission_id),
    }[step]


def _bring_before(exchange: Exchange, step: str) -> str:
    """Run the steps before ``step`` for the file in the inbox."""
    if step == "claim":
        return ""
    (submission_id,) = exchange.claim_all()
    for earlier in STEPS[1 : STEPS.index(step)]:
        _action(exchange, earlier, submission_id)()
    return submission_id


def _finish(exchange: Exchange) -> None:
    """What the next run does: claim again, process what is unfinished."""
    for submission_id in exchange.claim_all():
        run_steps(submission_id, exchange.home())


@pytest.mark.parametrize("step", STEPS)
def test_X03_kill_in_the_middle_of_a_step_neither_loses_nor_doubles(exchange: Exchange, step: str) -> None:
    exchange.drop(_file(0), "file-0.csv")
    calls = in_child(_action(exchange, step, _bring_before(exchange, step)), kill_at=None)
    assert calls is not None
    _finish(exchange)
    killed = 0
    for batch in range(1, POINTS + 1):
        exchange.drop(_file(batch), f"file-{batch}.csv")
        action = _action(exchange, step, _bring_before(exchange, step))
        killed += in_child(action, kill_at=1 + (batch - 1) * calls // POINTS) is None
        _finish(exchange)
        _assert_answered_once(exchange, batch)
    assert killed == POINTS


def _assert_answered_once(exchange: Exchange, batch: int) -> None:
    name = f"file-{batch}.csv"
    facts = exchange.rows(
        f"select state, rows_created, rows_updated, rows_unchanged, rows_rejected from ledger.submission "
        f"where file_name = '{name}'"
    )
    assert facts == [(State.DONE, ROWS - BAD, 0, 0, BAD)]
    assert len(exchange.files(f"{name}.*.completed")) == 1
    assert len(exchange.files(f"originals/{name}.*")) == 1
    assert len(exchange.files(f"rejected/file-{batch}.*")) == 1
    assert exchange.files("*.processing") == []
    assert exchange.rows("select count(*) from store.student") == [((batch + 1) * (ROWS - BAD),)]
    assert exchange.rows("select count(*) from ledger.mail") == [(batch + 1,)]
    findings = exchange.rows(
        "select count(*) from ledger.finding f join ledger.submission s using (submission_id) "
        f"where s.file_name = '{name}' and f.severity = 'error'"
    )
    assert findings == [(BAD,)]
