"""Names in a partner's folder: what is ours, what is temporary, what may be taken (K17, M15, M33)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_exchange.storage.names import (
    SUSPENDED_NOTICE,
    StampedName,
    is_claimable,
    is_own,
    is_temporary,
    next_stamp,
    shortened,
    utc_stamp,
)

AT = datetime(2026, 11, 21, 7, 47, 12, tzinfo=UTC)
NAMES = st.text(
    st.characters(blacklist_characters="/\0", blacklist_categories=("Cs",)), min_size=1, max_size=60
)
INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def test_K17_names_follow_the_drop_through_its_life() -> None:
    name = StampedName("roster.csv", utc_stamp(AT))
    assert name.processing == "roster.csv.20261121T074712Z.processing"
    assert name.completed == "roster.csv.20261121T074712Z.completed"
    assert name.original == "roster.csv.20261121T074712Z"
    assert name.fix_it == "roster.20261121T074712Z.csv"


def test_M33_stamp_is_utc_whatever_the_zone_of_the_instant() -> None:
    west = AT.astimezone(timezone(timedelta(hours=-6)))
    assert utc_stamp(west) == "20261121T074712Z"
    assert next_stamp("20261231T235959Z") == "20270101T000000Z"


@given(NAMES, INSTANTS)
def test_K17_processing_name_parses_back(file_name: str, at: datetime) -> None:
    name = StampedName(file_name, utc_stamp(at))
    assert StampedName.parse_processing(name.processing) == name
    assert StampedName.parse_processing(name.completed) is None


@given(st.text("abc. -é", min_size=1).filter(lambda stem: stem.strip(".")), INSTANTS)
def test_N01_fix_it_name_leads_back_to_the_first_submission(stem: str, at: datetime) -> None:
    name = StampedName(f"{stem}.csv", utc_stamp(at))
    assert StampedName.parse_fix_it(name.fix_it) == name
    assert is_claimable(name.fix_it) is not is_temporary(name.fix_it)


@given(NAMES, INSTANTS)
def test_K17_our_own_names_are_never_taken(file_name: str, at: datetime) -> None:
    name = StampedName(file_name, utc_stamp(at))
    for own in (name.processing, name.completed):
        assert is_own(own)
        assert not is_claimable(own)


@pytest.mark.parametrize(
    "name",
    [
        ".roster.csv",
        "roster.csv.part",
        "roster.csv.filepart",
        "roster.csv.TMP",
        "~$roster.csv",
        SUSPENDED_NOTICE,
    ],
)
def test_M15_names_of_unfinished_uploads_and_notices_are_left_alone(name: str) -> None:
    assert not is_claimable(name)


@pytest.mark.parametrize(
    "name", ["roster.csv", "ROSTER.CSV", "fall roster 'é'.csv", "roster.xlsx", "roster.csv.completed"]
)
def test_M16_every_other_name_is_taken_so_that_it_gets_an_answer(name: str) -> None:
    assert is_claimable(name)


@given(NAMES.map(lambda text: text * 9))
def test_K17_a_long_name_leaves_room_for_our_endings(file_name: str) -> None:
    name = StampedName(shortened(file_name), utc_stamp(AT))
    assert all(
        len(own.encode()) <= 255 for own in (name.processing, name.completed, name.original, name.fix_it)
    )
    assert shortened(name.file_name) == name.file_name


def test_K17_a_shortened_name_keeps_its_ending() -> None:
    assert shortened("é" * 150 + ".csv").endswith("~.csv")
