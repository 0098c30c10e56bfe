"""Archive and work area behind one fsspec address, so that any worker can take any step.

The archive keeps each original by its SHA-256 and tenant and never changes it. The work area holds what one
step leaves for the next (accepted rows as Parquet); it may be emptied for submissions that are finished.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ulid import ULID

from partner_exchange.errors import ArchiveDamaged, ArchiveUnavailable
from partner_exchange.settings import get_settings
from partner_exchange.storage import paths
from partner_exchange.storage.folders import CHUNK_BYTES

if TYPE_CHECKING:
    import pandas as pd

_ARRIVING = "arriving-"


@dataclass(frozen=True)
class Kept:
    """An original in the archive."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class HalfKept:
    """A copy of an original on its way into the archive, or left there by a claim that was killed."""

    path: str
    size_bytes: int
    begun_at: datetime


class Archive:
    """One archive with its work area; cheap to make, holds no connection.

    :param address: an fsspec address such as ``file:///srv/exchange`` or ``s3://bucket/exchange``.
    """

    def __init__(self, address: str | None = None) -> None:
        import fsspec

        self._files: Any
        self._files, self._root = fsspec.core.url_to_fs(address or get_settings().storage_address)

    def _at(self, path: str) -> str:
        return f"{self._root}/{path}"

    def keep(self, tenant_code: str, chunks: Iterable[bytes]) -> Kept:
        """Store the original under its checksum and return checksum and size; the same content is stored
        once.
        """
        digest, size_bytes = hashlib.sha256(), 0
        folder = self._at(paths.archive_folder(tenant_code))
        arriving = f"{folder}/{_ARRIVING}{ULID()}"
        self._files.makedirs(folder, exist_ok=True)
        with self._files.open(arriving, "wb") as file:
            for chunk in chunks:
                digest.update(chunk)
                size_bytes += len(chunk)
                file.write(chunk)
        sha256 = digest.hexdigest()
        place = self._at(paths.archived(tenant_code, sha256))
        self._files.makedirs(place.rpartition("/")[0], exist_ok=True)
        self._files.mv(arriving, place)
        return Kept(sha256, size_bytes)

    def original(self, tenant_code: str, sha256: str) -> bytes:
        """Return the original, byte-exact.

        :raises ArchiveDamaged: when it is missing or its checksum differs.
        """
        try:
            content: bytes = self._files.cat_file(self._at(paths.archived(tenant_code, sha256)))
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise _damaged("is missing", tenant_code, sha256) from None
        if hashlib.sha256(content).hexdigest() != sha256:
            raise _damaged("has another checksum", tenant_code, sha256)
        return content

    def has_original(self, tenant_code: str, sha256: str) -> bool:
        """Say whether the original is there; its content is not looked at."""
        return self.size_bytes(paths.archived(tenant_code, sha256)) is not None

    def size_bytes(self, path: str) -> int | None:
        """Return the size of a file at a place of ``paths``, None when it is not there."""
        try:
            return int(self._files.info(self._at(path))["size"])
        except FileNotFoundError:
            return None

    def remove(self, path: str) -> None:
        """Remove a file at a place of ``paths`` for good; nothing happens when it is not there."""
        with contextlib.suppress(FileNotFoundError):
            self._files.rm_file(self._at(path))

    def parts(self, folder: str) -> dict[str, int]:
        """Return the files in a folder of ``paths`` by place, half-written ones too, with their sizes."""
        try:
            # Some file systems remember a listing; a worker may be up for weeks.
            found = self._files.ls(self._at(folder), detail=True, refresh=True)
        except FileNotFoundError:
            return {}
        return {
            f"{folder}/{one['name'].rpartition('/')[2]}": int(one["size"] or 0)
            for one in found
            if one["type"] == "file"
        }

    def remove_empty(self, folder: str) -> None:
        """Remove a folder of ``paths`` in which nothing is left; any other one stays."""
        with contextlib.suppress(OSError):
            self._files.rmdir(self._at(folder))

    def half_kept(self, tenant_code: str) -> list[HalfKept]:
        """Return the copies that have not got to their place in the archive (yet)."""
        folder = paths.archive_folder(tenant_code)
        try:
            # Some file systems remember a listing; a worker may be up for weeks.
            found = self._files.ls(self._at(folder), detail=True, refresh=True)
        except FileNotFoundError:
            return []
        sizes = {one["name"].rpartition("/")[2]: int(one["size"] or 0) for one in found}
        begun = {name: _begun_at(name) for name in sizes}
        return [HalfKept(f"{folder}/{name}", sizes[name], at) for name, at in begun.items() if at is not None]

    def keep_export_file(self, path: str, local: Path) -> Kept:
        """Store an outbound file of any size from this machine; it appears whole or not at all.

        :raises ArchiveUnavailable: it cannot be written now.
        """
        digest = hashlib.sha256()
        place = self._at(path)
        arriving = f"{place}.{ULID()}"
        with _told(path):
            self._files.makedirs(place.rpartition("/")[0], exist_ok=True)
            with local.open("rb") as source, self._files.open(arriving, "wb") as file:
                while chunk := source.read(CHUNK_BYTES):
                    digest.update(chunk)
                    file.write(chunk)
            self._files.mv(arriving, place)
        return Kept(digest.hexdigest(), local.stat().st_size)

    def fetch_export(self, path: str, sha256: str, local: Path) -> None:
        """Bring an outbound file of any size, or what it left to compare with, to this machine.

        :raises ArchiveDamaged: when it is missing or its checksum differs.
        :raises ArchiveUnavailable: it cannot be read now.
        """
        digest = hashlib.sha256()
        with local.open("wb") as file:
            for chunk in self._chunks(path):
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != sha256:
            raise _damaged_export("has another checksum", path)

    def check_export(self, path: str, sha256: str) -> int:
        """Return the size of an outbound file that is in the archive as it was stored.

        :raises ArchiveDamaged: when it is missing or its checksum differs.
        :raises ArchiveUnavailable: it cannot be read now.
        """
        digest, size_bytes = hashlib.sha256(), 0
        for chunk in self._chunks(path):
            digest.update(chunk)
            size_bytes += len(chunk)
        if digest.hexdigest() != sha256:
            raise _damaged_export("has another checksum", path)
        return size_bytes

    def _chunks(self, path: str) -> Iterator[bytes]:
        try:
            with _told(path), self._files.open(self._at(path), "rb") as source:
                while chunk := source.read(CHUNK_BYTES):
                    yield chunk
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise _damaged_export("is missing", path) from None

    def write_table(self, submission_id: str, part: str, table: pd.DataFrame) -> None:
        """Leave a table for the next step as Parquet; an earlier one is replaced as a whole."""
        buffer = io.BytesIO()
        table.to_parquet(buffer, index=False, compression="lz4")
        self.write_part(submission_id, part, buffer.getvalue())

    def read_table(self, submission_id: str, part: str) -> pd.DataFrame:
        """Return the table that an earlier step left.

        :raises FileNotFoundError: when it is not there (any more).
        """
        import pandas as pd

        with self._files.open(self._at(paths.work(submission_id, part)), "rb") as file:
            return pd.read_parquet(file)

    def write_part(self, submission_id: str, part: str, content: bytes) -> None:
        """Leave bytes for the next step; they appear whole or not at all."""
        self._write(paths.work(submission_id, part), content)

    def _write(self, path: str, content: bytes) -> None:
        place = self._at(path)
        arriving = f"{place}.{ULID()}"
        self._files.makedirs(place.rpartition("/")[0], exist_ok=True)
        self._files.pipe_file(arriving, content)
        self._files.mv(arriving, place)

    def has_part(self, submission_id: str, part: str) -> bool:
        """Say whether an earlier step left this part."""
        return bool(self._files.exists(self._at(paths.work(submission_id, part))))

    def work_bytes(self, submission_id: str) -> int | None:
        """Return the size of all that the steps left for one another, None when there is nothing."""
        place = self._at(paths.work_folder(submission_id))
        if not self._files.exists(place):
            return None
        return sum(int(size) for size in self._files.du(place, total=False).values())

    def clear_work(self, submission_id: str) -> None:
        """Remove all parts of a finished submission."""
        place = self._at(paths.work_folder(submission_id))
        if self._files.exists(place):
            self._files.rm(place, recursive=True)


@contextlib.contextmanager
def _told(path: str) -> Iterator[None]:
    """Turn what a disk or a store has to say into our error; that something is missing passes unchanged."""
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise
    except OSError as error:
        reason = errno.errorcode.get(error.errno or 0, type(error).__name__)
        message = (
            f"The archive cannot be used now for {path} ({reason}). Make room, or see to the storage of "
            "EXCHANGE_STORAGE_URL; the step is tried again."
        )
        raise ArchiveUnavailable("archive-unavailable", message, path=path, reason=reason) from None


def _begun_at(name: str) -> datetime | None:
    if not name.startswith(_ARRIVING):
        return None
    try:
        return ULID.from_str(name.removeprefix(_ARRIVING)).datetime
    except ValueError:
        return None


def _damaged(how: str, tenant_code: str, sha256: str) -> ArchiveDamaged:
    message = (
        f"The archived original {sha256[:12]} of {tenant_code} {how}; restore it from a backup, then retry."
    )
    return ArchiveDamaged("archive-damaged", message, tenant=tenant_code, sha256=sha256)


def _damaged_export(how: str, path: str) -> ArchiveDamaged:
    message = f"The outbound file {path} in the archive {how}; restore it from a backup, then retry."
    return ArchiveDamaged("archive-damaged", message, path=path)
