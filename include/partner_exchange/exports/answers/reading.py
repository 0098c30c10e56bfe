"""What an answer file says (X11): name and content together, whatever bytes a partner sends.

docs/exports.md has the table of what which content says; a test holds it.

The comment is what ``message`` or ``comment`` says, else the text itself.

**Refused wins.** A file is refused when its name or its content says so: a refusal under the name of a
confirmation would otherwise go unseen, and a confirmation under the name of a refusal is worth a look.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from partner_exchange.exports.answers.table import LABELS, TableBroken, table_of
from partner_exchange.ledger.delivery_answers import Verdict

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
_COMMENTS = ("message", "comment")
_WEIGHT = {None: 0, Verdict.ACCEPTED: 1, Verdict.UNREADABLE: 2, Verdict.REFUSED: 3}
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_WORD = re.compile(r"[^\W\d_]+")
_WORD_OR_NUMBER = re.compile(r"\d+|[^\W\d_]+")
_NONE = frozenset(("no", "zero", "none", "without"))
"""Before a word of refusal, or one word before that, they take it back, as does 0: "12 rows, 0 rejected"."""
_NO_REPLY = re.compile(r"\bnot (?:reply|respond|answer)\b")
"""What machines write below their mails."""
_FLAGS = {"true": True, "yes": True, "false": False, "no": False}
_FLAG_LINE = re.compile(r"\W*([^\W\d_]+)\s*[:=]\s*([a-z]+)\W*")
_BEGINS_LIKE_JSON = re.compile(r"\{|\[\s*[\[{\"]")

_Said: TypeAlias = tuple[Verdict | None, str]
"""A verdict, None when there is none, and a comment."""


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


def _said(text: str) -> _Said:
    """Return what a content says and its comment; None leaves it to the name."""
    if not text:
        return None, ""
    if text.startswith(("{", "[")):
        said = _said_by_json(text)
        if said is not None:
            return said
    try:
        table = table_of(text)
    except TableBroken:
        return Verdict.UNREADABLE, "It begins like a table, but cannot be read as one."
    if table is None:
        return _said_in_words(text), text
    if not table.rows:
        return None, text
    front = (_said_in_words(table.front), table.front) if table.front else (None, "")
    said_by_rows = [_said_by_row(row) for row in table.rows]
    return _worst([*said_by_rows, front] if front[0] is Verdict.REFUSED else said_by_rows)


def _worst(said: Iterable[_Said]) -> _Said:
    return max(said, key=lambda one: _WEIGHT[one[0]])


def _said_by_row(row: Mapping[str, str]) -> _Said:
    said = _said_by(row)
    return said if said[0] is not None else (Verdict.UNREADABLE, said[1] or "A row has no status.")


def _said_in_words(text: str) -> Verdict | None:
    """Return what free text says: its first word, or a word of refusal anywhere in its first line."""
    line = text.splitlines()[0].casefold()
    flag = _FLAG_LINE.fullmatch(line)
    if flag is not None and (said := _flag(flag[1], flag[2])) is not None:
        return said
    first = next((word for word in _WORD.findall(line) if word not in LABELS), "")
    return _meant(first) or (Verdict.REFUSED if _has_refusal(line) else None)


def _has_refusal(line: str) -> bool:
    words = _WORD_OR_NUMBER.findall(_NO_REPLY.sub("", line))
    return any(
        word in _REFUSED and not any(_is_none(one) for one in words[max(0, place - 2) : place])
        for place, word in enumerate(words)
    )


def _is_none(word: str) -> bool:
    return word in _NONE or not word.strip("0")


def _said_by_json(text: str) -> _Said | None:
    """Return what JSON says; None for text that only begins with a bracket."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        is_meant = _BEGINS_LIKE_JSON.match(text) is not None
        return (Verdict.UNREADABLE, "It begins like JSON, but is none.") if is_meant else None
    if isinstance(found, list):
        unclear: _Said = (Verdict.UNREADABLE, "A part of the list has no status.")
        return _worst([said for one in found for said in _said_within(one) or [unclear]] or [unclear])
    said = _said_by(_facts(found))
    if said[0] is not None:
        return said
    # What a part says that nobody knows is no word on the whole.
    return _worst([said, *(one for one in _said_within(found) if one[0] is not Verdict.UNREADABLE)])


def _said_within(found: object) -> list[_Said]:
    """Return what the outermost objects say that say anything."""
    told, waiting = [], [found]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            said = _said_by(_facts(one))
            if said[0] is not None:
                told.append(said)
            else:
                waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return told


def _facts(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key.casefold(): value for key, value in found.items()}


def _said_by(facts: Mapping[str, Any]) -> _Said:
    comment, status = _first(facts, _COMMENTS), _first(facts, LABELS)
    told: list[_Said] = [
        (said, comment or f"{name}: {value}".casefold())
        for name, value in facts.items()
        if isinstance(value, (bool, str)) and (said := _flag(name, str(value))) is not None
    ]
    if status:
        words = _WORD.findall(status)
        meant = _meant(words[0].casefold()) if words else None
        told.insert(0, (meant or Verdict.UNREADABLE, comment or status))
    return _worst(told) if told else (None, comment)


def _flag(name: str, value: str) -> Verdict | None:
    """Return what a word says that has yes or no beside it, as in ``"accepted": false``."""
    is_yes = _FLAGS.get(value.strip().casefold())
    if is_yes is None:
        return None
    if name in _ACCEPTED or name == "valid":
        return Verdict.ACCEPTED if is_yes else Verdict.REFUSED
    return Verdict.REFUSED if is_yes and name in _REFUSED else None


def _first(facts: Mapping[str, Any], keys: Iterable[str]) -> str:
    texts = (str(facts[key]).strip() for key in keys if facts.get(key) is not None)
    return next((text for text in texts if text), "")


def _meant(word: str) -> Verdict | None:
    if word in _REFUSED:
        return Verdict.REFUSED
    return Verdict.ACCEPTED if word in _ACCEPTED else None
