"""Signs that separate the parts of an HL7 message, and what stands between them (HL7 2.5.1, chapter 2).

Called by ``hl7.py`` for lines and by ``feeds/vxu/flat_texts.py`` for values. Nothing below a field is split
before somebody asks for it (decision 0015).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple


class Separators(NamedTuple):
    """The five signs that a message declares in MSH-1 and MSH-2."""

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str


USUAL = Separators("|", "^", "~", "\\", "&")

_HEADERS = ("MSH", "FHS", "BHS")
_TRUNCATION_FROM = 5
"""Signs in MSH-2 from which one is the truncation sign of HL7 2.7, which separates nothing."""


def declared_separators(header: str) -> Separators | None:
    """Return what a line MSH, FHS or BHS declares; None when it cannot be used: too few signs, two of them
    equal, or a letter, digit, quote, blank or control sign among them.
    """
    field = header[3:4]
    end = header.find(field, 4) if field else -1
    # No more than a few signs: a damaged header may be as long as the file.
    return _separators(field, header[4 : end if 4 <= end < 16 else 16])


@lru_cache(maxsize=256)
def _separators(field: str, encoding: str) -> Separators | None:
    signs = field + encoding
    is_long_enough = len(Separators._fields) <= len(signs) <= _TRUNCATION_FROM + 1
    is_usable = all(_separates(sign) for sign in signs) and len(set(signs)) == len(signs)
    return Separators(*signs[: len(Separators._fields)]) if is_long_enough and is_usable else None


def _separates(sign: str) -> bool:
    return sign.isprintable() and not sign.isalnum() and not sign.isspace() and sign != '"'


def fields(line: str, separator: str) -> list[str]:
    """Return the fields of a segment, unescaped by nobody; item n is field n as HL7 counts, item 0 its name.

    MSH-1 (FHS-1, BHS-1) is the separator itself and MSH-2 the other signs.
    """
    if line.startswith(_HEADERS):
        return [line[:3], line[3:4], *line[4:].split(separator)]
    return line.split(separator)


def repetitions(text: str, separators: Separators) -> list[str]:
    """Return the repetitions of a field, at least one."""
    return text.split(separators.repetition)


def component(text: str, n: int, separators: Separators) -> str:
    """Return component ``n``, from 1, of a repetition, or of the first one of a field; "" for none."""
    if separators.repetition in text:
        text = text[: text.index(separators.repetition)]
    parts = text.split(separators.component, n)
    return parts[n - 1] if n <= len(parts) else ""


def unescape(text: str, separators: Separators) -> str:
    r"""Return the text with its escape sequences resolved.

    Highlighting, formatting other than line ends, switches of the character set and local sequences (``\H\``,
    ``\.in4\``, ``\C2842\``, ``\Zab\``) carry no text and go. What is no sequence of HL7, or is never closed,
    stays as it is. NUL, which no database takes, goes.
    """
    if separators.escape not in text:
        return text
    return _sequence(separators.escape).sub(_resolver(separators), text)


@lru_cache(maxsize=256)
def _sequence(escape: str) -> re.Pattern[str]:
    sign = re.escape(escape)
    return re.compile(
        rf"{sign}(?:"
        r"(?P<sign>[FSTRE])"
        r"|X(?P<bytes>(?:[0-9A-Fa-f]{2})+)"
        r"|(?P<line>\.(?:br|sp(?:\+?\d{1,2})?|ce))"
        r"|(?P<silent>[HN]|\.(?:fi|nf|(?:in|ti|sk)[+-]?\d{0,2})|C[0-9A-Fa-f]{4}|M[0-9A-Fa-f]{4}(?:[0-9A-Fa-f]{2})?"
        rf"|Z[^{sign}]*)"
        rf"){sign}"
    )


@lru_cache(maxsize=256)
def _resolver(separators: Separators) -> Callable[[re.Match[str]], str]:
    meant = {
        "F": separators.field,
        "S": separators.component,
        "T": separators.subcomponent,
        "R": separators.repetition,
        "E": separators.escape,
    }

    def resolve(match: re.Match[str]) -> str:
        if match["sign"]:
            return meant[match["sign"]]
        if match["bytes"]:
            return _spelled(bytes.fromhex(match["bytes"]))
        return "\n" if match["line"] else ""

    return resolve


def _spelled(content: bytes) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("iso8859-1")
    return text.replace("\0", "")
