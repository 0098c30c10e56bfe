"""A real SFTP server on port 0, with one folder for all homes; plain asyncssh, so it behaves as a foreign server does."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import asyncssh

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

USER = "pipeline"


class _ChrootServer(asyncssh.SFTPServer):
    """Shows ``root`` as ``/`` and counts what it is asked."""

    def __init__(self, channel: asyncssh.SSHServerChannel, root: Path, requests: dict[str, int]) -> None:
        super().__init__(channel, chroot=str(root).encode())
        self._requests = requests

    def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        self._requests["list"] = self._requests.get("list", 0) + 1
        return super().scandir(path)

    def stat(self, path: bytes):
        self._requests["stat"] = self._requests.get("stat", 0) + 1
        return super().stat(path)


class _Login(asyncssh.SSHServer):
    def __init__(self, key: asyncssh.SSHKey, sessions: list[asyncssh.SSHServerConnection]) -> None:
        self._key = key
        self._sessions = sessions

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._sessions.append(conn)

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == USER and key == self._key


@dataclass
class SftpServer:
    """A running server and how to reach it."""

    root: Path
    port: int
    key_file: Path
    host_key: str
    requests: dict[str, int]
    sessions: list[asyncssh.SSHServerConnection]
    acceptor: asyncssh.SSHAcceptor

    def connection(self) -> dict[str, object]:
        """Return the Airflow connection, as AIRFLOW_CONN_* takes it in JSON."""
        return {
            "conn_type": "sftp",
            "host": "127.0.0.1",
            "port": self.port,
            "login": USER,
            "extra": {
                "key_file": str(self.key_file),
                "host_key": self.host_key,
                "look_for_keys": "false",
            },
        }

    async def stop(self) -> None:
        """Cut all sessions and close the port."""
        self.acceptor.close()
        for session in self.sessions:
            session.abort()
        self.sessions.clear()
        await self.acceptor.wait_closed()


@asynccontextmanager
async def sftp_server(root: Path, keys: Path, port: int = 0) -> AsyncIterator[SftpServer]:
    """Serve ``root`` while the block runs; with the keys of an earlier call it is the same server again."""
    keys.mkdir(parents=True, exist_ok=True)
    for name in ("host_key", "user_key"):
        if not (keys / name).is_file():
            key = asyncssh.generate_private_key("ssh-ed25519")
            key.write_private_key(keys / name)
            (keys / name).chmod(0o600)
    host_key, user_key = (asyncssh.read_private_key(keys / name) for name in ("host_key", "user_key"))
    requests: dict[str, int] = {}
    sessions: list[asyncssh.SSHServerConnection] = []
    acceptor = await asyncssh.listen(
        "127.0.0.1",
        port,
        server_host_keys=[host_key],
        server_factory=lambda: _Login(user_key.convert_to_public(), sessions),
        sftp_factory=lambda channel: _ChrootServer(channel, root, requests),
    )
    server = SftpServer(
        root=root,
        port=acceptor.get_port(),
        key_file=keys / "user_key",
        host_key=host_key.export_public_key().decode().strip(),
        requests=requests,
        sessions=sessions,
        acceptor=acceptor,
    )
    try:
        yield server
    finally:
        await server.stop()
