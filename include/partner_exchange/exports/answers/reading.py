"""What an answer file says (X11): name and content together, whatever bytes a partner sends.

docs/exports.md has the table of what which content says; a test holds it.

The comment is what ``message`` or ``comment`` says, else the text itself.

**Refused wins.** A file is refused when its name or its content says so: a refusal under the name of a
confirmation would otherwise go unseen, and a confirmation under the name of a refusal is worth a look.
"""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from partner_exchange.ledger.delivery_answers import Verdict
from partner_exchange.readers.guards import DELIMITERS

MOST_BYTES = 1024 * 1024
"""A longer answer is not read."""
COMMENT_CHARACTERS = 500

_ACCEPTED = frozenset(
    ("accepted", "accept", "ok", "okay", "success", "successful", "succeeded", "submitted", "received")
    + ("processed", "loaded", "confirmed", "ack")
)
_REFUSED = frozenset(
    ("refused", "refuse", "rejected", "reject", "error", "failed", "fail", "failure", "denied", "invalid")
    + ("nack", "nak", "not")
)
"""``not`` begins "Not accepted"; ``no`` is not among them, as in "No errors"."""
_LABELS = ("status", "outcome")
_COMMENTS = ("message", "comment")
_WEIGHT = {None: 0, Verdict.ACCEPTED: 1, Verdict.UNREADABLE: 2, Verdict.REFUSED: 3}
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Reading:
    """What an answer says."""

    verdict: Verdict
    comment: str = ""
    """The partner's words in one line, 500 characters at most."""


def read_answer(content: bytes, *, is_accepted: bool) -> Reading:
    """Return what the answer says; no content is an error.

    :param is_accepted: what its name says.
    """
    text = text_of(content)
    if text is None:
        return Reading(Verdict.UNREADABLE, "It is no text.")
    by_name = Verdict.ACCEPTED if is_accepted else Verdict.REFUSED
    said, comment = _said(text.strip())
    if said is None:
        said = by_name
    is_refused = Verdict.REFUSED in (said, by_name) and said is not Verdict.UNREADABLE
    return Reading(Verdict.REFUSED if is_refused else said, one_line(comment))


def text_of(content: bytes) -> str | None:
    """Return the content as text, None when it is none: UTF-8, UTF-16 with its mark, or else Latin-1."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            text = content[len(mark) :].decode(encoding, errors="replace")
            break
    else:
        try:
            text = content.decode()
        except UnicodeDecodeError:
            text = content.decode("latin-1")
    return None if _CONTROL.search(text) else text


def one_line(text: str) -> str:
    """Return a partner's words as they may be kept: printable, space as one blank, cut at 500 characters."""
    printable = "".join(character for character in " ".join(text.split()) if character.isprintable())
    if len(printable) <= COMMENT_CHARACTERS:
        return printable
    return f"{printable[: COMMENT_CHARACTERS - 1]}…"


def table_of(text: str) -> list[dict[str, str]] | None:
    """Return the rows of a CSV by header, in lower case with letters only; None when it cannot be read so.

    The delimiter is the one that the header has most of; short rows lack their last values.
    """
    lines = text.splitlines()
    if not lines:
        return None
    delimiter = max(DELIMITERS, key=lines[0].count)
    try:
        rows = [row for row in csv.reader(lines, delimiter=delimiter) if any(cell.strip() for cell in row)]
    except csv.Error:
        return None
    if not rows:
        return None
    header = ["".join(_WORD.findall(cell)).casefold() for cell in rows[0]]
    return [dict(zip(header, (cell.strip() for cell in row), strict=False)) for row in rows[1:]]


def _said(text: str) -> tuple[Verdict | None, str]:
    """Return what a content says and its comment; None leaves it to the name."""
    if not text:
        return None, ""
    if text.startswith("{"):
        return _said_by_json(text)
    rows = table_of(text)
    if rows and any(label in rows[0] for label in _LABELS):
        return max(map(_said_by, rows), key=lambda said: _WEIGHT[said[0]])
    words = (word.casefold() for word in _WORD.findall(text.splitlines()[0]))
    return _meant(next((word for word in words if word not in _LABELS), "")), text


def _said_by_json(text: str) -> tuple[Verdict | None, str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return Verdict.UNREADABLE, "It begins like JSON, but is none."
    return _said_by({str(key).casefold(): value for key, value in found.items()})


def _said_by(facts: Mapping[str, Any]) -> tuple[Verdict | None, str]:
    comment, status = _first(facts, _COMMENTS), _first(facts, _LABELS)
    if not status:
        return None, comment
    words = _WORD.findall(status)
    meant = _meant(words[0].casefold()) if words else None
    return (meant or Verdict.UNREADABLE), comment or status


def _first(facts: Mapping[str, Any], keys: Iterable[str]) -> str:
    texts = (str(facts[key]).strip() for key in keys if facts.get(key) is not None)
    return next((text for text in texts if text), "")


def _meant(word: str) -> Verdict | None:
    if word in _REFUSED:
        return Verdict.REFUSED
    return Verdict.ACCEPTED if word in _ACCEPTED else None
