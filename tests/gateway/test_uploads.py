"""An upload is there as a whole after a true close, and leaves nothing in all other cases (AN 9)."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import asyncssh
import paramiko
import pytest

from support.gateway import Gateway

pytestmark = pytest.mark.service

CONTENT = b"Username,Email\nann@north.edu,ann@north.edu\n"


async def until(condition: object, what: str) -> None:
    for _ in range(500):
        if condition():  # type: ignore[operator]
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"not within ten seconds: {what}")


async def test_AN9_clean_close_publishes_before_the_answer(gateway: Gateway) -> None:
    async with gateway.connect("north") as conn, conn.start_sftp_client() as sftp:
        file = await sftp.open("inbound/a.csv", "wb")
        await file.write(CONTENT)
        assert "a.csv" not in gateway.names("north")
        assert await sftp.listdir("inbound") == []
        await file.close()
        assert gateway.names("north") == ["a.csv"]
        assert (gateway.folder("north") / "a.csv").read_bytes() == CONTENT


async def test_AN9_close_and_end_of_session_at_once_publishes(gateway: Gateway) -> None:
    """The client sends its close and hangs up without waiting for the answer: it did close the file."""
    async with gateway.connect("north") as conn:
        sftp = await conn.start_sftp_client()
        file = await sftp.open("inbound/a.csv", "wb")
        await file.write(CONTENT)
        closing = asyncio.ensure_future(file.close())
        await asyncio.sleep(0)
        sftp.exit()
        await asyncio.wait([closing])
        await until(lambda: gateway.names("north") == ["a.csv"], "published")


async def test_AN9_abort_leaves_nothing(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    conn = await gateway.connect("north")
    sftp = await conn.start_sftp_client()
    file = await sftp.open("inbound/a.csv", "wb")
    await file.write(CONTENT)
    conn.abort()
    await until(lambda: gateway.names("north") == [], "hidden file removed")
    assert "upload_cut_short account=north" in caplog.text
    assert "upload_published" not in caplog.text


async def test_AN9_end_of_session_with_an_open_handle_leaves_nothing(gateway: Gateway) -> None:
    async with gateway.connect("north") as conn:
        sftp = await conn.start_sftp_client()
        file = await sftp.open("inbound/a.csv", "wb")
        await file.write(CONTENT)
        sftp.exit()
        await sftp.wait_closed()
        await until(lambda: gateway.names("north") == [], "hidden file removed")


async def test_AN9_end_of_connection_with_an_open_handle_leaves_nothing(gateway: Gateway) -> None:
    conn = await gateway.connect("north")
    sftp = await conn.start_sftp_client()
    file = await sftp.open("inbound/a.csv", "wb")
    await file.write(CONTENT)
    conn.close()
    await conn.wait_closed()
    await until(lambda: gateway.names("north") == [], "hidden file removed")


async def test_AN9_gateway_that_stops_publishes_nothing(gateway: Gateway) -> None:
    conn = await gateway.connect("north")
    sftp = await conn.start_sftp_client()
    file = await sftp.open("inbound/a.csv", "wb")
    await file.write(CONTENT)
    await asyncio.to_thread(gateway.stop)
    assert gateway.names("north") == []
    conn.abort()


def test_AN9_killed_gateway_s_leftovers_go_at_the_next_start(gateway: Gateway) -> None:
    gateway.stop()
    leftover = gateway.folder("north") / f".upload-{'0' * 32}.exchange"
    leftover.write_bytes(CONTENT)
    partners_own = gateway.folder("north") / ".mine.csv"
    partners_own.write_bytes(CONTENT)
    gateway.start()
    assert gateway.names("north") == [".mine.csv"]


async def test_AN9_a_second_gateway_leaves_uploads_of_the_first_alone(gateway: Gateway) -> None:
    other = Gateway(gateway.settings.home, gateway.settings.tenants_dir)
    async with gateway.connect("north") as conn, conn.start_sftp_client() as sftp:
        async with sftp.open("inbound/a.csv", "wb") as file:
            await file.write(CONTENT)
            await asyncio.to_thread(other.start)
        assert gateway.names("north") == ["a.csv"]
    await asyncio.to_thread(other.end)


async def test_AN9_hidden_uploads_are_shown_to_nobody_in_a_home(gateway: Gateway) -> None:
    async with (
        gateway.connect("north") as conn,
        conn.start_sftp_client() as writer,
        conn.start_sftp_client() as reader,
    ):
        file = await writer.open("inbound/a.csv", "wb")
        hidden = gateway.names("north")[0]
        assert await reader.listdir("/inbound") == []
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            await reader.stat(f"/inbound/{hidden}")
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            await reader.remove(f"/inbound/{hidden}")
        await file.close()


async def test_K4_upload_over_the_limit_is_refused_and_nothing_is_left(gateway: Gateway) -> None:
    async with gateway.connect("south") as conn, conn.start_sftp_client() as sftp:
        file = await sftp.open("inbound/big.csv", "wb")
        await file.write(b"x" * 60_000)
        with pytest.raises(asyncssh.SFTPError, match="larger than the 65536 bytes"):
            await file.write(b"x" * 10_000)
        with pytest.raises(asyncssh.SFTPError, match="larger than the 65536 bytes"):
            await file.close()
        assert gateway.names("south") == []
        with pytest.raises(asyncssh.SFTPError, match="larger than"):
            async with sftp.open("inbound/big.csv", "wb") as file:
                await file.truncate(70_000)
        assert gateway.names("south") == []
        async with sftp.open("inbound/fits.csv", "wb") as file:
            await file.write(b"x" * 65_536)
    assert gateway.names("south") == ["fits.csv"]


def test_K4_upload_over_the_limit_fails_in_openssh_and_paramiko(gateway: Gateway, tmp_path: Path) -> None:
    big = tmp_path / "big.csv"
    big.write_bytes(b"x" * 500_000)
    # paramiko swallows the refusals of write and close, and then misses the file when it looks for it.
    with gateway.paramiko("south") as sftp, pytest.raises(OSError, match="No such file"):
        sftp.put(str(big), "/inbound/big.csv")
    assert gateway.names("south") == []
    assert gateway.sftp("south", f"put {big} inbound/big.csv").returncode != 0
    assert gateway.names("south") == []


def test_M15_put_of_openssh_keeps_times_and_resumes(gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "roster.csv"
    file.write_bytes(CONTENT)
    os.utime(file, (1_600_000_000, 1_600_000_000))
    done = gateway.sftp("north", f"put -p {file} inbound/", "ls -la inbound", "chmod 600 inbound/roster.csv")
    assert done.returncode == 0, done.stderr
    stored = gateway.folder("north") / "roster.csv"
    assert stored.read_bytes() == CONTENT
    assert int(stored.stat().st_mtime) == 1_600_000_000
    file.write_bytes(CONTENT + b"bob@north.edu,bob@north.edu\n")
    done = gateway.sftp("north", f"reput {file} inbound/roster.csv")
    assert done.returncode == 0, done.stderr
    assert stored.read_bytes() == file.read_bytes()
    assert gateway.names("north") == ["roster.csv"]


def test_M15_put_of_lftp(gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "ros ter.csv"
    file.write_bytes(CONTENT * 20_000)
    done = gateway.lftp("north", f"cd inbound; put '{file}'; cls -l")
    assert done.returncode == 0, done.stderr
    assert (gateway.folder("north") / "ros ter.csv").read_bytes() == CONTENT * 20_000
    file.write_bytes(CONTENT * 20_001)
    done = gateway.lftp("north", f"set xfer:use-temp-file yes; cd inbound; put -c '{file}'")
    assert done.returncode == 0, done.stderr
    assert (gateway.folder("north") / "ros ter.csv").read_bytes() == CONTENT * 20_001
    assert gateway.names("north") == ["ros ter.csv"]


def test_M15_put_of_paramiko_confirms_the_size(gateway: Gateway, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(CONTENT * 1000)
    with gateway.paramiko("north") as sftp:
        for number in range(20):
            sftp.put(str(file), f"/inbound/{number}.csv", confirm=True)
            sftp.utime(f"/inbound/{number}.csv", (1, 1_600_000_000))
            sftp.chmod(f"/inbound/{number}.csv", 0o600)
            sftp.chown(f"/inbound/{number}.csv", 1, 1)
    assert len(gateway.names("north")) == 20


def test_M15_put_is_confirmed_although_the_file_is_claimed_at_once(gateway: Gateway, tmp_path: Path) -> None:
    """The pipeline may rename the file before its client looks at it, which must not look like a failure."""
    with gateway.paramiko("north") as partner, gateway.paramiko("pipeline") as pipeline:
        with partner.open("/inbound/a.csv", "wb") as file:
            file.write(CONTENT)
        pipeline.rename("/north/inbound/a.csv", "/north/inbound/a.csv.20261121T074712Z.processing")
        assert partner.stat("/inbound/a.csv").st_size == len(CONTENT)
        partner.utime("/inbound/a.csv", (1, 1))
        assert partner.listdir("/inbound") == ["a.csv.20261121T074712Z.processing"]
        with gateway.paramiko("north") as elsewhere, pytest.raises(FileNotFoundError):
            elsewhere.stat("/inbound/a.csv")


@pytest.mark.parametrize("temporary", ["a.csv.filepart", "a.csv.part", ".a.csv.tmp"])
def test_M15_upload_under_a_temporary_name_and_rename(gateway: Gateway, temporary: str) -> None:
    with gateway.paramiko("north") as sftp:
        with sftp.open(f"/inbound/{temporary}", "wb") as file:
            file.write(CONTENT)
        assert sftp.listdir("/inbound") == [temporary]
        sftp.rename(f"/inbound/{temporary}", "/inbound/a.csv")
        with sftp.open(f"/inbound/{temporary}", "wb") as file:
            file.write(CONTENT * 2)
        with pytest.raises(OSError, match="exists|Failure"):
            sftp.rename(f"/inbound/{temporary}", "/inbound/a.csv")
        sftp.posix_rename(f"/inbound/{temporary}", "/inbound/a.csv")
    assert (gateway.folder("north") / "a.csv").read_bytes() == CONTENT * 2


def test_M15_append_changes_a_private_copy_until_it_is_closed(gateway: Gateway) -> None:
    stored = gateway.folder("north") / "a.csv"
    stored.write_bytes(CONTENT)
    with gateway.paramiko("north") as sftp:
        file = sftp.open("/inbound/a.csv", "a")
        file.write(b"bob\n")
        file.flush()
        assert stored.read_bytes() == CONTENT
        file.close()
        assert stored.read_bytes() == CONTENT + b"bob\n"
        with pytest.raises(FileNotFoundError):
            sftp.open("/inbound/absent.csv", "r+")
        with pytest.raises(OSError, match="exists|Failure"):
            sftp.open("/inbound/a.csv", "wx")


@pytest.mark.parametrize(
    "name", ["a b.csv", "it's.csv", 'say "hi".csv', "Zoë.csv", "学生.csv", "a;b&c$d.csv", "-rf.csv", "*.csv"]
)
def test_M15_names_with_spaces_quotes_and_all_letters(gateway: Gateway, name: str) -> None:
    with gateway.paramiko("north") as sftp:
        with sftp.open(f"/inbound/{name}", "wb") as file:
            file.write(CONTENT)
        assert sftp.listdir("/inbound") == [name]
        with sftp.open(f"/inbound/{name}", "rb") as file:
            assert file.read() == CONTENT
        sftp.remove(f"/inbound/{name}")
    assert gateway.names("north") == []


async def test_X14_hundred_uploads_at_once(gateway: Gateway) -> None:
    async with gateway.connect("north") as conn, conn.start_sftp_client() as sftp:

        async def put(number: int) -> None:
            async with sftp.open(f"inbound/{number}.csv", "wb") as file:
                await file.write(CONTENT * number)

        await asyncio.gather(*(put(number) for number in range(100)))
    for number in range(100):
        assert (gateway.folder("north") / f"{number}.csv").read_bytes() == CONTENT * number
    assert len(gateway.names("north")) == 100


async def test_X14_more_open_files_than_a_session_may_have(gateway: Gateway) -> None:
    async with gateway.connect("north") as conn, conn.start_sftp_client() as sftp:
        files = [await sftp.open(f"inbound/{number}.csv", "wb") for number in range(128)]
        with pytest.raises(asyncssh.SFTPPermissionDenied, match="128 files are open"):
            await sftp.open("inbound/more.csv", "wb")
        await files[0].close()
        await (await sftp.open("inbound/more.csv", "wb")).close()


async def test_X14_one_large_upload_and_back(gateway: Gateway, tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    large.write_bytes(os.urandom(1024 * 1024) * 100)
    async with gateway.connect("north") as conn, conn.start_sftp_client() as sftp:
        await sftp.put(str(large), "inbound/large.csv")
        await sftp.get("inbound/large.csv", str(tmp_path / "back.csv"))
    assert (tmp_path / "back.csv").read_bytes() == large.read_bytes()


def test_X14_ten_thousand_entries_are_listed(gateway: Gateway) -> None:
    for number in range(10_000):
        (gateway.folder("north", "outbound") / f"{number:05}.csv").touch()
    with gateway.paramiko("north") as sftp:
        found = sftp.listdir("/outbound")
    assert found[0] == "00000.csv"
    assert len(found) == 10_000


async def test_M04_two_tenants_at_once_get_their_own(gateway: Gateway) -> None:
    async def put(user: str) -> None:
        async with gateway.connect(user) as conn, conn.start_sftp_client() as sftp:
            for number in range(10):
                async with sftp.open(f"inbound/{number}.csv", "wb") as file:
                    await file.write(user.encode())

    await asyncio.gather(put("north"), put("south"))
    for user in ("north", "south"):
        assert gateway.names(user) == [f"{number}.csv" for number in range(10)]
        assert (gateway.folder(user) / "7.csv").read_bytes() == user.encode()


async def test_X13_the_log_names_the_upload_but_not_its_content(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        gateway.connect("north") as conn,
        conn.start_sftp_client() as sftp,
        sftp.open("inbound/a.csv", "wb") as file,
    ):
        await file.write(CONTENT)
    published = next(line for line in caplog.messages if line.startswith("upload_published"))
    assert "account=north door=sftp peer=127.0.0.1 path='/inbound/a.csv'" in published
    assert f"bytes={len(CONTENT)} seconds=" in published
    assert "ann@" not in caplog.text


def test_X01_overwriting_a_file_while_it_is_read_gives_the_reader_the_old_one(gateway: Gateway) -> None:
    stored = gateway.folder("north") / "a.csv"
    stored.write_bytes(CONTENT)
    with gateway.paramiko("north") as sftp, gateway.paramiko("pipeline") as pipeline:
        reading: paramiko.SFTPFile = pipeline.open("/north/inbound/a.csv", "rb")
        first = reading.read(5)
        with sftp.open("/inbound/a.csv", "wb") as file:
            file.write(b"new")
        assert first + reading.read() == CONTENT
    assert stored.read_bytes() == b"new"
    assert stored.stat().st_mtime <= time.time() + 1
