"""The same steps against an OpenSSH server instead of our gateway: any SFTP server can hold the inbox
(design.md 5).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from partner_exchange.storage.folders import SftpHome
from partner_exchange.submissions.claim import claim
from partner_exchange.submissions.process import run_steps
from submissions.conftest import Exchange, roster, student
from support.sshd import Sshd, sshd

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("sshd") / "server") as running:
        yield running


@pytest.fixture
def home(server: Sshd, exchange: Exchange) -> Iterator[SftpHome]:
    with server.client() as client:
        yield SftpHome(client, str(exchange.home_dir()))


def test_P5_a_roster_on_an_openssh_server_is_answered_there(exchange: Exchange, home: SftpHome) -> None:
    content = roster(student(1), student(2, dob="02/30/2001"))
    exchange.drop(content, "été roster.csv")
    for claimed in claim(home, exchange.tenant()):
        run_steps(claimed.submission_id, home)
    (original,) = exchange.files("originals/*")
    assert original.read_bytes() == content
    assert len(exchange.files("rejected/*")) == 1
    assert "dob-no-such-day" in exchange.answer()
    assert {path.name for path in exchange.inbox().iterdir() if path.name.startswith(".")} == set()


def test_M33_two_claims_over_sftp_share_nothing(exchange: Exchange, server: Sshd) -> None:
    for number in range(8):
        exchange.drop(roster(student(number)), f"file-{number}.csv")
    with server.client() as one, server.client() as two:
        homes = [SftpHome(client, str(exchange.home_dir())) for client in (one, two)]
        stale = [home.entries("inbound") for home in homes]

        class Stale(SftpHome):
            """A home that still shows what lay there before the other claim."""

            def entries(self, folder: str) -> list:  # type: ignore[type-arg]
                return stale[0] if folder == "inbound" else super().entries(folder)

        first = claim(homes[0], exchange.tenant())
        for claimed in first:
            run_steps(claimed.submission_id, homes[0])
        assert claim(Stale(two, str(exchange.home_dir())), exchange.tenant()) == []
    assert len(first) == 8


def test_K17_writing_and_renaming_over_sftp_keep_their_promises(
    exchange: Exchange, home: SftpHome, tmp_path: Path
) -> None:
    home.ensure_folder("inbound/originals")
    home.ensure_folder("inbound/originals")
    home.write("inbound/no-folder", b"")
    with pytest.raises(FileExistsError):
        home.ensure_folder("inbound/no-folder")
    home.remove("inbound/no-folder")
    home.write("inbound/a", b"x" * 3_000_000)
    home.write("inbound/a", b"new")
    assert b"".join(home.read("inbound/a")) == b"new"
    home.write("inbound/b", b"other")
    with pytest.raises(FileExistsError):
        home.rename("inbound/b", "inbound/a")
    home.rename("inbound/b", "inbound/c")
    with pytest.raises(FileNotFoundError):
        home.rename("inbound/b", "inbound/d")
    home.remove("inbound/c")
    home.remove("inbound/c")
    assert {entry.name: entry.is_file for entry in home.entries("inbound")} == {"a": True, "originals": False}
    assert home.entries("nowhere") == []


def test_M15_a_name_that_is_not_utf8_hides_no_other_file(exchange: Exchange, home: SftpHome) -> None:
    odd = os.fsencode(exchange.inbox()) + b"/r\xe9sum\xe9.csv"
    os.close(os.open(odd, os.O_CREAT))
    exchange.drop(roster(student(1)))
    assert [claimed.file_name for claimed in claim(home, exchange.tenant())] == ["roster.csv"]
    os.unlink(odd)
