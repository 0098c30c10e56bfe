"""ZIP packages (XLSX): what is inside, and single parts of it, counted while they are unpacked (X15).

Called by ``xlsx.py``. Nothing is written to a disk and names are only looked up, so no path inside the
archive leads anywhere; archives inside the archive stay closed.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile

from partner_exchange.readers.book import guarded
from partner_exchange.readers.refused import refuse

MAGIC = b"PK\x03\x04"
MAX_MEMBERS = 10_000
MAX_UNPACKED_BYTES = 256 * 1024 * 1024
MAX_RATIO = 200
_SMALL_BYTES = 16 * 1024 * 1024
_CHUNK_BYTES = 1024 * 1024
_GLANCE_BYTES = 32 * 1024 * 1024
_IS_ENCRYPTED = 0x1


class Package:
    """An archive whose directory was read.

    :raises Refused: (all methods) it is damaged, encrypted, or unpacks to more than is allowed.
    """

    def __init__(self, content: bytes) -> None:
        # Before the directory is taken apart: each entry of it costs a hundred times its bytes.
        if content.count(b"PK\x01\x02") > MAX_MEMBERS:
            refuse("workbook-too-large", limit_mib=MAX_UNPACKED_BYTES >> 20)
        self._archive = guarded(lambda: zipfile.ZipFile(io.BytesIO(content)))
        self._members = {_plain(member.filename): member for member in self._archive.infolist()}
        self._left = MAX_UNPACKED_BYTES

    @property
    def names(self) -> frozenset[str]:
        """Return the names of the parts, in lower case, without a leading slash."""
        return frozenset(self._members)

    def __contains__(self, name: str) -> bool:
        return _plain(name) in self._members

    def read(self, name: str, *, limit: int = MAX_UNPACKED_BYTES) -> bytes:
        """Return a part, b"" where there is none.

        :param limit: bytes it may have; what a directory declares is not believed.
        """
        member = self._members.get(_plain(name))
        if member is None:
            return b""
        if member.flag_bits & _IS_ENCRYPTED:
            refuse("workbook-encrypted")
        allowed = min(limit, self._left, max(_SMALL_BYTES, MAX_RATIO * member.compress_size))
        if member.file_size > allowed:
            refuse("workbook-too-large", limit_mib=MAX_UNPACKED_BYTES >> 20)
        data = guarded(lambda: self._unpack(member, allowed))
        self._left -= len(data)
        return data

    def holds(self, name: str, pattern: re.Pattern[bytes]) -> bool:
        """Tell whether the beginning of a part holds something, without keeping or counting it."""
        member = self._members.get(_plain(name))
        return member is not None and guarded(lambda: self._finds(member, pattern))

    def _finds(self, member: zipfile.ZipInfo, pattern: re.Pattern[bytes]) -> bool:
        before = b""
        with self._archive.open(member) as part:
            for _ in range(_GLANCE_BYTES // _CHUNK_BYTES):
                chunk = part.read(_CHUNK_BYTES)
                if not chunk or pattern.search(before[-100:] + chunk):
                    return bool(chunk)
                before = chunk
        return False

    def _unpack(self, member: zipfile.ZipInfo, allowed: int) -> bytes:
        out = io.BytesIO()
        with self._archive.open(member) as part:
            while chunk := part.read(_CHUNK_BYTES):
                if out.tell() + len(chunk) > allowed:
                    refuse("workbook-too-large", limit_mib=MAX_UNPACKED_BYTES >> 20)
                out.write(chunk)
        return out.getvalue()


def _plain(name: str) -> str:
    return posixpath.normpath("/" + name.replace("\\", "/")).lstrip("/").lower()


def packed(parts: dict[str, bytes]) -> bytes:
    """Return an archive of the parts; large ones deflated lightly, so that it costs little beside them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compresslevel=1) as archive:
        for name, data in parts.items():
            method = zipfile.ZIP_DEFLATED if len(data) > _SMALL_BYTES else zipfile.ZIP_STORED
            archive.writestr(name, data, compress_type=method)
    return out.getvalue()
