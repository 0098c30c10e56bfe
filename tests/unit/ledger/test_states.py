"""The table of moves between states."""

from __future__ import annotations

import pytest

from partner_exchange.ledger.states import FINAL, State, may_move


def test_X04_the_way_of_a_file() -> None:
    way = [State.CLAIMED, State.VALIDATED, State.LOADED, State.ANSWERED, State.DONE]
    assert all(may_move(*pair) for pair in zip(way, way[1:], strict=False))


def test_X04_a_refused_file_is_answered_without_a_load() -> None:
    assert may_move(State.VALIDATED, State.ANSWERED)
    assert may_move(State.ANSWERED, State.REFUSED)


@pytest.mark.parametrize("state", [state for state in State if state not in FINAL])
def test_X04_every_unfinished_submission_may_fail(state: State) -> None:
    assert may_move(state, State.FAILED)


@pytest.mark.parametrize("state", [State.DONE, State.REFUSED, State.FAILED])
def test_X04_a_final_state_is_never_left(state: State) -> None:
    assert state in FINAL
    assert not any(may_move(state, target) for target in State)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (State.CLAIMED, State.LOADED),
        (State.CLAIMED, State.DONE),
        (State.VALIDATED, State.DONE),
        (State.LOADED, State.VALIDATED),
        (State.LOADED, State.DONE),
        (State.ANSWERED, State.LOADED),
    ],
)
def test_X04_no_step_is_skipped_or_undone(source: State, target: State) -> None:
    assert not may_move(source, target)
