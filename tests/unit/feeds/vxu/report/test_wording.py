"""Numbers and places in words."""

from __future__ import annotations

import pytest

from partner_exchange.feeds.vxu.places import is_of_a_dose
from partner_exchange.feeds.vxu.profile import FIELDS
from partner_exchange.feeds.vxu.report.wording import first_messages, many, percent, points, size
from partner_exchange.feeds.vxu.report.words import in_words


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0.0%"), (1, "100.0%"), (0.99999, "99.9%"), (0.0004, "<0.1%"), (0.29, "29.0%"), (0.98996, "98.9%")],
)
def test_T58_a_share_is_cut_so_that_nothing_looks_complete_that_is_not(share: float, text: str) -> None:
    assert percent(share) == text


def test_T58_small_costs_are_not_nothing() -> None:
    told = [points(value) for value in (0, 0.004, 0.04, 0.1, 12.34)]

    assert told == ["0.0", "<0.01", "0.04", "0.1", "12.3"]


@pytest.mark.parametrize(
    ("row_ranges", "affected", "text"),
    [
        ("", None, ""),
        ("486", None, "486"),
        ("4, 9", 2, "4, 9"),
        ("3, 17, 25-26, 30-37", None, "3, 17, 25, and 9 more"),
        ("1-20000", 20_000, "1, 2, 3, and 19,997 more"),
        ("1, 3-5, ...", 90, "1, 3, 4, and 87 more"),
        ("1, 3-5, ...", None, "1, 3, 4, and more"),
    ],
)
def test_T58_the_first_messages_are_told_by_number(row_ranges: str, affected: int | None, text: str) -> None:
    assert first_messages(row_ranges, affected) == text


def test_T58_counts_and_sizes_are_read_easily() -> None:
    assert [many(1, "dose"), many(12_345, "dose")] == ["1 dose", "12,345 doses"]
    assert [size(1), size(4_100), size(4_123_456)] == [
        "1 byte",
        "4.1 kB (4,100 bytes)",
        "4.1 MB (4,123,456 bytes)",
    ]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("PID-7", "Birth date"),
        ("PID-5.2", "First name"),
        ("PID-3.9", "Patient identifier"),
        ("RXA", "Vaccination"),
        ("RXA-99", "Vaccination"),
        ("ZZZ-1", "ZZZ-1"),
        ("", "Whole file"),
    ],
)
def test_T58_places_have_words(place: str, words: str) -> None:
    assert in_words(place) == words


def test_T59_every_scored_field_has_words() -> None:
    assert [field.place for field in FIELDS if in_words(field.place) == field.place] == []


def test_T59_places_in_an_order_group_belong_to_a_dose() -> None:
    assert [is_of_a_dose(place) for place in ("RXA-5", "OBX 64994-7", "ORC", "PID-7", "MSH", "")] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]
