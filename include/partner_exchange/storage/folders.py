"""A partner's home, seen over SFTP or on this machine: list, claim by rename, read, write atomically.

Both homes keep the same promises: a rename never replaces a file, a written file appears whole or not at all,
and links are not followed out of the home by us because no name with a slash ever comes from a listing.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ulid import ULID

from partner_exchange.storage import sftp_wire
from partner_exchange.storage.sftp_wire import NotKept, Space

if TYPE_CHECKING:
    import paramiko

_logger = logging.getLogger(__name__)

CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Entry:
    """One name in a folder."""

    name: str
    size_bytes: int
    modified_at_s: float
    is_file: bool


class Home(Protocol):
    """The home of one partner; paths are relative to it, with ``/`` between folders."""

    def entries(self, folder: str) -> list[Entry]:
        """Return what lies in the folder, without ``.`` and ``..``; empty when the folder is not there."""
        ...

    def read(self, path: str) -> Iterator[bytes]:
        """Yield the file in chunks.

        :raises FileNotFoundError: when it is gone.
        """
        ...

    def exists(self, path: str) -> bool:
        """Say whether the path is there."""
        ...

    def rename(self, old: str, new: str) -> None:
        """Rename without replacing.

        :raises FileNotFoundError: ``old`` is gone: somebody else was first.
        :raises FileExistsError: ``new`` is taken.
        """
        ...

    def replace(self, old: str, new: str) -> None:
        """Rename; a file of the new name is replaced.

        :raises FileNotFoundError: ``old`` is gone.
        """
        ...

    def put(self, path: str, chunks: Iterable[bytes]) -> None:
        """Write the chunks under exactly this path, replacing what was there; it is not hidden meanwhile.

        What could not be written whole is removed again, as far as the connection lives.

        :raises NotKept: a server took a part only.
        :raises OSError: it cannot be written.
        """
        ...

    def write(self, path: str, content: bytes) -> None:
        """Put the file there, whole, under a hidden name first; replaces an earlier one."""
        ...

    def size_bytes(self, path: str) -> int | None:
        """Return the size of the file; None when it is not there."""
        ...

    def space(self, folder: str) -> Space | None:
        """Return how much may still be written into the folder; None when nobody can tell."""
        ...

    def remove(self, path: str) -> None:
        """Remove the file; nothing happens when it is not there."""
        ...

    def ensure_folder(self, folder: str) -> None:
        """Create the folder when it is not there.

        :raises FileExistsError: what has the name is no folder.
        """
        ...


def sha256_of(home: Home, path: str) -> str:
    """Return the checksum of a file in the home; "" when it is gone.

    :raises OSError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        for chunk in home.read(path):
            digest.update(chunk)
    except FileNotFoundError:
        return ""
    return digest.hexdigest()


def _hidden(path: str) -> str:
    """Return a temporary name of its own, so that two writers never share one."""
    folder, slash, _ = path.rpartition("/")
    return f"{folder}{slash}.{ULID()}.exchange"


class LocalHome:
    """A home in the file system of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def _at(self, path: str) -> Path:
        return self._root / path

    def entries(self, folder: str) -> list[Entry]:
        """See ``Home.entries``."""
        try:
            with os.scandir(self._at(folder)) as found:
                return [_local_entry(item) for item in found]
        except FileNotFoundError:
            return []

    def read(self, path: str) -> Iterator[bytes]:
        """See ``Home.read``."""
        with self._at(path).open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk

    def exists(self, path: str) -> bool:
        """See ``Home.exists``."""
        return os.path.lexists(self._at(path))

    def rename(self, old: str, new: str) -> None:
        """See ``Home.rename``; of two claims only one finds the old name, so the look before it is enough."""
        if self.exists(new):
            raise FileExistsError(errno.EEXIST, "name is taken")
        self._at(old).rename(self._at(new))

    def write(self, path: str, content: bytes) -> None:
        """See ``Home.write``."""
        hidden = _hidden(path)
        self.put(hidden, [content])
        self.replace(hidden, path)

    def replace(self, old: str, new: str) -> None:
        """See ``Home.replace``."""
        self._at(old).replace(self._at(new))

    def put(self, path: str, chunks: Iterable[bytes]) -> None:
        """See ``Home.put``; the bytes have reached the disk."""
        place = self._at(path)
        with place.open("wb") as file:
            try:
                for chunk in chunks:
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                place.unlink(missing_ok=True)
                raise

    def size_bytes(self, path: str) -> int | None:
        """See ``Home.size_bytes``."""
        try:
            return self._at(path).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None

    def space(self, folder: str) -> Space | None:
        """See ``Home.space``."""
        try:
            return Space(shutil.disk_usage(self._at(folder)).free, is_read_only=False)
        except OSError:
            return None

    def remove(self, path: str) -> None:
        """See ``Home.remove``."""
        self._at(path).unlink(missing_ok=True)

    def ensure_folder(self, folder: str) -> None:
        """See ``Home.ensure_folder``."""
        self._at(folder).mkdir(parents=True, exist_ok=True)


def _local_entry(item: os.DirEntry[str]) -> Entry:
    facts = item.stat(follow_symlinks=False)
    return Entry(item.name, facts.st_size, facts.st_mtime, stat.S_ISREG(facts.st_mode))


class SftpHome:
    """A home on an SFTP server: our gateway or any other one.

    :param client: an open paramiko client; whoever opened it closes it.
    :param root: absolute path of the home on the server.
    """

    def __init__(self, client: paramiko.SFTPClient, root: str) -> None:
        self._client = client
        self._root = root.rstrip("/")

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}"

    def entries(self, folder: str) -> list[Entry]:
        """See ``Home.entries``."""
        try:
            found = _listing(self._client, self._at(folder))
        except FileNotFoundError:
            return []
        return [
            Entry(
                item.filename, item.st_size or 0, float(item.st_mtime or 0), stat.S_ISREG(item.st_mode or 0)
            )
            for item in found
            if item.filename not in (".", "..") and _is_text(item.filename)
        ]

    def read(self, path: str) -> Iterator[bytes]:
        """See ``Home.read``."""
        yield from sftp_wire.read_file(self._client, self._at(path))

    def exists(self, path: str) -> bool:
        """See ``Home.exists``."""
        try:
            self._client.lstat(self._at(path))
        except FileNotFoundError:
            return False
        return True

    def rename(self, old: str, new: str) -> None:
        """See ``Home.rename``; plain SFTP rename fails on a taken name, and says so only as a general
        failure.
        """
        try:
            self._client.rename(self._at(old), self._at(new))
        except FileNotFoundError:
            raise
        except OSError as error:
            # After a silence nobody knows whether it was done: that is no taken name.
            if sftp_wire.is_lost(error):
                raise
            if self.exists(new):
                raise FileExistsError(errno.EEXIST, "name is taken") from error
            if not self.exists(old):
                raise FileNotFoundError(errno.ENOENT, "file is gone") from error
            raise

    def write(self, path: str, content: bytes) -> None:
        """See ``Home.write``.

        :raises NotKept: the server kept less than was sent.
        """
        hidden = _hidden(path)
        self.put(hidden, [content])
        self.replace(hidden, path)

    def replace(self, old: str, new: str) -> None:
        """See ``Home.replace``; done in one step where the server knows ``posix-rename``."""
        try:
            sftp_wire.replace(self._client, self._at(old), self._at(new))
        except (FileNotFoundError, PermissionError):
            raise
        except OSError as error:
            # After a silence nobody knows whether it was done, so nothing may be removed then.
            if sftp_wire.is_lost(error):
                raise
            if not self.exists(old):
                raise FileNotFoundError(errno.ENOENT, "file is gone") from error
            # A server without that extension; only there a name is free for a moment.
            self.remove(new)
            self._client.rename(self._at(old), self._at(new))

    def put(self, path: str, chunks: Iterable[bytes]) -> None:
        """See ``Home.put``; every request is answered, and the size is looked at afterwards."""
        sent = sftp_wire.write_file(self._client, self._at(path), chunks)
        kept = self.size_bytes(path)
        if kept is not None and kept != sent:
            self.remove(path)
            raise NotKept(errno.EIO, is_refused=False)

    def size_bytes(self, path: str) -> int | None:
        """See ``Home.size_bytes``; None also when the server tells no sizes."""
        try:
            size: int | None = self._client.stat(self._at(path)).st_size
        except FileNotFoundError:
            return None
        return size

    def space(self, folder: str) -> Space | None:
        """See ``Home.space``; OpenSSH tells it."""
        return sftp_wire.space(self._client, self._at(folder))

    def remove(self, path: str) -> None:
        """See ``Home.remove``."""
        with contextlib.suppress(FileNotFoundError):
            self._client.remove(self._at(path))

    def ensure_folder(self, folder: str) -> None:
        """See ``Home.ensure_folder``."""
        if self._is_folder(folder):
            return
        try:
            self._client.mkdir(self._at(folder))
        except OSError as error:
            if sftp_wire.is_lost(error):
                raise
            if self._is_folder(folder):
                return
            if self.exists(folder):
                raise FileExistsError(errno.EEXIST, "it is no folder") from error
            raise

    def _is_folder(self, path: str) -> bool:
        try:
            mode: int | None = self._client.stat(self._at(path)).st_mode
        except FileNotFoundError:
            return False
        # A server need not tell what it is.
        return mode is None or stat.S_ISDIR(mode)


def _listing(client: paramiko.SFTPClient, folder: str) -> list[paramiko.SFTPAttributes]:
    """Return a listing in which names that are not UTF-8 do not hide the others.

    It speaks the protocol by paramiko's internal names, since the public ones decode every name strictly.
    """
    from paramiko import SFTPAttributes
    from paramiko.sftp import CMD_CLOSE, CMD_HANDLE, CMD_NAME, CMD_OPENDIR, CMD_READDIR, SFTPError

    kind, reply = client._request(CMD_OPENDIR, folder)
    if kind != CMD_HANDLE:
        raise SFTPError("Expected handle")
    handle = reply.get_string()
    found: list[SFTPAttributes] = []
    try:
        while True:
            try:
                kind, reply = client._request(CMD_READDIR, handle)
            except EOFError:
                return found
            if kind != CMD_NAME:
                raise SFTPError("Expected name response")
            for _ in range(reply.get_int()):
                name = reply.get_string().decode(errors="surrogateescape")
                reply.get_string()
                found.append(SFTPAttributes._from_msg(reply, name))
    finally:
        client._request(CMD_CLOSE, handle)


def _is_text(name: str) -> bool:
    """Say whether a name can be spoken of; one that is not UTF-8 can be neither claimed nor answered."""
    try:
        name.encode()
    except UnicodeEncodeError:
        _logger.warning("folder.name_not_utf8")
        return False
    return True
