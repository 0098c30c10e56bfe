"""The partner's own server, played by OpenSSH: what goes there, and what every fault of it is called."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncssh
import paramiko
import pytest

from partner_exchange.errors import (
    DeliveryError,
    HostKeyChanged,
    LoginRefused,
    NameTaken,
    PathMissing,
    RemoteBusy,
    RemoteFull,
    Transient,
    Unreachable,
)
from partner_exchange.exports.delivery.carrier import Carrier
from partner_exchange.exports.delivery.faults import Place
from partner_exchange.exports.delivery.probe import probe
from partner_exchange.exports.delivery.session import open_session
from partner_exchange.storage.folders import SftpHome
from partner_exchange.storage.sftp_dial import Patience
from partner_exchange.storage.sftp_login import Login, fingerprint, load_key_file, pinned_keys
from support.proxy import Mood, Proxy, proxy
from support.sshd import Sshd, User, a_user, sshd
from support.sshd import public_folder as a_public_folder

pytestmark = [pytest.mark.service, pytest.mark.slow]

PATIENCE = Patience(connect_s=5, login_s=5, answer_s=5)
HURRY = Patience(connect_s=1, login_s=1, answer_s=1)
MEGABYTE = 1024 * 1024
CONTENT = os.urandom(3 * MEGABYTE + 17)


def login_to(server: Sshd, **over: Any) -> Login:
    return replace(server.login(), **over)


@contextlib.contextmanager
def carrier_at(login: Login, folder: str, patience: Patience = PATIENCE) -> Iterator[Carrier]:
    place = Place("north_sftp", folder, is_ours=False)
    with open_session(login, place, patience) as client:
        yield Carrier(SftpHome(client, folder), folder, is_ours=False, connection_id=place.connection_id)


def chunks(content: bytes = CONTENT) -> Iterator[bytes]:
    for start in range(0, len(content), MEGABYTE):
        yield content[start : start + MEGABYTE]


def fault(
    login: Login, folder: str, kind: type[DeliveryError], patience: Patience = PATIENCE
) -> DeliveryError:
    """Return the error of an upload that cannot succeed."""
    with pytest.raises(kind) as caught, carrier_at(login, folder, patience) as carrier:
        carrier.put("a.tmp", chunks(), size_bytes=len(CONTENT))
    message = caught.value.message
    for secret in (login.user, login.password, "authorized", "Traceback"):
        assert not secret or f" {secret}" not in message
    assert "north_sftp" in message
    assert folder in message
    assert str(caught.value.fields["folder"]) == folder
    return caught.value


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    with sshd(tmp_path / "sshd") as running:
        yield running


@pytest.fixture
def box(tmp_path: Path) -> Path:
    folder = tmp_path / "data in"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def guest() -> Iterator[User]:
    with a_user() as user:
        yield user


@pytest.fixture(scope="module")
def public_folder() -> Iterator[Path]:
    with a_public_folder() as folder:
        yield folder


@pytest.fixture
def guests(public_folder: Path, guest: User) -> Iterator[Sshd]:
    """A server with a real user of its own, who has a password and no more rights than others."""
    keys = public_folder / "guests"
    with sshd(keys, user=guest, password_login=True) as one:
        yield one
    shutil.rmtree(keys)


# ---- what goes well --------------------------------------------------------------------------------------


def test_M67_a_file_arrives_whole_and_gets_its_name(server: Sshd, box: Path) -> None:
    with carrier_at(login_to(server), str(box)) as carrier:
        carrier.put("a.tmp", chunks(), size_bytes=len(CONTENT))
        assert carrier.size_bytes("a.tmp") == len(CONTENT)
        assert carrier.sha256("a.tmp") == hashlib.sha256(CONTENT).hexdigest()
        carrier.rename("a.tmp", "a.csv")
        assert (carrier.exists("a.tmp"), carrier.exists("a.csv")) == (False, True)
        assert [(entry.name, entry.size_bytes) for entry in carrier.entries()] == [("a.csv", len(CONTENT))]
        assert carrier.read("a.csv", max_bytes=10) == CONTENT[:10]
        carrier.remove("a.csv")
        carrier.remove("a.csv")
        assert carrier.size_bytes("a.csv") is None
    assert list(box.iterdir()) == []


@pytest.mark.parametrize("size", [0, 1, 32_768, 32_769, 5 * MEGABYTE])
def test_M67_a_file_of_any_size_is_read_back_as_it_was_sent(server: Sshd, box: Path, size: int) -> None:
    content = os.urandom(size)
    with carrier_at(login_to(server), str(box)) as carrier:
        carrier.put("a.tmp", chunks(content))
        assert carrier.read("a.tmp", max_bytes=size + 1) == content
    assert (box / "a.tmp").read_bytes() == content


def test_M67_a_file_written_again_under_its_name_is_only_the_new_one(server: Sshd, box: Path) -> None:
    (box / "a.tmp").write_bytes(CONTENT)
    with carrier_at(login_to(server), str(box)) as carrier:
        carrier.put("a.tmp", [b"short"])
    assert (box / "a.tmp").read_bytes() == b"short"


def test_M67_replace_takes_the_place_of_a_file(server: Sshd, box: Path) -> None:
    (box / "a.csv").write_bytes(b"old")
    with carrier_at(login_to(server), str(box)) as carrier:
        carrier.put("a.tmp", [b"new"])
        carrier.replace("a.tmp", "a.csv")
    assert [(one.name, one.read_bytes()) for one in box.iterdir()] == [("a.csv", b"new")]


def test_M71_any_folder_will_do(guests: Sshd, guest: User) -> None:
    """Below the login folder, absolute, with blanks, in other scripts, through a link."""
    for folder in ("in", "in/deep er", "Ausgänge/名簿", "."):
        place = guest.home / folder
        place.mkdir(parents=True, exist_ok=True)
    (guest.home / "link").symlink_to("in/deep er")
    subprocess.run(["chown", "-R", guest.name, str(guest.home)], check=True)
    folders = ["in", "in/", "./in/deep er", "Ausgänge/名簿", ".", "link", f"{guest.home}/in/deep er"]
    for number, folder in enumerate(folders):
        with carrier_at(login_to(guests), folder) as carrier:
            carrier.put(f"{number}.tmp", [b"x"])
            carrier.rename(f"{number}.tmp", f"{number} – é.csv")
            assert f"{number} – é.csv" in [entry.name for entry in carrier.entries()]
    found = {str(path.relative_to(guest.home)) for path in guest.home.rglob("*.csv")}
    assert found == {
        "in/0 – é.csv",
        "in/1 – é.csv",
        "in/deep er/2 – é.csv",
        "Ausgänge/名簿/3 – é.csv",
        "4 – é.csv",
        "in/deep er/5 – é.csv",
        "in/deep er/6 – é.csv",
    }


def test_M71_a_server_that_shows_its_users_one_folder_only_will_do(public_folder: Path, guest: User) -> None:
    # Every folder above a jail must be root's alone, so it cannot lie in a temporary one.
    jail = guest.home.parent / f"{guest.name}-jail"
    (jail / "in").mkdir(parents=True)
    shutil.chown(jail / "in", guest.name)
    try:
        config = f"ChrootDirectory {jail}\nForceCommand internal-sftp\n"
        with sshd(public_folder / "jail", user=guest, config=config) as one:
            for folder in ("/in", "in"):
                with carrier_at(login_to(one), folder) as carrier:
                    carrier.put("a.tmp", [b"x"])
                    carrier.replace("a.tmp", "a.csv")
            fault(login_to(one), "/home", PathMissing)
        assert [path.name for path in (jail / "in").iterdir()] == ["a.csv"]
    finally:
        shutil.rmtree(jail)


# ---- login -----------------------------------------------------------------------------------------------


def test_M70_a_password_opens_the_folder(guests: Sshd, guest: User) -> None:
    login = login_to(guests, key=None, password=guest.password)
    with carrier_at(login, ".") as carrier:
        carrier.put("a.tmp", [b"x"])
    assert (guest.home / "a.tmp").read_bytes() == b"x"
    assert guest.password not in repr(login)


def test_M70_a_wrong_password_is_a_refused_login(guests: Sshd) -> None:
    error = fault(login_to(guests, key=None, password="another"), ".", LoginRefused)
    assert error.code == "target-login-refused"


def test_M70_a_wrong_key_is_a_refused_login_and_the_password_still_counts(
    guests: Sshd, guest: User, tmp_path: Path
) -> None:
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(tmp_path / "stranger")
    stranger = load_key_file(str(tmp_path / "stranger"), None)
    assert fault(login_to(guests, key=stranger), ".", LoginRefused).code == "target-login-refused"
    with carrier_at(login_to(guests, key=stranger, password=guest.password), ".") as carrier:
        assert carrier.exists("nothing") is False


def test_M70_a_server_that_takes_keys_only_says_so_to_a_password(server: Sshd) -> None:
    error = fault(login_to(server, key=None, password="whatever"), ".", LoginRefused)
    assert "it takes a key" in error.message


def test_M70_a_server_that_wants_key_and_password_gets_both(public_folder: Path, guest: User) -> None:
    config = "AuthenticationMethods publickey,password\n"
    with sshd(public_folder / "both", user=guest, password_login=True, config=config) as one:
        with carrier_at(login_to(one, password=guest.password), ".") as carrier:
            assert carrier.exists("nothing") is False
        assert fault(login_to(one), ".", LoginRefused).code == "target-login-refused"


def test_M70_a_changed_host_key_gets_no_login_and_no_file(server: Sshd, box: Path) -> None:
    login = login_to(server)
    server.change_host_key()
    error = fault(login, str(box), HostKeyChanged)
    assert error.code == "target-host-key-changed"
    assert server.host_key.split()[1] not in error.message
    (pinned,) = map(fingerprint, login.host_keys)
    (shown,) = map(fingerprint, pinned_keys(server.host_key))
    assert shown != pinned
    assert f"shown {shown}, pinned {pinned}. Nothing was sent to it." in error.message
    assert (error.fields["shown"], error.fields["pinned"]) == (shown, [pinned])
    assert list(box.iterdir()) == []
    both = login.host_keys | pinned_keys(server.host_key)
    with carrier_at(replace(login, host_keys=both), str(box)) as carrier:
        carrier.put("a.tmp", [b"x"])


def test_M70_an_account_without_sftp_is_told_so(tmp_path: Path) -> None:
    with sshd(tmp_path / "sshd", config="ForceCommand /bin/true\n") as server:
        assert fault(login_to(server), ".", LoginRefused).code == "target-no-sftp"


# ---- the folder ------------------------------------------------------------------------------------------


def test_M71_a_missing_folder_is_not_made(server: Sshd, box: Path) -> None:
    error = fault(login_to(server), str(box / "nowhere"), PathMissing)
    assert error.code == "target-path-missing"
    assert "never made on a partner's server" in error.message
    assert list(box.iterdir()) == []
    with carrier_at(login_to(server), str(box / "nowhere")) as carrier, pytest.raises(PathMissing):
        carrier.entries()


def test_M71_a_folder_that_is_a_file_is_a_missing_folder(server: Sshd, box: Path) -> None:
    (box / "file").write_text("x")
    assert fault(login_to(server), str(box / "file"), PathMissing).code == "target-path-missing"


def test_X10_no_right_to_write_is_told(guests: Sshd, guest: User) -> None:
    error = fault(login_to(guests), "/etc", PathMissing)
    assert error.code == "target-not-writable"


def test_X10_a_file_that_is_gone_is_told_from_a_folder_that_is(server: Sshd, box: Path) -> None:
    with carrier_at(login_to(server), str(box)) as carrier:
        acts: tuple[Callable[[], object], ...] = (
            lambda: carrier.rename("a.tmp", "a.csv"),
            lambda: carrier.replace("a.tmp", "a.csv"),
            lambda: carrier.sha256("a.tmp"),
            lambda: carrier.read("a.tmp", max_bytes=1),
        )
        for act in acts:
            with pytest.raises(PathMissing) as caught:
                act()
            assert caught.value.code == "target-file-missing"


def test_X10_a_taken_name_is_never_replaced_by_a_rename(server: Sshd, box: Path) -> None:
    (box / "a.csv").write_bytes(b"theirs")
    with carrier_at(login_to(server), str(box)) as carrier:
        carrier.put("a.tmp", [b"ours"])
        with pytest.raises(NameTaken) as caught:
            carrier.rename("a.tmp", "a.csv")
    assert caught.value.code == "target-name-taken"
    assert (box / "a.csv").read_bytes() == b"theirs"
    assert (box / "a.tmp").read_bytes() == b"ours"


# ---- space -----------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(box: Path) -> Iterator[Path]:
    """A folder with a megabyte of room."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(box)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        yield box
    finally:
        subprocess.run(["umount", "-l", str(box)], check=True)


def test_X10_a_disk_without_room_is_seen_before_anything_is_sent(server: Sshd, small_disk: Path) -> None:
    error = fault(login_to(server), str(small_disk), RemoteFull)
    assert error.code == "target-full"
    assert error.fields["size_bytes"] == len(CONTENT)
    assert error.fields["free_bytes"] <= MEGABYTE
    assert list(small_disk.iterdir()) == []


def test_X10_a_disk_that_gets_full_keeps_no_part_of_a_file(server: Sshd, small_disk: Path) -> None:
    with carrier_at(login_to(server), str(small_disk)) as carrier:
        with pytest.raises(RemoteFull) as caught:
            carrier.put("a.tmp", chunks())
        assert list(small_disk.iterdir()) == []
        carrier.put("b.tmp", [b"x" * 500_000], size_bytes=500_000)
        # A cut file of an earlier try is no obstacle to the next.
        carrier.put("b.tmp", [b"y" * 900_000], size_bytes=900_000)
    assert caught.value.code == "target-full"


def test_X10_a_read_only_disk_is_no_place_to_write(server: Sshd, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert fault(login_to(server), str(small_disk), PathMissing).code == "target-not-writable"
    with carrier_at(login_to(server), str(small_disk)) as carrier, pytest.raises(PathMissing) as caught:
        carrier.put("a.tmp", [b"x"])
    assert caught.value.code == "target-not-writable"


def test_X10_a_limit_of_size_keeps_no_part_of_a_file(tmp_path: Path, box: Path) -> None:
    with sshd(tmp_path / "sshd", file_limit_bytes=MEGABYTE) as server:
        assert fault(login_to(server), str(box), RemoteFull).code == "target-full"
    assert list(box.iterdir()) == []


# ---- the network -----------------------------------------------------------------------------------------


@pytest.fixture
def between(server: Sshd) -> Iterator[Proxy]:
    with proxy(server.port) as running:
        yield running


def test_X10_a_server_that_is_down_is_unreachable(server: Sshd) -> None:
    login = login_to(server)
    server.stop()
    error = fault(login, ".", Unreachable)
    assert error.code == "target-unreachable"
    assert isinstance(error, Transient)


def test_X10_a_host_that_nobody_knows_is_unreachable(server: Sshd) -> None:
    error = fault(login_to(server, host="sftp.north.invalid"), ".", Unreachable)
    assert "name of the host" in error.message


def test_M67_a_connection_cut_in_mid_file_leaves_no_short_file_of_the_final_name(
    server: Sshd, between: Proxy, box: Path
) -> None:
    login = login_to(server, port=between.port)
    between.mood, between.after_bytes = "cut", MEGABYTE
    assert fault(login, str(box), Unreachable).code == "target-cut-off"
    assert not (box / "a.csv").exists()
    between.mood = "pass"
    with carrier_at(login, str(box)) as carrier:
        carrier.put("a.tmp", chunks(), size_bytes=len(CONTENT))
        carrier.rename("a.tmp", "a.csv")
    assert [(one.name, one.read_bytes()) for one in box.iterdir()] == [("a.csv", CONTENT)]


@pytest.mark.parametrize("after_bytes", [0, 30, 1000, 1800, 2500, 4000])
@pytest.mark.parametrize("mood", ["cut", "freeze"])
def test_X10_whenever_the_network_fails_the_fault_is_transient_and_ends(
    server: Sshd, between: Proxy, box: Path, mood: Mood, after_bytes: int
) -> None:
    """From the first byte over keys and login to the first requests: it ends, and by its right name."""
    between.mood, between.after_bytes = mood, after_bytes
    with (
        pytest.raises(DeliveryError) as caught,
        carrier_at(login_to(server, port=between.port), str(box), HURRY) as carrier,
    ):
        carrier.put("a.tmp", chunks())
    assert isinstance(caught.value, Transient)
    expected = {"cut": {"target-cut-off", "target-busy"}, "freeze": {"target-silent"}}[mood]
    assert caught.value.code in expected


def test_X10_a_server_that_falls_silent_in_mid_file_is_given_up(
    server: Sshd, between: Proxy, box: Path
) -> None:
    between.mood, between.after_bytes = "freeze", 2 * MEGABYTE
    large = (os.urandom(MEGABYTE) for _ in range(40))
    with (
        pytest.raises(Unreachable) as caught,
        carrier_at(login_to(server, port=between.port), str(box), HURRY) as carrier,
    ):
        carrier.put("a.tmp", large)
    assert caught.value.code == "target-silent"


def test_X10_a_server_that_takes_no_more_bytes_is_given_up(server: Sshd, between: Proxy, box: Path) -> None:
    """Paramiko alone would try to send for ever."""
    between.narrow()
    between.mood, between.after_bytes = "freeze", 100_000
    login, place = login_to(server, port=between.port), Place("north_sftp", str(box), is_ours=False)
    with open_session(login, place, HURRY) as client:
        client.line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        carrier = Carrier(SftpHome(client, str(box)), str(box), is_ours=False)
        with pytest.raises(Unreachable) as caught:
            carrier.put("a.tmp", chunks())
        assert client.line.is_stuck
    assert caught.value.code == "target-silent"


def test_X10_a_slow_server_gets_its_file_however_long_it_takes(
    server: Sshd, between: Proxy, box: Path
) -> None:
    """The whole takes longer than any single answer may."""
    between.rate_bytes_s = 1.5 * MEGABYTE
    with carrier_at(login_to(server, port=between.port), str(box), HURRY) as carrier:
        carrier.put("a.tmp", chunks(), size_bytes=len(CONTENT))
    assert (box / "a.tmp").read_bytes() == CONTENT


@contextlib.contextmanager
def answering(first_line: bytes) -> Iterator[int]:
    """Run something that says one line to everybody and closes; yield its port."""
    door = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                visitor, _ = door.accept()
                visitor.sendall(first_line)
                visitor.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield door.getsockname()[1]
    finally:
        door.shutdown(socket.SHUT_RDWR)
        door.close()
        thread.join(5)


@pytest.mark.parametrize("line", [b"", b"Exceeded MaxStartups\r\n", b"Not allowed at this time\r\n"])
def test_X10_a_server_that_turns_visitors_away_is_busy(server: Sshd, line: bytes) -> None:
    with answering(line) as port:
        error = fault(login_to(server, port=port), ".", RemoteBusy)
    assert error.code == "target-busy"
    assert isinstance(error, Transient)


def hold_the_only_place(port: int) -> socket.socket:
    """Begin a login and go no further; the place of an earlier visitor may take a moment to become free."""
    deadline_s = time.monotonic() + 10
    while time.monotonic() < deadline_s:
        visitor = socket.create_connection(("127.0.0.1", port))
        if visitor.recv(4) == b"SSH-":
            return visitor
        visitor.close()
        time.sleep(0.02)
    raise AssertionError("no place became free")


def test_X10_too_many_logins_at_once_are_a_busy_server(tmp_path: Path) -> None:
    config = "MaxStartups 1:100:1\n"
    with sshd(tmp_path / "sshd", config=config) as server, hold_the_only_place(server.port):
        assert fault(login_to(server), ".", RemoteBusy).code == "target-busy"


def test_X10_too_many_sessions_are_a_busy_server(tmp_path: Path) -> None:
    with sshd(tmp_path / "sshd", config="MaxSessions 0\n") as server:
        assert fault(login_to(server), ".", RemoteBusy).code == "target-busy"


# ---- errors that are not the target's, and the probe -----------------------------------------------------


def test_X10_a_fault_of_ours_while_sending_is_not_blamed_on_the_target(server: Sshd, box: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x" * MEGABYTE
        raise FileNotFoundError("the kept file")

    with carrier_at(login_to(server), str(box)) as carrier:
        with pytest.raises(FileNotFoundError, match="the kept file"):
            carrier.put("a.tmp", broken())
        assert list(box.iterdir()) == []
        with pytest.raises(ValueError, match="name of one file"):
            carrier.put("../a.tmp", [b"x"])


def test_M71_a_probe_of_a_good_folder_passes_every_step_and_leaves_nothing(server: Sshd, box: Path) -> None:
    steps = probe(lambda: carrier_at(login_to(server), str(box)))
    assert [(step.name, step.is_ok) for step in steps] == [
        (name, True)
        for name in (
            *("connection", "connect", "host key", "login", "folder"),
            *("write", "read back", "rename", "remove", "free space"),
        )
    ]
    assert list(box.iterdir()) == []


def test_M70_a_probe_names_the_step_that_fails(guests: Sshd, guest: User, tmp_path: Path) -> None:
    def failed(login: Login, folder: str) -> tuple[str, str]:
        (step,) = [one for one in probe(lambda: carrier_at(login, folder)) if not one.is_ok]
        return step.name, step.code

    login = login_to(guests)
    assert failed(replace(login, key=None, password="wrong"), ".") == ("login", "target-login-refused")
    assert failed(login, "nowhere") == ("folder", "target-path-missing")
    assert failed(login, "/etc") == ("write", "target-not-writable")
    assert failed(replace(login, host_keys=frozenset()), ".") == ("host key", "target-host-key-changed")
    guests.stop()
    assert failed(login, ".") == ("connect", "target-unreachable")


def test_M70_a_key_of_any_usual_form_with_or_without_passphrase_is_read(server: Sshd, tmp_path: Path) -> None:
    for kind, form in (
        ("ssh-ed25519", "openssh"),
        ("ssh-rsa", "pkcs1-pem"),
        ("ssh-rsa", "pkcs8-pem"),
        ("ecdsa-sha2-nistp256", "pkcs8-pem"),
    ):
        made = asyncssh.generate_private_key(kind)
        for passphrase in (None, "a long phrase"):
            file = tmp_path / "key"
            made.write_private_key(file, form, passphrase)
            read = asyncssh.import_private_key(load_key_file(str(file), passphrase))
            assert read.public_data == made.public_data
            if passphrase:
                for wrong in (None, "another"):
                    with pytest.raises(ValueError, match=r".+"):
                        load_key_file(str(file), wrong)


def test_M70_the_library_prints_nothing_of_its_own(server: Sshd, caplog: pytest.LogCaptureFixture) -> None:
    login = login_to(server)
    server.change_host_key()
    fault(login, ".", HostKeyChanged)
    with answering(b"") as port:
        fault(login_to(server, port=port), ".", RemoteBusy)
    assert [record for record in caplog.records if record.name.startswith("paramiko")] == []


def test_M70_pinned_keys_are_read_as_ssh_keyscan_prints_them(server: Sshd) -> None:
    kind, blob = server.host_key.split()[:2]
    wire = paramiko.PublicBlob.from_string(f"{kind} {blob}").key_blob
    for text in (f"{kind} {blob}", blob, f"# a comment\n[127.0.0.1]:22 {kind} {blob}\n", server.host_key):
        assert pinned_keys(text) == {wire}
    assert pinned_keys("") == frozenset()
    with pytest.raises(ValueError, match="no key"):
        pinned_keys("ssh-ed25519 nonsense")
