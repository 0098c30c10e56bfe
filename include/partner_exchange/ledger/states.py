"""The states of a submission and the moves between them; nobody else decides what may follow what (X04)."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """How far a submission has come."""

    CLAIMED = "claimed"
    VALIDATED = "validated"
    LOADED = "loaded"
    ANSWERED = "answered"
    HELD = "held"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class Outcome(StrEnum):
    """What the checks say about a whole file."""

    ACCEPTED = "accepted"
    ACCEPTED_WITH_FINDINGS = "accepted_with_findings"
    REFUSED = "refused"


_MOVES: dict[State, frozenset[State]] = {
    State.CLAIMED: frozenset({State.VALIDATED, State.FAILED}),
    # A refused file has nothing to load and is answered at once.
    State.VALIDATED: frozenset({State.LOADED, State.ANSWERED, State.HELD, State.FAILED}),
    State.HELD: frozenset({State.VALIDATED, State.FAILED}),
    State.LOADED: frozenset({State.ANSWERED, State.FAILED}),
    State.ANSWERED: frozenset({State.DONE, State.REFUSED, State.FAILED}),
    State.DONE: frozenset(),
    State.REFUSED: frozenset(),
    State.FAILED: frozenset(),
}

FINAL = frozenset(state for state, targets in _MOVES.items() if not targets)
"""States that no step ever leaves; only a replay, which a person asks for, reopens a failed submission."""


def may_move(source: State, target: State) -> bool:
    """Say whether a submission may go from one state straight to another."""
    return target in _MOVES[source]


DOSE_OUTCOMES = ("stored", "held", "unchanged", "deleted", "refused")
"""What becomes of a dose of an accepted message; a rejected one is known from the findings."""
