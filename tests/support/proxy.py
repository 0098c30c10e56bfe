"""A bad network between us and a server: it cuts, falls silent or is slow after so many bytes."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Literal

Mood = Literal["pass", "cut", "freeze"]
_ONCE_BYTES = 16_384


class Proxy:
    """Passes on to ``port`` what comes; ``mood`` says what happens after ``after_bytes`` from us."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.mood: Mood = "pass"
        self.after_bytes = 0
        self.rate_bytes_s: float | None = None
        """Of what we send; None: as fast as it goes."""
        self._ends = threading.Event()
        self._open: list[socket.socket] = []
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def narrow(self) -> None:
        """Let little be on its way towards the proxy, as on a thin line."""
        self._door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                ours, _ = self._door.accept()
                theirs = socket.create_connection(("127.0.0.1", self._to))
                self._open += [ours, theirs]
                frozen = threading.Event()
                for source, sink, counts in ((ours, theirs, True), (theirs, ours, False)):
                    one = threading.Thread(
                        target=self._pump, args=(source, sink, counts, frozen), daemon=True
                    )
                    self._threads.append(one)
                    one.start()

    def _pump(
        self, source: socket.socket, sink: socket.socket, counts: bool, frozen: threading.Event
    ) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while content := source.recv(_ONCE_BYTES):
                passed += len(content)
                if counts and self.mood != "pass" and passed > self.after_bytes:
                    if self.mood == "cut":
                        break
                    frozen.set()
                if frozen.is_set():
                    self._ends.wait()
                    return
                if counts and self.rate_bytes_s:
                    time.sleep(len(content) / self.rate_bytes_s)
                sink.sendall(content)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._ends.set()
        for one in (self._door, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(10)


@contextlib.contextmanager
def proxy(port: int) -> Iterator[Proxy]:
    """Run a proxy before ``port`` for the block."""
    running = Proxy(port)
    try:
        yield running
    finally:
        running.close()
