"""XML: an element per row with an element per value, or whatever a Jinja template makes of the rows (M73).

A missing value is an empty element, so that all rows have the same elements. Control characters that XML 1.0
cannot hold become U+FFFD; carriage returns are written so that a parser keeps them.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO
from xml.etree import ElementTree  # noqa: S405 - reads what we wrote ourselves

from partner_exchange.errors import FileUnwritable
from partner_exchange.exports.columns import FileColumn, Row
from partner_exchange.exports.formats.facts import FileFacts
from partner_exchange.exports.formats.faults import not_as_written
from partner_exchange.exports.formats.values import Cleaning, text_columns
from partner_exchange.tenants.exports import ExportFormat

NO_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 cannot hold, escaped or not."""

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SPECIAL = re.compile("[&<>\r]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
# Letters of Latin-1 besides ASCII: names that every parser takes, whichever edition of XML it knows.
_NOT_IN_NAME = re.compile("[^A-Za-z0-9_.À-ÖØ-öø-ÿ-]")
_STARTS_NAME = re.compile("(?!xml)[A-Za-z_À-ÖØ-öø-ÿ]", re.I)


def element_names(columns: Sequence[FileColumn]) -> list[str]:
    """Return the names of the elements: the headers, with _ for what no name may hold, and each one once."""
    names: list[str] = []
    for column in columns:
        name = _NOT_IN_NAME.sub("_", column.header)
        if not _STARTS_NAME.match(name):
            name = f"_{name}"
        unique, number = name, 2
        while unique in names:
            unique, number = f"{name}_{number}", number + 1
        names.append(unique)
    return names


def write(
    file: BinaryIO,
    format: ExportFormat,
    columns: Sequence[FileColumn],
    batches: Iterable[Sequence[Row]],
    *,
    about: FileFacts,
) -> int:
    """Write the rows; see ``api.write``.

    :raises FileUnwritable: ``template-broken``, the template fails, leaves rows out or makes no XML.
    """
    cleaning = Cleaning(columns, NO_XML)
    if about.template is not None:
        # Only who has a template pays for Jinja.
        from partner_exchange.exports.formats import xml_template

        count = xml_template.write(file, about.template, columns, batches, about=about, cleaning=cleaning)
    else:
        count = _write_elements(file, format, columns, batches, about, cleaning)
    cleaning.tell(about)
    return count


def _write_elements(
    file: BinaryIO,
    format: ExportFormat,
    columns: Sequence[FileColumn],
    batches: Iterable[Sequence[Row]],
    about: FileFacts,
    cleaning: Cleaning,
) -> int:
    names = element_names(columns)
    row = f"<{format.row}>{''.join(f'<{name}>%s</{name}>' for name in names)}</{format.row}>\n"
    file.write(f"{_DECLARATION}<{format.root}>\n".encode())
    count = 0
    for texts in text_columns(columns, batches, cleaning, about.zone):
        escaped = map(_escaped, texts)
        file.write("".join([row % values for values in zip(*escaped, strict=True)]).encode())
        count += len(texts[0])
    file.write(f"</{format.root}>\n".encode())
    return count


def _escaped(texts: list[str]) -> list[str]:
    if _SPECIAL.search("".join(texts)) is None:
        return texts
    return [_SPECIAL.sub(lambda found: _ESCAPES[found[0]], text) for text in texts]


def read(content: bytes, format: ExportFormat, columns: Sequence[FileColumn]) -> Iterator[list[str]]:
    """Yield the rows of a file in the layout without a template; see ``api.read``."""
    if format.template_file:
        message = (
            "A file that a template made has a layout of its own, which our reader does not know. "
            "Look at the file itself."
        )
        raise FileUnwritable("template-not-readable", message)
    if b"<!" in content:
        raise not_as_written("xml", "it holds a declaration or comment that we never write")
    names = element_names(columns)
    try:
        for element in _rows(content, format):
            if [value.tag for value in element] != names or any(map(len, element)):
                raise not_as_written("xml", "an element of a row has other elements")
            yield [value.text or "" for value in element]
    except ElementTree.ParseError as error:
        line = error.position[0]
        raise not_as_written("xml", f"line {line} is no XML", line=line) from None


def _rows(content: bytes, format: ExportFormat) -> Iterator[ElementTree.Element]:
    depth, root = 0, None
    # It holds no declaration, so no entity can multiply.
    for event, element in ElementTree.iterparse(io.BytesIO(content), ("start", "end")):  # noqa: S314
        if event == "start":
            depth += 1
            root = element if root is None else root
            if depth <= 2 and element.tag != (format.root, format.row)[depth - 1]:
                raise not_as_written("xml", "its elements are named otherwise")
            continue
        depth -= 1
        if depth == 1:
            yield element
            if root is not None:
                root.clear()
