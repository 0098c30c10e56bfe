"""Open an XLS workbook (BIFF8 and BIFF5): judge its records, hand calamine single sheets of them (E02).

Called by ``table.py``. calamine reads all sheets at once and sets aside memory for what a file says about
itself; so each sheet gets a workbook of its own with nothing but its cells, formulas replaced by values.
"""

from __future__ import annotations

import codecs
import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from python_calamine import load_workbook

from partner_exchange.readers.book import TEXT_LIMIT, Allowance, Box, Place, SheetCells, Tab, guarded
from partner_exchange.readers.grid import TableFormat
from partner_exchange.readers.ole import CompoundFile, with_workbook
from partner_exchange.readers.refused import refuse, refuse_damaged, refuse_kind

_BOF, _EOF, _CONTINUE = 0x0809, 0x000A, 0x003C
_FILEPASS, _BOUNDSHEET, _SST = 0x002F, 0x0085, 0x00FC
_CODEPAGE, _DATE_1904, _FORMAT, _XF = 0x0042, 0x0022, 0x041E, 0x00E0
_NUMBER, _LABEL, _BOOLERR, _RK, _LABELSST = 0x0203, 0x0204, 0x0205, 0x027E, 0x00FD
_MULRK, _RSTRING, _FORMULA, _STRING, _MERGED = 0x00BD, 0x00D6, 0x0006, 0x0207, 0x00E5
_OLD_BOFS = (0x0009, 0x0209, 0x0409)
_KEPT_GLOBALS = (_CODEPAGE, _DATE_1904, _FORMAT, _XF)
_BIFF8 = 0x0600
_WORKSHEET, _CHART = 0, 2
_MAX_COLUMNS = 256
_MAX_STRING = 0xFFFF
_TEXT_RESULT, _BOOL_RESULT, _ERROR_RESULT, _NO_RESULT = 0, 1, 2, 3
_CODECS = {1200: "utf-16-le", 367: "ascii", 10000: "mac_roman", 32768: "mac_roman", 32769: "cp1252"}
_CELL_BYTES = {
    _NUMBER: 14,
    _LABEL: 8,
    _BOOLERR: 8,
    _RK: 10,
    _LABELSST: 10,
    _MULRK: 12,
    _RSTRING: 8,
    _FORMULA: 20,
}
"""The records that are cells, and the least they need."""
_SHARED_CELL = np.dtype(
    [
        ("kind", "<u2"),
        ("size", "<u2"),
        ("row", "<u2"),
        ("column", "<u2"),
        ("format", "<u2"),
        ("shared", "<u4"),
    ]
)

Record = tuple[int, int, int]
"""Kind, where its data starts, where it ends."""

_OTHER_KINDS = (
    ("worddocument", "a Word document (.doc)"),
    ("powerpoint document", "a PowerPoint presentation (.ppt)"),
    ("__properties_version1.0", "an Outlook message (.msg)"),
    ("visiodocument", "a Visio drawing"),
)


@dataclass
class _Sheet:
    """The cells of one sheet as records for calamine, and what it would not tell."""

    pieces: list[bytes] = field(default_factory=list)
    box: Box = field(default_factory=Box)
    errors: list[Place] = field(default_factory=list)
    blank_formulas: list[Place] = field(default_factory=list)
    merged: list[tuple[Place, Place]] = field(default_factory=list)
    strings: list[int] = field(default_factory=list)
    """Number of the shared string of each cell that has one."""
    has_results: bool = False


class XlsBook:
    """A workbook whose records were judged.

    :raises Refused: (all methods) it is no XLS, has macros, is encrypted, damaged or too large.
    """

    format = TableFormat.XLS

    def __init__(self, content: bytes, *, max_cells: int) -> None:
        self._stream = guarded(lambda: _workbook_stream(content))
        self._allowance = Allowance(max_cells)
        self._globals: list[bytes] = []
        self._strings: list[bytes] = []
        self._starts: list[int] = []
        self._lengths: Any = None
        self.tabs: list[Tab] = []
        self._codec = "cp1252"
        self._version = _BIFF8
        guarded(self._read_globals)

    def has_content(self, at: int) -> bool:
        """Tell whether the sheet at this position holds any filled cell."""
        return any(kind in _CELL_BYTES for kind, _, _ in self._records_of(at))

    def load(self, at: int) -> SheetCells | None:
        """Return the cells of a sheet, None where it has none."""
        found = guarded(lambda: self._read_sheet(at))
        if found.box.cells == 0:
            return None
        self._allowance.take(found.box, characters=self._characters(found))
        sheet = self._sheet(found.pieces, with_strings=bool(found.strings))
        # A formula that yields "" is stored like one that never was computed; if one has a value, all have.
        without_value = [] if found.has_results else found.blank_formulas
        return SheetCells(sheet, found.errors, without_value, found.merged)

    def _read_globals(self) -> None:
        kind, start, end = next(_records(self._stream, 0), (0, 0, 0))
        if kind in _OLD_BOFS:
            refuse_kind("an Excel 2, 3 or 4 workbook")
        if kind != _BOF or end - start < 4:
            refuse_damaged()
        self._version = struct.unpack_from("<H", self._stream, start)[0]
        last = 0
        for kind, start, end in _records(self._stream, 0):
            if kind == _EOF:
                return
            self._take_global(kind, start, end, last)
            last = kind if kind != _CONTINUE else last
        refuse_damaged()

    def _take_global(self, kind: int, start: int, end: int, last: int) -> None:
        record = self._stream[start - 4 : end]
        if kind == _FILEPASS:
            refuse("workbook-encrypted")
        elif kind == _BOUNDSHEET:
            self._take_tab(self._stream[start:end])
        elif kind == _SST or (kind == _CONTINUE and last == _SST):
            self._strings.append(record)
        elif kind in _KEPT_GLOBALS:
            self._globals.append(record)
            if kind == _CODEPAGE:
                self._codec = _codec(struct.unpack_from("<H", record, 4)[0])

    def _take_tab(self, data: bytes) -> None:
        start, state, kind, length = struct.unpack_from("<IBBB", data)
        if kind not in (_WORKSHEET, _CHART):
            refuse("workbook-has-macros")
        if kind == _WORKSHEET:
            self.tabs.append(Tab(self._name(data[7:], length), is_visible=not state & 0x3))
            self._starts.append(start)

    def _name(self, data: bytes, length: int) -> str:
        if self._version != _BIFF8:
            return data[:length].decode(self._codec, "replace")
        if data[0] & 1:
            return data[1 : 1 + 2 * length].decode("utf-16-le", "replace")
        return data[1 : 1 + length].decode("latin-1")

    def _records_of(self, at: int) -> Iterator[Record]:
        """Yield the records of a sheet itself, not those of charts within it."""
        depth = 0
        for record in _records(self._stream, self._starts[at]):
            if record[0] == _BOF:
                depth += 1
            elif record[0] == _EOF:
                depth -= 1
                if depth <= 0:
                    return
            elif depth == 1:
                yield record
        refuse_damaged()

    def _read_sheet(self, at: int) -> _Sheet:
        found, stream = _Sheet(), self._stream
        place = struct.Struct("<HH").unpack_from
        formula: Place | None = None
        for kind, start, end in self._records_of(at):
            if kind in _CELL_BYTES:
                if end - start < _CELL_BYTES[kind]:
                    refuse_damaged()
                row, column = place(stream, start)
                last = column if kind != _MULRK else place(stream, end - 4)[1]
                if max(column, last) >= _MAX_COLUMNS:
                    refuse_damaged()
                found.box.add(row, last)
                formula = self._take_cell(found, kind, stream[start:end], (row, column))
            elif kind == _STRING and formula is not None:
                found.pieces.append(_record(_LABEL, struct.pack("<HHH", *formula, 0) + stream[start:end]))
                formula = None
            elif kind == _MERGED:
                found.merged += _ranges(stream[start:end])
        return found

    def _take_cell(self, found: _Sheet, kind: int, data: bytes, cell: Place) -> Place | None:
        """Keep a cell as a record with its value; return where the text that follows as a record belongs."""
        if kind == _FORMULA:
            return self._take_formula(found, data, cell)
        if kind == _BOOLERR and data[7]:
            found.errors.append((cell[0] + 1, cell[1]))
            return None
        if kind == _LABELSST:
            found.strings.append(struct.unpack_from("<I", data, 6)[0])
        # Text with formats inside, which calamine passes over, begins like text without.
        found.pieces.append(_record(_LABEL if kind == _RSTRING else kind, data))
        return None

    def _take_formula(self, found: _Sheet, data: bytes, cell: Place) -> Place | None:
        spot = (cell[0] + 1, cell[1])
        found.has_results |= data[12:14] != b"\xff\xff" or data[6] != _NO_RESULT
        if data[12:14] != b"\xff\xff":
            found.pieces.append(_record(_NUMBER, data[:14]))
        elif data[6] == _TEXT_RESULT:
            return cell
        elif data[6] == _BOOL_RESULT:
            found.pieces.append(_record(_BOOLERR, data[:6] + bytes([data[8], 0])))
        elif data[6] == _ERROR_RESULT:
            found.errors.append(spot)
        else:
            found.blank_formulas.append(spot)
        return None

    def _characters(self, found: _Sheet) -> int:
        """Return how much text the cells hold, shared strings counted as often as they stand somewhere."""
        shared_bytes = sum(map(len, self._strings))
        most = len(found.strings) * min(shared_bytes, _MAX_STRING)
        if most > TEXT_LIMIT:
            lengths = self._shared_lengths()
            used = np.array(found.strings, dtype=np.int64)
            most = int(lengths[used[used < len(lengths)]].sum())
        return most + shared_bytes + len(self._stream)

    def _shared_lengths(self) -> Any:
        """Return the length of each shared string, as calamine reads it."""
        if self._lengths is None:
            count = self._string_count()
            records = np.zeros(count, dtype=_SHARED_CELL)
            at = np.arange(count)
            records["kind"], records["size"], records["shared"] = _LABELSST, 10, at
            records["row"], records["column"] = at // _MAX_COLUMNS, at % _MAX_COLUMNS
            sheet = self._sheet([records.tobytes()], with_strings=True)
            rows = guarded(lambda: [list(map(len, row)) for row in sheet.iter_rows()])
            lengths = np.zeros((len(rows) + 1, _MAX_COLUMNS), dtype=np.int64)
            for number, row in enumerate(rows):
                lengths[number, : len(row)] = row
            self._lengths = lengths.ravel()
        return self._lengths

    def _string_count(self) -> int:
        """Return how many shared strings there are said to be, which calamine believes."""
        if not self._strings:
            return 0
        count = struct.unpack_from("<i", self._strings[0], 8)[0]
        # None takes less than three bytes.
        if not 0 <= 3 * count <= sum(map(len, self._strings)):
            refuse_damaged()
        return int(count)

    def _sheet(self, pieces: list[bytes], *, with_strings: bool) -> Any:
        """Return calamine's sheet of a workbook that holds nothing else."""
        strings = self._strings if with_strings and self._string_count() else []
        name = b"\x01\x00s" if self._version == _BIFF8 else b"\x01s"
        before = [
            _record(_BOF, struct.pack("<HHHHII", self._version, 5, 0, 0, 0, 0)),
            *self._globals,
            *strings,
        ]
        tab_bytes = 4 + 6 + len(name)
        start = sum(map(len, before)) + tab_bytes + 4
        stream = b"".join(
            [
                *before,
                _record(_BOUNDSHEET, struct.pack("<IBB", start, 0, 0) + name),
                _record(_EOF, b""),
                _record(_BOF, struct.pack("<HHHHII", self._version, 0x10, 0, 0, 0, 0)),
                *pieces,
                _record(_EOF, b""),
            ]
        )
        return guarded(lambda: load_workbook(io.BytesIO(with_workbook(stream))).get_sheet_by_index(0))


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _ranges(data: bytes) -> Iterator[tuple[Place, Place]]:
    for top, bottom, left, right in struct.iter_unpack("<HHHH", data[2 : len(data) - (len(data) - 2) % 8]):
        yield (top + 1, left), (bottom + 1, right)


def _records(stream: bytes, start: int) -> Iterator[Record]:
    """Yield the records from ``start`` until the stream ends."""
    head = struct.Struct("<HH").unpack_from
    end = len(stream)
    while start + 4 <= end:
        kind, size = head(stream, start)
        start += 4
        if start + size > end:
            refuse_damaged()
        yield kind, start, start + size
        start += size


def _codec(codepage: int) -> str:
    codec = _CODECS.get(codepage, f"cp{codepage}")
    try:
        codecs.lookup(codec)
    except LookupError:
        return "cp1252"
    return codec


def _workbook_stream(content: bytes) -> bytes:
    file = CompoundFile(content)
    names = file.names
    if "encryptedpackage" in names:
        refuse("workbook-encrypted")
    for name, kind in _OTHER_KINDS:
        if name in names:
            refuse_kind(kind)
    if not names & {"workbook", "book"}:
        refuse_kind("an old Office file without a workbook")
    if names & {"_vba_project_cur", "_vba_project"}:
        refuse("workbook-has-macros")
    return file.stream("workbook" if "workbook" in names else "book")
