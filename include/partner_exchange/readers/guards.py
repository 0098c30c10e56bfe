"""Look at the bytes of an arrived file before anything parses them: name, size, kind, encoding, line ends.

Called by the CSV reader. Each guard answers with the refusal or with None, and touches each byte a bounded
number of times.
"""

from __future__ import annotations

import codecs

from partner_exchange.readers.marks import Refusal

UTF8_BOM = codecs.BOM_UTF8
DELIMITERS = ",;\t|"
"""What people separate columns with, the usual one first."""

_KINDS: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook (.xlsx)"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file such as an Excel workbook (.xls)"),
    (b"%PDF-", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"{\\rtf", "a rich-text document"),
    (b"SQLite format 3\x00", "a SQLite database"),
    (b"PAR1", "a Parquet file"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90\x00", "a program"),
)
_WIDE_BOMS: tuple[tuple[bytes, str], ...] = (
    # UTF-32 first: its little-endian mark begins with the one of UTF-16.
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_BINARY_CONTROLS = bytes(set(range(0x20)) - set(b"\t\n\v\f\r\x1a\x1b"))
_PROBE_BYTES = 64 * 1024
_DECODE_BYTES = 1024 * 1024


def check_name(file_name: str, *, extension_case: str) -> Refusal | None:
    """Refuse a name that does not end in ``.csv``; ``.CSV`` is taken unless the policy says lower (M15)."""
    ending = file_name[-4:]
    if ending == ".csv" or (ending.lower() == ".csv" and extension_case == "any"):
        return None
    if ending.lower() == ".csv":
        return Refusal("extension-not-lower-case")
    return Refusal("extension-not-csv")


def check_text(content: bytes) -> Refusal | None:
    """Refuse what is no UTF-8 text with line ends that can be told."""
    return check_kind(content) or check_encoding(content) or check_line_ends(content)


def text_start(content: bytes) -> int:
    """Return where the text begins: behind a byte order mark, if there is one."""
    return len(UTF8_BOM) if content.startswith(UTF8_BOM) else 0


def known_kind(content: bytes) -> str | None:
    """Return what the file is by its first bytes, None where they say nothing."""
    return next((kind for magic, kind in _KINDS if content.startswith(magic)), None)


def check_kind(content: bytes) -> Refusal | None:
    """Refuse what is empty, another format, another Unicode width or binary, and say which (M16)."""
    body = content.removeprefix(UTF8_BOM) if len(content) < _PROBE_BYTES else content
    if not body or (len(body) < _PROBE_BYTES and not body.strip()):
        return Refusal("file-empty", {"size": len(content)})
    kind = known_kind(content)
    if kind:
        return Refusal("file-not-text", {"kind": kind})
    wide = _wide_encoding(content)
    if wide:
        return Refusal("file-not-utf-8-wide", {"encoding": wide})
    head = content[:_PROBE_BYTES]
    if len(head) - len(head.translate(None, _BINARY_CONTROLS)) > len(head) // 20:
        return Refusal("file-not-text", {"kind": "binary data"})
    nul_count = content.count(b"\0")
    if nul_count:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        return Refusal("nul-bytes", {"count": nul_count, "line": line})
    return None


def _wide_encoding(content: bytes) -> str | None:
    for mark, encoding in _WIDE_BOMS:
        if content.startswith(mark):
            return encoding
    head = content[:4096]
    if len(head) < 4:
        return None
    # Latin text in two or four bytes a character has NUL in fixed places; no text in one byte has any.
    nul_at = [head[place::4].count(0) / max(1, len(head[place::4])) for place in range(4)]
    if sum(share > 0.6 for share in nul_at) == 3:
        return "UTF-32"
    if min(nul_at[0], nul_at[2]) > 0.6 or min(nul_at[1], nul_at[3]) > 0.6:
        return "UTF-16"
    return None


def check_encoding(content: bytes) -> Refusal | None:
    """Refuse what is not UTF-8 and name the first bad byte by line, column and value; never guess (M06)."""
    if content.isascii():
        return None
    position = 0
    # In pieces, because one decoded string of the whole file would cost up to four times its size.
    while position < len(content):
        piece = memoryview(content)[position : position + _DECODE_BYTES]
        try:
            _, used = codecs.utf_8_decode(piece, "strict", position + len(piece) >= len(content))
        except UnicodeDecodeError as error:
            return _bad_byte(content, position + error.start)
        position += used
    return None


def _bad_byte(content: bytes, position: int) -> Refusal:
    line = content.count(b"\n", 0, position) + 1
    line_start = content.rfind(b"\n", 0, position) + 1
    before = content[line_start:position].removeprefix(UTF8_BOM if line == 1 else b"")
    column = len(before.decode("utf-8", "replace")) + 1
    return Refusal("file-not-utf-8", {"line": line, "column": column, "byte": f"0x{content[position]:02X}"})


def check_line_ends(content: bytes) -> Refusal | None:
    """Refuse a file whose only line ends are carriage returns; LF, CRLF and both mixed are taken (K16)."""
    if b"\n" not in content and b"\r" in content.rstrip(b"\r"):
        return Refusal("line-ends-cr-only", {"count": content.count(b"\r")})
    return None
