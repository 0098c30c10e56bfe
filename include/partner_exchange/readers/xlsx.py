"""Open an XLSX workbook: judge the package, then hand calamine single sheets in a package of our own (E03).

Called by ``table.py``. calamine never sees what arrived, only parts that were unpacked and measured here:
what two readers of ZIP understand differently, lies of the directory, links to other files, pictures and
pivot caches all stay outside (E02).
"""

from __future__ import annotations

import io
import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from python_calamine import load_workbook

from partner_exchange.readers import sheet_xml
from partner_exchange.readers.book import TEXT_LIMIT, Allowance, SheetCells, Tab, guarded
from partner_exchange.readers.grid import TableFormat
from partner_exchange.readers.package import Package, packed
from partner_exchange.readers.refused import Refused, refuse, refuse_damaged, refuse_kind

_SMALL_PART_BYTES = 16 * 1024 * 1024
_CONTENTS_BYTES = 4 * 1024 * 1024
_MACRO_PARTS = ("vbaproject.bin", "vbadata.xml")
_OTHER_KINDS = (
    ("xl/workbook.bin", "an Excel binary workbook (.xlsb)"),
    ("word/document.xml", "a Word document"),
    ("ppt/presentation.xml", "a PowerPoint presentation"),
    ("index/document.iwa", "a Pages, Numbers or Keynote document"),
)
_OPEN_DOCUMENT_KINDS = (
    (b"application/vnd.oasis.opendocument.spreadsheet", "an OpenDocument spreadsheet (.ods)"),
    (b"application/vnd.oasis.opendocument", "an OpenDocument file"),
    (b"application/epub", "an e-book"),
)
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


@dataclass(frozen=True)
class _Link:
    """A relationship of one part to another."""

    kind: str
    """The last word of its type, e.g. ``worksheet``."""
    target: str


class XlsxBook:
    """A workbook whose package and table of contents were judged.

    :raises Refused: (all methods) it is no XLSX, has macros, is encrypted, damaged or too large.
    """

    format = TableFormat.XLSX

    def __init__(self, content: bytes, *, max_cells: int) -> None:
        self._package = _opened(content)
        _refuse_other_kinds(self._package)
        self._path = self._workbook_path()
        _refuse_macros(self._package)
        self._max_cells = max_cells
        self._allowance = Allowance(max_cells)
        self._links = self._links_of(self._path)
        tags = list(self._tags(self._path))
        self._is_1904 = any(
            name == "workbookPr" and values.get("date1904") in ("1", "true") for name, values in tags
        )
        found = list(self._worksheets(values for name, values in tags if name == "sheet"))
        self.tabs = [tab for tab, _ in found]
        self._paths = [path for _, path in found]
        self._styles = self._plain_part("styles", _SMALL_PART_BYTES)
        self._strings: bytes | None = None
        self._string_lengths: list[int] = []

    def has_content(self, at: int) -> bool:
        """Tell whether the sheet at this position holds any filled cell."""
        return self._package.holds(self._paths[at], sheet_xml.FILLED)

    def load(self, at: int) -> SheetCells | None:
        """Return the cells of a sheet, None where it has none."""
        data = self._package.read(self._paths[at])
        if not data:
            refuse_damaged()
        found = sheet_xml.measure(sheet_xml.plain(data), max_cells=self._max_cells)
        del data
        if found.box.cells == 0 and not found.errors and not found.without_value:
            return None
        strings = self._shared_strings() if sheet_xml.uses_strings(found.xml) else b""
        text = sheet_xml.shared_characters(found.xml, self._string_lengths)
        self._allowance.take(found.box, characters=text + len(strings))
        archive = packed(self._parts(found.xml, strings))
        found.xml = b""
        sheet = guarded(lambda: load_workbook(io.BytesIO(archive)).get_sheet_by_index(0))
        return SheetCells(sheet, found.errors, found.without_value, found.merged)

    def _workbook_path(self) -> str:
        links = self._links_of("")
        path = next((link.target for link in links.values() if link.kind == "officeDocument"), "")
        path = path if path in self._package else "xl/workbook.xml"
        if path not in self._package:
            refuse_kind("a ZIP archive")
        return path

    def _links_of(self, path: str) -> dict[str, _Link]:
        folder, name = posixpath.split(path)
        rels = posixpath.join(folder, "_rels", name + ".rels")
        if rels not in self._package:
            return {}
        return {
            link.get("Id", ""): _Link(
                link.get("Type", "").rsplit("/", 1)[-1], posixpath.join("/", folder, link.get("Target", ""))
            )
            for name, link in self._tags(rels)
            if name == "Relationship" and link.get("TargetMode") != "External"
        }

    def _tags(self, path: str) -> Iterator[tuple[str, dict[str, str]]]:
        return sheet_xml.tags(sheet_xml.plain(self._package.read(path, limit=_CONTENTS_BYTES)))

    def _worksheets(self, sheets: Iterable[dict[str, str]]) -> Iterator[tuple[Tab, str]]:
        for sheet in sheets:
            link = self._links.get(sheet.get("id", ""))
            if link is None:
                continue
            if "macrosheet" in link.kind.lower():
                refuse("workbook-has-macros")
            if link.kind == "worksheet":
                yield Tab(sheet.get("name", ""), sheet.get("state", "visible") == "visible"), link.target

    def _plain_part(self, kind: str, limit: int) -> bytes:
        path = next((link.target for link in self._links.values() if link.kind == kind), "")
        data = self._package.read(path, limit=limit) if path else b""
        return sheet_xml.plain(data) if data else b""

    def _shared_strings(self) -> bytes:
        if self._strings is None:
            self._strings = sheet_xml.without_counts(self._plain_part("sharedStrings", TEXT_LIMIT))
            self._string_lengths = sheet_xml.string_lengths(self._strings, max_strings=self._max_cells)
        return self._strings

    def _parts(self, sheet: bytes, strings: bytes) -> dict[str, bytes]:
        """Return the smallest workbook that holds one sheet with its strings and formats."""
        links = [("worksheet", "worksheets/sheet1.xml")]
        parts = {"xl/worksheets/sheet1.xml": sheet}
        for kind, data in (("sharedStrings", strings), ("styles", self._styles)):
            if data:
                links.append((kind, f"{kind}.xml"))
                parts[f"xl/{kind}.xml"] = data
        workbook = (
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><workbookPr date1904="{int(self._is_1904)}"/>'
            '<sheets><sheet name="sheet" sheetId="1" r:id="rId1"/></sheets></workbook>'
        )
        return {
            "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"/>'.encode(),
            "_rels/.rels": _relationships([("officeDocument", "xl/workbook.xml")]),
            "xl/workbook.xml": workbook.encode(),
            "xl/_rels/workbook.xml.rels": _relationships(links),
            **parts,
        }


def _relationships(links: list[tuple[str, str]]) -> bytes:
    entries = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target={quoteattr(target)}/>'
        for number, (kind, target) in enumerate(links, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{entries}</Relationships>'.encode()


def _opened(content: bytes) -> Package:
    try:
        return Package(content)
    except Refused:
        # The names of the members stand in plain text before each of them: enough to say what was cut off.
        if b"xl/" not in content:
            refuse_kind("a ZIP archive, and a damaged one")
        raise


def _refuse_other_kinds(package: Package) -> None:
    mimetype = package.read("mimetype", limit=1_000)
    kinds = [kind for start, kind in _OPEN_DOCUMENT_KINDS if mimetype.startswith(start)]
    kinds += [kind for name, kind in _OTHER_KINDS if name in package]
    if kinds:
        refuse_kind(kinds[0])


def _refuse_macros(package: Package) -> None:
    is_macro = any(name.endswith(_MACRO_PARTS) or "/macrosheets/" in name for name in package.names)
    if is_macro or b"macroEnabled" in package.read("[Content_Types].xml", limit=_SMALL_PART_BYTES):
        refuse("workbook-has-macros")
