"""Made batches against the rules: the clean gives no finding, each fault is told and costs what it must.

Both sides are written from the field table, neither knows the other.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd
import pytest

from partner_exchange.feeds.vxu.check import CheckContext, Checked, FileMemory, check
from partner_exchange.feeds.vxu.flatten import flatten
from partner_exchange.local.vxu_faults import FAULTS, Reach
from partner_exchange.local.vxu_maker import MadeBatch, make_batch
from partner_exchange.readers.hl7 import read_stream
from partner_exchange.readers.marks import Refusal
from support.builders import a_tenant

pytestmark = pytest.mark.slow

PIECE_MESSAGES = 500
AT = datetime(2026, 11, 20, 16, tzinfo=UTC)
TENANT = a_tenant(
    feed="vxu",
    mode="production",
    inbox={"accepted": "Accepted", "reports": "DQA-Report", "outbox": "Receive", "answers": "registry"},
)
CONSEQUENCES = {"message-rejected", "dose-rejected"}


def make(messages: int, *, seed: int, at: datetime = AT, faulty: int = 0) -> MadeBatch:
    return make_batch(messages=messages, seed=seed, import_code="AAA-SSL", at=at, faulty=faulty)


@dataclass(frozen=True)
class Judged:
    """The verdict over all pieces of a batch."""

    pieces: list[Checked]

    @property
    def issues(self) -> pd.DataFrame:
        return pd.concat([one.issues for one in self.pieces], ignore_index=True)

    def counts(self) -> tuple[int, int, int, int]:
        """Messages, doses, and how many of each are rejected."""
        return (
            sum(len(one.flat.messages) for one in self.pieces),
            sum(len(one.flat.doses) for one in self.pieces),
            sum(int(one.is_message_rejected.sum()) for one in self.pieces),
            sum(int(one.is_dose_rejected.sum()) for one in self.pieces),
        )


def judge(made: MadeBatch, at: datetime = AT) -> Judged:
    stream = read_stream(made.content, max_messages=100_000)
    assert not isinstance(stream, Refusal)
    assert stream.marks == ()
    assert stream.declared_messages == made.messages
    context = CheckContext(tenant=TENANT, arrived_at=at, memory=FileMemory())
    return Judged([check(flatten(piece), context) for piece in stream.pieces(PIECE_MESSAGES)])


@pytest.mark.parametrize(
    "at",
    [AT, datetime(2026, 3, 1, 6, 30, tzinfo=UTC), datetime(2028, 2, 29, 12, tzinfo=UTC)],
    ids=["november", "after-midnight", "leap-day"],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_K23_a_clean_batch_gives_no_finding_at_all(seed: int, at: datetime) -> None:
    made = make(1000, seed=seed, at=at)
    judged = judge(made, at)
    assert Counter(judged.issues["code"]) == Counter()
    assert judged.counts() == (1000, made.doses, 0, 0)


@pytest.fixture(scope="module")
def all_faults() -> Judged:
    """One clean message, then one with each fault, in their order."""
    judged = judge(make(len(FAULTS) + 1, seed=5, faulty=len(FAULTS)))
    assert len(judged.pieces) == 1
    return judged


@pytest.mark.parametrize("place", range(len(FAULTS)), ids=[fault.about for fault in FAULTS])
def test_K23_a_fault_is_told_and_costs_what_it_must(place: int, all_faults: Judged) -> None:
    fault, row, piece = FAULTS[place], place + 2, all_faults.pieces[0]
    found = set(piece.issues.loc[piece.issues["row"] == row, "code"])
    assert fault.codes <= found
    doses = piece.is_dose_rejected[(piece.flat.doses["row"] == row).to_numpy()]
    is_lost = fault.reach is Reach.MESSAGE or (fault.reach is Reach.DOSE and len(doses) == 1)
    told = {"message-rejected"} if is_lost else {"dose-rejected"} if fault.reach is Reach.DOSE else set()
    assert (bool(piece.is_message_rejected[row - 1]), found & CONSEQUENCES) == (is_lost, told)
    assert int(doses.sum()) == (len(doses) if is_lost else int(fault.reach is Reach.DOSE))


@pytest.mark.parametrize("seed", [11, 12])
def test_K23_a_mixed_batch_comes_to_the_counts_it_was_made_with(seed: int) -> None:
    made = make(1200, seed=seed, faulty=3 * len(FAULTS) + 5)
    judged = judge(made)
    assert judged.counts() == (
        made.messages,
        made.doses,
        made.rejected_messages,
        made.rejected_doses,
    )
    assert made.codes <= set(judged.issues["code"])
