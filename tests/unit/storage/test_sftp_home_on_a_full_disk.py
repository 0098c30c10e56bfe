"""An SFTP server that runs out of space while we write: no cut answer is ever published (K17)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import paramiko
import pytest

from partner_exchange.storage.folders import SftpHome

pytestmark = pytest.mark.service

ROOM_BYTES = 65_536


class _Open(asyncssh.SSHServer):
    """Lets everybody in; it listens on this machine and serves a folder of the test."""

    def begin_auth(self, username: str) -> bool:
        return False


@pytest.fixture
def full(tmp_path: Path) -> Iterator[SftpHome]:
    class Full(asyncssh.SFTPServer):
        def __init__(self, channel: asyncssh.SSHServerChannel[bytes]) -> None:
            super().__init__(channel, chroot=str(tmp_path).encode())

        def write(self, file_obj: object, offset: int, data: bytes) -> int:
            if offset + len(data) > ROOM_BYTES:
                raise asyncssh.SFTPFailure("No space left on device")
            return super().write(file_obj, offset, data)  # type: ignore[return-value]

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def serve() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            server_factory=_Open,
            sftp_factory=Full,
        )

    acceptor = asyncio.run_coroutine_threadsafe(serve(), loop).result(10)
    transport = paramiko.Transport(("127.0.0.1", acceptor.get_port()))
    transport.start_client(timeout=10)
    transport.auth_none("partner")
    client = paramiko.SFTPClient.from_transport(transport)
    assert client is not None
    (tmp_path / "inbound").mkdir()
    try:
        yield SftpHome(client, "/")
    finally:
        transport.close()
        loop.call_soon_threadsafe(acceptor.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_K17_an_answer_that_the_server_cut_short_is_never_published(full: SftpHome, tmp_path: Path) -> None:
    (tmp_path / "inbound" / "a.completed").write_bytes(b"the earlier answer")
    with pytest.raises(OSError, match="whole file"):
        full.write("inbound/a.completed", b"x" * 200_000)
    assert [(path.name, path.read_bytes()) for path in (tmp_path / "inbound").iterdir()] == [
        ("a.completed", b"the earlier answer")
    ]
    full.write("inbound/a.completed", b"small enough")
    assert (tmp_path / "inbound" / "a.completed").read_bytes() == b"small enough"
