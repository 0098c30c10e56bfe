"""The guard against personal data where none belongs (E08): status files are about facilities, not persons.

It looks at every text that a file brings, wherever it stands, by the patterns of ``persons.py``. What it
states are columns and rows, never a value; and a header or a sheet whose name holds personal data is not
called by it any more. Called by the status feed, which refuses the file or warns, as the tenant says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from partner_exchange.feeds.status import persons
from partner_exchange.feeds.status.columns import Role, named
from partner_exchange.feeds.status.persons import Context, Kind
from partner_exchange.feeds.status.recognise import Recognised
from partner_exchange.feeds.status.template import templates
from partner_exchange.feeds.status.words import ORDINARY_WORDS
from partner_exchange.readers.cells import Cells
from partner_exchange.readers.grid import Grid, column_title
from partner_exchange.readers.marks import Fact, Mark, Rows
from partner_exchange.tenants.catalogue import Catalogue
from partner_exchange.tenants.status_types import StatusKind

_RECENT = timedelta(days=731)
"""A date in a text that lies further back is hardly about operations."""

_CALLED: Mapping[str, str] = {
    "personal-data-header": "a header of personal data",
    "personal-ssn": "a Social Security number",
    "personal-birth-date": "a birth date",
    "personal-record-number": "a medical record number",
    "personal-name": "the name of a person",
}
_ASIDE = "personal-data-aside"

_Text = tuple[str, Cells, Rows]
"""Title of a column, its cells and their rows."""


def without_personal_titles(
    grid: Grid, catalogue: Catalogue, *, arrived_at: datetime
) -> tuple[Grid, list[Mark]]:
    """Return the table without headers and sheet names that hold personal data, and marks about these.

    A column that loses its header is called by its number from here on; a header that names something of ours
    stays. To be done before anything quotes a header or the name of a sheet.
    """
    context = Context((arrived_at - _RECENT).date(), ORDINARY_WORDS | persons.own_words(catalogue))
    header, called, marks = list(grid.header), dict[str, str](), list[Mark]()
    for code, at in _found_titles(grid.header, context):
        text, title = grid.header[at], column_title("", at)
        if not _is_ours(text, catalogue):
            header[at], called[column_title(text, at)] = "", title
            marks.append(Mark(code, title, np.array([grid.header_row], dtype=np.int64)))
    of_sheets = [code for code, _ in _found_titles(grid.sheets, context)]
    marks += [_aside(code, of_sheets.count(code)) for code in _CALLED if code in of_sheets]
    if not marks:
        return grid, []
    said = [
        replace(
            mark,
            column=called.get(mark.column, mark.column),
            facts={} if of_sheets and "names" in mark.facts else mark.facts,
        )
        for mark in grid.marks
    ]
    return replace(grid, header=tuple(header), marks=tuple(said)), marks


def personal_data(grid: Grid, recognised: Recognised, *, arrived_at: datetime) -> list[Mark]:
    """Return marks about what seems to hold data of persons; empty for a clean file.

    Numbers of persons and what is called a birth date are looked for in all columns, in records that have no
    column form and outside of the table; names and bare dates only where there is text, and where they can
    be told from those of a facility.
    """
    unknown = {at: grid.header[at] for at in recognised.unknown}
    marks = [
        Mark("personal-data-header", column_title(text, at))
        for at, text in unknown.items()
        if persons.announces(text)
    ]
    words = ORDINARY_WORDS | persons.own_words(one.status_type for one in recognised.elements)
    context = Context((arrived_at - _RECENT).date(), words)
    texts: dict[tuple[Kind, ...], list[_Text]] = defaultdict(list)
    for at, kinds in enumerate(_kinds(grid.header, recognised, unknown)):
        if not _is_digits(grid.columns[at]):
            texts[kinds].append((column_title(grid.header[at], at), grid.columns[at], grid.rows))
    texts[persons.IN_RECORD].append(("", grid.faulty_text, grid.faulty_rows))
    for kinds, some in texts.items():
        marks += _cell_marks(some, context, kinds)
    return [*marks, *_aside_marks(grid.aside, context)]


def found_facts(marks: Sequence[Mark]) -> dict[str, Fact]:
    """Return what the refusal says of these marks: which kinds were found, and in how many places."""
    kinds = {str(mark.facts.get("kind", "")) or _CALLED[mark.code] for mark in marks}
    count = sum(int(mark.facts.get("count", 0)) or max(1, len(mark.rows)) for mark in marks)
    return {"kinds": ", ".join(kind for kind in _CALLED.values() if kind in kinds), "count": count}


def _found_titles(titles: Sequence[str], context: Context) -> Iterator[tuple[str, int]]:
    """Yield what was found in which of the titles."""
    values = pa.array(titles, pa.large_string())
    for kind in persons.IN_TITLE:
        for at in np.flatnonzero(persons.found(values, kind, context)).tolist():
            yield kind.code, at


def _is_ours(header: str, catalogue: Catalogue) -> bool:
    return any(one.key_of(header) or named(header, one, catalogue) for one in templates())


def _kinds(
    header: Sequence[str], recognised: Recognised, unknown: Mapping[int, str]
) -> Iterator[tuple[Kind, ...]]:
    """Yield what to look for in each column."""
    roles = {one.position: one for one in recognised.elements}
    for at, text in enumerate(header):
        one = roles.get(at)
        is_value = one is not None and one.role is Role.VALUE
        if one is not None and one.role in (Role.COMMENT, Role.REASON):
            yield persons.IN_TEXT
        elif at in unknown and persons.are_of_persons(text, unknown.values()):
            yield persons.IN_NAMES
        elif at in unknown and persons.are_full_names(text):
            yield persons.IN_FULL_NAMES
        elif not text or at in unknown or (is_value and one and one.status_type.kind is StatusKind.TEXT):
            yield persons.IN_DATED_TEXT if persons.says_what_date(text) else persons.IN_TEXT
        else:
            yield persons.IN_RECORD


def _is_digits(cells: Cells) -> bool:
    """Say whether all cells are blank or digits alone, which no pattern finds anything in."""
    is_blank = pc.equal(pc.binary_length(cells), 0)
    return pc.all(pc.or_(is_blank, pc.ascii_is_decimal(cells)), min_count=0).as_py() is True


def _cell_marks(texts: Sequence[_Text], context: Context, kinds: Sequence[Kind]) -> Iterator[Mark]:
    chunks = [chunk for _, cells, _ in texts for chunk in cells.chunks]
    coded = pa.concat_arrays(chunks).dictionary_encode() if chunks else None
    if coded is None or not len(coded):
        return
    ends = np.cumsum([len(cells) for _, cells, _ in texts])
    of_column = np.split(coded.indices.to_numpy(), ends[:-1])
    for kind in kinds:
        is_found = persons.found(coded.dictionary, kind, context)
        if not is_found.any():
            continue
        for (title, _, rows), of in zip(texts, of_column, strict=True):
            found = rows[is_found[of]]
            if len(found):
                yield Mark(kind.code, title, found)


def _aside_marks(cells: Cells, context: Context) -> Iterator[Mark]:
    if not len(cells):
        return
    values = cells.combine_chunks()
    suspects = values.filter(pc.match_substring_regex(values, persons.MAYBE_HEADER)).to_pylist()
    listed = values.filter(pc.match_substring_regex(values, persons.MAYBE_LIST)).to_pylist()
    headers = sum(map(persons.announces_alone, suspects)) + persons.lists_persons(listed)
    counts = {"personal-data-header": headers}
    counts |= {kind.code: int(persons.found(values, kind, context).sum()) for kind in persons.IN_ASIDE}
    yield from (_aside(code, count) for code, count in counts.items() if count)


def _aside(code: str, count: int) -> Mark:
    return Mark(_ASIDE, facts={"kind": _CALLED[code], "count": count})
