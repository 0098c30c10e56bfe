"""Tell by its content what a file is, before any reader sees it (E05).

Called by ``table.py``. Names lie: hospitals send web pages and XML called .xls, and CSV called .xlsx.
"""

from __future__ import annotations

import struct

from partner_exchange.readers import ole, package
from partner_exchange.readers.grid import TableFormat
from partner_exchange.readers.guards import known_kind, text_start
from partner_exchange.readers.marks import Mark
from partner_exchange.readers.refused import refuse_kind

_HEAD_BYTES = 4_096
_BARE_WORKBOOKS = {
    0x0009: "an Excel 2 workbook",
    0x0209: "an Excel 3 workbook",
    0x0409: "an Excel 4 workbook",
    0x0809: "an Excel workbook without its container",
}
_MARKUP = (
    (b"urn:schemas-microsoft-com:office:spreadsheet", "an XML spreadsheet of Excel 2003"),
    (b"office:document", "an OpenDocument file in flat XML"),
    (b"<html", "a web page (HTML)"),
    (b"<!doctype html", "a web page (HTML)"),
    (b"<table", "a web page (HTML)"),
    (b"<style", "a web page (HTML)"),
    (b"<meta", "a web page (HTML)"),
    (b"<?xml", "an XML document"),
)
_TEXTS = (
    (b"mime-version:", "a web archive (MHTML)"),
    (b'{"', "a JSON document"),
    (b"[{", "a JSON document"),
    (b"msh|", "an HL7 message"),
    (b"id;p", "a SYLK file"),
)
_EXTENSIONS = {
    ".csv": TableFormat.CSV,
    ".xls": TableFormat.XLS,
    ".xlsx": TableFormat.XLSX,
    ".xlsm": None,
    ".xlsb": None,
    ".ods": None,
}
_NAMES = {
    TableFormat.CSV: "CSV text",
    TableFormat.XLS: "an XLS workbook",
    TableFormat.XLSX: "an XLSX workbook",
}


def kind_of(content: bytes) -> TableFormat:
    """Return which reader the content is for; a workbook is still to be judged by its own reader.

    :raises Refused: it is something else.
    """
    if content.startswith(ole.MAGIC):
        return TableFormat.XLS
    if content.startswith(package.MAGIC):
        return TableFormat.XLSX
    kind = known_kind(content) or _bare_workbook(content) or _text_kind(content)
    if kind:
        refuse_kind(kind)
    return TableFormat.CSV


def _bare_workbook(content: bytes) -> str | None:
    if len(content) < 8:
        return None
    record, size = struct.unpack_from("<HH", content)
    # The record begins with a tab, which text may do too; but its size has a NUL, which text has not.
    return _BARE_WORKBOOKS.get(record) if 4 <= size <= 16 else None


def _text_kind(content: bytes) -> str | None:
    head = content[text_start(content) : _HEAD_BYTES].lstrip().lower()
    if head.startswith(b"<"):
        return next((kind for sign, kind in _MARKUP if sign in head), "an XML document")
    return next((kind for start, kind in _TEXTS if head.startswith(start)), None)


def extension_mark(file_name: str, kind: TableFormat) -> Mark | None:
    """Return the mark of a name that tells another type than the content; other endings tell nothing."""
    dot = file_name.rfind(".")
    extension = file_name[dot:].lower() if dot >= 0 else ""
    if extension not in _EXTENSIONS or _EXTENSIONS[extension] == kind:
        return None
    return Mark("extension-differs", facts={"extension": extension, "kind": _NAMES[kind]})
