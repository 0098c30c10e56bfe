"""One file on its way in: hidden while written, whole after ``publish``, gone after ``abandon``.

Called by ``visit``; knows no protocol. The door decides when a close is a true one (AN 9) and calls
``publish`` only then; whatever else happens, ``abandon`` removes the hidden file. What a killed process
leaves behind is removed by ``sweep`` at the next start.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import re
import time
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from partner_exchange import log
from partner_exchange.errors import QuotaExceeded
from partner_exchange.gateway.homes import move_unless_taken

_logger = logging.getLogger(__name__)
_HIDDEN_NAME = re.compile(r"^\.upload-[0-9a-f]{16}(?P<mark>[0-9a-f]{16})\.exchange$")
_COPY_BYTES = 1024 * 1024


class Upload:
    """A hidden file beside its later place; the folder is held open, so nothing can be swapped meanwhile.

    :param folder: descriptor of the target folder; this object takes a copy of its own.
    :param name: the name to publish under.
    :param limit_bytes: the largest size; None: no limit.
    :param exclusive: publish only when the name is still free then.
    """

    def __init__(self, folder: int, name: str, *, limit_bytes: int | None, exclusive: bool = False) -> None:
        self.name = name
        self.started_at_s = time.monotonic()
        self._limit_bytes = limit_bytes
        self._exclusive = exclusive
        self._broken: OSError | QuotaExceeded | None = None
        self._hidden = f".upload-{token_hex(8)}{mark_of(name)}.exchange"
        self._folder = os.dup(folder)
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            self._file = os.open(self._hidden, flags, 0o640, dir_fd=self._folder)
        except OSError:
            os.close(self._folder)
            raise
        # The lock tells `sweep` of another process that somebody is still writing; it ends with this process.
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._open = True

    @property
    def is_open(self) -> bool:
        """Say whether it is neither published nor abandoned."""
        return self._open

    def fill_from(self, source: int) -> None:
        """Start with a copy of an open file, so that a resumed upload changes a private copy only; blocks."""
        place = 0
        while chunk := os.pread(source, _COPY_BYTES, place):
            self.write(place, chunk)
            place += len(chunk)

    def write(self, offset: int, content: bytes) -> int:
        """Write the bytes at the offset, all of them or none.

        :raises QuotaExceeded: the file would be too large; from then on it cannot be published.
        :raises OSError: the disk refuses; from then on it cannot be published.
        """
        self._check_limit(offset + len(content))
        rest, place = memoryview(content), offset
        try:
            while rest:
                written = os.pwrite(self._file, rest, place)
                rest, place = rest[written:], place + written
        except OSError as error:
            self._broken = error
            raise
        return len(content)

    def append(self, content: bytes) -> int:
        """Write the bytes at the end; see ``write``."""
        return self.write(self.facts().st_size, content)

    def read(self, offset: int, size: int) -> bytes:
        """Return what was written so far."""
        return os.pread(self._file, size, offset)

    def truncate(self, size: int) -> None:
        """Set the size.

        :raises QuotaExceeded: see ``write``.
        """
        self._check_limit(size)
        os.ftruncate(self._file, size)

    def facts(self) -> os.stat_result:
        """Return size and times of the hidden file."""
        return os.fstat(self._file)

    def set_times(self, accessed_at_ns: int, modified_at_ns: int) -> None:
        """Set both times; they stay when the file is published."""
        os.utime(self._file, ns=(accessed_at_ns, modified_at_ns))

    def sync(self) -> None:
        """Let the bytes reach the disk; blocks, so call it in a thread."""
        os.fsync(self._file)

    def publish(self) -> os.stat_result:
        """Give the file its name in one step and return its facts; call ``sync`` before.

        :raises QuotaExceeded: an earlier write went over the limit; nothing is published.
        :raises OSError: an earlier write failed, or the name cannot be taken; nothing is published.
        """
        if not self._open:
            raise OSError(errno.EBADF, "the upload has ended already")
        try:
            if self._broken is not None:
                raise self._broken
            if self._exclusive:
                move_unless_taken(self._folder, self._hidden, self._folder, self.name)
            else:
                os.rename(self._hidden, self.name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
            with contextlib.suppress(OSError):
                os.fsync(
                    self._folder
                )  # the name is there now; a failure to make it durable does not undo that
            facts = os.fstat(self._file)
        except BaseException:
            self.abandon()
            raise
        self._end()
        return facts

    def abandon(self) -> None:
        """Remove the hidden file; nothing happens when it was published or abandoned before."""
        if self._open:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._hidden, dir_fd=self._folder)
            self._end()

    def _end(self) -> None:
        self._open = False
        os.close(self._file)
        os.close(self._folder)

    def _check_limit(self, size: int) -> None:
        if self._limit_bytes is not None and size > self._limit_bytes:
            message = (
                f"The file is larger than the {self._limit_bytes} bytes agreed; nothing was kept. Split it."
            )
            self._broken = QuotaExceeded("file-too-large", message, limit_bytes=self._limit_bytes)
            raise self._broken


def mark_of(name: str) -> str:
    """Return what a hidden name tells about the later one: enough to compare, and never too long."""
    return sha256(name.encode()).hexdigest()[:16]


def marks_in_progress(folder: int) -> set[str]:
    """Return the marks of the names that are being uploaded into the folder now, by whatever process.

    What a killed process left behind is not in progress.

    :param folder: descriptor of the folder.
    """
    matches = (_HIDDEN_NAME.match(name) for name in os.listdir(folder))
    return {match["mark"] for match in matches if match and _is_locked(folder, match.string)}


def _is_locked(folder: int, name: str) -> bool:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def sweep(homes: Path) -> int:
    """Remove hidden uploads that no living process writes any more; return how many there were."""
    count = 0
    for folder, _, names in os.walk(homes):
        for name in names:
            if _HIDDEN_NAME.match(name) and _remove_if_idle(Path(folder, name)):
                count += 1
    if count:
        log.event(_logger, "cut_uploads_removed", count=count)
    return count


def _remove_if_idle(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
