"""When the doorbell rings and when a file is complete: the rules alone."""

from __future__ import annotations

import pytest

from partner_exchange.orchestration.looks import EMPTY, Bell, Fact, Look, Settling, look_at
from partner_exchange.storage.folders import Entry


def a_look(*names: str, size: int = 10, suspended: bool = False) -> Look:
    return Look(frozenset(Fact(name, size, 1000) for name in names), is_suspended=suspended)


def test_X18_rings_at_once_for_a_new_file_and_once_only() -> None:
    bell = Bell(30)
    assert [bell.rings(a_look("a.csv"), at) for at in (0, 0.5, 1, 1.5)] == [True, False, False, False]


def test_X18_twenty_files_in_one_look_ring_once() -> None:
    bell = Bell(30)
    look = a_look(*(f"{n}.csv" for n in range(20)))
    assert [bell.rings(look, at) for at in (0, 0.5, 1)] == [True, False, False]


def test_X18_rings_again_every_half_minute_while_files_are_there() -> None:
    bell = Bell(30)
    rings = [at for at in range(100) if bell.rings(a_look("a.csv"), at)]
    assert rings == [0, 30, 60, 90]


def test_X18_does_not_ring_while_a_claim_takes_files_away() -> None:
    bell = Bell(30)
    looks = [a_look("a.csv", "b.csv", "c.csv"), a_look("b.csv", "c.csv"), a_look("c.csv"), EMPTY, EMPTY]
    assert [bell.rings(look, at / 2) for at, look in enumerate(looks)] == [True, False, False, False, False]


def test_X18_rings_promptly_for_files_that_a_claim_left_behind() -> None:
    bell = Bell(30)
    everything = a_look(*(f"{n}.csv" for n in range(300)))
    rest = a_look(*(f"{n}.csv" for n in range(200, 300)))
    looks = [everything, everything, rest, rest, rest]
    assert [bell.rings(look, at / 2) for at, look in enumerate(looks)] == [True, False, False, True, False]


def test_X18_the_same_file_dropped_again_after_its_claim_rings_at_once() -> None:
    bell = Bell(30)
    assert [bell.rings(look, 0) for look in (a_look("a.csv"), EMPTY, a_look("a.csv"))] == [True, False, True]


def test_X01_a_growing_file_rings_at_its_start_and_when_it_stands_still() -> None:
    bell = Bell(30)
    sizes = [1, 2, 3, 4, 4, 4]
    rings = [bell.rings(a_look("a.csv", size=size), at / 2) for at, size in enumerate(sizes)]
    assert rings == [True, False, False, False, True, False]


def test_M39_a_suspended_inbox_does_not_ring_until_the_notice_is_gone() -> None:
    bell = Bell(30)
    looks = [a_look("a.csv", suspended=True), a_look("a.csv", suspended=True), a_look("a.csv")]
    assert [bell.rings(look, at * 40) for at, look in enumerate(looks)] == [False, False, True]


@pytest.mark.parametrize(
    "name",
    [
        "roster.csv.part",
        "roster.csv.filepart",
        "roster.tmp",
        ".roster.csv",
        "roster.csv.20261121T074712Z.processing",
        "roster.csv.20261121T074712Z.completed",
    ],
)
def test_X01_temporary_and_own_names_do_not_count(name: str) -> None:
    assert look_at([Entry(name, 1, 1.0, is_file=True)]) == EMPTY


def test_X01_folders_do_not_count_and_the_notice_suspends() -> None:
    look = look_at(
        [
            Entry("originals", 0, 1.0, is_file=False),
            Entry("INTAKE-SUSPENDED.txt", 9, 1.0, is_file=True),
            Entry("roster.csv", 5, 7.9, is_file=True),
        ]
    )
    assert look == Look(frozenset({Fact("roster.csv", 5, 7)}), is_suspended=True)


def test_X01_a_file_is_complete_when_two_looks_agree() -> None:
    settling = Settling(2)
    assert settling.settled(a_look("a.csv", size=1), 0) == frozenset()
    assert settling.settled(a_look("a.csv", size=2), 2) == frozenset(), "it grew, so the wait starts anew"
    assert settling.settled(a_look("a.csv", size=2), 3.9) == frozenset()
    assert {fact.name for fact in settling.settled(a_look("a.csv", size=2), 4)} == {"a.csv"}


def test_X01_a_file_that_vanished_in_between_has_to_settle_anew() -> None:
    settling = Settling(2)
    settling.settled(a_look("a.csv"), 0)
    settling.settled(EMPTY, 1)
    assert settling.settled(a_look("a.csv"), 2.5) == frozenset()


def test_AN2_digests_follow_name_size_and_time_and_show_none_of_them() -> None:
    look = a_look("secret-name.csv")
    assert look.digest == a_look("secret-name.csv").digest
    assert len({look.digest, a_look("other.csv").digest, a_look("secret-name.csv", size=11).digest}) == 3
    assert "secret" not in look.digest
