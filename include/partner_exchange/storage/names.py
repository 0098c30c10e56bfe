"""File names that parse and format (K17), and the rule which names in an inbox may be taken.

A drop ``roster.csv`` is called, in this order::

    inbound/roster.csv                                   as the partner dropped it
    inbound/roster.csv.20261121T074712Z.processing       while it is in hand; this rename is the claim (M33)
    inbound/originals/roster.csv.20261121T074712Z        afterwards, byte-exact
    inbound/rejected/roster.20261121T074712Z.csv         the rows to mend, when there are any (N01)
    inbound/annotated/a.20261121T074712Z.annotated.xlsx  a copy with marked cells, of an XLSX
    inbound/roster.csv.20261121T074712Z.completed        the result file (M34)

A tenant whose answers go to the outbox finds there ``roster.20261121T074712Z.result.csv``, ``.fix-it.csv``
and ``.annotated.xlsx``. Stem and time code together are unique in an inbox: those names leave out the ending.

A registry's partner finds the original under its own name and the answers under names that a program can
tell beforehand: ``AAA-SSL26325.hl7`` and ``AAA-SSL26325.dqa.txt``. Only when a name is used again do they
carry the time code of the claim, ``AAA-SSL26325.20261121T074712Z.hl7``: nothing is ever overwritten (K20).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

PROCESSING = ".processing"
COMPLETED = ".completed"
ORIGINALS_FOLDER = "originals"
REJECTED_FOLDER = "rejected"
ANNOTATED_FOLDER = "annotated"
FIX_IT = "fix-it"
RESULT = "result"
CONSENTS = "cnf"
"""Kind of a consent notification file, which lies apart from the other answers (T31)."""
SUSPENDED_NOTICE = "INTAKE-SUSPENDED.txt"
"""Our notice in an inbox whose intake is suspended (M39): nothing is claimed while it lies there."""

NHSN_FILE_NAME = "{tenant}-nhsn-{frequency}-{date}.csv"
"""Names of sets for NHSN; the date is the one that the set reports on."""

_LONGEST_BYTES = 190
"""Longest dropped name that keeps its length: what we append must fit the 255 bytes of a file system."""
_LONGEST_FIX_IT_BYTES = 222
"""The same for a fix-it file: it has the length of a dropped name and one of our endings, and keeps both,
since they lead back to the first submission. The longest ending, of the annotated file, has 32 bytes."""

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
    longest = _LONGEST_FIX_IT_BYTES if StampedName.parse_fix_it(file_name) else _LONGEST_BYTES
    if len(file_name.encode()) <= longest:
        return file_name
    stem, dot, ending = file_name.rpartition(".")
    ending = f"~{dot}{ending}" if stem and len(ending.encode()) <= 20 else "~"
    room = _LONGEST_BYTES - len(ending.encode())
    return file_name.encode()[:room].decode(errors="ignore") + ending


ENDINGS = ("csv", "xls", "xlsx")
HL7_ENDING = ".hl7"
_SPELLINGS = tuple(spelling for ending in ENDINGS for spelling in (ending, ending.upper(), ending.title()))


@dataclass(frozen=True)
class StampedName:
    """A dropped name with the UTC time code of its claim: the identity of a submission in a folder."""

    file_name: str
    stamp: str
    is_first: bool = False
    """Whether no earlier file of the tenant had this name; asked by a registry's names alone."""

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
    def stem(self) -> str:
        """Return the dropped name without its ending when that is one of a feed; else all of it."""
        stem, _, ending = self.file_name.rpartition(".")
        is_known = ending in _SPELLINGS or f".{ending.casefold()}" == HL7_ENDING
        return stem if stem and is_known else self.file_name

    @property
    def accepted(self) -> str:
        """Return the name of the original in a registry's folder of originals."""
        if self._is_foretold:
            return self.file_name
        own_ending = self.file_name[len(self.stem) :]
        return f"{self.stem}.{self.stamp}{own_ending}"

    def report(self, kind: str, ending: str) -> str:
        """Return the name of a registry's answer of one kind, such as ``AAA-SSL26325.dqa.txt``."""
        stem = self.stem if self._is_foretold else f"{self.stem}.{self.stamp}"
        return f"{stem}.{kind}.{ending}"

    @property
    def _is_foretold(self) -> bool:
        # Only names with the ending: x and x.hl7 are two names, but would have the same reports.
        return self.is_first and self.file_name.casefold().endswith(HL7_ENDING)

    def answer(self, kind: str, ending: str) -> str:
        """Return the name of an answer of one kind, such as ``bulk.20261121T074712Z.annotated.xlsx``."""
        return f"{self.stem}.{self.stamp}.{kind}.{ending}"

    def fix_it(self, ending: str) -> str:
        """Return the name in ``rejected/``, ready to be dropped again; the ending keeps its case."""
        own_ending = self.file_name[len(self.stem) + 1 :]
        return f"{self.stem}.{self.stamp}.{own_ending if own_ending.casefold() == ending else ending}"

    @classmethod
    def parse_processing(cls, name: str) -> StampedName | None:
        """Return what a ``.processing`` name says, None for any other name."""
        match = _PROCESSING_NAME.match(name)
        return cls(match["file_name"], match["stamp"]) if match else None

    @classmethod
    def parse_original(cls, name: str) -> StampedName | None:
        """Return what a name in ``originals/`` says, None for any other name."""
        match = _ORIGINAL_NAME.match(name)
        return cls(match["file_name"], match["stamp"]) if match else None

    @classmethod
    def parse_own(cls, name: str) -> StampedName | None:
        """Return what a ``.processing`` or ``.completed`` name says, None for any other name."""
        match = _OWN_NAME.match(name)
        return cls(match["file_name"], match["stamp"]) if match else None

    @classmethod
    def parse_fix_it(cls, name: str) -> tuple[StampedName, ...]:
        """Return whose fix-it file ``name`` may be, most likely first; nothing when it is no such name (N01).

        An XLS has an XLSX to mend, and a program may save what it opened as another kind of file: so the
        ending does not tell that of the first drop. No two of the names returned can be in one inbox.
        """
        match = _FIX_IT_NAME.match(name)
        if match is None:
            return ()
        stem, stamp = match["stem"], match["stamp"]
        endings = dict.fromkeys((match["ending"], *_SPELLINGS))
        names = (cls(file_name, stamp) for file_name in (*(f"{stem}.{each}" for each in endings), stem))
        return tuple(one for one in names if one.stem == stem)


_PROCESSING_NAME = re.compile(rf"^(?P<file_name>.+)\.{_STAMP}{re.escape(PROCESSING)}$", re.S)
_ORIGINAL_NAME = re.compile(rf"^(?P<file_name>.+)\.{_STAMP}$", re.S)
_FIX_IT_NAME = re.compile(rf"^(?P<stem>.+)\.{_STAMP}(?:\.{FIX_IT})?\.(?P<ending>[^.]+)$", re.S)
_OWN_NAME = re.compile(
    rf"^(?P<file_name>.*)\.{_STAMP}(?:{re.escape(PROCESSING)}|{re.escape(COMPLETED)})$", re.S
)


def in_order(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return the key that sorts names as people count: ``a.hl7``, ``a-2.hl7``, ``a-10.hl7`` (K20).

    Servers tell times in whole seconds, so of files that were dropped in one go the names tell the order.
    """
    stem = StampedName(name, "").stem
    pieces = (piece for piece in re.split(r"(\d+)", stem) if piece)
    return tuple(
        (0, int(piece), "") if piece.isascii() and piece.isdigit() else (1, 0, piece.casefold())
        for piece in pieces
    )


def is_temporary(name: str) -> bool:
    """Say whether a client still uploads under this name (M15): left alone until it is renamed."""
    return name.startswith((".", "~$")) or name.casefold().endswith(_TEMPORARY_SUFFIXES)


def is_own(name: str) -> bool:
    """Say whether this name in an inbox is one of ours, which we never take and a partner may not use."""
    return name == SUSPENDED_NOTICE or _OWN_NAME.match(name) is not None


def is_claimable(name: str) -> bool:
    """Say whether a file of this name lying directly in an inbox is to be taken."""
    return bool(name) and not is_temporary(name) and not is_own(name)
