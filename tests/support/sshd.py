"""A real OpenSSH server with its internal SFTP, as a partner's or an older exchange's server would be."""

from __future__ import annotations

import getpass
import os
import resource
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import paramiko
import pytest

from partner_exchange.storage.sftp_login import Login, load_key_file, pinned_keys
from support.clients import require

PATIENCE_S = 15.0
TRIES = 3


@dataclass(frozen=True)
class User:
    """A system user of this machine; ``password`` is "" when nobody knows it."""

    name: str
    home: Path
    password: str = ""


def _me() -> User:
    return User(getpass.getuser(), Path.home())


@contextmanager
def a_user() -> Iterator[User]:
    """Make a system user with a password for the block; only root may, so others skip the test."""
    if os.geteuid() != 0:
        pytest.skip("only root may make the system user that this test needs; CI is root")
    useradd, chpasswd = require("useradd"), require("chpasswd")
    user = User(
        f"px{secrets.token_hex(4)}", Path("/home") / f"px-{secrets.token_hex(4)}", secrets.token_hex(8)
    )
    subprocess.run([useradd, "-m", "-d", str(user.home), "-s", "/bin/sh", user.name], check=True)
    try:
        subprocess.run([chpasswd], input=f"{user.name}:{user.password}\n", text=True, check=True)
        yield user
    finally:
        subprocess.run([require("userdel"), "-f", user.name], check=False, capture_output=True)
        shutil.rmtree(user.home, ignore_errors=True)


class Sshd:
    """Where the server listens and how to log in; may be stopped, and started again with another host key."""

    def __init__(
        self, folder: Path, user: User, config: str, *, password_login: bool, file_limit_bytes: int | None
    ) -> None:
        self._folder = folder
        self._program = require("sshd")
        self._process: subprocess.Popen[bytes] | None = None
        self._file_limit_bytes = file_limit_bytes
        self.user = user.name
        self.home = user.home
        self.password = user.password
        self.key_file = folder / "user"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        for name in ("host", "user"):
            _make_key(folder / name)
        (folder / "authorized").write_bytes((folder / "user.pub").read_bytes())
        passwords = "yes" if password_login else "no"
        (folder / "config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder / 'host'}\nPidFile none\n"
            f"AuthorizedKeysFile {folder / 'authorized'}\nStrictModes no\nUsePAM no\n"
            f"PermitRootLogin prohibit-password\nPasswordAuthentication {passwords}\n"
            f"KbdInteractiveAuthentication no\nSubsystem sftp internal-sftp\n{config}"
        )
        # The server reads it as the user who logs in.
        (folder / "authorized").chmod(0o644)

    @property
    def host_key(self) -> str:
        """Return the public host key as OpenSSH writes it."""
        return (self._folder / "host.pub").read_text()

    def connection(self) -> dict[str, Any]:
        """Return the Airflow connection, as AIRFLOW_CONN_* takes it in JSON."""
        return {
            "conn_type": "sftp",
            "host": "127.0.0.1",
            "port": self.port,
            "login": self.user,
            "extra": {"key_file": str(self.key_file), "host_key": self.host_key},
        }

    def login(self) -> Login:
        """Return how we get to the server, by key."""
        return Login(
            host="127.0.0.1",
            port=self.port,
            user=self.user,
            host_keys=pinned_keys(self.host_key),
            key=load_key_file(str(self.key_file), None),
        )

    def start(self) -> None:
        if os.geteuid() == 0:
            # The server wants its privilege separation folder, which only its init script makes.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        for _ in range(TRIES):
            with (self._folder / "log").open("ab") as log:
                self._process = subprocess.Popen(
                    [self._program, "-D", "-e", "-f", str(self._folder / "config")],
                    stderr=log,
                    preexec_fn=self._limit if self._file_limit_bytes else None,
                    restore_signals=self._file_limit_bytes is None,
                )
            if _answers(self.port, self._process):
                return
            # Somebody's connection may have got the port since it was found free.
            time.sleep(0.5)
        raise AssertionError((self._folder / "log").read_text())

    def _limit(self) -> None:
        assert self._file_limit_bytes is not None
        # The write is refused; by default the process would be killed.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self._file_limit_bytes, self._file_limit_bytes))

    def stop(self) -> None:
        """Close the port; sessions that are open go on."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def change_host_key(self) -> None:
        """Start anew at the same port with another host key."""
        self.stop()
        _make_key(self._folder / "host")
        self.start()

    @contextmanager
    def client(self) -> Iterator[paramiko.SFTPClient]:
        """Open an SFTP session with the pinned host key."""
        with paramiko.SSHClient() as ssh:
            kind, blob = self.host_key.split()[:2]
            pinned = paramiko.PublicBlob.from_string(f"{kind} {blob}")
            key = paramiko.Ed25519Key(data=pinned.key_blob)
            ssh.get_host_keys().add(f"[127.0.0.1]:{self.port}", kind, key)
            ssh.connect(
                "127.0.0.1",
                port=self.port,
                username=self.user,
                key_filename=str(self.key_file),
                allow_agent=False,
            )
            with ssh.open_sftp() as sftp:
                yield sftp


@contextmanager
def public_folder() -> Iterator[Path]:
    """Make a folder that other users can read, unlike those of pytest, for the block."""
    with TemporaryDirectory(prefix="exchange-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def sshd(
    folder: Path,
    *,
    user: User | None = None,
    password_login: bool = False,
    config: str = "",
    file_limit_bytes: int | None = None,
) -> Iterator[Sshd]:
    """Run a server on a free port for the block; ``folder`` holds its keys.

    :param user: who may log in; unset: the user of the test.
    :param config: further lines, such as ``MaxSessions 1`` or ``ChrootDirectory ...``.
    :param file_limit_bytes: no file on this server becomes larger.
    """
    require("sshd")
    folder.mkdir()
    folder.chmod(0o755 if user else 0o700)
    server = Sshd(
        folder, user or _me(), config, password_login=password_login, file_limit_bytes=file_limit_bytes
    )
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _make_key(file: Path) -> None:
    file.unlink(missing_ok=True)
    command = [require("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(file)]
    subprocess.run(command, check=True)


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                if connection.recv(4) == b"SSH-":
                    return True
        except OSError:
            time.sleep(0.05)
    return False
