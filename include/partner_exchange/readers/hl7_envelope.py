"""Find the messages of an HL7 file and judge what they are wrapped in (T63).

``[FHS] {[BHS] {messages} [BTS]} [FTS]``, one batch without the outer wrap, or a bare stream: all are taken. A
wrong wrap keeps no message from being taken; it is a warning about the file. Called by ``hl7.py``.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from partner_exchange.readers.hl7_syntax import USUAL, declared_separators, fields
from partner_exchange.readers.marks import Fact, Mark

_NAME = rb"[ \t]*(MSH|[FB](?:HS|TS)(?![A-Za-z0-9]))"
_FIRST = re.compile(_NAME)
_NEXT = re.compile(rb"\r" + _NAME)
_TEXT_LINE = re.compile(rb"[^\r\s][^\r]*")
_COUNT = re.compile(r"[0-9]{1,7}", re.ASCII)


@dataclass(frozen=True)
class Envelope:
    """Where messages are, and what was found around them."""

    starts: array[int]
    """Where each message begins, in bytes."""
    ends: array[int]
    lines: array[int]
    """Number of the line of each MSH in the file, from 1."""
    marks: tuple[Mark, ...]
    declared_messages: int | None
    """Sum of BTS-1; None unless every batch says it."""
    declared_batches: int | None
    """Sum of FTS-1; None if no trailer says it."""
    found_batches: int
    is_cut: bool
    """Whether the last message ends in mid-line with a trailer still to come: the end of the file is lost."""


def open_envelope(content: bytes) -> Envelope:
    """Return the messages in text whose lines end in CR."""
    walk = _Walk()
    starts, ends, lines = array("q"), array("q"), array("q")
    previous, at_line = 0, 1
    for name, start, end in _pieces(content):
        at_line += content.count(b"\r", previous, start)
        previous = start
        if name == "MSH":
            starts.append(start)
            ends.append(end)
            lines.append(at_line)
            walk.message(at_line)
        else:
            walk.look_outside(content, start, end, at_line, bool(name))
            if name:
                walk.wrap(name, content[start:end].partition(b"\r")[0], at_line)
    walk.finish()
    return Envelope(
        starts,
        ends,
        lines,
        walk.marks(),
        declared_messages=walk.declared_messages,
        declared_batches=walk.declared_batches,
        found_batches=walk.found_batches,
        is_cut=walk.is_open and bool(ends) and ends[-1] == len(content) and not content.endswith(b"\r"),
    )


def _pieces(content: bytes) -> Iterator[tuple[str, int, int]]:
    """Yield name, start and end of each message and each line of an envelope with what follows it; the name
    is "" for what is before the first.
    """
    first = _FIRST.match(content)
    name, start = (first[1].decode("ascii"), 0) if first else ("", 0)
    for match in _NEXT.finditer(content):
        yield name, start, match.start() + 1
        name, start = match[1].decode("ascii"), match.start() + 1
    yield name, start, len(content)


class _Walk:
    """Follows the lines of the envelope; keeps of each fault the first and how often it is there."""

    def __init__(self) -> None:
        self.declared_messages: int | None = None
        self.declared_batches: int | None = None
        self.found_batches = 0
        self._undeclared = 0
        self._faults: dict[str, dict[str, Fact]] = {}
        self._is_started = False
        self._is_ended = False
        self._file_line = 0
        self._batch_line = 0
        self._batches_in_file = 0
        self._messages_in_batch = 0
        self.is_open = False
        """Whether the file ended with a trailer still to come; known when it is finished."""

    def message(self, line: int) -> None:
        """Take note of a message."""
        if self._is_ended:
            self._fault("envelope-out-of-order", segment="MSH", line=line)
        self._is_started = True
        self._messages_in_batch += 1

    def wrap(self, name: str, content: bytes, line: int) -> None:
        """Take note of a line FHS, BHS, BTS or FTS."""
        text = content.decode("ascii", "replace").strip(" \t")
        steps = {
            "FHS": self._open_file,
            "BHS": self._open_batch,
            "BTS": self._close_batch,
            "FTS": self._close_file,
        }
        if name in ("FHS", "BHS") and declared_separators(text) != USUAL:
            self._fault("envelope-separators", segment=name, line=line)
        steps[name](text, line)
        self._is_started = True

    def look_outside(self, content: bytes, start: int, end: int, line: int, is_wrapped: bool) -> None:
        """Take note of text that belongs to no message and no line of the envelope."""
        own_end = content.find(b"\r", start, end) if is_wrapped else start
        if own_end < 0:
            return
        first = _TEXT_LINE.search(content, own_end, end)
        if first:
            times = sum(1 for _ in _TEXT_LINE.finditer(content, own_end, end))
            text_line = line + content.count(b"\r", start, first.start())
            self._fault("text-outside-messages", times, line=text_line)

    def finish(self) -> None:
        """Take note of the end of the file."""
        self.is_open = bool(self._batch_line or self._file_line)
        self._expect_trailers()
        if self._undeclared:
            self.declared_messages = None

    def marks(self) -> tuple[Mark, ...]:
        """Return what was found, one mark per code."""
        return tuple(Mark(code, facts=facts) for code, facts in self._faults.items())

    def _fault(self, code: str, times: int = 1, **facts: Fact) -> None:
        known = self._faults.setdefault(code, {**facts, "count": 0})
        known["count"] = int(known["count"]) + times

    def _expect_trailers(self) -> None:
        if self._batch_line:
            self._fault("batch-trailer-missing", line=self._batch_line)
            self._end_batch(None)
        if self._file_line:
            self._fault("file-trailer-missing", line=self._file_line)
            self._file_line = 0

    def _open_file(self, text: str, line: int) -> None:
        if self._is_started:
            self._fault("envelope-out-of-order", segment="FHS", line=line)
        self._expect_trailers()
        self._file_line, self._is_ended = line, False
        self._batches_in_file = self._messages_in_batch = 0

    def _open_batch(self, text: str, line: int) -> None:
        if self._is_ended:
            self._fault("envelope-out-of-order", segment="BHS", line=line)
        if self._batch_line:
            self._fault("batch-trailer-missing", line=self._batch_line)
            self._end_batch(None)
        self._batch_line, self._messages_in_batch = line, 0

    def _close_batch(self, text: str, line: int) -> None:
        if not self._batch_line:
            self._fault("envelope-out-of-order", segment="BTS", line=line)
        declared = self._count(text, "batch-count-unreadable", line)
        found = self._messages_in_batch
        if declared is not None:
            self.declared_messages = (self.declared_messages or 0) + declared
            if declared != found:
                self._fault("batch-count-differs", declared=declared, found=found, line=line)
        self._end_batch(declared)

    def _end_batch(self, declared: int | None) -> None:
        self._undeclared += declared is None
        self.found_batches += 1
        self._batches_in_file += 1
        self._batch_line = self._messages_in_batch = 0

    def _close_file(self, text: str, line: int) -> None:
        if not self._file_line:
            self._fault("envelope-out-of-order", segment="FTS", line=line)
        if self._batch_line:
            self._fault("batch-trailer-missing", line=self._batch_line)
            self._end_batch(None)
        declared = self._count(text, "file-count-unreadable", line)
        found = self._batches_in_file
        if declared is not None:
            self.declared_batches = (self.declared_batches or 0) + declared
            # Messages without BHS and BTS are, as HL7 puts it, a batch whose header was left out.
            if declared != found and not (found == 0 and declared == 1):
                self._fault("file-count-differs", declared=declared, found=found, line=line)
        self._file_line, self._is_ended = 0, True
        self._batches_in_file = self._messages_in_batch = 0

    def _count(self, text: str, code: str, line: int) -> int | None:
        """Return field 1 of a trailer; None if it says nothing, or nothing that is a count."""
        value = fields(text, text[3:4])[1].strip() if len(text) > 3 else ""
        if value in ("", '""'):
            return None
        if _COUNT.fullmatch(value) is None:
            self._fault(code, line=line)
            return None
        return int(value)
