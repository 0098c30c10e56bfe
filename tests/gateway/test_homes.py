"""A partner reaches its own home and nothing else, and does what the rights table says (M04, M05, X12)."""

from __future__ import annotations

import os
import socket
import unicodedata
from pathlib import Path

import asyncssh
import pytest

from support.gateway import Gateway

pytestmark = pytest.mark.service

SECRET = b"another tenant's rows"


@pytest.fixture
def guarded(gateway: Gateway) -> Gateway:
    (gateway.folder("south") / "secret.csv").write_bytes(SECRET)
    (gateway.settings.home_dir / "outside.txt").write_bytes(SECRET)
    return gateway


ESCAPES = [
    "../south/inbound/secret.csv",
    "../../homes/south/inbound/secret.csv",
    "/south/inbound/secret.csv",
    "inbound/../../south/inbound/secret.csv",
    "inbound/../../other-tenant",
    "/inbound/../../../outside.txt",
    "//..//..//outside.txt",
    "/etc/passwd",
    "../../../../../../../../etc/passwd",
    "inbound/./.././../outside.txt",
    "..\\south\\inbound\\secret.csv",
    "INBOUND/secret.csv",
    "Inbound",
    "ｉｎｂｏｕｎｄ/secret.csv",
    "іnbound/secret.csv",
    "inbound\u200b/secret.csv",
    "․․/south/inbound/secret.csv",
]


@pytest.mark.parametrize("path", ESCAPES)
async def test_M04_paths_lead_out_of_the_home_nowhere(guarded: Gateway, path: str) -> None:
    async with guarded.connect("north") as conn, conn.start_sftp_client() as sftp:
        for attempt in (sftp.stat, sftp.lstat, sftp.listdir, sftp.remove, sftp.rmdir, sftp.readlink):
            with pytest.raises(asyncssh.SFTPError):
                await attempt(path)
        for mode in ("rb", "wb", "ab", "r+b"):
            with pytest.raises(asyncssh.SFTPError):
                await sftp.open(path, mode)
        with pytest.raises(asyncssh.SFTPError):
            await sftp.rename(path, "/inbound/mine.csv")
        with pytest.raises(asyncssh.SFTPError):
            await sftp.posix_rename(path, "/inbound/mine.csv")
    assert (guarded.folder("south") / "secret.csv").read_bytes() == SECRET
    assert guarded.names("north") == []


async def test_M04_the_root_is_the_home_whatever_is_climbed(guarded: Gateway) -> None:
    async with guarded.connect("north") as conn, conn.start_sftp_client() as sftp:
        for path in ("", ".", "/", "..", "/../..", "inbound/..", "inbound/../../../.."):
            assert await sftp.realpath(path) == "/"
            assert await sftp.listdir(path) == ["inbound", "outbound"]
        assert await sftp.realpath("inbound/../outbound//x/./y") == "/outbound/x/y"


async def test_M04_links_that_lie_in_the_home_lead_nowhere(guarded: Gateway) -> None:
    inbound = guarded.folder("north")
    (inbound / "to-folder").symlink_to(guarded.folder("south"))
    (inbound / "to-file").symlink_to(guarded.folder("south") / "secret.csv")
    (inbound / "to-nowhere").symlink_to(inbound / "absent")
    (inbound / "in-home").symlink_to(guarded.folder("north", "outbound"))
    (guarded.folder("north", "outbound") / "up").symlink_to("../..")
    for user, root in (("north", ""), ("pipeline", "/north")):
        async with guarded.connect(user) as conn, conn.start_sftp_client() as sftp:
            assert await sftp.listdir(f"{root}/inbound") == []
            assert await sftp.listdir(f"{root}/outbound") == []
            for path in (
                "inbound/to-file",
                "inbound/to-folder/secret.csv",
                "inbound/to-nowhere",
                "outbound/up/south",
            ):
                for attempt in (sftp.stat, sftp.lstat, sftp.listdir, sftp.readlink):
                    with pytest.raises(asyncssh.SFTPError):
                        await attempt(f"{root}/{path}")
                for mode in ("rb", "ab", "r+b"):
                    with pytest.raises(asyncssh.SFTPError):
                        await sftp.open(f"{root}/{path}", mode)
            with pytest.raises(asyncssh.SFTPPermissionDenied, match="links are not followed"):
                await sftp.stat(f"{root}/inbound/in-home")
            with pytest.raises(asyncssh.SFTPPermissionDenied, match="links are not followed"):
                await sftp.stat(f"{root}/inbound/in-home/x.csv")
            with pytest.raises(asyncssh.SFTPError):
                await (await sftp.open(f"{root}/inbound/to-folder/new.csv", "wb")).close()
            with pytest.raises(asyncssh.SFTPError):
                await sftp.rename(f"{root}/inbound/to-file", f"{root}/inbound/mine.csv")
    assert guarded.names("south") == ["secret.csv"]
    assert (guarded.folder("south") / "secret.csv").read_bytes() == SECRET


async def test_M04_nobody_makes_links(guarded: Gateway) -> None:
    (guarded.folder("north") / "a.csv").write_bytes(b"a")
    for user, root in (("north", ""), ("pipeline", "/north")):
        async with guarded.connect(user) as conn, conn.start_sftp_client() as sftp:
            with pytest.raises(asyncssh.SFTPPermissionDenied, match="Links are not allowed"):
                await sftp.symlink("/etc/passwd", f"{root}/inbound/link")
            with pytest.raises(asyncssh.SFTPError):
                await sftp.link(f"{root}/inbound/a.csv", f"{root}/inbound/link")
    assert guarded.sftp("north", "ln -s /etc/passwd inbound/link").returncode != 0
    assert guarded.sftp("north", "ln inbound/a.csv inbound/link").returncode != 0
    assert guarded.names("north") == ["a.csv"]


async def test_M04_a_home_that_is_a_link_is_not_entered(guarded: Gateway) -> None:
    home = guarded.settings.partner_homes_dir / "north"
    for folder in ("inbound", "outbound"):
        (home / folder).rmdir()
    home.rmdir()
    home.symlink_to(guarded.settings.partner_homes_dir / "south")
    async with guarded.connect("north") as conn, conn.start_sftp_client() as sftp:
        with pytest.raises(asyncssh.SFTPError):
            await sftp.listdir("/inbound")
        with pytest.raises(asyncssh.SFTPError):
            await sftp.open("/inbound/secret.csv", "rb")


async def test_M04_pipes_and_sockets_are_not_there(guarded: Gateway) -> None:
    os.mkfifo(guarded.folder("north") / "pipe.csv")
    with socket.socket(socket.AF_UNIX) as listener:
        place = os.getcwd()
        os.chdir(guarded.folder("north"))
        listener.bind("socket.csv")
        os.chdir(place)
        async with guarded.connect("north") as conn, conn.start_sftp_client() as sftp:
            assert await sftp.listdir("/inbound") == []
            for name in ("pipe.csv", "socket.csv"):
                with pytest.raises(asyncssh.SFTPNoSuchFile):
                    await sftp.open(f"/inbound/{name}", "rb")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (b"a\0b.csv", "control character"),
        (b"a\nb.csv", "control character"),
        (b"a\x1b[2J.csv", "control character"),
        ("a\u2028b.csv".encode(), "control character"),
        (b"a\xffb.csv", "not UTF-8"),
        (b"\xed\xa0\x80.csv", "not UTF-8"),
        (b"x" * 201, "too long"),
        (b"x" * 300, "too long"),
        ("ü".encode() * 101, "too long"),
        (b"C:\\data\\a.csv", "backslash"),
        (b".mine.exchange", "reserved"),
        (b"/".join([b"d"] * 40), "too many folders"),
        (b"a/" * 3000, "too long"),
    ],
)
async def test_M04_unusable_names_are_refused_with_the_reason(
    gateway: Gateway, name: bytes, why: str
) -> None:
    async with gateway.connect("north") as conn, conn.start_sftp_client(path_encoding=None) as sftp:
        with pytest.raises(asyncssh.SFTPError, match=why):
            await sftp.open(b"/inbound/" + name, "wb")
    assert gateway.names("north") == []


async def test_M04_one_name_in_two_unicode_forms_is_one_file(gateway: Gateway) -> None:
    composed = unicodedata.normalize("NFC", "Zoë.csv")
    decomposed = unicodedata.normalize("NFD", "Zoë.csv")
    async with gateway.connect("north") as conn, conn.start_sftp_client() as sftp:
        for name, content in ((decomposed, b"1"), (composed, b"2")):
            async with sftp.open(f"inbound/{name}", "wb") as file:
                await file.write(content)
            assert (await sftp.stat(f"inbound/{decomposed}")).size == 1
        assert await sftp.listdir("inbound") == [composed]
        (gateway.folder("north", "outbound") / decomposed).write_bytes(b"ours")
        async with sftp.open(f"outbound/{composed}", "rb") as file:
            assert await file.read() == b"ours"


@pytest.mark.parametrize("folder", ["inbound", "outbound"])
async def test_M05_both_folders_stay(gateway: Gateway, folder: str) -> None:
    for user, root in (("north", ""), ("pipeline", "/north")):
        async with gateway.connect(user) as conn, conn.start_sftp_client() as sftp:
            with pytest.raises(asyncssh.SFTPPermissionDenied):
                await sftp.rmdir(f"{root}/{folder}")
            with pytest.raises(asyncssh.SFTPPermissionDenied):
                await sftp.remove(f"{root}/{folder}")
            for target in (f"{root}/moved", f"{root}/inbound/moved", "/moved"):
                with pytest.raises(asyncssh.SFTPPermissionDenied):
                    await sftp.rename(f"{root}/{folder}", target)
                with pytest.raises(asyncssh.SFTPPermissionDenied):
                    await sftp.posix_rename(f"{root}/{folder}", target)
    assert gateway.folder("north", folder).is_dir()


def test_M05_openssh_cannot_remove_or_rename_the_folders(gateway: Gateway) -> None:
    for command in ("rmdir inbound", "rename outbound x", "rm inbound", "mkdir x", "mkdir inbound/x.csv"):
        done = gateway.sftp("north", command)
        assert done.returncode != 0, command
        assert "Permission denied" in done.stderr
    assert gateway.names("north") == []


async def test_M15_a_folder_named_like_a_file_is_refused(gateway: Gateway) -> None:
    async with gateway.connect("north") as conn, conn.start_sftp_client() as sftp:
        for path in ("/inbound/x.csv", "/x.csv", "/outbound/x", "/inbound/originals/x"):
            with pytest.raises(asyncssh.SFTPPermissionDenied, match="Folders cannot be created"):
                await sftp.mkdir(path)


async def test_M05_a_partner_writes_directly_into_inbound_only(gateway: Gateway) -> None:
    for folder in ("originals", "rejected", "annotated"):
        (gateway.folder("north") / folder).mkdir()
        (gateway.folder("north") / folder / "kept.csv").write_bytes(b"kept")
    (gateway.folder("north", "outbound") / "answer.csv").write_bytes(b"answer")
    async with gateway.connect("north") as conn, conn.start_sftp_client() as sftp:
        for path in ("/a.csv", "/outbound/a.csv", "/inbound/originals/a.csv", "/inbound/rejected/a.csv"):
            with pytest.raises(asyncssh.SFTPPermissionDenied):
                await sftp.open(path, "wb")
        for folder in ("originals", "rejected", "annotated"):
            assert await sftp.listdir(f"/inbound/{folder}") == ["kept.csv"]
            async with sftp.open(f"/inbound/{folder}/kept.csv", "rb") as file:
                assert await file.read() == b"kept"
            for attempt in (sftp.remove, sftp.rmdir):
                with pytest.raises(asyncssh.SFTPPermissionDenied):
                    await attempt(f"/inbound/{folder}/kept.csv")
                with pytest.raises(asyncssh.SFTPPermissionDenied):
                    await attempt(f"/inbound/{folder}")
            with pytest.raises(asyncssh.SFTPPermissionDenied):
                await sftp.rename(f"/inbound/{folder}", "/inbound/mine")
            with pytest.raises(asyncssh.SFTPPermissionDenied):
                await sftp.utime(f"/inbound/{folder}/kept.csv", (1, 1))
        with pytest.raises(asyncssh.SFTPPermissionDenied):
            await sftp.rename("/outbound/answer.csv", "/inbound/answer.csv")
        async with sftp.open("/outbound/answer.csv", "rb") as file:
            assert await file.read() == b"answer"
        await sftp.remove("/outbound/answer.csv")
    assert gateway.names("north", "outbound") == []


OWN = "roster.csv.20261121T074712Z"


async def test_K17_the_exchange_s_own_names_are_not_a_partner_s_to_use(gateway: Gateway) -> None:
    inbound = gateway.folder("north")
    (inbound / f"{OWN}.processing").write_bytes(b"in hand")
    (inbound / f"{OWN}.completed").write_bytes(b"result")
    (inbound / "INTAKE-SUSPENDED.txt").write_bytes(b"notice")
    (inbound / "mine.csv").write_bytes(b"mine")
    taken = [f"{OWN}.processing", f"{OWN}.completed", "INTAKE-SUSPENDED.txt"]
    free = ["x.csv.processing", "x.csv.Completed", "X.PROCESSING", "intake-suspended.TXT"]
    async with gateway.connect("north") as conn, conn.start_sftp_client() as sftp:
        for name in (*taken, *free):
            for mode in ("wb", "ab", "xb"):
                with pytest.raises(asyncssh.SFTPPermissionDenied, match="reserved"):
                    await sftp.open(f"/inbound/{name}", mode)
            for rename in (sftp.rename, sftp.posix_rename):
                with pytest.raises(asyncssh.SFTPPermissionDenied, match="reserved"):
                    await rename("/inbound/mine.csv", f"/inbound/{name}")
        for name in taken:
            with pytest.raises(asyncssh.SFTPPermissionDenied):
                await sftp.rename(f"/inbound/{name}", "/inbound/mine2.csv")
            async with sftp.open(f"/inbound/{name}", "rb") as file:
                assert await file.read()
        with pytest.raises(asyncssh.SFTPPermissionDenied, match="being processed"):
            await sftp.remove(f"/inbound/{OWN}.processing")
        with pytest.raises(asyncssh.SFTPPermissionDenied, match="intake is resumed"):
            await sftp.remove("/inbound/INTAKE-SUSPENDED.txt")
        await sftp.remove(f"/inbound/{OWN}.completed")
    assert gateway.names("north") == ["INTAKE-SUSPENDED.txt", "mine.csv", f"{OWN}.processing"]


async def test_M33_the_pipeline_claims_answers_and_never_replaces(gateway: Gateway) -> None:
    (gateway.folder("north") / "roster.csv").write_bytes(b"rows")
    async with gateway.connect("pipeline") as conn, conn.start_sftp_client() as sftp:
        assert await sftp.listdir("/") == ["north", "south"]
        assert await sftp.listdir("/north") == ["inbound", "outbound"]
        claimed = f"/north/inbound/{OWN}.processing"
        await sftp.rename("/north/inbound/roster.csv", claimed)
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            await sftp.rename("/north/inbound/roster.csv", claimed)
        await sftp.mkdir("/north/inbound/originals")
        hidden = f"/north/inbound/.{OWN}.completed.exchange"
        async with sftp.open(hidden, "wb") as file:
            await file.write(b"result")
        async with gateway.connect("north") as partner, partner.start_sftp_client() as seen:
            assert await seen.listdir("/inbound") == ["originals", f"{OWN}.processing"]
        await sftp.posix_rename(hidden, f"/north/inbound/{OWN}.completed")
        await sftp.rename(claimed, f"/north/inbound/originals/{OWN}")
        (gateway.folder("north") / "roster.csv").write_bytes(b"rows")
        with pytest.raises(asyncssh.SFTPError, match="exists"):
            await sftp.rename("/north/inbound/roster.csv", f"/north/inbound/originals/{OWN}")
    assert gateway.names("north") == ["originals", "roster.csv", f"{OWN}.completed"]
    assert gateway.names("north", "inbound/originals") == [OWN]


async def test_X12_the_pipeline_sees_homes_of_tenants_and_nothing_else(gateway: Gateway) -> None:
    (gateway.settings.partner_homes_dir / "left-over").mkdir()
    async with gateway.connect("pipeline") as conn, conn.start_sftp_client() as sftp:
        assert await sftp.listdir("/") == ["north", "south"]
        for path in ("/left-over", "/../gateway", "/../gateway/pipeline_key", "/etc/passwd"):
            with pytest.raises(asyncssh.SFTPNoSuchFile):
                await sftp.stat(path)
        for attempt in (sftp.mkdir, sftp.rmdir, sftp.remove):
            with pytest.raises(asyncssh.SFTPError):
                await attempt("/north")
        with pytest.raises(asyncssh.SFTPError):
            await sftp.mkdir("/new-home")
        with pytest.raises(asyncssh.SFTPError):
            await sftp.rename("/north", "/south/inbound/north")


async def test_X12_a_partner_learns_nothing_about_the_machine(gateway: Gateway) -> None:
    (gateway.folder("north", "outbound") / "a.csv").write_bytes(b"a")
    async with gateway.connect("north") as conn, conn.start_sftp_client() as sftp:
        entry = [name async for name in sftp.scandir("/outbound")][0]
        assert (entry.attrs.uid, entry.attrs.gid) == (0, 0)
        assert "exchange" in str(entry.longname)
        with pytest.raises(asyncssh.SFTPError) as caught:
            await sftp.listdir("/absent")
        assert str(gateway.settings.home_dir) not in str(caught.value)
        with pytest.raises(asyncssh.SFTPOpUnsupported):
            await sftp.statvfs("/")


async def test_X13_refusals_are_logged_without_line_breaks(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    async with gateway.connect("north") as conn, conn.start_sftp_client() as sftp:
        with pytest.raises(asyncssh.SFTPError):
            await sftp.mkdir("/inbound/it's x")
        with pytest.raises(asyncssh.SFTPError):
            await sftp.open("/inbound/a\nlogin account=admin", "wb")
    refused = [line for line in caplog.messages if line.startswith("refused")]
    assert 'verb=mkdir path="/inbound/it\'s x" code=right-refused' in refused[0]
    assert "code=name-has-control" in refused[1]
    assert "admin" not in caplog.text


def test_M05_the_folder_names_of_the_tenant_file_count(gateway: Gateway, tmp_path: Path) -> None:
    gateway.add_tenant("north", gateway.keys["north"], inbox={"folder": "upload", "outbox": "download"})
    file = tmp_path / "a.csv"
    file.write_bytes(b"a")
    done = gateway.sftp("north", "ls -1", f"put {file} upload/")
    assert done.returncode == 0, done.stderr
    assert gateway.names("north", "upload") == ["a.csv"]
    assert "inbound" not in done.stdout
