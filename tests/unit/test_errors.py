"""Each error says where it is defined whether trying again can help, and crosses processes whole."""

from __future__ import annotations

import inspect
import pickle

import pytest

from partner_exchange import errors
from partner_exchange.errors import ExchangeError, Terminal, Transient

CLASSES = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, ExchangeError) and kind.__module__ == errors.__name__
]
LEAVES = [kind for kind in CLASSES if not any(kind in other.__bases__ for other in CLASSES)]


@pytest.mark.parametrize("kind", LEAVES)
def test_P2_every_error_is_transient_or_terminal_and_never_both(kind: type[ExchangeError]) -> None:
    assert issubclass(kind, Transient) != issubclass(kind, Terminal)


@pytest.mark.parametrize("kind", CLASSES)
def test_P2_error_crosses_processes_whole(kind: type[ExchangeError]) -> None:
    error = kind("some-code", "What, where, why, next.", tenant="state-university", rows=3)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert str(copy) == "What, where, why, next."
    assert copy.attrs() == error.attrs()


def test_P2_attrs_hold_code_message_and_fields_for_the_ledger() -> None:
    error = errors.UnknownTenant("unknown-tenant", "No such tenant.", tenant="zoo")
    assert error.attrs() == {"code": "unknown-tenant", "message": "No such tenant.", "tenant": "zoo"}


@pytest.mark.parametrize("kind", CLASSES)
def test_P2_every_error_says_what_it_means(kind: type[ExchangeError]) -> None:
    assert "__doc__" in vars(kind)
    assert kind.__doc__
