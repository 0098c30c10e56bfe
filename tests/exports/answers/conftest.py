"""A tenant whose partner answers delivered files."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from partner_exchange import clock
from support.outbound import NOON, Outbound, outbound

__all__ = ["outbound"]

ANSWERED = """\
    target: {answers: {within_h: 4}}
  all:
    report: verified_students
    file_name: all.csv
    target: {name_taken: replace, answers: {}}
"""


@pytest.fixture
def answered(outbound: Outbound, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outbound]:
    """The exports ``verified`` (own names each time) and ``all`` (always all.csv), answered in the inbox."""
    monkeypatch.setenv("EXCHANGE_OPERATIONS_MAIL", "ops@exchange.example")
    outbound.write_tenant(ANSWERED)
    (outbound.folder / "home" / "inbound").mkdir()
    outbound.verify(*outbound.enroll(3))
    with clock.frozen(NOON):
        yield outbound
