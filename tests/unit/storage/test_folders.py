"""A home seen locally: atomic writes, renames that never replace (the SFTP twin is tested against real
servers).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from partner_exchange.storage.folders import LocalHome


@pytest.fixture
def home(tmp_path: Path) -> LocalHome:
    (tmp_path / "inbound").mkdir()
    return LocalHome(tmp_path)


def test_M33_of_two_renames_only_the_first_finds_the_file(home: LocalHome) -> None:
    home.write("inbound/a.csv", b"x")
    home.rename("inbound/a.csv", "inbound/a.csv.1")
    with pytest.raises(FileNotFoundError):
        home.rename("inbound/a.csv", "inbound/a.csv.2")


def test_K17_a_rename_never_replaces_a_file(home: LocalHome) -> None:
    home.write("inbound/a.csv", b"old")
    home.write("inbound/b.csv", b"new")
    with pytest.raises(FileExistsError):
        home.rename("inbound/b.csv", "inbound/a.csv")
    assert b"".join(home.read("inbound/a.csv")) == b"old"


def test_K17_a_written_file_leaves_no_temporary_name(home: LocalHome) -> None:
    home.write("inbound/a.csv", b"x" * 3_000_000)
    home.write("inbound/a.csv", b"y")
    assert [(entry.name, entry.size_bytes) for entry in home.entries("inbound")] == [("a.csv", 1)]


def test_P6_a_folder_is_not_a_file_and_a_missing_folder_is_empty(home: LocalHome) -> None:
    home.ensure_folder("inbound/x.csv")
    assert [entry.is_file for entry in home.entries("inbound")] == [False]
    assert home.entries("nowhere") == []
    home.remove("inbound/nothing.csv")


def test_M67_a_file_is_put_in_chunks_under_exactly_its_name(home: LocalHome, tmp_path: Path) -> None:
    home.put("inbound/a.tmp", iter([b"one", b"", b"two"]))
    home.put("inbound/b.csv", [b"old"])
    assert home.size_bytes("inbound/a.tmp") == 6
    assert home.size_bytes("inbound/nothing") is None
    home.replace("inbound/a.tmp", "inbound/b.csv")
    assert [(path.name, path.read_bytes()) for path in (tmp_path / "inbound").iterdir()] == [
        ("b.csv", b"onetwo")
    ]


def test_M67_what_cannot_be_written_whole_does_not_stay(home: LocalHome, tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"a part"
        raise ValueError("the source")

    with pytest.raises(ValueError, match="the source"):
        home.put("inbound/a.tmp", broken())
    assert list((tmp_path / "inbound").iterdir()) == []


def test_X10_the_room_of_a_folder_is_known_and_of_none_it_is_not(home: LocalHome) -> None:
    space = home.space("inbound")
    assert space is not None
    assert space.free_bytes > 0
    assert home.space("nowhere") is None
