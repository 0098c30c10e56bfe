"""Only the markers decide what is tried again."""

from __future__ import annotations

import pytest
from airflow.sdk import RetryAction

from partner_exchange import errors
from partner_exchange.errors import ExchangeError, Terminal, Transient
from partner_exchange.orchestration.retry import RETRY_POLICY


def _families(base: type[ExchangeError] = ExchangeError) -> list[type[ExchangeError]]:
    return [family for child in base.__subclasses__() for family in (child, *_families(child))]


MARKED = [
    family
    for family in _families()
    if family.__module__ == errors.__name__ and issubclass(family, Transient | Terminal)
]


@pytest.mark.parametrize("family", MARKED, ids=lambda family: family.__name__)
def test_AN4_transient_errors_are_tried_again_and_terminal_ones_are_not(family: type[ExchangeError]) -> None:
    decision = RETRY_POLICY.evaluate(family("some-code", "A message."), try_number=1, max_tries=7)
    assert decision.action is (RetryAction.RETRY if issubclass(family, Transient) else RetryAction.FAIL)


def test_AN4_no_error_says_both() -> None:
    assert MARKED
    assert not [family for family in MARKED if issubclass(family, Transient) and issubclass(family, Terminal)]


def test_AN4_what_is_not_ours_follows_the_retries_of_the_task() -> None:
    assert RETRY_POLICY.evaluate(RuntimeError("killed"), 1, 7).action is RetryAction.DEFAULT
