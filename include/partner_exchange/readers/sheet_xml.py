"""The XML of one sheet before calamine sees it: made plain, measured, errors and empty formulas found (X15).

Called by ``xlsx.py``. calamine sets aside memory for the whole rectangle between the first and the last
filled cell, so a lone cell in the far corner would cost hundreds of gigabytes; here it is known before.
Nearly every program writes cells as ``<c r="B2"...``, which one regular expression reads; anything else is
taken apart tag by tag as calamine does.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from partner_exchange.readers.book import TEXT_LIMIT, Box, Place
from partner_exchange.readers.refused import refuse, refuse_damaged

_BLOCK_BYTES = 4 * 1024 * 1024
_DECLARATION = re.compile(rb"\s*<\?xml\b[^>]*?\?>")
_ENCODING = re.compile(rb"""\bencoding\s*=\s*["']([^"']*)["']""")
_UTF8_NAMES = (b"utf-8", b"utf8", b"us-ascii", b"ascii")

_CELL = re.compile(rb'<c r="([A-Z]{1,3}[0-9]{1,7})"')
_LETTERS, _DIGITS = bytes(range(65, 91)), bytes(range(48, 58))
_PREFIXED_CELL = re.compile(rb":c[ \t\r\n/>]")
_UNUSUAL = (b"<c>", b"<c/", b"<c\n", b"<c\r", b"<c\t", b"t='")
_EMPTY_CELL = rb'<c r="[A-Z]{1,3}[0-9]{1,7}"(?: s="[0-9]+")?(?: t="[a-z]+")?\s*+/>'
_EMPTY = re.compile(rb"<row\b[^<>]*+(?:(?<=/)>|(?<!/)>(?:" + _EMPTY_CELL + rb")*+</row>)|" + _EMPTY_CELL)
_LARGE_BYTES = 16 * 1024 * 1024
_DATA = re.compile(rb"<((?:[\w.-]+:)?)sheetData[\s>]")
_MERGED = re.compile(
    rb"""<(?:[\w.-]+:)?mergeCell\s[^<>]*?\bref=["']([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})["']"""
)
_STRINGS = re.compile(rb"<((?:[\w.-]+:)?)sst\b[^<>]*+>")
_TO_CELL_END = rb"[^<]*+(?:<(?!/?c[\s>])[^<]*+)*+</c\s*>"
_ERROR_CELL = re.compile(rb'<c r="([A-Z]{1,3})([0-9]{1,7})"(?=[^<>]*?\st="e")[^<>]*+(?<!/)>' + _TO_CELL_END)
_FORMULA_CELL = re.compile(
    rb'<c r="([A-Z]{1,3})([0-9]{1,7})"([^<>]*+)>\s*+<f\b[^<>]*+(?:(?<=/)>|>[^<]*+</f\s*>)\s*+'
    rb"(<v\b[^<>]*+(?<!/)>[^<]|<is\b)?"
)
_IS_TEXT = re.compile(rb'\st="str"')
_STRING_CELL = re.compile(rb'\st="s"[^<>]*+>\s*<v>([0-9]+)</v>')

FILLED = re.compile(rb"<(?:[\w.-]+:)?(?:v|is)[\s>]")
"""Where a cell has a value."""

_TAG = re.compile(
    rb"""<(/?)(?:[^\s<>/:"']*:)?([^\s<>/:"']*)((?:[^<>"']++|"[^"]*+"|'[^']*+')*+)>""",
)
_ATTRIBUTE = re.compile(rb"""([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_REFERENCE = re.compile(rb"([A-Za-z]{1,3})([0-9]{1,7})")
_MAX_ROW, _MAX_COLUMN = 1_048_576, 16_384


@dataclass
class Measured:
    """What is known of a sheet before it is read."""

    xml: bytes
    """What calamine shall read."""
    box: Box = field(default_factory=Box)
    errors: list[Place] = field(default_factory=list)
    without_value: list[Place] = field(default_factory=list)
    merged: list[tuple[Place, Place]] = field(default_factory=list)


def plain(xml: bytes) -> bytes:
    """Return UTF-8 XML without declaration, comments and CDATA, so that nothing can hide a tag.

    :raises Refused: it is another encoding, or declares entities of its own (which may multiply without end).
    """
    xml = xml.removeprefix(b"\xef\xbb\xbf")
    declaration = _DECLARATION.match(xml)
    if declaration:
        encoding = _ENCODING.search(declaration.group())
        if encoding and encoding.group(1).lower() not in _UTF8_NAMES:
            refuse_damaged()
        xml = xml[declaration.end() :]
    if b"<!" in xml or b"<?" in xml:
        xml = b"".join(_without_asides(xml))
    if not xml.lstrip().startswith(b"<") or b"\0" in xml[:4]:
        refuse_damaged()
    return xml


def _without_asides(xml: bytes) -> Iterator[bytes]:
    position = 0
    for found in re.finditer(rb"<[!?]", xml):
        start = found.start()
        if start < position:
            continue
        yield xml[position:start]
        opening, closing = _aside(xml, start)
        end = xml.find(closing, start + len(opening))
        if end < 0:
            refuse_damaged()
        if opening == b"<![CDATA[":
            yield xml[start + len(opening) : end].replace(b"&", b"&amp;").replace(b"<", b"&lt;")
        position = end + len(closing)
    yield xml[position:]


def _aside(xml: bytes, start: int) -> tuple[bytes, bytes]:
    for opening, closing in ((b"<!--", b"-->"), (b"<![CDATA[", b"]]>"), (b"<?", b"?>")):
        if xml.startswith(opening, start):
            return opening, closing
    return refuse_damaged()


def uses_strings(xml: bytes) -> bool:
    """Tell whether some cell may point to a shared string."""
    return b'"s"' in xml or b"'s'" in xml


def without_counts(strings: bytes) -> bytes:
    """Return shared strings that do not say how many they are; calamine sets aside memory for that."""
    return _STRINGS.sub(rb"<\1sst>", strings, count=1)


def tags(xml: bytes) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield name and attributes of each opening tag, without the prefixes of namespaces.

    :raises Refused: a tag is broken.
    """
    for closing, name, attributes, _ in _tags(xml):
        if not closing:
            yield name.decode("utf-8", "replace"), dict(map(_named, _ATTRIBUTE.finditer(attributes)))


def _named(found: re.Match[bytes]) -> tuple[str, str]:
    name, value = found.group(1), found.group(2) or found.group(3) or b""
    return name.rpartition(b":")[2].decode("utf-8", "replace"), html.unescape(
        value.decode("utf-8", "replace")
    )


def measure(xml: bytes, *, max_cells: int) -> Measured:
    """Return the size of a sheet and what calamine would not tell of it.

    :param xml: plain XML.
    :param max_cells: from where on it is worth the time to leave out cells with nothing but a format.
    :raises Refused: its XML is broken.
    """
    merged = [
        ((int(top), _column(left)), (int(bottom), _column(right)))
        for left, top, right, bottom in _MERGED.findall(xml)
    ]
    measured = _measured(_data(xml), max_cells)
    measured.merged = merged
    return measured


def _data(xml: bytes) -> bytes:
    """Return the sheet without what stands beside its cells, which calamine would look at as well."""
    found = _DATA.search(xml)
    end = xml.rfind(b"</" + found.group(1) + b"sheetData") if found else -1
    if found is None or end < 0:
        return b"<worksheet><sheetData></sheetData></worksheet>"
    return b"".join(
        [
            b"<worksheet>",
            memoryview(xml)[found.start() : end],
            b"</",
            found.group(1),
            b"sheetData></worksheet>",
        ]
    )


def _measured(xml: bytes, max_cells: int) -> Measured:
    box = _box(xml)
    if box is not None and (box.cells > max_cells or len(xml) > _LARGE_BYTES):
        smaller = _without_blanks(xml)
        box = box if len(smaller) == len(xml) else _box(smaller)
        xml = smaller
    if box is None:
        return _by_tags(xml)
    measured = Measured(xml, box)
    if b't="e"' in xml:
        measured.errors = [_place(*found.groups()) for found in _ERROR_CELL.finditer(xml)]
        # calamine knows the errors of its day only, and refuses a whole sheet for a newer one.
        measured.xml = _ERROR_CELL.sub(b"", xml)
    if b"<f>" in xml or b"<f " in xml or b"<f/" in xml:
        measured.without_value = [
            _place(*found.group(1, 2))
            for found in _FORMULA_CELL.finditer(measured.xml)
            if not found.group(4) and not _IS_TEXT.search(found.group(3))
        ]
    return measured


def _without_blanks(xml: bytes) -> bytes:
    """Return the sheet without rows and cells that have nothing but a format, often a million of them."""
    out = io.BytesIO()
    for start, end in _blocks(xml, b"<row"):
        out.write(_EMPTY.sub(b"", xml[start:end]))
    return out.getvalue()


def _blocks(xml: bytes, opening: bytes) -> Iterator[tuple[int, int]]:
    """Yield pieces that begin where a tag begins, the first one before any.

    Some at a time, because what is found in a piece costs ten times its bytes.
    """
    position = 0
    while position < len(xml):
        following = xml.rfind(opening, position + 1, position + _BLOCK_BYTES)
        if following < 0:
            following = xml.find(opening, position + 1)
        end = following if following >= 0 else len(xml)
        yield position, end
        position = end


def _box(xml: bytes) -> Box | None:
    """Return the rectangle of the cells, None where one may stand that the expression does not see.

    Each ``<c `` must be a match: then a cell cannot hide, however quotes and brackets are played with.
    """
    if any(sign in xml for sign in _UNUSUAL) or (b":c" in xml and _PREFIXED_CELL.search(xml)):
        return None
    box = Box()
    letters: set[bytes] = set()
    for start, end in _blocks(xml, b"<c "):
        found = _CELL.findall(xml, start, end)
        if len(found) != xml.count(b"<c ", start, end):
            return None
        if found:
            references = b" ".join(found)
            letters.update(references.translate(None, _DIGITS).split())
            rows = set(references.translate(None, _LETTERS).split())
            box.bottom = max(box.bottom, max(map(int, rows)) - 1)
    box.right = max(map(_column, letters), default=-1)
    if box.bottom >= _MAX_ROW or box.right >= _MAX_COLUMN:
        refuse_damaged()
    return box


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number - 1


def _place(letters: bytes, digits: bytes) -> Place:
    return int(digits), _column(letters)


def shared_characters(xml: bytes, lengths: list[int]) -> int:
    """Return how long shared strings are together at most, counted as often as a cell has them.

    :param lengths: of the shared strings.
    """
    longest = max(lengths, default=0)
    cells = xml.count(b'"s"') + xml.count(b"'s'")
    if cells * longest <= TEXT_LIMIT:
        return cells * longest
    known = [lengths[at] for at in map(int, _STRING_CELL.findall(xml)) if at < len(lengths)]
    return sum(known) + max(0, cells - len(known)) * longest


def string_lengths(xml: bytes, *, max_strings: int) -> list[int]:
    """Return the bytes of XML of each shared string, which is at least its length.

    :raises Refused: there are more than ``max_strings``; each takes memory, also a blank one.
    """
    if xml.count(b"<si") + xml.count(b":si") > max_strings:
        refuse("workbook-too-large", limit_mib=TEXT_LIMIT >> 20)
    starts = [found.start() for found in re.finditer(rb"<(?:[\w.-]+:)?si[\s/>]", xml)]
    return [end - start for start, end in zip(starts, [*starts[1:], len(xml)], strict=True)]


class _Cursor:
    """Where calamine would be: the position of a cell that does not say its own."""

    def __init__(self, xml: bytes) -> None:
        self.measured = Measured(xml)
        self.row = 0
        self.column = 0
        self._place: tuple[int, int] | None = None
        self._kind = b""
        self._has_value = self._has_formula = False

    def start(self, name: bytes, attributes: bytes, has_text: bool) -> None:
        if name == b"row":
            self.row = int(_attribute(attributes, b"r") or self.row + 1) - 1
        elif name == b"c":
            self._open(attributes)
        elif name == b"f":
            self._has_formula = True
        elif name == b"is" or (name == b"v" and has_text):
            self._has_value = True

    def end(self, name: bytes) -> None:
        if name == b"row":
            self.row, self.column = self.row + 1, 0
        elif name == b"c":
            self._close()

    def _open(self, attributes: bytes) -> None:
        reference = _REFERENCE.fullmatch(_attribute(attributes, b"r") or b"A1")
        if reference is None:
            refuse_damaged()
        if _attribute(attributes, b"r"):
            row, self.column = int(reference.group(2)) - 1, _column(reference.group(1))
        else:
            row = self.row
        if not (0 <= row < _MAX_ROW and 0 <= self.column < _MAX_COLUMN):
            refuse_damaged()
        self._place = (row, self.column)
        self._kind = _attribute(attributes, b"t")
        self._has_value = self._has_formula = False

    def _close(self) -> None:
        if self._place is None:
            return
        row, column = self._place
        if self._kind == b"e":
            self.measured.errors.append((row + 1, column))
        elif self._has_formula and not self._has_value and self._kind != b"str":
            self.measured.without_value.append((row + 1, column))
        if self._has_value:
            self.measured.box.add(row, column)
        self.column += 1
        self._place = None


def _attribute(text: bytes, name: bytes) -> bytes:
    for found in _ATTRIBUTE.finditer(text):
        if found.group(1) == name:
            return found.group(2) or found.group(3) or b""
    return b""


def _tags(xml: bytes) -> Iterator[tuple[bytes, bytes, bytes, bool]]:
    """Yield of each tag whether it closes, its name, its attributes, and whether text follows."""
    position = xml.find(b"<")
    while position >= 0:
        tag = _TAG.match(xml, position)
        if tag is None:
            refuse_damaged()
        closing, name, attributes = tag.groups()
        position = xml.find(b"<", tag.end())
        yield closing, name, attributes, position > tag.end()


def _by_tags(xml: bytes) -> Measured:
    cursor = _Cursor(xml)
    for closing, name, attributes, has_text in _tags(xml):
        if closing:
            cursor.end(name)
        else:
            cursor.start(name, attributes.rstrip(b"/"), has_text)
            if attributes.endswith(b"/"):
                cursor.end(name)
    return cursor.measured
