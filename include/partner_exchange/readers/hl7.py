"""Read an HL7 2.x file message by message (T43, T63).

Called by the immunization feed. A message is everything from MSH to the next MSH or line of the envelope, of
whatever type and however damaged; only a file without any, or with too many, is refused. The bytes are kept
once and messages taken apart when they are asked for, so a large file costs little more than its size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, overload

from partner_exchange.readers.hl7_envelope import Envelope, open_envelope
from partner_exchange.readers.hl7_syntax import USUAL, Separators, declared_separators, fields
from partner_exchange.readers.hl7_text import PlainText, decode, plain_text
from partner_exchange.readers.marks import Mark, Refusal

_NAME = re.compile(r"[A-Z][A-Z0-9]{2}", re.ASCII)
_FREQUENT = frozenset(("PID", "PD1", "NK1", "ORC", "RXA", "RXR", "OBX"))
_LINE_BLANKS = " \t"


class Segment(NamedTuple):
    """One line of a message; ``name`` is "" for a line that is no segment, whose only field is the line."""

    name: str
    line: int
    """Number of the line in the file, from 1."""
    fields: list[str]
    """Raw texts, still escaped: item n is field n as HL7 counts, MSH-1 and MSH-2 included; item 0 is the
    name.
    """


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a file; the first of its segments is MSH."""

    number: int
    """From 1."""
    line: int
    separators: Separators
    """The usual ones where MSH declares none that can be used."""
    segments: tuple[Segment, ...]
    faults: tuple[str, ...] = ()
    """Codes of what is wrong with separators (``message-separators``, ``separators-unusual``), with the
    character set (``charset-...``), and with the end of the message (``message-cut``).
    """


class Messages(Sequence[Message]):
    """The messages of a file or a part of them; each is taken apart anew whenever it is asked for."""

    def __init__(self, text: PlainText, envelope: Envelope, chosen: range) -> None:
        self._text = text
        self._envelope = envelope
        self._chosen = chosen

    def __len__(self) -> int:
        return len(self._chosen)

    @overload
    def __getitem__(self, at: int) -> Message: ...
    @overload
    def __getitem__(self, at: slice) -> Messages: ...
    def __getitem__(self, at: int | slice) -> Message | Messages:
        if isinstance(at, slice):
            return Messages(self._text, self._envelope, self._chosen[at])
        return self._message(self._chosen[at])

    def __iter__(self) -> Iterator[Message]:
        return map(self._message, self._chosen)

    def _message(self, at: int) -> Message:
        envelope = self._envelope
        content = self._text.content[envelope.starts[at] : envelope.ends[at]]
        text, charset_fault = decode(content, is_utf_8=self._text.is_utf_8)
        lines = text.split("\r")
        separators = declared_separators(lines[0].lstrip(_LINE_BLANKS))
        is_cut = envelope.is_cut and at == len(self) - 1
        found = (_separators_fault(separators), charset_fault, "message-cut" if is_cut else "")
        faults = tuple(fault for fault in found if fault)
        separators = separators or USUAL
        first_line = envelope.lines[at]
        return Message(at + 1, first_line, separators, _segments(lines, first_line, separators.field), faults)


def _separators_fault(separators: Separators | None) -> str:
    if separators is None:
        return "message-separators"
    return "" if separators == USUAL else "separators-unusual"


def _segments(lines: Sequence[str], first_line: int, separator: str) -> tuple[Segment, ...]:
    found = [Segment("MSH", first_line, fields(lines[0].strip(_LINE_BLANKS), separator))]
    for number, raw in enumerate(lines[1:], first_line + 1):
        line = raw.strip(_LINE_BLANKS)
        if not line:
            continue
        name = line[:3]
        if line[3:4] in ("", separator) and (name in _FREQUENT or _NAME.fullmatch(name)):
            found.append(Segment(name, number, line.split(separator)))
        else:
            found.append(Segment("", number, [line]))
    return tuple(found)


@dataclass(frozen=True)
class Stream:
    """What is in an HL7 file."""

    messages: Messages
    marks: tuple[Mark, ...]
    """What was found about the file itself: bytes and envelope."""
    declared_messages: int | None
    """How many the trailers of all batches declare; None where one does not."""
    declared_batches: int | None
    found_batches: int

    @property
    def rows_total(self) -> int:
        """Return how many messages there are."""
        return len(self.messages)

    def pieces(self, size: int) -> Iterator[Messages]:
        """Yield all messages in parts of ``size``, the last one shorter."""
        for start in range(0, len(self.messages), size):
            yield self.messages[start : start + size]


def read_stream(content: bytes, *, max_messages: int) -> Stream | Refusal:
    """Return the messages of a file, or why none can be taken; never raises for what the bytes are."""
    text = plain_text(content)
    if isinstance(text, Refusal):
        return text
    envelope = open_envelope(text.content)
    count = len(envelope.starts)
    if not count:
        return Refusal("hl7-no-message")
    if count > max_messages:
        facts = {"count": count, "limit": max_messages, "files": -(-count // max_messages)}
        return Refusal("hl7-too-many-messages", facts, rows_total=count)
    return Stream(
        Messages(text, envelope, range(count)),
        (*text.marks, *envelope.marks),
        declared_messages=envelope.declared_messages,
        declared_batches=envelope.declared_batches,
        found_batches=envelope.found_batches,
    )
