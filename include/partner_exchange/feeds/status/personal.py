"""The guard against personal data where none belongs (E08): status files are about facilities, not persons.

It looks at headers that nobody knows and at cells that hold free text, by patterns that are narrow enough to
let the ordinary comments of a hospital pass. What it states are columns and rows, never a value. Called by
the status feed, which refuses the file or warns, as the tenant's policy says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from partner_exchange.feeds.status.recognise import Recognised, Role
from partner_exchange.feeds.status.words import ORDINARY_WORDS
from partner_exchange.readers.cells import Cells
from partner_exchange.readers.grid import Grid, column_title
from partner_exchange.readers.marks import Mark, Rows
from partner_exchange.tenants.status_types import StatusKind, StatusType

Flags = npt.NDArray[np.bool_]

_RECENT = timedelta(days=731)
"""A date in a text that lies further back is hardly about operations."""

# ---- headers ---------------------------------------------------------------------------------------------

_WORD_BORDER = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")
_HEADER = re.compile(
    r"""\b(?:
        (?:patient|pt|client|resident|guardian|mother|father)s?[ ](?:s[ ])?(?:full[ ]|first[ ]|last[ ])?
            (?:name|initials|id|identifier|mrn|dob|ssn|address|street|phone|telephone|mobile|e[ ]?mail)
        | (?:first|last|middle|given|family|maiden)[ ]?name | surname | name[ ]of[ ](?:the[ ])?patient
        | mrn | medical[ ]records?(?:[ ](?:number|no|num|id))? | chart[ ](?:number|no|num|id)
        | ssn | social[ ]security | soc[ ]sec
        | dob | d[ ]o[ ]b | (?:date|day|year)[ ]of[ ]birth | birth[ ]?(?:date|day|year)
        | home[ ](?:address|phone|telephone) | next[ ]of[ ]kin
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)

# ---- cells: patterns in the linear-time syntax of RE2, which go over all distinct texts at once ----------

_HYPHEN = r"[-\x{2010}-\x{2015}]"
# No SSN starts with 000, 666 or 900-999, and none of its parts is all zeros.
_AREA = r"(?:00[1-9]|0[1-9][0-9]|[1-57-8][0-9]{2}|6[0-57-9][0-9]|66[0-57-9])"
_GROUP, _SERIAL = r"(?:0[1-9]|[1-9][0-9])", r"(?:000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})"
_SSN_WORD = r"(?i:\bssn\b|\bss ?#|\bsoc(?:ial)?\.? ?sec(?:urity)?\b)"
_SSN = (
    rf"(?:^|[^0-9A-Za-z-]){_AREA}{_HYPHEN}{_GROUP}{_HYPHEN}{_SERIAL}(?:$|[^0-9A-Za-z-])"
    rf"|\A{_AREA} {_GROUP} {_SERIAL}\z"
    rf"|{_SSN_WORD}[^0-9]{{0,15}}[0-9]{{3}}[-. ]?[0-9]{{2}}[-. ]?[0-9]{{4}}(?:$|[^0-9])"
    rf"|(?:^|[^0-9])[0-9]{{9}}[^0-9A-Za-z]{{0,5}}{_SSN_WORD}"
)
_RECORD_NUMBER = (
    r"(?i)(?:\bmrn\b|\bmed(?:ical|\.)? ?rec(?:ord|\.)? ?(?:(?:number|num|no|id)\b|[#:])"
    r"|\bchart ?(?:(?:number|num|no|id)\b|#)|\b(?:patient|pt)\.?(?:'s)? ?(?:(?:id|identifier)\b|#))"
    r"[ :#.=()-]{0,4}(?:is |number |no\.? )?[a-z]{0,3}-?[0-9]{4}"
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_ANY_DATE = (
    r"(?:[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2}|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
    rf"|[0-9]{{1,2}}[ -]?{_MONTH}[ ,-]*[0-9]{{2}})"
)
_BIRTH_DATE = (
    r"(?i)(?:\bdob\b|\bd\.o\.b\b|\bdate of birth\b|\bbirth ?da(?:te|y)\b|\bborn\b)"
    rf"(?:[^0-9]{{0,12}}{_ANY_DATE}|[^0-9]{{0,9}}{_MONTH} ?[0-9]{{1,2}},? ?[0-9]{{4}})"
)
_STATED_NAME = r"(?i)\b(?:patient|pt\.?)(?:['\x{2019}]s)? ?names?(?: is\b| ?[:=]) ?\p{L}{2}"

# ---- cells: what is looked at once more, text by text, where a pattern says that it may be ---------------

_MAYBE_DATE = r"[0-9][/-](?:19|20)[0-9]{2}|(?:19|20)[0-9]{2}-[0-9]"
_WRITTEN_DATE = re.compile(
    r"(?<![0-9/.-])(?:(?P<m>[0-9]{1,2})[/-](?P<d>[0-9]{1,2})[/-](?P<y>(?:19|20)[0-9]{2})"
    r"|(?P<iso_y>(?:19|20)[0-9]{2})-(?P<iso_m>[0-9]{2})-(?P<iso_d>[0-9]{2}))(?![0-9/-])"
)
_MAYBE_PATIENT = r"(?i:\b(?:patient|pt\.?))[ :#]{1,3}(?:(?:Mr|Mrs|Ms|Miss)\.? )?\p{Lu}\p{Ll}"
_CAPITALISED = r"[^\W\d_]['’]?[^\W\d_]+(?:['’-][^\W\d_]+)*"
_PATIENT = re.compile(
    r"\b(?i:patient|pt\.?)[ :#]{1,3}(?:(?:Mr|Mrs|Ms|Miss)\.? )?"
    rf"(?P<one>{_CAPITALISED})(?:,? (?P<two>{_CAPITALISED}))?"
)
_MAYBE_LAST_FIRST = r"\A\p{Lu}[^0-9,;:]+, ?\p{Lu}[^0-9,;:]+\z"
_LAST_FIRST = re.compile(
    rf"(?P<one>{_CAPITALISED})(?: (?P<more>{_CAPITALISED}|Jr\.?|Sr\.?))?, ?"
    rf"(?P<two>{_CAPITALISED})(?: (?P<middle>{_CAPITALISED}|[^\W\d_]\.?))?"
)


@dataclass(frozen=True)
class _Context:
    """What a second look may know."""

    oldest: date
    """The first day that may be about operations."""
    words: frozenset[str]
    """Words in lower case that are no names."""


@dataclass(frozen=True)
class _Kind:
    """One kind of personal data in a cell."""

    code: str
    pattern: str
    maybe: Mapping[str, Callable[[str, _Context], bool]]
    """Patterns of what is to be looked at once more, and by what."""


def personal_data(grid: Grid, recognised: Recognised, *, arrived_at: datetime) -> list[Mark]:
    """Return marks about headers and cells that seem to hold data of persons; empty for a clean file.

    Looked at are the headers of columns that nobody knows, and the cells of these columns, of Text statuses,
    comments and reasons, and of records that have no column form.
    """
    marks = [
        Mark("personal-data-header", column_title(grid.header[at], at))
        for at in recognised.unknown
        if _HEADER.search(_WORD_BORDER.sub(" ", grid.header[at]))
    ]
    context = _Context((arrived_at - _RECENT).date(), ORDINARY_WORDS | _own_words(recognised))
    places = list(_text_columns(grid, recognised))
    texts = [(column_title(grid.header[at], at), grid.columns[at], grid.rows) for at in places]
    marks += _cell_marks(texts, context, _KINDS)
    # Of a whole record the names and dates are not looked at: these may well be those of the key columns.
    marks += _cell_marks([("", grid.faulty_text, grid.faulty_rows)], context, _RECORD_KINDS)
    return marks


def _text_columns(grid: Grid, recognised: Recognised) -> Iterator[int]:
    other = {*recognised.keys.values(), *(one.position for one in recognised.elements)}
    text = {
        one.position
        for one in recognised.elements
        if one.role in (Role.COMMENT, Role.REASON)
        or (one.role is Role.VALUE and one.status_type.kind is StatusKind.TEXT)
    }
    return (at for at in range(len(grid.header)) if at in text or at not in other)


def _own_words(recognised: Recognised) -> frozenset[str]:
    """Return the words of the catalogue: what statuses and reasons are called is nobody's name."""

    def texts(one: StatusType) -> Iterator[str]:
        yield one.name
        for status in one.statuses:
            yield from (status.name, *status.reasons)

    return frozenset(
        word.casefold()
        for one in recognised.elements
        for text in texts(one.status_type)
        for word in re.findall(r"[^\W\d_]+", text)
    )


def _cell_marks(
    texts: list[tuple[str, Cells, Rows]], context: _Context, kinds: tuple[_Kind, ...]
) -> Iterator[Mark]:
    chunks = [chunk for _, cells, _ in texts for chunk in cells.chunks]
    coded = pa.concat_arrays(chunks).dictionary_encode() if chunks else None
    if coded is None or not len(coded):
        return
    ends = np.cumsum([len(cells) for _, cells, _ in texts])
    of_column = np.split(coded.indices.to_numpy(), ends[:-1])
    for kind in kinds:
        is_found = _found(coded.dictionary, kind, context)
        if not is_found.any():
            continue
        for (title, _, rows), of in zip(texts, of_column, strict=True):
            found = rows[is_found[of]]
            if len(found):
                yield Mark(kind.code, title, found)


def _found(values: pa.Array, kind: _Kind, context: _Context) -> Flags:
    flags: Flags = pc.match_substring_regex(values, kind.pattern).to_numpy(zero_copy_only=False).copy()
    for pattern, confirm in kind.maybe.items():
        suspects = pc.indices_nonzero(pc.match_substring_regex(values, pattern))
        is_meant = [confirm(text, context) for text in values.take(suspects).to_pylist()]
        flags[suspects.to_numpy()] |= np.array(is_meant, dtype=np.bool_)
    return flags


def _has_old_date(text: str, context: _Context) -> bool:
    for found in _WRITTEN_DATE.finditer(text):
        year, month, day = (int(found[name] or found[f"iso_{name}"]) for name in ("y", "m", "d"))
        try:
            if date(year, month, day) < context.oldest:
                return True
        except ValueError:
            continue
    return False


def _names_patient(text: str, context: _Context) -> bool:
    return any(_are_names(found, ("one", "two"), context) for found in _PATIENT.finditer(text))


def _is_last_first(text: str, context: _Context) -> bool:
    found = _LAST_FIRST.fullmatch(text)
    if found is None:
        return False
    parts = ("one", "two", "more", "middle")
    is_shouted = text.isupper() and min(len(found["one"]), len(found["two"])) > 2
    return (is_shouted or not found["one"].isupper()) and _are_names(found, parts, context, is_shouted)


def _are_names(
    found: re.Match[str], parts: tuple[str, ...], context: _Context, is_shouted: bool = False
) -> bool:
    """Say whether the first part is written as a name, and no part that is so written is an ordinary word."""
    words = [found[part] for part in parts if found[part]]
    named = [word for word in words if word[0].isupper() and (is_shouted or not word.isupper())]
    is_first = bool(named) and named[0] is words[0]
    return is_first and not any(_is_ordinary(word, context) for word in named)


def _is_ordinary(word: str, context: _Context) -> bool:
    return any(part in context.words for part in re.split(r"['’-]", word.casefold()))


_RECORD_KINDS = (
    _Kind("personal-ssn", _SSN, {}),
    _Kind("personal-birth-date", _BIRTH_DATE, {}),
    _Kind("personal-record-number", _RECORD_NUMBER, {}),
)
_KINDS = (
    _Kind("personal-ssn", _SSN, {}),
    _Kind("personal-birth-date", _BIRTH_DATE, {_MAYBE_DATE: _has_old_date}),
    _Kind("personal-record-number", _RECORD_NUMBER, {}),
    _Kind("personal-name", _STATED_NAME, {_MAYBE_PATIENT: _names_patient, _MAYBE_LAST_FIRST: _is_last_first}),
)
