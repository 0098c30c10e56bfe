"""A real OpenSSH server with its internal SFTP, as a partner's or an older exchange's server would be."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import paramiko

from support.clients import require

PATIENCE_S = 15.0


@dataclass(frozen=True)
class Sshd:
    """Where the server listens and how to log in."""

    port: int
    user: str
    key_file: Path
    host_key: str

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
def sshd(folder: Path) -> Iterator[Sshd]:
    """Run a server on a free port for the block; ``folder`` holds its keys."""
    program, keygen = require("sshd"), require("ssh-keygen")
    folder.mkdir()
    folder.chmod(0o700)
    for name in ("host", "user"):
        command = [keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True)
    (folder / "authorized").write_bytes((folder / "user.pub").read_bytes())
    (folder / "authorized").chmod(0o600)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder / 'host'}\nPidFile none\n"
        f"AuthorizedKeysFile {folder / 'authorized'}\nStrictModes no\nUsePAM no\n"
        "PermitRootLogin prohibit-password\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        "Subsystem sftp internal-sftp\n"
    )
    if os.geteuid() == 0:
        # The server wants its privilege separation folder, which only its init script makes.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "-D", "-e", "-f", str(folder / "config")], stderr=log)
    try:
        _wait_for_banner(port, process)
        host_key = (folder / "host.pub").read_text()
        yield Sshd(port, getpass.getuser(), folder / "user", host_key)
    finally:
        process.terminate()
        process.wait()


def _wait_for_banner(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                if connection.recv(4) == b"SSH-":
                    return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("sshd did not start")
