"""How many files a partner may leave: counted in the folder, at each new upload (T38, K13)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from support.gateway import Gateway

pytestmark = pytest.mark.service

LIMIT = 5
FULL = "5 files of your own; 5 are the most"


@pytest.fixture
def limited(gateway: Gateway) -> Gateway:
    """North may leave five files; south any number."""
    limit(gateway)
    return gateway


def limit(gateway: Gateway, **quota: Any) -> None:
    gateway.add_tenant("north", gateway.keys["north"], quota={"max_files": LIMIT, **quota})


def fill(gateway: Gateway, count: int = LIMIT) -> None:
    for number in range(count):
        (gateway.folder("north") / f"{number}.csv").write_bytes(b"waits")


async def put(sftp: Any, name: str, mode: str = "wb", folder: str = "inbound") -> None:
    async with sftp.open(f"/{folder}/{name}", mode) as file:
        await file.write(b"new")


@pytest.mark.parametrize(
    ("scope", "where"), [("folder", "Your inbound folder holds"), ("account", "Your account holds")]
)
async def test_T38_one_file_too_many_is_refused_when_it_is_opened(
    gateway: Gateway, caplog: pytest.LogCaptureFixture, scope: str, where: str
) -> None:
    limit(gateway, scope=scope)
    fill(gateway, LIMIT - 1)
    async with gateway.connect("north") as conn, conn.start_sftp_client() as sftp:
        await put(sftp, "last.csv")
        for mode in ("wb", "ab", "xb", "w+b"):
            with pytest.raises(asyncssh.SFTPFailure) as caught:
                await sftp.open("/inbound/more.csv", mode)
            assert f"{where} {FULL}" in caught.value.reason
            assert "Remove what is not needed" in caught.value.reason
        assert len(gateway.names("north")) == LIMIT
        await sftp.remove("/inbound/last.csv")
        await put(sftp, "more.csv")
    refused = [line for line in caplog.messages if "code=too-many-files" in line]
    assert len(refused) == 4
    assert "verb=write path='/inbound/more.csv'" in refused[0]


async def test_T38_what_is_there_may_be_replaced_read_renamed_and_removed(limited: Gateway) -> None:
    fill(limited)
    async with limited.connect("north") as conn, conn.start_sftp_client() as sftp:
        await put(sftp, "0.csv")
        await put(sftp, "0.csv", "ab")
        assert (limited.folder("north") / "0.csv").read_bytes() == b"newnew"
        await sftp.rename("/inbound/0.csv", "/inbound/a.csv")
        await sftp.posix_rename("/inbound/a.csv", "/inbound/1.csv")
        await put(sftp, "free again.csv")
        with pytest.raises(asyncssh.SFTPFailure, match=FULL):
            await put(sftp, "more.csv")
    assert limited.names("north") == ["1.csv", "2.csv", "3.csv", "4.csv", "free again.csv"]


async def test_T38_a_program_that_renames_after_the_upload_needs_a_place_for_both(limited: Gateway) -> None:
    fill(limited, LIMIT - 1)
    async with limited.connect("north") as conn, conn.start_sftp_client() as sftp:
        await put(sftp, "a.csv.filepart")
        await sftp.rename("/inbound/a.csv.filepart", "/inbound/a.csv")
        with pytest.raises(asyncssh.SFTPFailure, match=FULL):
            await put(sftp, ".b.csv.tmp")


async def test_K13_our_own_files_never_count_and_are_never_refused(limited: Gateway) -> None:
    stamp = "20261121T074712Z"
    fill(limited)
    inbound = limited.folder("north")
    for folder in ("originals", "rejected"):
        (inbound / folder).mkdir()
        for number in range(9):
            (inbound / folder / f"{number}.csv").touch()
    async with limited.connect("pipeline") as conn, conn.start_sftp_client() as sftp:
        for number in range(LIMIT):
            await put(sftp, f"{number}.csv.{stamp}.completed", folder="north/inbound")
            await put(sftp, f"{number}.csv", folder="north/outbound")
            await sftp.rename(
                f"/north/inbound/{number}.csv", f"/north/inbound/{number}.csv.{stamp}.processing"
            )
        await put(sftp, "INTAKE-SUSPENDED.txt", folder="north/inbound")
        await put(sftp, "operator.csv", folder="north/inbound")
    async with limited.connect("north") as conn, conn.start_sftp_client() as sftp:
        for number in range(LIMIT - 1):
            await put(sftp, f"{number}.csv")
        with pytest.raises(asyncssh.SFTPFailure, match=FULL):
            await put(sftp, "more.csv")


async def test_T38_uploads_on_their_way_count_and_cut_ones_do_not(limited: Gateway) -> None:
    fill(limited, LIMIT - 1)
    (limited.folder("north") / f".upload-{'0' * 32}.exchange").write_bytes(b"left by a killed gateway")
    (limited.folder("north") / ".01J.exchange").write_bytes(b"being written by us")
    async with (
        limited.connect("north") as conn,
        conn.start_sftp_client() as one,
        limited.connect("north") as other_conn,
        other_conn.start_sftp_client() as two,
    ):
        file = await one.open("/inbound/last.csv", "wb")
        with pytest.raises(asyncssh.SFTPFailure, match=FULL):
            await two.open("/inbound/more.csv", "wb")
        # The same name takes the same place, from whatever session.
        same = await two.open("/inbound/last.csv", "wb")
        await same.close()
        await file.close()
        await one.remove("/inbound/last.csv")
        await one.open("/inbound/cut.csv", "wb")
        one.exit()
        await one.wait_closed()
        for _ in range(500):
            if not any(name.endswith(".exchange") and "0" * 32 not in name for name in hidden(limited)):
                break
            await asyncio.sleep(0.02)
        await put(two, "more.csv")
        with pytest.raises(asyncssh.SFTPFailure, match=FULL):
            await put(two, "one too many.csv")


def hidden(gateway: Gateway) -> list[str]:
    return [name for name in gateway.names("north") if name.startswith(".upload-")]


async def test_T38_a_file_that_is_sent_anew_keeps_its_place_when_the_old_one_goes(limited: Gateway) -> None:
    fill(limited)
    async with limited.connect("north") as conn, conn.start_sftp_client() as sftp:
        anew = await sftp.open("/inbound/0.csv", "wb")
        with pytest.raises(asyncssh.SFTPFailure, match=FULL):
            await sftp.rename("/inbound/0.csv", "/inbound/away.csv")
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            await sftp.rename("/inbound/absent.csv", "/inbound/away.csv")
        await sftp.rename("/inbound/1.csv", "/inbound/b.csv")
        await sftp.remove("/inbound/0.csv")
        with pytest.raises(asyncssh.SFTPFailure, match=FULL):
            await put(sftp, "more.csv")
        await anew.close()
    assert limited.names("north") == ["0.csv", "2.csv", "3.csv", "4.csv", "b.csv"]


async def test_T38_a_limit_that_came_later_takes_nothing_away(gateway: Gateway) -> None:
    fill(gateway, 9)
    limit(gateway)
    async with gateway.connect("north") as conn, conn.start_sftp_client() as sftp:
        await put(sftp, "8.csv")
        await sftp.rename("/inbound/8.csv", "/inbound/a.csv")
        with pytest.raises(asyncssh.SFTPFailure, match="holds 9 files of your own; 5 are the most"):
            await put(sftp, "more.csv")
    assert len(gateway.names("north")) == 9


@pytest.mark.parametrize("sessions", [1, 8])
async def test_T38_of_thirty_uploads_at_once_as_many_get_in_as_there_are_places(
    limited: Gateway, sessions: int
) -> None:
    fill(limited, 1)
    async with limited.connect("north") as conn:
        clients = [await conn.start_sftp_client() for _ in range(sessions)]

        async def attempt(number: int) -> str:
            try:
                await put(clients[number % len(clients)], f"upload{number}.csv")
            except asyncssh.SFTPFailure as error:
                return error.reason
            return "in"

        outcomes = await asyncio.gather(*(attempt(number) for number in range(30)))
    assert outcomes.count("in") == LIMIT - 1
    assert all("5 are the most" in reason for reason in outcomes if reason != "in")
    assert len(limited.names("north")) == LIMIT


async def test_T38_two_gateways_over_the_same_homes_count_as_one(limited: Gateway) -> None:
    other = Gateway(limited.settings.home, limited.settings.tenants_dir)
    other.keys = limited.keys
    await asyncio.to_thread(other.start)
    fill(limited, LIMIT - 1)
    async with limited.connect("north") as conn, conn.start_sftp_client() as here:
        waiting = await here.open("/inbound/last.csv", "wb")
        async with other.connect("north") as there_conn, there_conn.start_sftp_client() as there:
            with pytest.raises(asyncssh.SFTPFailure, match=FULL):
                await put(there, "more.csv")
        await waiting.close()
    await asyncio.to_thread(other.end)
    assert len(limited.names("north")) == LIMIT


def test_T38_clients_show_the_refusal(limited: Gateway, tmp_path: Path) -> None:
    fill(limited)
    new = tmp_path / "new.csv"
    new.write_bytes(b"new")
    done = limited.sftp("north", f"put {new} inbound/")
    assert done.returncode != 0
    # OpenSSH shows the status only, never a server's sentence.
    assert "Failure" in done.stderr
    done = limited.lftp("north", f"cd inbound; put {new}")
    assert done.returncode != 0
    assert FULL in done.stderr
    with limited.paramiko("north") as sftp, pytest.raises(OSError, match=FULL):
        sftp.put(str(new), "/inbound/new.csv")
    assert limited.sftp("north", f"put {new} inbound/0.csv").returncode == 0
    assert limited.lftp("north", f"put {new} -o inbound/1.csv").returncode == 0
    assert limited.names("north") == [f"{number}.csv" for number in range(LIMIT)]
