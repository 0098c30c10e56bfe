"""A whole file examined piece by piece, and what the work area makes of its tables."""

from __future__ import annotations

from io import BytesIO

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from partner_exchange.feeds.base import Examination, ExamineContext
from partner_exchange.feeds.registry import get_feed
from partner_exchange.feeds.vxu import examine
from support import batches
from support.vxu import ARRIVED_AT, a_message, a_registry, put


def examined(*messages: str) -> Examination:
    """Examine a batch as the feed does."""
    context = ExamineContext(
        tenant=a_registry(), file_name="AAA-SSL26325.hl7", today=ARRIVED_AT.date(), arrived_at=ARRIVED_AT
    )
    return get_feed("vxu").examine(batches.batch(*messages), context)


def test_T63_a_message_time_without_an_offset_is_local_to_the_partner() -> None:
    found = examined(put(a_message(), "MSH-7", "20261120101500"), a_message("C2"))

    assert found.accepted["reported_at"].to_list() == ["2026-11-20T16:15:00Z", "2026-11-20T16:15:00Z"]


def test_T58_the_size_of_a_piece_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    messages = [a_message(f"C{n}", batches.dose(f"D{n % 2}"), patient=f"P{n % 2}") for n in range(4)]
    at_once = examined(*messages, a_message("C0"))

    monkeypatch.setattr(examine, "PIECE_MESSAGES", 2)
    in_pieces = examined(*messages, a_message("C0"))

    assert in_pieces.part_counts == at_once.part_counts
    for name, table in at_once.tables.items():
        if name != "tally":
            assert_frame_equal(in_pieces.tables[name], table)
    keys = ["what", "name", "detail"]
    tallies = [each.tables["tally"].query("what != 'time'") for each in (in_pieces, at_once)]
    assert_frame_equal(*(each.sort_values(keys, ignore_index=True) for each in tallies))


def test_K23_tables_keep_their_types_when_every_message_is_rejected() -> None:
    taken, rejected = examined(a_message()), examined(a_message(version="2.3.1"))

    for name, table in {**rejected.tables, "accepted": rejected.accepted}.items():
        content = BytesIO()
        table.to_parquet(content)
        read = pd.read_parquet(BytesIO(content.getvalue()))
        assert_frame_equal(read, table, check_index_type=False)
        like = taken.accepted if name == "accepted" else taken.tables[name]
        assert table.dtypes.to_dict() == like.dtypes.to_dict()
