"""What one account does in its home, whatever the protocol: right first, then deed, then log line.

Called by ``sftp`` (FTPS and HTTPS have the same needs). All methods take the path as the client wrote it.
They raise ``RightRefused``, ``NameRefused`` and ``QuotaExceeded`` with sentences for the client, and plain
``OSError`` for what the file system says; a door only translates.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import stat
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from partner_exchange import log
from partner_exchange.errors import GatewayError
from partner_exchange.gateway import homes
from partner_exchange.gateway.allowance import Allowance
from partner_exchange.gateway.rights import Place, Rights, Verb
from partner_exchange.gateway.uploads import Upload
from partner_exchange.storage.own_files import is_hidden

_logger = logging.getLogger("partner_exchange.gateway.audit")

REMEMBERED_S = 10.0
"""How long a visit remembers a file it has just published, see ``Visit.facts``."""

_MOST_REMEMBERED = 256


@dataclass(frozen=True)
class Account:
    """Who is logged in: a tenant in its home, or the pipeline above all homes."""

    name: str
    rights: Rights
    root: Path
    limit_bytes: int | None
    is_pipeline: bool = False
    allowance: Allowance | None = None
    other_names: homes.OtherNames | None = None


class Download:
    """A file open for reading; the bytes stay the same when another upload takes its name."""

    def __init__(self, descriptor: int) -> None:
        self._file: int | None = descriptor

    def read(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes from the offset on."""
        return os.pread(self.fileno(), size, offset)

    def facts(self) -> os.stat_result:
        """Return size and times."""
        return os.fstat(self.fileno())

    def close(self) -> None:
        """Let go of the file; may be called again."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def fileno(self) -> int:
        """Return the open descriptor."""
        if self._file is None:
            raise OSError(errno.EBADF, "the file is closed")
        return self._file


class Visit:
    """One session of one account.

    :param peer: address of the client, for the log only.
    """

    def __init__(self, account: Account, *, door: str, peer: str) -> None:
        self.account = account
        self._tree = homes.HomeTree(account.root)
        self._log_facts = {"account": account.name, "door": door, "peer": peer}
        self._published: OrderedDict[Place, tuple[float, os.stat_result]] = OrderedDict()

    def facts(self, path: bytes | str) -> os.stat_result:
        """Return size, times and kind of the file or folder.

        Clients look at a file right after they have uploaded it, and take "not there" for a failed upload;
        but the pipeline may have claimed it within milliseconds. So a file published in this visit is
        answered from memory for a few seconds once its name is gone.
        """
        place = self._place(path)
        with self._noted(Verb.READ, place):
            self._check_seen(place)
            try:
                return self._tree.facts(place)
            except FileNotFoundError:
                remembered = self._remembered(place)
                if remembered is None:
                    raise
                return remembered

    def canonical(self, path: bytes | str) -> str:
        """Return the absolute path without dots and doubled slashes."""
        return "/" + "/".join(self._place(path))

    def entries(self, path: bytes | str) -> list[tuple[str, os.stat_result]]:
        """Return what the account may see in the folder, by name, without ``.`` and ``..``."""
        place = self._place(path)
        with self._noted(Verb.LIST, place):
            self._check_seen(place)
            self.account.rights.check(Verb.LIST, place)
            return sorted(
                (name, facts) for name, facts in self._tree.entries(place) if self._shows(place, name)
            )

    def download(self, path: bytes | str) -> Download:
        """Open the file for reading."""
        place = self._place(path)
        with self._noted(Verb.READ, place):
            self._check_seen(place)
            self.account.rights.check(Verb.READ, place)
            return Download(self._tree.open_file(place))

    async def upload(
        self, path: bytes | str, *, create: bool = True, exclusive: bool = False, truncate: bool = True
    ) -> Upload:
        """Open the file for writing; without ``truncate`` it starts as a private copy of what is there.

        :raises FileNotFoundError: the folder is not there, or the file is not and ``create`` is false.
        :raises FileExistsError: the file is there and ``exclusive`` is true.
        :raises QuotaExceeded: it would be one file too many.
        """
        place = self._place(path)
        with self._noted(Verb.WRITE, place):
            self._check_new(place)
            kind = self._kind(place)
            if kind is None and not create:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            if kind is not None and exclusive:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
            if kind is not None and not stat.S_ISREG(kind):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            source = None if kind is None or truncate else Download(self._tree.open_file(place))
            try:
                upload = self._begin(place, exclusive=exclusive)
                if source is not None:
                    await self._fill(upload, source)
            finally:
                if source is not None:
                    source.close()
            return upload

    async def finish(self, upload: Upload, path: bytes | str) -> None:
        """Publish the upload: the client has truly closed the file.

        :raises QuotaExceeded: an earlier write went over the limit.
        """
        place = self._place(path)
        with self._noted(Verb.WRITE, place):
            try:
                await _in_thread(upload.sync)
                facts = upload.publish()
            finally:
                upload.abandon()
            self._remember(place, facts)
            seconds = time.monotonic() - upload.started_at_s
            self._note("upload_published", path=_shown(place), bytes=facts.st_size, seconds=seconds)

    def cut_short(self, upload: Upload, path: bytes | str) -> None:
        """Drop the upload: the session ended before the client closed the file."""
        if upload.is_open:
            size = upload.facts().st_size
            upload.abandon()
            self._note("upload_cut_short", path=_shown(self._place(path)), bytes=size)

    def rename(self, old: bytes | str, new: bytes | str, *, replace: bool) -> None:
        """Rename; a partner renames files only.

        :raises QuotaExceeded: the old name is being uploaded anew, and both are one file too many.
        """
        source, target = self._place(old), self._place(new)
        with self._noted(Verb.RENAME, source):
            self._check_seen(source)
            self.account.rights.check(Verb.RENAME, source)
            self._check_new(target)
            with self._room_to_rename(source, target):
                self._tree.rename(source, target, replace=replace, files_only=not self.account.is_pipeline)
            with contextlib.suppress(OSError, GatewayError):
                self._remember(target, self._tree.facts(target))
            self._published.pop(source, None)
            self._note("renamed", path=_shown(source), to=_shown(target))

    def remove(self, path: bytes | str) -> None:
        """Remove the file."""
        place = self._place(path)
        with self._noted(Verb.DELETE, place):
            self._check_seen(place)
            self.account.rights.check(Verb.DELETE, place)
            self._tree.remove(place)
            self._published.pop(place, None)
            self._note("removed", path=_shown(place))

    def make_folder(self, path: bytes | str) -> None:
        """Create the folder."""
        place = self._place(path)
        with self._noted(Verb.MKDIR, place):
            self.account.rights.check(Verb.MKDIR, place)
            homes.check_new_name(place[-1])
            self._tree.make_folder(place)
            self._note("folder_made", path=_shown(place))

    def remove_folder(self, path: bytes | str) -> None:
        """Remove the empty folder."""
        place = self._place(path)
        with self._noted(Verb.RMDIR, place):
            self.account.rights.check(Verb.RMDIR, place)
            self._tree.remove_folder(place)
            self._note("folder_removed", path=_shown(place))

    def set_times(self, path: bytes | str, accessed_at_ns: int, modified_at_ns: int) -> None:
        """Set both times of a file the account may write; a claimed upload of this visit stays as it is."""
        place = self._place(path)
        with self._noted(Verb.WRITE, place):
            self._check_seen(place)
            self.account.rights.check(Verb.WRITE, place)
            try:
                files_only = not self.account.is_pipeline
                self._tree.set_times(place, accessed_at_ns, modified_at_ns, files_only=files_only)
            except FileNotFoundError:
                if self._remembered(place) is None:
                    raise

    def refuse(self, verb: Verb, path: bytes | str) -> None:
        """Refuse what no account may do, such as links.

        :raises RightRefused: always.
        """
        place = self._place(path)
        with self._noted(verb, place):
            self.account.rights.check(verb, place)

    def _place(self, path: bytes | str) -> Place:
        try:
            place = homes.parse(path)
        except GatewayError as error:
            self._note("refused", code=error.code)
            raise
        return self.account.other_names.real(place) if self.account.other_names else place

    def _check_seen(self, place: Place) -> None:
        """Let what is outside of the account's view not be there, so nobody learns what else exists (X12)."""
        hidden = bool(place) and not self._shows(place[:-1], place[-1])
        if hidden or not self.account.rights.sees(place):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    def _check_new(self, place: Place) -> None:
        self.account.rights.check(Verb.WRITE, place)
        if not self.account.is_pipeline:
            homes.check_new_name(place[-1])

    def _shows(self, folder: Place, name: str) -> bool:
        if not self.account.rights.sees((*folder, name)):
            return False
        return self.account.is_pipeline or not is_hidden(name)

    def _kind(self, place: Place) -> int | None:
        try:
            return self._tree.facts(place).st_mode
        except FileNotFoundError:
            with self._tree.folder(place[:-1]):
                return None

    def _begin(self, place: Place, *, exclusive: bool) -> Upload:
        """Start the upload; nothing else runs between the count of files and the one more (T38)."""
        with self._tree.folder(place[:-1]) as folder:
            name = homes.spelling(folder, place[-1])
            allowance = self.account.allowance
            with allowance.held(folder) if allowance else contextlib.nullcontext():
                if allowance:
                    allowance.check(folder, name)
                return Upload(folder, name, limit_bytes=self.account.limit_bytes, exclusive=exclusive)

    @contextlib.contextmanager
    def _room_to_rename(self, source: Place, target: Place) -> Iterator[None]:
        allowance = self.account.allowance
        if allowance is None:
            yield
            return
        self._tree.facts(source)
        with self._tree.folder(target[:-1]) as folder, allowance.held(folder):
            old, new = (homes.spelling(folder, place[-1]) for place in (source, target))
            allowance.check(folder, new, instead_of=old)
            yield

    async def _fill(self, upload: Upload, source: Download) -> None:
        try:
            await _in_thread(partial(upload.fill_from, source.fileno()))
        except BaseException:
            upload.abandon()
            raise

    def _remember(self, place: Place, facts: os.stat_result) -> None:
        self._published[place] = (time.monotonic(), facts)
        while len(self._published) > _MOST_REMEMBERED:
            self._published.popitem(last=False)

    def _remembered(self, place: Place) -> os.stat_result | None:
        at_s, facts = self._published.get(place, (0.0, None))
        return facts if facts is not None and time.monotonic() - at_s < REMEMBERED_S else None

    @contextlib.contextmanager
    def _noted(self, verb: Verb, place: Place) -> Iterator[None]:
        """Log a refusal of ours; what the file system says (no such file ...) is no event."""
        try:
            yield
        except GatewayError as error:
            self._note("refused", verb=verb, path=_shown(place), code=error.code)
            raise

    def _note(self, name: str, **facts: object) -> None:
        log.event(_logger, name, **self._log_facts, **facts)


async def _in_thread(work: Callable[[], None]) -> None:
    """Run blocking work; a cancelled caller waits for its end too, since the work holds descriptors."""
    running = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


def _shown(place: Place) -> str:
    return repr("/" + "/".join(place))
