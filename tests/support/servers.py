"""A real SFTP server on a free port, in a thread of its own; plain asyncssh, as a foreign server would be."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import Counter
from pathlib import Path
from typing import Any, cast

import asyncssh

USER = "pipeline"


class _Root(asyncssh.SFTPServer):
    """Shows ``root`` as ``/`` and counts what it is asked; the names in ``closed`` may not be listed."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], server: SftpServer) -> None:
        super().__init__(channel, chroot=str(server.root).encode())
        self._server = server

    def scandir(self, path: bytes) -> Any:
        self._server.requests["list"] += 1
        if path.decode() in self._server.closed:
            raise asyncssh.SFTPPermissionDenied("closed")
        return super().scandir(path)

    def stat(self, path: bytes) -> Any:
        self._server.requests["stat"] += 1
        attrs = asyncssh.SFTPAttrs.from_local(cast(os.stat_result, super().stat(path)))
        if self._server.frozen_time is not None:
            attrs.mtime = self._server.frozen_time
        return attrs


class _Login(asyncssh.SSHServer):
    def __init__(self, server: SftpServer) -> None:
        self._server = server

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._server.requests["connect"] += 1
        self._server.sessions.append(conn)

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == USER and key == self._server.user_key.convert_to_public()


class SftpServer:
    """One folder for all homes, served to the user ``pipeline``; may be stopped and started again."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.root = folder / "root"
        self.root.mkdir(parents=True, exist_ok=True)
        self.port = port
        self.requests: Counter[str] = Counter()
        self.sessions: list[asyncssh.SSHServerConnection] = []
        self.closed: set[str] = set()
        self.frozen_time: int | None = None
        self.host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.user_key = asyncssh.generate_private_key("ssh-ed25519")
        self.key_file = folder / "user_key"
        self.user_key.write_private_key(self.key_file)
        self.key_file.chmod(0o600)
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def start(self) -> None:
        self._acceptor = self._run(self._listen())
        self.port = self._acceptor.get_port()

    async def _listen(self) -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            self.port,
            server_host_keys=[self.host_key],
            server_factory=lambda: _Login(self),
            sftp_factory=lambda channel: _Root(channel, self),
            reuse_address=True,
        )

    def stop(self) -> None:
        """Cut all sessions and close the port."""
        if self._acceptor is not None:
            self._run(self._close(self._acceptor))
            self._acceptor = None

    async def _close(self, acceptor: asyncssh.SSHAcceptor) -> None:
        acceptor.close()
        for session in self.sessions:
            session.abort()
        self.sessions.clear()
        await acceptor.wait_closed()

    def end(self) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def inbox(self, tenant_code: str) -> Path:
        """Return the tenant's inbox on disk, made when it is not there."""
        folder = self.root / tenant_code / "inbound"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def drop(self, tenant_code: str, name: str, content: str = "Username\r\n") -> Path:
        """Publish a whole file in the tenant's inbox, as our gateway does: hidden first, then renamed."""
        hidden = self.inbox(tenant_code) / f".{name}.part"
        hidden.write_text(content)
        return hidden.rename(self.inbox(tenant_code) / name)

    def connection(self) -> dict[str, Any]:
        """Return the Airflow connection, as AIRFLOW_CONN_* takes it in JSON."""
        return {
            "conn_type": "sftp",
            "host": "127.0.0.1",
            "port": self.port,
            "login": USER,
            "extra": {
                "key_file": str(self.key_file),
                "host_key": self.host_key.export_public_key().decode().strip(),
                "look_for_keys": "false",
            },
        }
