"""One endless listing of all watched inboxes of an SFTP server, shared by all triggers of a triggerer.

A trigger says which folder it watches (``watching``); the stream looks at exactly those, over one
connection. A server that is away never ends the stream: it connects again, for ever, with growing pauses.
"""

from __future__ import annotations

import asyncio
import logging
import stat
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from partner_exchange.orchestration.connections import login_of
from partner_exchange.orchestration.looks import EMPTY, Look, look_at
from partner_exchange.storage.folders import Entry
from partner_exchange.storage.sftp_login import NotOpened, public_key

if TYPE_CHECKING:
    import asyncssh

    _Session = AbstractAsyncContextManager[asyncssh.SSHClientConnection]

_logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 20.0
POLL_TIMEOUT_S = 30.0
CLOSE_TIMEOUT_S = 3.0
BACKOFF_S = (0.5, 1.0, 2.0, 5.0)
"""Pause before each new connection; the last one repeats."""

_PARALLEL_REQUESTS = 16

TIME_GRAIN_S = 2.1
"""A folder's time comes in whole seconds (two on some file systems): a fresh one may hide a later change."""

RELIST_S = 5.0
"""An empty folder is listed this often even if its time stands still: some object stores never move it."""

Looks = dict[str, Look]
"""A look at each folder that has something to tell."""


class _Watchers:
    """Who watches which folder of one server, and how often somebody came to watch it."""

    def __init__(self) -> None:
        self.folders: Counter[str] = Counter()
        self.arrivals: Counter[str] = Counter()


_watchers: defaultdict[str, _Watchers] = defaultdict(_Watchers)
"""By connection id; the stream and its subscribers live in one event loop, so this needs no lock."""


@contextmanager
def watching(connection_id: str, folder: str) -> Iterator[None]:
    """Have the stream of that server look at the folder, from the next poll on, while the block runs."""
    watchers = _watchers[connection_id]
    watchers.folders[folder] += 1
    watchers.arrivals[folder] += 1
    try:
        yield
    finally:
        watchers.folders[folder] -= 1
        if not watchers.folders[folder]:
            del watchers.folders[folder]


async def stream_looks(connection_id: str, poll_interval_s: float) -> AsyncIterator[Looks]:
    """Yield at each poll the looks that hold files, changed, or are the first for a new watcher; never ends.

    :param poll_interval_s: pause between two polls.
    """
    failures = 0
    while True:
        stack = AsyncExitStack()
        try:
            client = await _connect(connection_id, stack)
            listing = _Listing(client, _watchers[connection_id])
            while True:
                async with asyncio.timeout(POLL_TIMEOUT_S):
                    looks = await listing.poll()
                if failures:
                    _logger.info("inbox.server_back connection=%s failures=%d", connection_id, failures)
                    failures = 0
                if looks:
                    yield looks
                await asyncio.sleep(poll_interval_s)
        except Exception as error:
            # Anything: a stream that ends fails every trigger of the server (AN 2), and a wrong key or a
            # new host key may be mended while we wait. The class says enough; a message could hold what a
            # server wrote.
            pause_s = BACKOFF_S[min(failures, len(BACKOFF_S) - 1)]
            failures += 1
            _logger.warning(
                "inbox.server_away connection=%s error=%s failures=%d next_try_in_s=%.1f",
                connection_id,
                error.hindrance if isinstance(error, NotOpened) else type(error).__name__,
                failures,
                pause_s,
            )
        finally:
            # A peer that fell silent would never confirm the goodbye.
            with suppress(Exception):
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await stack.aclose()
        await asyncio.sleep(pause_s)


async def _connect(connection_id: str, stack: AsyncExitStack) -> asyncssh.SFTPClient:
    """Open a session for as long as the stack lives, to the pinned host key and with our own login only.

    With another library than ``sftp_dial``, since all triggers of a triggerer share one thread.
    """
    # In a thread: it imports the SSH library and asks Airflow, and either would hold up all other triggers.
    connecting = await asyncio.to_thread(_connecting, connection_id)
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        connection = await stack.enter_async_context(connecting())
        return await stack.enter_async_context(connection.start_sftp_client())


def _connecting(
    connection_id: str,
) -> Callable[[], AbstractAsyncContextManager[asyncssh.SSHClientConnection]]:
    import asyncssh

    login = login_of(connection_id)
    pinned = [asyncssh.import_public_key(public_key(blob)) for blob in login.host_keys]
    return partial(
        asyncssh.connect,
        login.host,
        login.port,
        username=login.user,
        password=login.password,
        client_keys=[asyncssh.import_private_key(login.key)] if login.key else None,
        known_hosts=(pinned, [], []),
        # What the user of this machine has set up for itself does not count.
        config=None,
        agent_path=None,
        gss_host=None,
    )


@dataclass
class _Known:
    """What the last poll learned about a folder."""

    look: Look
    modified_at_s: int | None
    modified_seen_s: float
    listed_s: float

    def holds(self, modified_at_s: int | None, now_s: float) -> bool:
        """Say whether the folder is as empty as it was: its time stood still since the listing.

        A folder's time does not tell that a file in it grew, so a folder with files is always listed.
        """
        return (
            not self.look.facts
            and not self.look.is_suspended
            and modified_at_s is not None
            and modified_at_s == self.modified_at_s
            and self.listed_s - self.modified_seen_s > TIME_GRAIN_S
            and now_s - self.listed_s < RELIST_S
        )


class _Listing:
    """Looks at all watched folders over one connection."""

    def __init__(self, client: asyncssh.SFTPClient, watchers: _Watchers) -> None:
        self._client = client
        self._watchers = watchers
        self._known: dict[str, _Known] = {}
        self._greeted: dict[str, int] = {}
        self._gate = asyncio.Semaphore(_PARALLEL_REQUESTS)

    async def poll(self) -> Looks:
        """Return the looks worth telling."""
        arrivals = {folder: self._watchers.arrivals[folder] for folder in self._watchers.folders}
        folders = list(arrivals)
        before = {folder: known.look for folder, known in self._known.items()}
        looks = dict(zip(folders, await asyncio.gather(*map(self._look, folders)), strict=True))
        greeted, self._greeted = self._greeted, arrivals
        self._known = {folder: self._known[folder] for folder in folders}
        return {
            folder: look
            for folder, look in looks.items()
            if look.facts or arrivals[folder] != greeted.get(folder) or look != before.get(folder)
        }

    async def _look(self, folder: str) -> Look:
        known = self._known.get(folder)
        async with self._gate:
            modified_at_s = await self._modified_at_s(folder)
            now_s = time.monotonic()
            if known is not None and known.holds(modified_at_s, now_s):
                return known.look
            look = await self._list(folder)
        is_same_time = known is not None and known.modified_at_s == modified_at_s
        seen_s = known.modified_seen_s if known is not None and is_same_time else now_s
        self._known[folder] = _Known(look, modified_at_s, seen_s, now_s)
        return look

    async def _modified_at_s(self, folder: str) -> int | None:
        import asyncssh

        try:
            return (await self._client.stat(folder)).mtime
        except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection):
            raise
        except asyncssh.SFTPError:
            return None

    async def _list(self, folder: str) -> Look:
        import asyncssh

        try:
            # As bytes: one name that is no UTF-8 must not hide the others.
            names = await self._client.readdir(folder.encode())
        except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection):
            raise
        except asyncssh.SFTPError as error:
            # A folder that is missing or closed to us must not blind the inboxes of the other tenants.
            known = self._known.get(folder)
            if not isinstance(error, asyncssh.SFTPNoSuchFile) and (known is None or known.look != EMPTY):
                _logger.warning("inbox.folder_closed error=%s", type(error).__name__)
            return EMPTY
        return look_at(map(_entry, names))


def _entry(name: asyncssh.SFTPName) -> Entry:
    raw = name.filename
    attrs = name.attrs
    return Entry(
        name=raw.decode(errors="replace") if isinstance(raw, bytes) else raw,
        size_bytes=attrs.size or 0,
        modified_at_s=float(attrs.mtime or 0),
        is_file=stat.S_ISREG(attrs.permissions or 0),
    )
