"""Find the records of a CSV by the rules of RFC 4180 and set apart those that break them (M07).

One C-level regular expression runs over sound records; Python looks only at the record where it stops. Called
by ``csv.py``. The scan is linear whatever the bytes: a quote that is never closed makes the expression look
ahead at most to the next line with an odd number of quotes, and that line is where the next such look starts.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast

from partner_exchange.readers.marks import Fact

FIELD = rb'(?:"[^"]*+(?:""[^"]*+)*+"|[^",\r\n]*+)'
"""A field as RFC 4180 has it, with its quotes."""
_FIELD_ON_ONE_LINE = rb'(?:"[^"\r\n]*+(?:""[^"\r\n]*+)*+"|[^",\r\n]*+)'
_RECORD = re.compile(FIELD + rb"(?:," + FIELD + rb")*+(\r\n|\n|\r|\Z)")
_LINE = re.compile(rb"[^\r\n]*+(\r\n|\n|\r|\Z)")
_BLANK = re.compile(rb"[ \t]*+(?:\r\n|\n|\r|\Z)")
_FIELDS = re.compile(rb"(?:\A|(?<=,))" + FIELD + rb"(?=,|\Z)")
_COUNT_BYTES = 1024 * 1024
_WIDTHS_TOLD_APART = 100

FAULT_CODES = ("stray-quote", "too-few-fields", "too-many-fields", "lone-carriage-return")
_STRAY, _FEW, _MANY, _LONE_CR = range(4)


@lru_cache(maxsize=16)
def _sound(width: int, is_careful: bool) -> re.Pattern[bytes]:
    one = _FIELD_ON_ONE_LINE if is_careful else FIELD
    return re.compile(rb"(?:%b(?:,%b){%d}(?:\r?\n|\Z))*+" % (one, one, width - 1))


@lru_cache(maxsize=16)
def _sound_line(width: int) -> re.Pattern[bytes]:
    return re.compile(rb"%b(?:,%b){%d}\r?" % (_FIELD_ON_ONE_LINE, _FIELD_ON_ONE_LINE, width - 1))


def _integers() -> array[int]:
    return array("q")


@dataclass
class Scan:
    """Where the records are; parallel arrays, because a file may hold a million faulty ones."""

    span_starts: array[int] = field(default_factory=_integers)
    span_ends: array[int] = field(default_factory=_integers)
    span_rows: array[int] = field(default_factory=_integers)
    """Row number of the first record of each span of sound records."""
    span_counts: array[int] = field(default_factory=_integers)
    fault_starts: array[int] = field(default_factory=_integers)
    fault_ends: array[int] = field(default_factory=_integers)
    """End of the faulty record without its line end."""
    fault_rows: array[int] = field(default_factory=_integers)
    fault_kinds: array[int] = field(default_factory=_integers)
    """Index into ``FAULT_CODES``."""
    fault_widths: array[int] = field(default_factory=_integers)
    blank_rows: array[int] = field(default_factory=_integers)

    @property
    def sound_count(self) -> int:
        """Return the number of sound records."""
        return sum(self.span_counts)

    @property
    def record_count(self) -> int:
        """Return the number of records, sound or not; blank lines are none."""
        return self.sound_count + len(self.fault_rows)


@dataclass(frozen=True)
class HeaderLine:
    """The first record that is not blank, taken apart; never trusted, only counted (M09, K2)."""

    cells: tuple[str, ...]
    row: int
    end: int
    """Where the data starts."""
    is_sound: bool
    ends_with_cr: bool


def read_header(content: bytes, start: int) -> HeaderLine:
    """Return the first record after leading blank lines; a broken one is split at its commas."""
    row = 1
    while start < len(content) and (blank := _BLANK.match(content, start)) and blank.end() > start:
        start, row = blank.end(), row + 1
    record = _RECORD.match(content, start)
    found = record or _line(content, start)
    text = content[start : found.start(1)]
    fields = split_fields(text) if record else text.split(b",")
    cells = tuple(cell.decode() for cell in fields)
    return HeaderLine(cells, row, found.end(), record is not None, found.group(1) == b"\r")


def split_fields(record: bytes) -> list[bytes]:
    """Return the unquoted fields of one well-quoted record."""
    fields = _FIELDS.findall(record)
    return [text[1:-1].replace(b'""', b'"') if text.startswith(b'"') else text for text in fields]


def _line(content: bytes, start: int) -> re.Match[bytes]:
    # The pattern matches any text, the empty one included, so there always is a match.
    return cast("re.Match[bytes]", _LINE.match(content, start))


def count_records(content: bytes, start: int, end: int) -> int:
    """Return how many records lie between: line feeds outside quotes, and a last record without one."""
    if end <= start:
        return 0
    unfinished = content[end - 1 : end] != b"\n"
    if content.find(b'"', start, end) < 0:
        return content.count(b"\n", start, end) + unfinished
    count, is_inside = 0, False
    for block_start in range(start, end, _COUNT_BYTES):
        pieces = content[block_start : min(block_start + _COUNT_BYTES, end)].split(b'"')
        count += b"".join(pieces[is_inside::2]).count(b"\n")
        is_inside ^= len(pieces) % 2 == 0
    return count + unfinished


def scan(content: bytes, start: int, *, first_row: int, width: int, is_careful: bool = False) -> Scan:
    """Return all records from ``start``, each either sound (``width`` fields) or faulty, none left out.

    :param is_careful: also look into each sound record that spans lines, whether it swallowed rows.
    """
    result = Scan()
    sound = _sound(width, is_careful)
    position, row, end = start, first_row, len(content)
    while position < end:
        found = sound.match(content, position)
        if found is not None and found.end() > position:
            count = count_records(content, position, found.end())
            _keep(result, position, found.end(), row, count)
            position, row = found.end(), row + count
        else:
            position, row = _judge(content, position, row, width, result), row + 1
    return result


def _keep(result: Scan, start: int, end: int, row: int, count: int) -> None:
    result.span_starts.append(start)
    result.span_ends.append(end)
    result.span_rows.append(row)
    result.span_counts.append(count)


def _judge(content: bytes, start: int, row: int, width: int, result: Scan) -> int:
    """Put the record at ``start`` where it belongs; return where the next one starts."""
    if content[start] in b"\r\n \t" and (blank := _BLANK.match(content, start)) is not None:
        result.blank_rows.append(row)
        return blank.end()
    record = _RECORD.match(content, start)
    if record is not None:
        text = content[start : record.start(1)]
        fields = b"".join(text.split(b'"')[::2]).count(b",") + 1
        if not _swallows(text, fields, width):
            return _file(content, record, row, fields, width, result)
    line = _line(content, start)
    _fault(result, start, line.start(1), row, _STRAY, 0)
    return line.end()


def _file(content: bytes, record: re.Match[bytes], row: int, fields: int, width: int, result: Scan) -> int:
    if record.group(1) == b"\r":
        _fault(result, record.start(), record.start(1), row, _LONE_CR, fields)
    elif fields == width:
        _keep(result, record.start(), record.end(), row, 1)
    else:
        _fault(result, record.start(), record.start(1), row, _FEW if fields < width else _MANY, fields)
    return record.end()


def _fault(result: Scan, start: int, end: int, row: int, kind: int, fields: int) -> None:
    result.fault_starts.append(start)
    result.fault_ends.append(end)
    result.fault_rows.append(row)
    result.fault_kinds.append(kind)
    result.fault_widths.append(min(fields, _WIDTHS_TOLD_APART))


def _swallows(text: bytes, fields: int, width: int) -> bool:
    """Tell whether a quote that was left open took following rows into this record.

    With the right number of fields, the quoted part between two rows always holds as many commas as one row.
    With a wrong number, the record holds nearly the commas of two rows, or one of its lines is a whole row by
    itself.
    """
    if b"\n" not in text and b"\r" not in text:
        return False
    if fields == width:
        return any(b"\n" in cell and cell.count(b",") >= width - 1 for cell in split_fields(text))
    lines = text.replace(b"\r", b"\n").split(b"\n")[1:]
    return text.count(b",") >= 2 * (width - 1) - 2 or any(map(_sound_line(width).fullmatch, lines))


def width_facts(fields: int) -> dict[str, Fact]:
    """Return the facts of a record of that many fields; very wide ones are not told apart."""
    return {"fields": fields if fields < _WIDTHS_TOLD_APART else f"{_WIDTHS_TOLD_APART} or more"}
