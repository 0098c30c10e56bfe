"""What of SFTP the public calls of paramiko do not give: every answer, and a reason for every refusal.

Called by ``folders``. Paramiko collects the answers to writes that it sends ahead, and those to a close, but
tells nobody of a refusal among them; and it drops the number by which a server says why. Both decide here
whether a file is whole, so this module sends the requests itself, by paramiko's internal names.
"""

from __future__ import annotations

import contextlib
import errno
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import paramiko

PIECE_BYTES = 32_768
"""What every server takes in one request."""
AHEAD = 64
"""Requests that wait for their answers at a time: 2 MB on the way."""

_OK, _EOF = 0, 1
_EXTENDED, _EXTENDED_REPLY = 200, 201
_READ_ONLY = 1
_ERRNO = {
    2: errno.ENOENT,
    3: errno.EACCES,
    6: errno.ECONNRESET,
    7: errno.ECONNRESET,
    8: errno.EOPNOTSUPP,
    # Numbers of later versions of SFTP, which some servers send all the same.
    10: errno.ENOENT,
    11: errno.EEXIST,
    12: errno.EROFS,
    14: errno.ENOSPC,
    15: errno.EDQUOT,
}
# OpenSSH says no more than "Failure"; others tell in words.
_FULL_WORDS = ("no space", "disk full", "quota", "too large", "insufficient")


class NotKept(OSError):
    """The server took a part of a file and refuses the rest, or says that it kept it and did not.

    :param is_refused: whether the server said so.
    """

    def __init__(self, number: int, *, is_refused: bool) -> None:
        super().__init__(number, "the server did not keep the whole file")
        self.is_refused = is_refused


@dataclass(frozen=True)
class Space:
    """What a server tells of the disk below a folder."""

    free_bytes: int
    """What we may use; 0 also when no more files can be made."""
    is_read_only: bool


class _Answers:
    """Sends requests ahead and gives their answers in the order in which they come."""

    def __init__(self, client: paramiko.SFTPClient) -> None:
        self._client = client
        self._come: deque[tuple[int, int, Any]] = deque()
        self.waiting = 0

    def ask(self, kind: int, *arguments: object) -> int:
        """Send a request and return its number."""
        number: int = self._client._async_request(self, kind, *arguments)
        self.waiting += 1
        return number

    def take(self) -> tuple[int, int, Any]:
        """Return number, kind and content of the next answer."""
        while not self._come:
            self._client._read_response()
        self.waiting -= 1
        return self._come.popleft()

    def take_ok(self) -> None:
        """Wait for the next answer, which has nothing more to say than that it is done.

        :raises OSError: the server refused; ``errno`` says why, EIO when the server does not.
        """
        _, kind, content = self.take()
        _require(kind, content, None)

    def _async_response(self, kind: int, content: Any, number: int) -> None:
        # Paramiko calls this for each answer to a request that was sent with this object.
        self._come.append((number, kind, content))


def _require(kind: int, content: Any, wanted: int | None) -> Any:
    from paramiko.sftp import CMD_STATUS, SFTPError

    if kind != CMD_STATUS:
        if kind != wanted:
            raise SFTPError("Unexpected kind of answer")
        return content
    number = content.get_int()
    if number == _OK and wanted is None:
        return content
    if number == _EOF:
        raise EOFError
    text = content.get_string().decode(errors="replace").casefold()
    reason = _ERRNO.get(number, errno.EIO)
    if reason == errno.EIO and any(words in text for words in _FULL_WORDS):
        reason = errno.ENOSPC
    raise OSError(reason, "the server refused")


def call(client: paramiko.SFTPClient, kind: int, *arguments: object, wanted: int | None = None) -> Any:
    """Send one request and return the content of its answer.

    :param wanted: kind of the answer; None: only that it is done.
    :raises OSError: the server refused; ``errno`` says why, EIO when the server does not.
    """
    answers = _Answers(client)
    answers.ask(kind, *arguments)
    _, answered, content = answers.take()
    return _require(answered, content, wanted)


def write_file(client: paramiko.SFTPClient, path: str, chunks: Iterable[bytes]) -> int:
    """Write the file under exactly this path and return its bytes; every write and the close are answered.

    Replaces what was there. What could not be written whole is removed again, unless the connection is gone.

    :raises OSError: the server does not open the file.
    :raises NotKept: it opened it, and refuses a write or the close.
    """
    from paramiko import SFTPAttributes
    from paramiko.sftp import CMD_HANDLE, CMD_OPEN, SFTP_FLAG_CREATE, SFTP_FLAG_TRUNC, SFTP_FLAG_WRITE

    flags = SFTP_FLAG_WRITE | SFTP_FLAG_CREATE | SFTP_FLAG_TRUNC
    opened = call(client, CMD_OPEN, path, flags, SFTPAttributes(), wanted=CMD_HANDLE)
    handle = opened.get_binary()
    try:
        return _write_and_close(client, handle, chunks)
    except BaseException as error:
        if not is_lost(error):
            _undo(client, handle, path)
        raise


def _write_and_close(client: paramiko.SFTPClient, handle: bytes, chunks: Iterable[bytes]) -> int:
    from paramiko.sftp import CMD_CLOSE, CMD_WRITE, int64

    answers = _Answers(client)
    sent = 0
    for chunk in chunks:
        for start in range(0, len(chunk), PIECE_BYTES):
            piece = chunk[start : start + PIECE_BYTES]
            while answers.waiting >= AHEAD:
                _settle(answers)
            answers.ask(CMD_WRITE, handle, int64(sent), piece)
            sent += len(piece)
    while answers.waiting:
        _settle(answers)
    answers.ask(CMD_CLOSE, handle)
    _settle(answers)
    return sent


def _settle(answers: _Answers) -> None:
    try:
        answers.take_ok()
    except OSError as error:
        if is_lost(error):
            raise
        raise NotKept(error.errno or errno.EIO, is_refused=True) from error


def read_file(client: paramiko.SFTPClient, path: str) -> Iterator[bytes]:
    """Yield the file in its order, with a bounded number of requests on the way, so memory stays flat.

    :raises OSError: the server refused; ``errno`` says why, EIO when the server does not.
    """
    from paramiko import SFTPAttributes
    from paramiko.sftp import CMD_CLOSE, CMD_HANDLE, CMD_OPEN, SFTP_FLAG_READ

    opened = call(client, CMD_OPEN, path, SFTP_FLAG_READ, SFTPAttributes(), wanted=CMD_HANDLE)
    handle = opened.get_binary()
    try:
        yield from _pieces(client, handle)
    except BaseException as error:
        if not is_lost(error):
            with contextlib.suppress(Exception):
                call(client, CMD_CLOSE, handle)
        raise
    call(client, CMD_CLOSE, handle)


def _pieces(client: paramiko.SFTPClient, handle: bytes) -> Iterator[bytes]:
    from paramiko.sftp import CMD_DATA, CMD_READ, int64

    answers = _Answers(client)
    wanted: dict[int, tuple[int, int]] = {}
    come: dict[int, bytes] = {}
    given = ahead = 0
    window, is_at_end = 1, False

    def ask(offset: int, length: int) -> None:
        wanted[answers.ask(CMD_READ, handle, int64(offset), length)] = (offset, length)

    while True:
        while not is_at_end and len(wanted) + len(come) < window:
            ask(ahead, PIECE_BYTES)
            ahead += PIECE_BYTES
        if given in come:
            piece = come.pop(given)
            given += len(piece)
            yield piece
            continue
        if not wanted:
            return
        number, kind, content = answers.take()
        offset, length = wanted.pop(number)
        try:
            piece = _require(kind, content, CMD_DATA).get_string()
        except EOFError:
            is_at_end = True
            continue
        come[offset] = piece
        # A small file needs few requests, a large one is worth many at a time.
        window = min(AHEAD, window * 2)
        if len(piece) < length:
            ask(offset + len(piece), length - len(piece))


def _undo(client: paramiko.SFTPClient, handle: bytes, path: str) -> None:
    from paramiko.sftp import CMD_CLOSE, CMD_REMOVE

    for kind, argument in ((CMD_CLOSE, handle), (CMD_REMOVE, path)):
        with contextlib.suppress(Exception):
            call(client, kind, argument)


def is_lost(error: BaseException) -> bool:
    """Say whether the connection is gone or silent, so that nothing more can be asked."""
    from paramiko import SSHException
    from paramiko.sftp import SFTPError

    if isinstance(error, (EOFError, SSHException, SFTPError, TimeoutError, ConnectionError)):
        return True
    # What paramiko says of a connection that died before the request.
    return isinstance(error, OSError) and error.errno is None and "closed" in str(error)


def is_of_transport(error: BaseException) -> bool:
    """Say whether the error comes from a file system, a socket or paramiko."""
    return isinstance(error, OSError) or is_lost(error)


def space(client: paramiko.SFTPClient, folder: str) -> Space | None:
    """Return what the server tells of the disk below the folder; None when it cannot tell (OpenSSH can)."""
    try:
        content = call(client, _EXTENDED, "statvfs@openssh.com", folder or "/", wanted=_EXTENDED_REPLY)
    except OSError as error:
        if is_lost(error):
            raise
        return None
    told = [content.get_int64() for _ in range(11)]
    unit, available, files, free_files, flags = told[1], told[4], told[5], told[7], told[9]
    # A file system that does not count its files says that there are none in all.
    can_make_files = free_files > 0 or files == 0
    return Space(available * unit if can_make_files else 0, bool(flags & _READ_ONLY))


def replace(client: paramiko.SFTPClient, old: str, new: str) -> None:
    """Rename and replace in one step, which is an extension of OpenSSH.

    :raises OSError: the server refused; ``errno`` says why, EIO when the server does not.
    """
    call(client, _EXTENDED, "posix-rename@openssh.com", old, new)
