"""Names in a partner's folder: what is ours, what is temporary, what may be taken (K17, M15, M33)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_exchange.storage.names import (
    FIX_IT,
    RESULT,
    SUSPENDED_NOTICE,
    StampedName,
    in_order,
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
    assert name.fix_it("csv") == "roster.20261121T074712Z.csv"
    assert name.answer("result", "csv") == "roster.20261121T074712Z.result.csv"


def test_M33_stamp_is_utc_whatever_the_zone_of_the_instant() -> None:
    west = AT.astimezone(timezone(timedelta(hours=-6)))
    assert utc_stamp(west) == "20261121T074712Z"
    assert next_stamp("20261231T235959Z") == "20270101T000000Z"


@given(NAMES, INSTANTS)
def test_K17_processing_name_parses_back(file_name: str, at: datetime) -> None:
    name = StampedName(file_name, utc_stamp(at))
    assert StampedName.parse_processing(name.processing) == name
    assert StampedName.parse_processing(name.completed) is None


@given(
    st.text("abc. -é\u4e2d~", min_size=1).filter(lambda stem: stem.strip(".")),
    st.sampled_from(["", ".csv", ".CSV", ".xls", ".Xlsx", ".XLSX", ".txt", ".csv.xls", ".cSv", "."]),
    st.sampled_from(["csv", "xlsx"]),
    INSTANTS,
)
def test_N01_fix_it_names_lead_back_to_the_first_submission(
    stem: str, own_ending: str, ending: str, at: datetime
) -> None:
    name = StampedName(f"{stem}{own_ending}", utc_stamp(at))
    for fix_it in (name.fix_it(ending), name.answer(FIX_IT, ending)):
        candidates = StampedName.parse_fix_it(fix_it)
        assert name in candidates
        assert {(one.stem, one.stamp) for one in candidates} == {(name.stem, name.stamp)}
        assert is_claimable(fix_it) is not is_temporary(fix_it)
        assert not is_own(fix_it)


@given(NAMES, INSTANTS)
def test_N01_no_other_answer_is_taken_for_a_fix_it_file(file_name: str, at: datetime) -> None:
    name = StampedName(file_name, utc_stamp(at))
    for answer in (name.answer("result", "csv"), name.answer("annotated", "xlsx")):
        assert name not in StampedName.parse_fix_it(answer)


@pytest.mark.parametrize(
    ("dropped", "fix_it"),
    [
        ("roster.csv", "roster.20261121T074712Z.csv"),
        ("Bulk 7.v2.CSV", "Bulk 7.v2.20261121T074712Z.CSV"),
        ("bulk.xls", "bulk.20261121T074712Z.xlsx"),
        ("status", "status.20261121T074712Z.xlsx"),
        ("\u96c6\u8a08.dat", "\u96c6\u8a08.dat.20261121T074712Z.xlsx"),
    ],
)
def test_N01_the_fix_it_file_is_called_as_the_drop_and_has_its_own_ending(dropped: str, fix_it: str) -> None:
    ending = fix_it.rpartition(".")[2].casefold()
    assert StampedName(dropped, utc_stamp(AT)).fix_it(ending) == fix_it


def test_N01_a_fix_it_file_saved_as_another_kind_still_leads_back() -> None:
    first = StampedName("bulk.xls", utc_stamp(AT))
    assert first in StampedName.parse_fix_it(f"bulk.{utc_stamp(AT)}.fix-it.ods")


@given(NAMES, NAMES, INSTANTS)
def test_K17_two_drops_share_an_answer_only_with_the_same_stem(one: str, other: str, at: datetime) -> None:
    first, second = StampedName(one, utc_stamp(at)), StampedName(other, utc_stamp(at))
    assert (first.answer("result", "csv") == second.answer("result", "csv")) is (first.stem == second.stem)


@given(NAMES, INSTANTS)
def test_K17_names_in_hand_and_answered_parse_back(file_name: str, at: datetime) -> None:
    name = StampedName(file_name, utc_stamp(at))
    assert {StampedName.parse_own(own) for own in (name.processing, name.completed)} == {name}
    assert StampedName.parse_own(name.original) is None


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
    fix_it = name.answer(FIX_IT, "xlsx")
    assert shortened(fix_it) == fix_it, "dropped again, it still leads back"
    again = StampedName(shortened(fix_it), utc_stamp(AT))
    for one in (name, again):
        names = [one.processing, one.completed, one.original, one.fix_it("xlsx")]
        names += [one.answer(kind, "xlsx") for kind in (FIX_IT, RESULT, "annotated")]
        assert max(len(own.encode()) for own in names) <= 255
        assert shortened(one.file_name) == one.file_name
    twice = shortened(again.answer(FIX_IT, "xlsx"))
    assert shortened(twice) == twice


def test_K17_a_shortened_name_keeps_its_ending() -> None:
    assert shortened("é" * 150 + ".csv").endswith("~.csv")


def test_K20_names_sort_as_people_count() -> None:
    names = ["AAA-SSL26325-10.hl7", "AAA-SSL26325-2.hl7", "AAA-SSL26325.hl7", "AAA-SSL26324-3.hl7"]
    assert sorted(names, key=in_order) == [
        "AAA-SSL26324-3.hl7",
        "AAA-SSL26325.hl7",
        "AAA-SSL26325-2.hl7",
        "AAA-SSL26325-10.hl7",
    ]


@given(st.lists(NAMES))
def test_K20_any_names_can_be_ordered(names: list[str]) -> None:
    assert sorted(sorted(names, key=in_order)) == sorted(names)
