"""The home of a registry's partner: four folders, each with its rights, under every name they go by."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from partner_exchange.gateway.homes import OtherNames
from support.builders import a_tenant
from support.gateway import Gateway, KeyPair

pytestmark = pytest.mark.service

CODE = "aaa-ssl"
FOLDERS = ("Accepted", "DQA-Report", "HL7-Dropoff", "Receive")
REFUSED = (asyncssh.SFTPPermissionDenied, asyncssh.SFTPNoSuchFile)
IN_HAND = "AAA-SSL26324.hl7.20261121T074712Z.processing"

RIGHTS: dict[str, set[str]] = {
    "/": {"list", "look"},
    **{f"/{folder}": {"list", "look"} for folder in FOLDERS},
    "/HL7-Dropoff/mine.hl7": {"look", "read", "write", "append", "rename", "replace", "delete", "times"},
    f"/HL7-Dropoff/{IN_HAND}": {"look", "read"},
    "/HL7-Dropoff/deep": {"list", "look"},
    "/HL7-Dropoff/deep/old.hl7": {"look", "read"},
    "/Accepted/ours.hl7": {"look", "read"},
    "/Accepted/deep/old.hl7": {"look", "read"},
    "/DQA-Report/ours.txt": {"look", "read"},
    "/DQA-Report/deep/old.txt": {"look", "read"},
    "/DQA-Reports": {"list", "look"},
    "/DQA-Reports/ours.txt": {"look", "read"},
    "/Receive/ours.csv": {"look", "read"},
    "/Receive/deep/old.csv": {"look", "read"},
    "/south": set(),
    "/south/inbound": set(),
    "/south/inbound/secret.csv": set(),
    "/../south/inbound/secret.csv": set(),
    "/elsewhere.hl7": set(),
}
"""What the partner may do with what is there; everything else is refused (T27-T31)."""


@pytest.fixture
def registry(gateway: Gateway, pairs: dict[str, KeyPair]) -> Gateway:
    gateway.add_tenant(CODE, pairs["ecdsa"], preset="texas-registry", feed="vxu")
    gateway.stop()
    gateway.start()
    fill(gateway)
    return gateway


def home(gateway: Gateway) -> Path:
    return gateway.settings.partner_homes_dir / CODE


def fill(gateway: Gateway) -> None:
    """Put the files of ``RIGHTS`` where they belong, and nothing else."""
    for folder, ending in zip(FOLDERS, ("hl7", "txt", "hl7", "csv"), strict=True):
        shutil.rmtree(home(gateway) / folder, ignore_errors=True)
        (home(gateway) / folder / "deep").mkdir(parents=True)
        (home(gateway) / folder / "deep" / f"old.{ending}").write_bytes(b"old")
        name = "mine" if folder == "HL7-Dropoff" else "ours"
        (home(gateway) / folder / f"{name}.{ending}").write_bytes(b"content")
    (home(gateway) / "HL7-Dropoff" / IN_HAND).write_bytes(b"in hand")
    (gateway.folder("south") / "secret.csv").write_bytes(b"secret")


def everything(gateway: Gateway) -> dict[str, tuple[bytes, int]]:
    """Return all files and folders of all homes, with content and time."""
    root = gateway.settings.partner_homes_dir
    return {
        str(path.relative_to(root)): (
            path.read_bytes() if path.is_file() else b"",
            path.stat().st_mtime_ns if path.is_file() else 0,
        )
        for path in root.rglob("*")
    }


async def put(sftp: Any, path: str, mode: str = "wb") -> None:
    async with sftp.open(path, mode) as file:
        await file.write(b"new")


async def get(sftp: Any, path: str) -> None:
    async with sftp.open(path, "rb") as file:
        assert await file.read()


Attempt = Callable[[Any, str], Awaitable[Any]]

VERBS: dict[str, Attempt] = {
    "list": lambda sftp, path: sftp.listdir(path),
    "look": lambda sftp, path: sftp.stat(path),
    "read": get,
    "write": put,
    "append": lambda sftp, path: put(sftp, path, "ab"),
    "rename": lambda sftp, path: sftp.rename(path, "/HL7-Dropoff/other.hl7"),
    "replace": lambda sftp, path: sftp.posix_rename(path, "/HL7-Dropoff/other.hl7"),
    "move to Accepted": lambda sftp, path: sftp.rename(path, "/Accepted/other.hl7"),
    "move to DQA-Report": lambda sftp, path: sftp.posix_rename(path, "/DQA-Reports/other.hl7"),
    "move to Receive": lambda sftp, path: sftp.rename(path, "/Receive/other.hl7"),
    "move to the root": lambda sftp, path: sftp.rename(path, "/other.hl7"),
    "move deeper": lambda sftp, path: sftp.rename(path, "/HL7-Dropoff/deep/other.hl7"),
    "take a name of ours": lambda sftp, path: sftp.rename(path, f"/HL7-Dropoff/{IN_HAND}"),
    "delete": lambda sftp, path: sftp.remove(path),
    "times": lambda sftp, path: sftp.utime(path, (1, 1)),
    "cut": lambda sftp, path: sftp.truncate(path, 1),
    "mkdir": lambda sftp, path: sftp.mkdir(f"{path}/new"),
    "rmdir": lambda sftp, path: sftp.rmdir(path),
    "link": lambda sftp, path: sftp.symlink(path, "/HL7-Dropoff/link.hl7"),
}


@pytest.mark.parametrize("place", RIGHTS)
async def test_T27_each_verb_at_each_place_is_as_agreed(registry: Gateway, place: str) -> None:
    async with registry.connect(CODE) as conn, conn.start_sftp_client() as sftp:
        for verb, attempt in VERBS.items():
            fill(registry)
            before = everything(registry)
            if verb in RIGHTS[place]:
                await attempt(sftp, place)
                changes = verb not in ("list", "look", "read")
                assert (everything(registry) != before) is changes, verb
            else:
                # A listing of a file and the reading of a folder fail as such, not for want of a right.
                with pytest.raises((*REFUSED, asyncssh.SFTPFailure)):
                    await attempt(sftp, place)
                assert everything(registry) == before, verb


@pytest.mark.parametrize("folder", FOLDERS)
async def test_T30_a_new_file_goes_into_the_dropoff_only(registry: Gateway, folder: str) -> None:
    may = folder == "HL7-Dropoff"
    async with registry.connect(CODE) as conn, conn.start_sftp_client() as sftp:
        for place, allowed in (
            (f"/{folder}/AAA-SSL26325.hl7", may),
            (f"/{folder}/deep/AAA-SSL26325.hl7", False),
            (f"/{folder}/new/AAA-SSL26325.hl7", False),
        ):
            if allowed:
                await put(sftp, place, "xb")
                continue
            with pytest.raises(asyncssh.SFTPPermissionDenied, match="directly into your HL7-Dropoff folder"):
                await put(sftp, place, "xb")
    assert ("AAA-SSL26325.hl7" in registry.names(CODE, folder)) is may


async def test_T30_names_of_the_roster_s_folders_are_free_in_a_dropoff(registry: Gateway) -> None:
    async with registry.connect(CODE) as conn, conn.start_sftp_client() as sftp:
        await put(sftp, "/HL7-Dropoff/originals")
        await sftp.remove("/HL7-Dropoff/originals")


async def test_T30_a_file_in_hand_stays_as_it_is(registry: Gateway) -> None:
    async with registry.connect(CODE) as conn, conn.start_sftp_client() as sftp:
        for attempt, why in (
            (put(sftp, f"/HL7-Dropoff/{IN_HAND}"), "reserved"),
            (sftp.remove(f"/HL7-Dropoff/{IN_HAND}"), "being processed"),
            (sftp.rename(f"/HL7-Dropoff/{IN_HAND}", "/HL7-Dropoff/a.hl7"), "being processed"),
            (sftp.posix_rename("/HL7-Dropoff/mine.hl7", f"/HL7-Dropoff/{IN_HAND}"), "reserved"),
        ):
            with pytest.raises(asyncssh.SFTPPermissionDenied, match=why):
                await attempt


CLIENT_RIGHTS = {
    place: rights & {"list", "read", "write", "rename", "delete"}
    for place, rights in RIGHTS.items()
    if "deep" not in place and place not in ("/../south/inbound/secret.csv", "/south", "/south/inbound")
}


@pytest.mark.parametrize("place", CLIENT_RIGHTS)
def test_T27_openssh_may_what_is_agreed(registry: Gateway, tmp_path: Path, place: str) -> None:
    new = tmp_path / "new.hl7"
    new.write_bytes(b"new")
    commands = {
        "list": f'cd "{place}"',
        "read": f'get "{place}" {tmp_path}/back',
        "write": f'put {new} "{place}"' if "." in place else f'put {new} "{place}/new.hl7"',
        "rename": f'rename "{place}" /HL7-Dropoff/other.hl7',
        "delete": f'rm "{place}"',
        "mkdir": f'mkdir "{place}/new"',
        "rmdir": f'rmdir "{place}"',
        "link": f'ln -s "{place}" /HL7-Dropoff/link.hl7',
    }
    allowed = client_rights(place)
    for verb, command in commands.items():
        fill(registry)
        before = everything(registry)
        done = registry.sftp(CODE, command)
        assert (done.returncode == 0) is (verb in allowed), (command, done.stderr)
        assert (everything(registry) != before) is (verb in allowed - {"list", "read"}), command


@pytest.mark.parametrize("place", CLIENT_RIGHTS)
def test_T27_lftp_may_what_is_agreed(registry: Gateway, tmp_path: Path, place: str) -> None:
    new = tmp_path / "new.hl7"
    new.write_bytes(b"new")
    target = place if "." in place else f"{place}/new.hl7"
    commands = {
        "list": f"cls '{place}/'",
        "read": f"get '{place}' -o {tmp_path}/back",
        "write": f"put {new} -o '{target}'",
        "rename": f"mv '{place}' /HL7-Dropoff/other.hl7",
        "delete": f"rm '{place}'",
        "mkdir": f"mkdir '{place}/new'",
        "rmdir": f"rmdir '{place}'",
    }
    allowed = client_rights(place)
    for verb, command in commands.items():
        fill(registry)
        before = everything(registry)
        done = registry.lftp(CODE, command)
        assert (done.returncode == 0) is (verb in allowed), (command, done.stderr)
        assert (everything(registry) != before) is (verb in allowed - {"list", "read"}), command


def client_rights(place: str) -> set[str]:
    """Return the rights as a client's commands show them: what is put at a folder is put into it."""
    return CLIENT_RIGHTS[place] | ({"write"} if place == "/HL7-Dropoff" else set())


async def test_T26_a_login_lands_in_the_root_with_four_folders_to_see(registry: Gateway) -> None:
    async with registry.connect(CODE) as conn, conn.start_sftp_client() as sftp:
        assert await sftp.getcwd() == await sftp.realpath(".") == "/"
        assert sorted(await sftp.listdir()) == list(FOLDERS)
    async with registry.connect("pipeline") as conn, conn.start_sftp_client() as sftp:
        assert sorted(await sftp.listdir(f"/{CODE}")) == list(FOLDERS)


async def test_T26_the_pipeline_does_all_in_the_folders_and_nothing_to_them(registry: Gateway) -> None:
    async with registry.connect("pipeline") as conn, conn.start_sftp_client() as sftp:
        root = f"/{CODE}"
        await sftp.rename(f"{root}/HL7-Dropoff/{IN_HAND}", f"{root}/Accepted/AAA-SSL26324.hl7")
        for place in ("DQA-Report/a.txt", "Receive/a.csv"):
            await put(sftp, f"{root}/{place}")
            await sftp.remove(f"{root}/{place}")
        for folder in FOLDERS:
            for attempt in (sftp.rmdir, sftp.remove, sftp.mkdir):
                with pytest.raises(asyncssh.SFTPPermissionDenied):
                    await attempt(f"{root}/{folder}")
            with pytest.raises(asyncssh.SFTPPermissionDenied):
                await sftp.rename(f"{root}/{folder}", f"{root}/moved")
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            await sftp.listdir(f"{root}/DQA-Reports")


async def test_T56_reports_are_reached_by_both_names_and_shown_by_one(registry: Gateway) -> None:
    async with registry.connect(CODE) as conn, conn.start_sftp_client() as sftp:
        for folder in ("/DQA-Report", "/DQA-Reports", "DQA-Reports/", f"/{CODE}/DQA-Reports"):
            assert sorted(await sftp.listdir(folder)) == ["deep", "ours.txt"]
            assert (await sftp.stat(f"{folder}/ours.txt")).size == len(b"content")
            await get(sftp, f"{folder}/ours.txt")
            assert await sftp.realpath(folder) == "/DQA-Report"
        assert "DQA-Reports" not in await sftp.listdir("/")
        for name in ("/dqa-reports", "/DQA-REPORTS", "/Dqa-Report", "/DQA-Reportss", "/dqa-report"):
            with pytest.raises(asyncssh.SFTPNoSuchFile):
                await sftp.listdir(name)


@pytest.mark.parametrize(
    "prefix", ["/AAA-SSL/", "/aaa-ssl/", "/Aaa-SSL/", "AAA-SSL/", "/", "", "/AAA-SSL/../", "//AAA-SSL/./"]
)
async def test_T32_short_paths_work_as_they_are_printed(registry: Gateway, prefix: str) -> None:
    keys = [str(registry.keys[CODE].file)]
    async with registry.connect("AAA-SSL", client_keys=keys) as conn, conn.start_sftp_client() as sftp:
        await put(sftp, f"{prefix}HL7-Dropoff/AAA-SSL26325.hl7", "xb")
        await sftp.rename(f"{prefix}HL7-Dropoff/AAA-SSL26325.hl7", f"{prefix}HL7-Dropoff/b.hl7")
        assert "b.hl7" in await sftp.listdir(f"{prefix}HL7-Dropoff")
        assert sorted(await sftp.listdir(prefix)) == list(FOLDERS)
        assert await sftp.realpath(f"{prefix}HL7-Dropoff/b.hl7") == "/HL7-Dropoff/b.hl7"
        await sftp.remove(f"{prefix}HL7-Dropoff/b.hl7")
        for place in ("new.hl7", "Accepted/new.hl7", "AAA-SSL/AAA-SSL/HL7-Dropoff/new.hl7"):
            with pytest.raises(asyncssh.SFTPPermissionDenied):
                await put(sftp, f"{prefix}{place}")


def test_T32_clients_walk_the_printed_path(registry: Gateway, tmp_path: Path) -> None:
    new = tmp_path / "AAA-SSL26325.hl7"
    new.write_bytes(b"new")
    done = registry.sftp(
        CODE, "cd /AAA-SSL", "pwd", "ls -1", "cd HL7-Dropoff", f"put {new}", "cd ..", "cd DQA-Reports", "ls"
    )
    assert done.returncode == 0, done.stderr
    assert "ours.txt" in done.stdout
    done = registry.lftp(CODE, f"cd /AAA-SSL/HL7-Dropoff; put {new}; cls; cd ../Accepted; cls")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == ["deep/", "ours.hl7"]
    assert new.name in registry.names(CODE, "HL7-Dropoff")


def test_T32_a_folder_of_that_name_comes_first() -> None:
    inbox = {"accepted": "Accepted", "reports": "DQA-Report", "outbox": "Receive", "answers": "registry"}
    tenant = a_tenant(code="drop", feed="vxu", inbox={**inbox, "folder": "Drop"})
    assert OtherNames(tenant).real(("drop", "a.hl7")) == ("drop", "a.hl7")
    assert OtherNames(tenant).real(("Drop", "a.hl7")) == ("Drop", "a.hl7")
    other = a_tenant(code="kilo", feed="vxu", inbox={**inbox, "folder": "Drop"})
    assert OtherNames(other).real(("KILO", "Drop", "a.hl7")) == ("Drop", "a.hl7")
    # The Kelvin sign is a K in lower case, but nobody's import code.
    assert OtherNames(other).real(("\u212aILO", "Drop")) == ("\u212aILO", "Drop")
    assert OtherNames(a_tenant()).real(("state-university", "inbound")) == ("state-university", "inbound")


async def test_T25_the_import_code_is_the_user_name_in_any_case(
    registry: Gateway, pairs: dict[str, KeyPair], caplog: pytest.LogCaptureFixture
) -> None:
    for user in ("AAA-SSL", "aaa-ssl", "Aaa-Ssl"):
        async with registry.connect(user, client_keys=[str(pairs["ecdsa"].file)]) as conn:
            assert conn.get_extra_info("username") == user
        with pytest.raises(asyncssh.PermissionDenied):
            await registry.connect(user, client_keys=[str(pairs["north"].file)])
    for user in ("AAA-SSL ", "AAA_SSL", "NORTH", "PIPELINE"):
        with pytest.raises(asyncssh.PermissionDenied):
            await registry.connect(user, client_keys=[str(pairs["ecdsa"].file)])
    logins = {line.split(" door=")[0] for line in caplog.messages if line.startswith("login account")}
    assert logins == {f"login account={CODE}"}


async def test_K6_another_tenant_s_folders_may_have_other_names_too(gateway: Gateway) -> None:
    gateway.add_tenant("north", gateway.keys["north"], inbox={"aliases": {"upload": "inbound"}})
    async with gateway.connect("north") as conn, conn.start_sftp_client() as sftp:
        await put(sftp, "/upload/a.csv", "xb")
        assert await sftp.listdir("/inbound") == await sftp.listdir("/upload") == ["a.csv"]
        assert sorted(await sftp.listdir("/")) == ["inbound", "outbound"]
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            await sftp.listdir("/north/inbound")


async def test_T31_an_outbox_that_may_be_emptied_still_can(gateway: Gateway) -> None:
    for may in (True, False):
        gateway.add_tenant("north", gateway.keys["north"], inbox={"may_delete_answers": may})
        (gateway.folder("north", "outbound") / "a.csv").write_bytes(b"a")
        async with gateway.connect("north") as conn, conn.start_sftp_client() as sftp:
            await get(sftp, "/outbound/a.csv")
            if may:
                await sftp.remove("/outbound/a.csv")
            else:
                with pytest.raises(asyncssh.SFTPPermissionDenied):
                    await sftp.remove("/outbound/a.csv")
        assert gateway.names("north", "outbound") == ([] if may else ["a.csv"])
