"""What a delivery may do at its target, a home here or a partner's own server alike (M67, M68, M71)."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from partner_exchange.exports.delivery import faults
from partner_exchange.exports.delivery.faults import Fault, Place
from partner_exchange.storage import sftp_wire
from partner_exchange.storage.folders import Entry

if TYPE_CHECKING:
    from partner_exchange.errors import DeliveryError
    from partner_exchange.storage.folders import Home
    from partner_exchange.storage.sftp_wire import Space

_FOLDER = "."


class _SourceFailed(Exception):
    """What is to be sent cannot be read: a fault of ours, not of the target; the cause says which."""


class Carrier:
    """Files in the one folder of a target, by name; a name never has a slash.

    Every method raises only errors of the ``DeliveryError`` family, with the codes of ``faults``.

    :param home: rooted at the folder itself.
    :param folder: as the target names it, for messages.
    :param is_ours: whether it is the partner's home here.
    :param connection_id: Airflow connection, for messages.
    :param address: host and port of a partner's server.
    """

    def __init__(
        self, home: Home, folder: str, *, is_ours: bool, connection_id: str = "", address: str = ""
    ) -> None:
        self._home = home
        self.whereabouts = f"home {folder}" if is_ours else f"{connection_id} {address} {folder}"
        """Tells this place from any other one: whoever looks for a file must look where it went."""
        self.place = Place(connection_id, folder, is_ours)
        """Where it is, for messages."""

    def put(self, name: str, chunks: Iterable[bytes], *, size_bytes: int | None = None) -> None:
        """Write the chunks under exactly this name, replacing what was there; all of it, or an error.

        What could not be written whole is removed, unless the connection is gone. Errors of ``chunks`` pass
        unchanged.

        :param size_bytes: of all chunks; given, a disk without room for it is seen before anything is sent.
        :raises DeliveryError: it is not there as a whole.
        """
        _require_name(name)
        try:
            with self._told():
                if size_bytes is not None:
                    self._require_room(name, size_bytes)
                self._home.put(name, _ours(chunks))
        except _SourceFailed as failed:
            raise failed.__cause__ or failed from None

    def size_bytes(self, name: str) -> int | None:
        """Return the size of the file; None when it is not there."""
        _require_name(name)
        with self._told():
            return self._home.size_bytes(name)

    def sha256(self, name: str) -> str:
        """Return the checksum of the file, read back; memory stays flat.

        :raises PathMissing: ``target-file-missing``.
        """
        _require_name(name)
        digest = hashlib.sha256()
        with self._told():
            for chunk in self._home.read(name):
                digest.update(chunk)
        return digest.hexdigest()

    def exists(self, name: str) -> bool:
        """Say whether anything of the name is there."""
        _require_name(name)
        with self._told():
            return self._home.exists(name)

    def rename(self, old: str, new: str) -> None:
        """Rename without replacing.

        :raises NameTaken: ``new`` is there; nothing was changed.
        :raises PathMissing: ``target-file-missing``, ``old`` is gone.
        """
        _require_name(old)
        _require_name(new)
        with self._told():
            # Some servers replace at a plain rename; those that do not settle what happens in between.
            if self._home.exists(new):
                raise self.error(Fault.NAME_TAKEN)
            self._home.rename(old, new)

    def replace(self, old: str, new: str) -> None:
        """Rename; a file of the new name is replaced, in one step where the server can.

        :raises PathMissing: ``target-file-missing``, ``old`` is gone.
        """
        _require_name(old)
        _require_name(new)
        with self._told():
            self._home.replace(old, new)

    def put_away(self, name: str, folder: str, new: str) -> None:
        """Move the file into a folder below, which is made when it is not there; nothing is replaced.

        :raises NameTaken: ``new`` is there; nothing was changed.
        :raises PathMissing: ``target-file-missing``, the file is gone; ``target-not-writable``, what has the
            name of the folder is none.
        """
        for one in (name, folder, new):
            _require_name(one)
        with self._told():
            self._ensure_folder(folder)
            if self._home.exists(f"{folder}/{new}"):
                raise self.error(Fault.NAME_TAKEN)
            self._home.rename(name, f"{folder}/{new}")

    def _ensure_folder(self, folder: str) -> None:
        try:
            self._home.ensure_folder(folder)
        except FileExistsError:
            why = f"{folder!r} there is no folder, so that nothing can be put away into it"
            remedy = "Have it renamed or taken away; what was left is put away then"
            raise self.error(Fault.NOT_WRITABLE, why=why, next_step=remedy) from None

    def remove(self, name: str) -> None:
        """Remove the file; nothing happens when it is not there."""
        _require_name(name)
        with self._told():
            self._home.remove(name)

    def entries(self) -> list[Entry]:
        """Return what lies in the folder.

        :raises PathMissing: ``target-path-missing``.
        """
        with self._told():
            found = self._home.entries(_FOLDER)
            if not found and not self._home.exists(_FOLDER):
                raise self.error(Fault.PATH_MISSING)
            return found

    def read(self, name: str, *, max_bytes: int) -> bytes:
        """Return the file, of a longer one only its first ``max_bytes``.

        :raises PathMissing: ``target-file-missing``.
        """
        _require_name(name)
        content = bytearray()
        with self._told(), contextlib.closing(_closable(self._home.read(name))) as chunks:
            for chunk in chunks:
                content += chunk
                if len(content) >= max_bytes:
                    break
        return bytes(content[:max_bytes])

    def space(self) -> Space | None:
        """Return how much may still be written there; None when the server cannot tell."""
        with self._told():
            return self._home.space(_FOLDER)

    def _require_room(self, name: str, size_bytes: int) -> None:
        space = self._home.space(_FOLDER)
        if space is None:
            return
        if space.is_read_only:
            raise self.error(Fault.NOT_WRITABLE, why="the disk there is read-only")
        if space.free_bytes < size_bytes:
            # A cut file of an earlier try makes room when it is written anew.
            if space.free_bytes + (self._home.size_bytes(name) or 0) >= size_bytes:
                return
            why = f"{size_bytes} bytes are to be written, and {space.free_bytes} are free"
            raise self.error(Fault.FULL, why=why, size_bytes=size_bytes, free_bytes=space.free_bytes)

    def error(self, fault: Fault, *, why: str = "", **fields: Any) -> DeliveryError:
        """Return the error of that code for this place."""
        return faults.error_of(fault, self.place, why=why, **fields)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if not sftp_wire.is_of_transport(error):
                raise
            meant = faults.of_work(error, self.place, has_folder=self._has_folder, space=self._space_if_told)
            raise meant from None

    def _has_folder(self) -> bool:
        try:
            return self._home.exists(_FOLDER)
        except Exception as error:
            if not sftp_wire.is_of_transport(error):
                raise
            return False

    def _space_if_told(self) -> Space | None:
        try:
            return self._home.space(_FOLDER)
        except Exception as error:
            if not sftp_wire.is_of_transport(error):
                raise
            return None


def _require_name(name: str) -> None:
    if not name or "/" in name or name in (".", ".."):
        raise ValueError("the name of one file in the folder is asked for")


def _closable(chunks: Iterator[bytes]) -> Generator[bytes, None, None]:
    yield from chunks


def _ours(chunks: Iterable[bytes]) -> Iterator[bytes]:
    try:
        yield from chunks
    except Exception as error:
        raise _SourceFailed from error
