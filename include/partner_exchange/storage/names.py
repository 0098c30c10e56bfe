"""File names that parse and format (K17), and the rule which names in an inbox may be taken.

A drop ``roster.csv`` is called, in this order::

    inbound/roster.csv                                   as the partner dropped it
    inbound/roster.csv.20261121T074712Z.processing       while it is in hand; this rename is the claim (M33)
    inbound/originals/roster.csv.20261121T074712Z        afterwards, byte-exact
    inbound/rejected/roster.20261121T074712Z.csv         the rows to mend, when there are any (N01)
    inbound/roster.csv.20261121T074712Z.completed        the result file (M34)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

PROCESSING = ".processing"
COMPLETED = ".completed"
ORIGINALS_FOLDER = "originals"
REJECTED_FOLDER = "rejected"
SUSPENDED_NOTICE = "INTAKE-SUSPENDED.txt"
"""Our notice in an inbox whose intake is suspended (M39): nothing is claimed while it lies there."""

_LONGEST_BYTES = 200
"""Longest dropped name that keeps its length: what we append must fit the 255 bytes of a file system."""

_STAMP_FORMAT = "%Y%m%dT%H%M%SZ"
_STAMP = r"(?P<stamp>\d{8}T\d{6}Z)"
_TEMPORARY_SUFFIXES = (".part", ".filepart", ".tmp", ".crdownload", ".swp")


def utc_stamp(at: datetime) -> str:
    """Return the UTC time code of an instant in whole seconds, such as ``20261121T074712Z``."""
    return at.astimezone(UTC).strftime(_STAMP_FORMAT)


def next_stamp(stamp: str) -> str:
    """Return the time code one second later; used when a name already carries this one."""
    instant = datetime.strptime(stamp, _STAMP_FORMAT).replace(tzinfo=UTC)
    return utc_stamp(instant + timedelta(seconds=1))


def shortened(file_name: str) -> str:
    """Return the name, its stem cut when our endings would not fit behind it; the ending stays."""
    if len(file_name.encode()) <= _LONGEST_BYTES:
        return file_name
    stem, dot, ending = file_name.rpartition(".")
    ending = f"~{dot}{ending}" if stem and len(ending.encode()) <= 20 else "~"
    room = _LONGEST_BYTES - len(ending.encode())
    return file_name.encode()[:room].decode(errors="ignore") + ending


@dataclass(frozen=True)
class StampedName:
    """A dropped name with the UTC time code of its claim: the identity of a submission in a folder."""

    file_name: str
    stamp: str

    @property
    def processing(self) -> str:
        """Return the name in the inbox while the file is in hand."""
        return f"{self.original}{PROCESSING}"

    @property
    def completed(self) -> str:
        """Return the name of the result file."""
        return f"{self.original}{COMPLETED}"

    @property
    def original(self) -> str:
        """Return the name in ``originals/``."""
        return f"{self.file_name}.{self.stamp}"

    @property
    def fix_it(self) -> str:
        """Return the name in ``rejected/``; it keeps the ending, so it may be dropped again as it is."""
        stem, dot, ending = self.file_name.rpartition(".")
        return f"{stem}.{self.stamp}.{ending}" if dot and stem else f"{self.file_name}.{self.stamp}"

    @classmethod
    def parse_processing(cls, name: str) -> StampedName | None:
        """Return what a ``.processing`` name says, None for any other name."""
        match = _PROCESSING_NAME.match(name)
        return cls(match["file_name"], match["stamp"]) if match else None

    @classmethod
    def parse_fix_it(cls, name: str) -> StampedName | None:
        """Return the first submission's name when ``name`` is that of its fix-it file, else None (N01)."""
        match = _FIX_IT_NAME.match(name)
        return cls(f"{match['stem']}.{match['ending']}", match["stamp"]) if match else None


_PROCESSING_NAME = re.compile(rf"^(?P<file_name>.+)\.{_STAMP}{re.escape(PROCESSING)}$", re.S)
_FIX_IT_NAME = re.compile(rf"^(?P<stem>.+)\.{_STAMP}\.(?P<ending>[^.]+)$", re.S)
_OWN_NAME = re.compile(rf"\.{_STAMP}(?:{re.escape(PROCESSING)}|{re.escape(COMPLETED)})$")


def is_temporary(name: str) -> bool:
    """Say whether a client still uploads under this name (M15): left alone until it is renamed."""
    return name.startswith((".", "~$")) or name.casefold().endswith(_TEMPORARY_SUFFIXES)


def is_own(name: str) -> bool:
    """Say whether this name in an inbox is one of ours, which we never take and a partner may not use."""
    return name == SUSPENDED_NOTICE or _OWN_NAME.search(name) is not None


def is_claimable(name: str) -> bool:
    """Say whether a file of this name lying directly in an inbox is to be taken."""
    return bool(name) and not is_temporary(name) and not is_own(name)
