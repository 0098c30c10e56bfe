"""The carrier over a home of this machine; the twin over SFTP is tested against real servers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from partner_exchange.errors import NameTaken, PathMissing, RemoteBusy, RemoteFull
from partner_exchange.exports.delivery.carrier import Carrier
from partner_exchange.storage.folders import LocalHome
from partner_exchange.storage.sftp_wire import Space


@pytest.fixture
def carrier(tmp_path: Path) -> Carrier:
    return Carrier(LocalHome(tmp_path), "outbound", is_ours=True)


def test_M68_a_file_gets_its_place(carrier: Carrier, tmp_path: Path) -> None:
    carrier.put("a.tmp", [b"one,", b"two"], size_bytes=7)
    assert carrier.size_bytes("a.tmp") == 7
    assert carrier.sha256("a.tmp") == hashlib.sha256(b"one,two").hexdigest()
    carrier.rename("a.tmp", "a.csv")
    assert carrier.read("a.csv", max_bytes=3) == b"one"
    assert carrier.read("a.csv", max_bytes=100) == b"one,two"
    carrier.put("b.tmp", [b"new"])
    with pytest.raises(NameTaken):
        carrier.rename("b.tmp", "a.csv")
    carrier.replace("b.tmp", "a.csv")
    assert [(entry.name, entry.size_bytes) for entry in carrier.entries()] == [("a.csv", 3)]
    carrier.remove("a.csv")
    carrier.remove("a.csv")
    assert (carrier.exists("a.csv"), carrier.size_bytes("a.csv"), list(tmp_path.iterdir())) == (
        False,
        None,
        [],
    )


def test_M71_a_missing_folder_is_told_by_every_deed(tmp_path: Path) -> None:
    carrier = Carrier(LocalHome(tmp_path / "nowhere"), "outbound", is_ours=True)
    for act in (
        lambda: carrier.put("a", [b"x"]),
        carrier.entries,
        lambda: carrier.rename("a", "b"),
        lambda: carrier.read("a", max_bytes=1),
    ):
        with pytest.raises(PathMissing) as caught:
            act()
        assert caught.value.code == "target-path-missing"


def test_X10_no_room_is_seen_before_anything_is_written(tmp_path: Path) -> None:
    class Small(LocalHome):
        def space(self, folder: str) -> Space | None:
            return Space(10, is_read_only=False)

    def unread() -> Iterator[bytes]:
        raise AssertionError("nothing may be read")
        yield b""

    carrier = Carrier(Small(tmp_path), "outbound", is_ours=True)
    with pytest.raises(RemoteFull) as caught:
        carrier.put("a", unread(), size_bytes=11)
    assert (caught.value.fields["size_bytes"], caught.value.fields["free_bytes"]) == (11, 10)
    carrier.put("a", [b"x" * 10], size_bytes=10)
    carrier.put("a", [b"x" * 20], size_bytes=20)


def test_X10_a_refusal_without_a_reason_is_tried_again(tmp_path: Path) -> None:
    class Moody(LocalHome):
        def remove(self, path: str) -> None:
            raise OSError("Failure")

    with pytest.raises(RemoteBusy) as caught:
        Carrier(Moody(tmp_path), "outbound", is_ours=True).remove("a")
    assert caught.value.code == "target-busy"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../a", "/a"])
def test_M67_only_names_are_taken(carrier: Carrier, name: str) -> None:
    for act in (
        lambda: carrier.put(name, [b"x"]),
        lambda: carrier.remove(name),
        lambda: carrier.rename("a", name),
        lambda: carrier.replace(name, "a"),
        lambda: carrier.sha256(name),
    ):
        with pytest.raises(ValueError, match="name of one file"):
            act()
