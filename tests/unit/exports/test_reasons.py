"""People find every state and every reason explained (E39)."""

from __future__ import annotations

import pytest

from partner_exchange.exports.nhsn.selection import Reason
from partner_exchange.ledger.nhsn import NhsnState
from partner_exchange.settings import PROJECT_DIR

PAGE = (PROJECT_DIR / "docs" / "nhsn.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("reason", Reason)
def test_E39_every_reason_is_explained(reason: Reason) -> None:
    assert f"| `{reason}` |" in PAGE


@pytest.mark.parametrize("state", NhsnState)
def test_E39_every_state_is_explained(state: NhsnState) -> None:
    assert f"| {state} |" in PAGE
