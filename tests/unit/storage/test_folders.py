"""A home seen locally: atomic writes, renames that never replace (the SFTP twin is tested against real
servers).
"""

from __future__ import annotations

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
