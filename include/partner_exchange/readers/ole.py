"""Compound files (OLE2): what is inside, and one stream of them, by MS-CFB; made for XLS.

Called by ``xls.py``. Everything a file says about itself is checked against its size, so a chain of sectors
that runs in a circle ends the reading instead of filling the memory.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

import numpy as np

from partner_exchange.readers.refused import refuse_damaged

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEADER_BYTES = 512
_ENTRY_BYTES = 128
_SECTORS_IN_HEADER = 109
_LAST_SECTOR = 0xFFFFFFFA
_NOBODY = 0xFFFFFFFF
_STORAGE, _STREAM, _ROOT = 1, 2, 5


@dataclass(frozen=True)
class _Entry:
    name: str
    kind: int
    left: int
    right: int
    child: int
    start: int
    size: int


class CompoundFile:
    """The top level of a compound file.

    :raises Refused: (all methods) the file breaks the rules of its format.
    """

    def __init__(self, content: bytes) -> None:
        if len(content) < _HEADER_BYTES:
            refuse_damaged()
        sector_shift, mini_shift = struct.unpack_from("<HH", content, 30)
        if (sector_shift, mini_shift) not in ((9, 6), (12, 6)):
            refuse_damaged()
        self._content = content
        self._sector_bytes = 1 << sector_shift
        self._mini_cutoff, self._mini_start = struct.unpack_from("<II", content, 56)
        self._next = self._table(self._table_sectors())
        self._entries = self._directory(struct.unpack_from("<I", content, 48)[0])
        self._top = self._children(self._entries[0].child) if self._entries else {}

    @property
    def names(self) -> frozenset[str]:
        """Return the names of the streams and storages at the top, in lower case."""
        return frozenset(self._top)

    def stream(self, name: str) -> bytes:
        """Return the bytes of a stream at the top."""
        entry = self._top[name.lower()]
        if entry.kind != _STREAM or entry.size > len(self._content):
            refuse_damaged()
        data = self._small(entry) if entry.size < self._mini_cutoff else self._chain(entry.start)
        if len(data) < entry.size:
            refuse_damaged()
        return data[: entry.size]

    def _table_sectors(self) -> list[int]:
        """Return the sectors that hold the table of chains; more of them are listed outside the header."""
        content, per_sector = self._content, self._sector_bytes // 4
        sectors = list(struct.unpack_from(f"<{_SECTORS_IN_HEADER}I", content, 76))
        at, count = struct.unpack_from("<II", content, 68)
        for _ in range(min(count, len(content) // self._sector_bytes)):
            if at >= _LAST_SECTOR:
                break
            *more, at = struct.unpack(f"<{per_sector}I", self._sector(at))
            sectors += more
        return [sector for sector in sectors if sector < _LAST_SECTOR]

    def _table(self, sectors: list[int]) -> list[int]:
        if len(sectors) > len(self._content) // self._sector_bytes:
            refuse_damaged()
        data = b"".join(map(self._sector, sectors))
        chains: list[int] = np.frombuffer(data, dtype="<u4").tolist()
        return chains

    def _sector(self, number: int) -> bytes:
        # The header takes the place of one sector, also where sectors are larger than it.
        start = (number + 1) * self._sector_bytes
        data = self._content[start : start + self._sector_bytes]
        if not data:
            refuse_damaged()
        # Some writers leave off the unused end of the last sector.
        return data.ljust(self._sector_bytes, b"\0")

    def _chain(self, start: int) -> bytes:
        return b"".join(map(self._sector, _follow(self._next, start)))

    def _small(self, entry: _Entry) -> bytes:
        """Return a stream from the pool of small ones, 64 bytes a piece."""
        links = np.frombuffer(self._chain(self._mini_start), dtype="<u4").tolist()
        pool = self._chain(self._entries[0].start)
        return b"".join(pool[64 * at : 64 * at + 64] for at in _follow(links, entry.start))

    def _directory(self, start: int) -> list[_Entry]:
        data = self._chain(start)
        return [_entry(data[at : at + _ENTRY_BYTES]) for at in range(0, len(data), _ENTRY_BYTES)]

    def _children(self, first: int) -> dict[str, _Entry]:
        found: dict[str, _Entry] = {}
        seen, waiting = set(), [first]
        while waiting:
            at = waiting.pop()
            if at == _NOBODY or at in seen:
                continue
            if at >= len(self._entries):
                refuse_damaged()
            seen.add(at)
            entry = self._entries[at]
            found[entry.name.lower()] = entry
            waiting += [entry.left, entry.right]
        return found


def _entry(data: bytes) -> _Entry:
    name_bytes, kind = struct.unpack_from("<HB", data, 64)
    left, right, child = struct.unpack_from("<III", data, 68)
    start, size = struct.unpack_from("<II", data, 116)
    name = data[: max(0, min(name_bytes, 64) - 2)].decode("utf-16-le", "replace")
    return _Entry(name, kind, left, right, child, start, size)


def _follow(links: list[int], start: int) -> list[int]:
    chain: list[int] = []
    at = start
    while at < _LAST_SECTOR:
        if at >= len(links) or len(chain) > len(links):
            refuse_damaged()
        chain.append(at)
        at = links[at]
    return chain


def with_workbook(stream: bytes) -> bytes:
    """Return a compound file that holds nothing but ``stream`` as its workbook."""
    from xlwt.CompoundDoc import XlsDoc

    out = io.BytesIO()
    XlsDoc().save(out, stream)
    return out.getvalue()
