"""Where the parts of an answer go in a partner's home (K17, N01)."""

from __future__ import annotations

import pytest

from partner_exchange.storage import paths
from partner_exchange.storage.names import StampedName
from partner_exchange.tenants.model import Inbox

NAME = StampedName("bulk.xls", "20261121T074712Z")


@pytest.mark.parametrize(
    ("answers", "fix_it", "annotated", "copy"),
    [
        (
            "beside",
            "upload/rejected/bulk.20261121T074712Z.xlsx",
            "upload/annotated/bulk.20261121T074712Z.annotated.xlsx",
            None,
        ),
        (
            "outbox",
            "results/bulk.20261121T074712Z.fix-it.xlsx",
            "results/bulk.20261121T074712Z.annotated.xlsx",
            "results/bulk.20261121T074712Z.result.csv",
        ),
    ],
)
def test_N01_answers_go_where_the_tenant_finds_them(
    answers: str, fix_it: str, annotated: str, copy: str | None
) -> None:
    inbox = Inbox.model_validate({"folder": "upload", "outbox": "results", "answers": answers})

    assert paths.answer_file(inbox, NAME, "fix-it", "xlsx") == fix_it
    assert paths.answer_file(inbox, NAME, "annotated", "xlsx") == annotated
    assert paths.result_copy(inbox, NAME) == copy
    assert paths.completed(inbox.folder, NAME) == "upload/bulk.xls.20261121T074712Z.completed"
