"""Make plain lines of the bytes of an HL7 file: framing bytes, line ends, character sets (T43, T63).

Called by ``hl7.py``. Content decides, not the ending of the name. Every guard touches each byte a bounded
number of times.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from partner_exchange.readers.guards import UTF8_BOM, known_kind
from partner_exchange.readers.marks import Mark, Refusal

_LINE_END = 0x0D
_BINARY_CONTROLS = bytes(set(range(0x20)) - set(b"\t\n\v\f\r\x1a\x1b\x1c"))
_PROBE_BYTES = 64 * 1024
_BLANK = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n\v\f\x00\x1a\x1c]*")
_ESCAPE = b"\x1b"
_WIDE = (
    # UTF-32 first: its little-endian mark begins with the one of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    ("MSH".encode("utf-16-le"), "utf-16-le"),
    ("MSH".encode("utf-16-be"), "utf-16-be"),
    ("FHS".encode("utf-16-le"), "utf-16-le"),
    ("FHS".encode("utf-16-be"), "utf-16-be"),
    ("BHS".encode("utf-16-le"), "utf-16-le"),
    ("BHS".encode("utf-16-be"), "utf-16-be"),
)
_FRAMING = re.compile(rb"[\x0b\x0c\x1a\x1c][\x0b\x0c\x1a\x1c]*")
_STARTS = (b"MSH", b"FHS", b"BHS", b"BTS", b"FTS")

_CODECS = {
    "ASCII": "ascii",
    **{f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    # Such text is wide, and no longer so when it gets here.
    "UNICODE UTF-16": "utf-8",
    "UNICODE UTF-32": "utf-8",
    "ISO IR14": "shift_jis",
    "ISO IR87": "iso2022_jp",
    "ISO IR159": "iso2022_jp_1",
    "GB 18030-2000": "gb18030",
    "KS X 1001": "euc_kr",
    "BIG-5": "big5",
}
"""What MSH-18 may say (table HL70211), and the short spellings of UTF-8 that systems send."""

_SINGLE_BYTES = "iso8859-"
_REPLACED = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True)
class PlainText:
    """Text whose lines end in CR alone, without framing bytes."""

    content: bytes
    is_utf_8: bool
    """The file itself says so, by its first bytes; else each message says what it is."""
    marks: tuple[Mark, ...] = ()


def plain_text(content: bytes) -> PlainText | Refusal:
    """Return the text of an HL7 file, or why it is none."""
    if _BLANK.fullmatch(content):
        return Refusal("hl7-empty", {"size": len(content)})
    narrow = _narrow(content)
    if isinstance(narrow, Refusal):
        return narrow
    is_utf_8 = narrow is not content or content.startswith(UTF8_BOM)
    body = narrow.removeprefix(UTF8_BOM).strip(b"\0")
    head = body[:_PROBE_BYTES]
    kind = known_kind(content)
    if kind is None and len(head) - len(head.translate(None, _BINARY_CONTROLS)) > len(head) // 20:
        kind = "binary data"
    if kind:
        return Refusal("hl7-not-text", {"kind": kind})
    nul_count = body.count(b"\0")
    marks = (Mark("hl7-nul-bytes", facts={"count": nul_count}),) if nul_count else ()
    return PlainText(_plain(body.replace(b"\0", b"")), is_utf_8, marks)


def _narrow(content: bytes) -> bytes | Refusal:
    """Return the content, in UTF-8 if it was in a wider Unicode encoding."""
    for start, encoding in _WIDE:
        if content.startswith(start):
            try:
                return content.decode(encoding).encode()
            except UnicodeDecodeError:
                return Refusal("hl7-not-text", {"kind": f"damaged {encoding[:6].upper()} text"})
    return content


def _plain(body: bytes) -> bytes:
    body = body.replace(b"\r\n", b"\r").replace(b"\n", b"\r")
    # Files that begin with a byte order mark, joined to one.
    body = body.replace(b"\r" + UTF8_BOM, b"\r")
    return _FRAMING.sub(_without_framing, body)


def _without_framing(match: re.Match[bytes]) -> bytes:
    """Take framing bytes away at the edge of a line; inside a value they are a sign of the value."""
    body, start, end = match.string, match.start(), match.end()
    if start == 0 or end == len(body) or body[start - 1] == _LINE_END or body[end] == _LINE_END:
        return b""
    return b"\r" if body.startswith(_STARTS, end) else match[0]


def decode(content: bytes, *, is_utf_8: bool) -> tuple[str, str]:
    """Return the text of one message, and the code of what is wrong with its character set, "" if nothing is.

    What is valid UTF-8 with signs of several bytes is taken for that where MSH-18 names a set of single
    bytes, in which anything can be read: such text hardly ever is anything else. What is not as MSH-18 says
    is taken for UTF-8, else for Windows-1252. Signs are replaced only where neither fits: UTF-8 or a set of
    several bytes per sign with damage in it.
    """
    # Japanese sets of seven bits change over with ESC.
    if content.isascii() and _ESCAPE not in content:
        return content.decode("ascii"), ""
    as_utf_8 = _decoded(content, "utf-8")
    if is_utf_8 and as_utf_8 is not None:
        return as_utf_8, ""
    declared = _declared_charset(content)
    codec = _CODECS.get(declared)
    if codec is None:
        fault = "charset-unknown" if declared else "charset-assumed"
        text = _guessed(content) if as_utf_8 is None else as_utf_8
        return text, fault if declared or as_utf_8 is None else ""
    if as_utf_8 is not None and codec.startswith(_SINGLE_BYTES) and not content.isascii():
        return as_utf_8, "charset-differs"
    as_declared = _decoded(content, codec)
    if as_declared is not None:
        return as_declared, ""
    if as_utf_8 is not None:
        return as_utf_8, "charset-differs"
    is_of_several_bytes = codec not in ("ascii", "utf-8") and not codec.startswith(_SINGLE_BYTES)
    text = content.decode(codec, "replace") if is_of_several_bytes else _guessed(content)
    return text, "charset-differs"


def _guessed(content: bytes) -> str:
    """Return text that is not quite UTF-8: damaged where any sign of several bytes is whole, else Windows."""
    as_utf_8 = content.decode("utf-8", "replace")
    is_damaged = not as_utf_8.replace(_REPLACED, "").isascii()
    return as_utf_8 if is_damaged else content.decode("cp1252", "replace")


def _decoded(content: bytes, codec: str) -> str | None:
    try:
        return content.decode(codec)
    except UnicodeDecodeError:
        return None


def _declared_charset(content: bytes) -> str:
    """Return the first character set of MSH-18 in capitals, "" if there is none."""
    header = content.lstrip(b" \t").partition(b"\r")[0]
    parts = header.split(header[3:4], 18) if len(header) > 3 else []
    declared = parts[17].decode("ascii", "replace") if len(parts) > 17 else ""
    repetition = parts[1][1:2].decode("ascii", "replace") if len(parts) > 17 else ""
    return " ".join((declared.partition(repetition)[0] if repetition else declared).upper().split())
