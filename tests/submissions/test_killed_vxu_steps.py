"""Kill -9 in the middle of the steps of an HL7 file: one answer per folder, no dose lost or doubled (X03)."""

from __future__ import annotations

from datetime import date
from functools import partial

import pytest

from partner_exchange.ledger.states import State
from partner_exchange.submissions.load import load
from partner_exchange.submissions.process import run_steps
from partner_exchange.submissions.respond import respond
from partner_exchange.submissions.validate import validate
from submissions.conftest import CLINIC, Exchange
from support.batches import batch, dose, file_name, message
from support.killed import in_child

pytestmark = [pytest.mark.service, pytest.mark.slow]

POINTS = 10
ANSWERS = 5
"""Files in DQA-Report for each file: four forms of the report, and the acknowledgements."""


def _drop(clinic: Exchange, number: int) -> str:
    good = message(f"{number}-1", dose(f"D{number}"), patient=f"P{number}")
    bad = message(f"{number}-2", dose(f"E{number}", cvx="99999"), patient=f"Q{number}")
    clinic.drop(batch(good, bad), file_name(date(2026, 11, 21), number=number), CLINIC)
    (submission_id,) = clinic.claim_all(CLINIC)
    return submission_id


@pytest.mark.parametrize("step", ["validate", "load", "respond"])
def test_X03_a_killed_step_of_an_hl7_file_neither_loses_nor_doubles(clinic: Exchange, step: str) -> None:
    home = clinic.home(CLINIC)

    def run(submission_id: str) -> None:
        {"validate": validate, "load": load, "respond": lambda one: respond(one, home)}[step](submission_id)

    def before(number: int) -> str:
        submission_id = _drop(clinic, number)
        for name, earlier in (("validate", validate), ("load", load)):
            if step not in (name, "validate"):
                earlier(submission_id)
        return submission_id

    # The first file fills the caches that later ones find filled.
    run_steps(_drop(clinic, 1), home)
    counted = before(2)
    calls = in_child(partial(run, counted), kill_at=None)
    assert calls is not None
    run_steps(counted, home)
    killed = 0
    for number in range(3, POINTS + 3):
        submission_id = before(number)
        kill_at = 1 + (number - 3) * calls // POINTS
        killed += in_child(partial(run, submission_id), kill_at=kill_at) is None
        for one in clinic.claim_all(CLINIC):
            run_steps(one, home)
        _assert_answered_once(clinic, number, submission_id)
    assert killed == POINTS


def _assert_answered_once(clinic: Exchange, number: int, submission_id: str) -> None:
    submission = clinic.get(submission_id)
    assert (submission.state, submission.rows_created, submission.rows_rejected) == (State.DONE, 1, 1)
    home = clinic.home_dir(CLINIC)
    assert list((home / "HL7-Dropoff").iterdir()) == []
    found = {folder: len(list((home / folder).iterdir())) for folder in ("Accepted", "DQA-Report", "Receive")}
    assert found == {"Accepted": number, "DQA-Report": ANSWERS * number, "Receive": number}
    assert clinic.rows("select count(*) from store.held_dose") == [(number,)]
    assert clinic.rows("select count(*) from ledger.message_outcome") == [(number,)]
    assert clinic.rows("select count(*) from ledger.quality_report") == [(number,)]
