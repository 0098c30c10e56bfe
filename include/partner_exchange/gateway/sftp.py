"""The SFTP door: asyncssh on one side, accounts and visits on the other.

Called by ``service``. A login needs a public key; there is no password, no shell, no command, no SCP, no
forwarding. Everything a client may do to files is in ``visit``; this module translates packets, answers and
errors.

Which close is a true one (AN 9): asyncssh closes the handles of a dead session through the same method as a
handle that the client closes. So ``_Handler`` marks the packet: only within a close packet a close
publishes, and everything else is a cut upload. Should a later asyncssh no longer come this way, uploads are
refused, never published by mistake. The reply is sent after the publish, so a client that asks for the file
next finds it, and a failed publish reaches the client.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import stat
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import asyncssh
from asyncssh.constants import FXP_CLOSE
from asyncssh.packet import SSHPacket
from asyncssh.sftp import SFTPServerHandler
from asyncssh.stream import SSHServerStreamSession

from partner_exchange import log
from partner_exchange.errors import AuthRefused, GatewayError, NameRefused, QuotaExceeded, RightRefused
from partner_exchange.gateway.accounts import Accounts
from partner_exchange.gateway.rights import Verb
from partner_exchange.gateway.uploads import Upload
from partner_exchange.gateway.visit import Account, Download, Visit

_logger = logging.getLogger("partner_exchange.gateway.audit")

KEX_ALGS = (
    "mlkem768x25519-sha256",
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp521",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp256",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
    "diffie-hellman-group14-sha256",
)
# 256-bit keys only (E12, M54); no CBC.
ENCRYPTION_ALGS = ("aes256-gcm@openssh.com", "aes256-ctr", "chacha20-poly1305@openssh.com")
MAC_ALGS = (
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
)
SIGNATURE_ALGS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
_SIGNATURE_ALGS = frozenset(name.encode() for name in SIGNATURE_ALGS)

_SFTP_VERSION = 3
_MOST_OPEN_FILES = 128
_LONGEST_USER_SHOWN = 64


class Door(asyncssh.SSHServer):
    """One connection: who is there, and the sessions it opens."""

    def __init__(self, accounts: Accounts, connections: set[asyncssh.SSHServerConnection]) -> None:
        self._accounts = accounts
        self._connections = connections
        self._conn: asyncssh.SSHServerConnection | None = None
        self._peer = ""
        self._admitted: dict[str, tuple[Account, str]] = {}
        self._refused: set[tuple[str, str]] = set()
        self._account: Account | None = None
        self._sessions: list[_Files] = []

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Remember the connection."""
        self._conn = conn
        self._connections.add(conn)
        address = conn.get_extra_info("peername")
        self._peer = str(address[0]) if address else ""

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop what the connection left half done."""
        if self._conn is not None:
            self._connections.discard(self._conn)
        for session in self._sessions:
            session.exit()

    def begin_auth(self, username: str) -> bool:
        """Demand a login, from unknown users as from known ones, so nobody learns which exist."""
        return True

    def public_key_auth_supported(self) -> bool:
        """Offer public keys, and nothing else."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Say whether the key opens the account; the reason of a refusal is for our log only (E46)."""
        # The signature that follows is checked with this very object: no SHA-1, though asyncssh would take
        # it.
        key.all_sig_algorithms = set(_SIGNATURE_ALGS) & set(key.all_sig_algorithms)
        fingerprint = key.get_fingerprint()
        try:
            account = self._accounts.admit(username, key.public_data)
        except AuthRefused as error:
            self._note_refusal(username, fingerprint, error.code)
            return False
        self._admitted[username] = (account, fingerprint)
        return True

    def auth_completed(self) -> None:
        """Note who came in."""
        if self._conn is not None:
            self._account, fingerprint = self._admitted[self._conn.get_extra_info("username")]
            log.event(
                _logger, "login", account=self._account.name, door="sftp", peer=self._peer, key=fingerprint
            )

    def session_requested(self) -> _Session | bool:
        """Open a session that serves files."""
        if self._account is None:
            return False
        files = Visit(self._account, door="sftp", peer=self._peer)
        return _Session(files, self._sessions)

    def _note_refusal(self, user: str, fingerprint: str, code: str) -> None:
        # A client asks for each key twice, without and with a signature: one line is enough.
        if (user, fingerprint) not in self._refused:
            self._refused.add((user, fingerprint))
            shown = repr(user[:_LONGEST_USER_SHOWN])
            log.event(
                _logger, "login_refused", user=shown, door="sftp", peer=self._peer, key=fingerprint, code=code
            )


class _Session(SSHServerStreamSession[bytes]):
    """A session that knows the sftp subsystem and nothing else: no shell, no command, no terminal."""

    def __init__(self, visit: Visit, sessions: list[_Files]) -> None:
        super().__init__(None)
        self._visit = visit
        self._sessions = sessions

    def pty_requested(self, *args: object) -> bool:
        """Refuse a terminal."""
        return False

    def shell_requested(self) -> bool:
        """Refuse a shell."""
        return False

    def exec_requested(self, command: str) -> bool:
        """Refuse a command, scp too."""
        return False

    def subsystem_requested(self, subsystem: str) -> bool:
        """Take sftp only."""
        return subsystem == "sftp"

    def session_started(self) -> None:
        """Serve SFTP on the channel until it ends."""
        chan, conn = self._chan, self._conn
        assert chan is not None  # noqa: S101 - asyncssh sets both before it calls this
        assert conn is not None  # noqa: S101
        chan.set_encoding(None)
        self._encoding = None
        files = _Files(cast("asyncssh.SSHServerChannel[bytes]", chan), self._visit)
        self._sessions.append(files)
        reader = asyncssh.SSHReader[bytes](self, chan)
        handler = _Handler(files, reader, asyncssh.SSHWriter[bytes](self, chan), _SFTP_VERSION)
        conn.create_task(handler.run(), reader.logger)


class _Handler(SFTPServerHandler):
    """The packets we answer, and the mark that tells a client's close from the end of a session."""

    _extensions = [
        (name, data)
        for name, data in SFTPServerHandler._extensions
        if name
        in (b"posix-rename@openssh.com", b"fsync@openssh.com", b"lsetstat@openssh.com", b"limits@openssh.com")
    ]

    def __init__(self, files: _Files, *args: Any) -> None:
        super().__init__(files, *args)
        self._files = files

    async def _process_close(self, packet: SSHPacket) -> None:
        self._files.client_closes = True
        try:
            await super()._process_close(packet)
        finally:
            self._files.client_closes = False

    _packet_handlers = {
        **{
            packet: handler
            for packet, handler in SFTPServerHandler._packet_handlers.items()
            if packet
            not in (b"copy-data", b"ranges@asyncssh.com", b"statvfs@openssh.com", b"fstatvfs@openssh.com")
        },
        FXP_CLOSE: cast("Any", _process_close),
    }


class _OpenUpload:
    """An upload together with the path it was opened by and how it is written."""

    def __init__(self, upload: Upload, path: bytes, *, appends: bool) -> None:
        self.upload = upload
        self.path = path
        self.appends = appends


_OpenFile = _OpenUpload | Download


class _Files(asyncssh.SFTPServer):
    """One SFTP session of one visit."""

    def __init__(self, chan: asyncssh.SSHServerChannel[bytes], visit: Visit) -> None:
        super().__init__(chan)
        self._visit = visit
        self._open: set[_OpenFile] = set()
        self.client_closes = False

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        """Open for reading, or for writing under a hidden name."""
        with _answered():
            if len(self._open) >= _MOST_OPEN_FILES:
                raise RightRefused(
                    "too-many-open", f"More than {_MOST_OPEN_FILES} files are open; close some first."
                )
            file: _OpenFile
            if pflags & (asyncssh.FXF_WRITE | asyncssh.FXF_APPEND):
                create = bool(pflags & asyncssh.FXF_CREAT)
                upload = await self._visit.upload(
                    path,
                    create=create,
                    exclusive=create and bool(pflags & asyncssh.FXF_EXCL),
                    truncate=bool(pflags & asyncssh.FXF_TRUNC),
                )
                file = _OpenUpload(upload, path, appends=bool(pflags & asyncssh.FXF_APPEND))
            else:
                file = self._visit.download(path)
            self._open.add(file)
            return file

    async def close(self, file_obj: object) -> None:
        """Publish an upload that the client closes; drop one whose session ended."""
        file = _file(file_obj)
        self._open.discard(file)
        with _answered():
            if isinstance(file, Download):
                file.close()
            elif self.client_closes:
                await self._visit.finish(file.upload, file.path)
            else:
                self._visit.cut_short(file.upload, file.path)

    def exit(self) -> None:
        """Let nothing stay open; called when the session ends and again when the connection does."""
        for file in self._open:
            if isinstance(file, Download):
                file.close()
            else:
                self._visit.cut_short(file.upload, file.path)
        self._open.clear()

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        """Read from a download, or back from an upload."""
        file = _file(file_obj)
        with _answered():
            return (file if isinstance(file, Download) else file.upload).read(offset, size)

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        """Write to an upload."""
        upload = _upload(file_obj)
        with _answered():
            return upload.upload.append(data) if upload.appends else upload.upload.write(offset, data)

    def fstat(self, file_obj: object) -> asyncssh.SFTPAttrs:
        """Return the facts of an open file."""
        file = _file(file_obj)
        with _answered():
            return _attrs((file if isinstance(file, Download) else file.upload).facts())

    def stat(self, path: bytes) -> asyncssh.SFTPAttrs:
        """Return the facts of a path."""
        with _answered():
            return _attrs(self._visit.facts(path))

    def lstat(self, path: bytes) -> asyncssh.SFTPAttrs:
        """Return the same as ``stat``: there are no links here."""
        return self.stat(path)

    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        """Set times; mode and owner are ours, and clients that send them after an upload need not be told."""
        with _answered():
            if attrs.size is not None:
                raise RightRefused("right-refused", "The size of a file cannot be set. Upload it anew.")
            times = _times(attrs)
            if times is not None:
                self._visit.set_times(path, *times)
            else:
                self._visit.facts(path)

    def lsetstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        """Do the same as ``setstat``."""
        self.setstat(path, attrs)

    def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:
        """Set size or times of an upload; mode and owner are ours."""
        upload = _upload(file_obj).upload
        with _answered():
            if attrs.size is not None:
                upload.truncate(attrs.size)
            times = _times(attrs)
            if times is not None:
                upload.set_times(*times)

    async def fsync(self, file_obj: object) -> None:
        """Answer at once: an upload reaches the disk before it is published."""
        _file(file_obj)

    def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        """Return the entries of a folder, all read at once, so that no change tears the listing."""
        with _answered():
            entries = self._visit.entries(path)
        return _names(entries)

    def realpath(self, path: bytes) -> bytes:
        """Return the path without dots; whether something is there is not asked."""
        with _answered():
            return self._visit.canonical(path).encode()

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Rename without replacing."""
        with _answered():
            self._visit.rename(oldpath, newpath, replace=False)

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Rename, replacing a file of the new name."""
        with _answered():
            self._visit.rename(oldpath, newpath, replace=True)

    def remove(self, path: bytes) -> None:
        """Remove a file."""
        with _answered():
            self._visit.remove(path)

    def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        """Create a folder."""
        with _answered():
            self._visit.make_folder(path)

    def rmdir(self, path: bytes) -> None:
        """Remove an empty folder."""
        with _answered():
            self._visit.remove_folder(path)

    def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        """Refuse, for every account."""
        with _answered():
            self._visit.refuse(Verb.LINK, newpath)

    def link(self, oldpath: bytes, newpath: bytes) -> None:
        """Refuse, for every account."""
        self.symlink(oldpath, newpath)

    def readlink(self, path: bytes) -> bytes:
        """Refuse: there are no links here."""
        raise asyncssh.SFTPOpUnsupported("There are no links here.")

    def format_user(self, uid: int | None) -> str:
        """Return a name that tells nothing about the machine."""
        return "exchange"

    def format_group(self, gid: int | None) -> str:
        """Return a name that tells nothing about the machine."""
        return "exchange"


async def _names(entries: list[tuple[str, os.stat_result]]) -> AsyncIterator[asyncssh.SFTPName]:
    for name, facts in entries:
        yield asyncssh.SFTPName(name.encode(), attrs=_attrs(facts))


def _file(file_obj: object) -> _OpenFile:
    if not isinstance(file_obj, _OpenFile):
        raise asyncssh.SFTPFailure("This is no open file.")
    return file_obj


def _upload(file_obj: object) -> _OpenUpload:
    if not isinstance(file_obj, _OpenUpload):
        raise asyncssh.SFTPPermissionDenied("The file is open for reading only.")
    return file_obj


def _attrs(facts: os.stat_result) -> asyncssh.SFTPAttrs:
    """Return what a client needs to know; owner and mode bits of the machine are not its business."""
    mode = (stat.S_IFDIR | 0o750) if stat.S_ISDIR(facts.st_mode) else (stat.S_IFREG | 0o640)
    return asyncssh.SFTPAttrs(
        size=facts.st_size,
        uid=0,
        gid=0,
        permissions=mode,
        atime=int(facts.st_atime),
        mtime=int(facts.st_mtime),
        nlink=1,
    )


def _times(attrs: asyncssh.SFTPAttrs) -> tuple[int, int] | None:
    if attrs.mtime is None and attrs.atime is None:
        return None
    now_s = int(time.time())
    accessed_at_s = attrs.atime if attrs.atime is not None else now_s
    modified_at_s = attrs.mtime if attrs.mtime is not None else now_s
    return int(accessed_at_s) * 10**9, int(modified_at_s) * 10**9


@contextlib.contextmanager
def _answered() -> Iterator[None]:
    """Turn our errors into SFTP answers; nothing of the inside reaches a client.

    Plain ``OSError`` of a known kind is left to asyncssh, which knows the code for each.
    """
    try:
        yield
    except RightRefused as error:
        raise asyncssh.SFTPPermissionDenied(error.message) from None
    except NameRefused as error:
        raise asyncssh.SFTPInvalidFilename(error.message) from None
    except QuotaExceeded as error:
        raise asyncssh.SFTPQuotaExceeded(error.message) from None
    except GatewayError as error:
        raise asyncssh.SFTPFailure(error.message) from None
    except OSError as error:
        if error.errno == errno.ENOSPC:
            _logger.exception("disk_full")
        raise
    except (asyncssh.SFTPError, NotImplementedError):
        raise
    except Exception:
        _logger.exception("door_failed door=sftp")
        raise asyncssh.SFTPFailure("The server failed; its operators were told. Try again later.") from None
