"""SFTP servers with habits: short answers, silent losses, no extensions, refusals at the close."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncssh
import paramiko
import pytest
from asyncssh.sftp import SFTPServerHandler

from partner_exchange.storage.folders import SftpHome
from partner_exchange.storage.sftp_wire import NotKept

pytestmark = pytest.mark.service

CONTENT = os.urandom(3_000_017)


class _Open(asyncssh.SSHServer):
    """Lets everybody in; it listens on this machine and serves a folder of the test."""

    def begin_auth(self, username: str) -> bool:
        return False


class Server(asyncssh.SFTPServer):
    """Serves one folder; its subclasses have the habits."""

    root: Path

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes]) -> None:
        super().__init__(channel, chroot=str(self.root).encode())


@contextmanager
def home_on(kind: type[Server], root: Path) -> Iterator[SftpHome]:
    kind.root = root
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def serve() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            server_factory=_Open,
            sftp_factory=kind,
        )

    async def end() -> None:
        acceptor.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    acceptor = asyncio.run_coroutine_threadsafe(serve(), loop).result(10)
    transport = paramiko.Transport(("127.0.0.1", acceptor.get_port()))
    transport.start_client(timeout=10)
    transport.auth_none("partner")
    client = paramiko.SFTPClient.from_transport(transport)
    assert client is not None
    try:
        yield SftpHome(client, "/")
    finally:
        transport.close()
        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.mark.parametrize("most", [1000, 32_767, 32_768, 10**9])
def test_M67_a_file_is_read_whole_however_little_a_server_answers_at_a_time(
    tmp_path: Path, most: int
) -> None:
    class Short(Server):
        def read(self, file_obj: object, offset: int, size: int) -> bytes:
            return super().read(file_obj, offset, min(size, most))  # type: ignore[return-value]

    (tmp_path / "a").write_bytes(CONTENT)
    (tmp_path / "empty").write_bytes(b"")
    with home_on(Short, tmp_path) as home:
        assert b"".join(home.read("a")) == CONTENT
        assert b"".join(home.read("empty")) == b""
        with pytest.raises(FileNotFoundError):
            next(iter(home.read("nothing")))


def test_M67_a_reading_that_is_broken_off_leaves_the_session_in_order(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(CONTENT)
    with home_on(Server, tmp_path) as home:
        for _ in range(3):
            for piece in home.read("a"):
                assert CONTENT.startswith(piece)
                break
        assert home.size_bytes("a") == len(CONTENT)
        assert b"".join(home.read("a")) == CONTENT


def test_X10_a_server_that_loses_bytes_without_a_word_is_found_out(tmp_path: Path) -> None:
    class Lossy(Server):
        def write(self, file_obj: object, offset: int, data: bytes) -> int:
            return super().write(file_obj, offset, data) if offset < 65_536 else len(data)  # type: ignore[return-value]

    with home_on(Lossy, tmp_path) as home:
        with pytest.raises(NotKept, match="whole file") as caught:
            home.put("a.tmp", [CONTENT])
        assert caught.value.is_refused is False
        assert list(tmp_path.iterdir()) == []


def test_X10_a_refusal_of_the_close_counts(tmp_path: Path) -> None:
    class Grudging(Server):
        async def close(self, file_obj: object) -> None:
            file_obj.close()  # type: ignore[attr-defined]
            raise asyncssh.SFTPFailure("quota exceeded")

    with home_on(Grudging, tmp_path) as home:
        with pytest.raises(NotKept) as caught:
            home.put("a.tmp", [b"x"])
        assert caught.value.is_refused
        assert list(tmp_path.iterdir()) == []


def test_X10_the_last_of_many_writes_counts(tmp_path: Path) -> None:
    class Late(Server):
        def write(self, file_obj: object, offset: int, data: bytes) -> int:
            if offset + len(data) == len(CONTENT):
                raise asyncssh.SFTPFailure("Failure")
            return super().write(file_obj, offset, data)  # type: ignore[return-value]

    with home_on(Late, tmp_path) as home:
        with pytest.raises(NotKept) as caught:
            home.put("a.tmp", [CONTENT])
        assert caught.value.is_refused
        home.put("b.tmp", [b"the session goes on"])
    assert [path.name for path in tmp_path.iterdir()] == ["b.tmp"]


def test_M67_a_server_without_extensions_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handlers: dict[Any, Any] = {
        kind: handler
        for kind, handler in SFTPServerHandler._packet_handlers.items()
        if not isinstance(kind, bytes)
    }
    monkeypatch.setattr(SFTPServerHandler, "_packet_handlers", handlers)
    (tmp_path / "a.csv").write_bytes(b"old")
    with home_on(Server, tmp_path) as home:
        assert home.space(".") is None
        home.put("a.tmp", [b"new"])
        home.replace("a.tmp", "a.csv")
        with pytest.raises(FileNotFoundError):
            home.replace("a.tmp", "a.csv")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.csv", b"new")]


def test_X10_a_server_tells_its_room(tmp_path: Path) -> None:
    with home_on(Server, tmp_path) as home:
        space = home.space(".")
        assert space is not None
        assert space.free_bytes > 0
        assert not space.is_read_only
        assert home.space("nowhere") is None


def test_X10_after_a_silence_at_a_rename_nothing_is_removed(tmp_path: Path) -> None:
    """The rename may have been done; what bears the name then is the new file."""

    class Silent(Server):
        async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
            super().posix_rename(oldpath, newpath)
            await asyncio.Event().wait()

    (tmp_path / "a.csv").write_bytes(b"old")
    with home_on(Silent, tmp_path) as home:
        home.put("a.tmp", [b"new"])
        home._client.get_channel().settimeout(0.3)
        with pytest.raises(TimeoutError):
            home.replace("a.tmp", "a.csv")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.csv", b"new")]
