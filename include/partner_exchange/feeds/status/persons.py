"""What looks like data of a person in a header or a text, for the guard ``personal.py`` (E08).

The patterns are narrow enough to let the ordinary comments of a hospital pass.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from partner_exchange.feeds.status.words import GIVEN_NAMES, STATE_CODES
from partner_exchange.tenants.status_types import StatusType

Flags = npt.NDArray[np.bool_]

# ---- headers ---------------------------------------------------------------------------------------------

_WORD_BORDER = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")
_NUMBER_SIGN = re.compile(r"(?<=[A-Za-z]) ?#")
_HEADER = re.compile(
    r"""\b(?:
        (?:patient|pt|client|resident|guardian|mother|father)s?[ ](?:s[ ])?(?:full[ ]|first[ ]|last[ ])?
            (?:name|initials|id|identifier|mrn|dob|ssn|address|street|phone|telephone|mobile|e[ ]?mail)
        | (?:first|last|middle|given|family|maiden)[ ]?name | surname | name[ ]of[ ](?:the[ ])?patient
        | mrn | medical[ ]records?[ ](?:number|no|num|id) | medical[ ]record(?=[ ]*$)
        | chart[ ](?:number|no|num|id)
        | ssn | social[ ]security | soc[ ]sec
        | dob | d[ ]o[ ]b | (?:date|day|year)[ ]of[ ]birth | birth[ ]?(?:date|day|year)
        | home[ ](?:address|phone|telephone) | next[ ]of[ ]kin
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
_SAYS_WHAT_DATE = re.compile(
    r"\b(?:surveys?\b|tests?\b|tested\b|inspect|updat|report|expir|due\b|review|certif|licen[sc]|accredit|install"
    r"|maint|drill|exercise|calibrat|audit|effective|go[ -]?live|open|contract|modif|chang|commission|renew"
    r"|start|establish|built\b|construct|founded\b|purchas|acquir|launch|activat|deploy|implement|replace"
    r"|serviced\b|warrant|approv|signed\b|train|revis|verif|validat|version)",
    re.IGNORECASE,
)
_OF_PERSONS = frozenset(("age", "sex", "gender"))
_PATIENT_COLUMN, _NAME_COLUMN = ("patient", "pt"), ("name", "full name")
_FULL_NAMES_COLUMN = ("resident", "client")
_BRACKETS = re.compile(r"\([^()]*\)")
MAYBE_HEADER = (
    r"(?i)\A.{0,20}(?:name|initial|\bpt|patient|client|resident|guardian|mother|father|mrn|record|chart|ssn|soc"
    r"|d.{0,2}o.{0,2}b|birth|home|kin).{0,40}\z"
)
"""The short texts among which are all that may be a header of personal data."""
MAYBE_LIST = r"(?i)\A[^a-z0-9]*(?:pt|patient|name|full.name|age|sex|gender|room)[^a-z0-9]*\z"
"""The texts among which are all that ``lists_persons`` looks for."""
_NO_HEADER = re.compile(
    r"\A(?:do|don t|no|please)\b|[0-9]"
    r"|\b(?:not|never|without|exclud\w*|remov\w*|delet\w*|omit\w*|redact\w*|mask\w*|prohibited|forbidden)\b",
    re.IGNORECASE,
)


def announces(header: str) -> bool:
    """Say whether the header of a column announces data of a person, such as "Patient Name" or "MRN"."""
    return _HEADER.search(_plain(header)) is not None


def announces_alone(text: str) -> bool:
    """Say whether a text that may be a header or a sentence is a header that announces data of a person."""
    words = _words(_BRACKETS.sub(" ", text))
    found = _HEADER.search(words)
    if found is None or _NO_HEADER.search(words):
        return False
    return len((words[: found.start()] + words[found.end() :]).split()) <= 1


def says_what_date(header: str) -> bool:
    """Say whether the header names the matter of its dates, as "Last Survey" does: no births."""
    return _SAYS_WHAT_DATE.search(_plain(header)) is not None


def are_of_persons(header: str, beside: Iterable[str]) -> bool:
    """Say whether words below the header are names of persons: below "Patient", or "Name" beside "Age".

    A telephone beside says nothing: facilities have a name and a telephone too.
    """
    words = _words(header)
    return words in _PATIENT_COLUMN or (
        words in _NAME_COLUMN and any(announces(each) or _words(each) in _OF_PERSONS for each in beside)
    )


def are_full_names(header: str) -> bool:
    """Say whether two words below the header are the name of a person: below "Resident" or "Client"."""
    return _words(header) in _FULL_NAMES_COLUMN


def lists_persons(texts: Iterable[str]) -> bool:
    """Say whether headers of a list of persons are among the texts: "Patient" or "Name", and "Age"."""
    words = {_words(text) for text in texts}
    is_of_patients = not words.isdisjoint(_PATIENT_COLUMN) and not words.isdisjoint((*_OF_PERSONS, "room"))
    return is_of_patients or (not words.isdisjoint(_NAME_COLUMN) and not words.isdisjoint(_OF_PERSONS))


def _plain(header: str) -> str:
    return _WORD_BORDER.sub(" ", _NUMBER_SIGN.sub(" no ", header))


def _words(header: str) -> str:
    return " ".join(_plain(header).split()).casefold()


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
    r"|\b(?:patient|pt)\.?(?:'s)? ?(?:(?:id|identifier)\b|#))"
    r"[ :#.=()-]{0,4}(?:is |number |no\.? )?[a-z]{0,3}-?[0-9]{4}"
)
_MAYBE_CHART = r"(?i)\bchart ?(?:(?:number|num|no|id)\b|#)[^0-9]{0,12}[0-9]{4}"
_CHART = re.compile(
    r"\bchart ?(?:(?:number|num|no|id)\b|#)[ :#.=()-]{0,4}(?:is |number |no\.? )?[a-z]{0,3}-?[0-9]{4}"
    r"(?![0-9]*,? ?(?:rev|ver|v\.? ?[0-9]|edition))",
    re.IGNORECASE,
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

# ---- cells: what is looked at once more, text by text, where a pattern says that it may be ---------------

_MAYBE_STATED_NAME = r"(?i)\b(?:patient|pt\.?)(?:['\x{2019}]s)? ?names?(?: is\b| ?[:=]) ?\p{L}{2}"
_STATED_NAME = re.compile(
    r"\b(?:patient|pt\.?)(?:['’]s)? ?names?(?: is\b| ?[:=]) ?(?P<word>[^\W\d_]{2,})", re.IGNORECASE
)
_OF_INSTRUCTIONS = frozenset(
    ("blank", "deleted", "excluded", "hidden", "leave", "masked", "never", "omit", "optional", "redacted")
    + ("remove", "removed", "required", "string", "text", "withheld")
)
"""What follows "Patient name:" where a form is explained; besides ordinary words, such as "do not enter"."""
_MAYBE_DATE = r"[0-9][/-](?:19|20)[0-9]{2}|(?:19|20)[0-9]{2}-[0-9]"
_WRITTEN_DATE = re.compile(
    r"(?<![0-9/.-])(?:(?P<m>[0-9]{1,2})[/-](?P<d>[0-9]{1,2})[/-](?P<y>(?:19|20)[0-9]{2})"
    r"|(?P<iso_y>(?:19|20)[0-9]{2})-(?P<iso_m>[0-9]{2})-(?P<iso_d>[0-9]{2}))(?![0-9/-])"
)
_MAYBE_PATIENT = r"(?i:\b(?:patient|pt\.?))[ :#]{1,3}(?:(?:Mr|Mrs|Ms|Miss)\.? )?\p{Lu}\p{Ll}"
_MAYBE_PATIENT_STATED = r"(?i:\b(?:patient|pt\.?)) ?[:#=] ?(?:(?:Mr|Mrs|Ms|Miss)\.? )?\p{Lu}\p{Ll}"
_CAPITALISED = r"[^\W\d_]['’]?[^\W\d_]+(?:['’-][^\W\d_]+)*"
_PATIENT = re.compile(
    r"\b(?i:patient|pt\.?)[ :#=]{1,3}(?:(?:Mr|Mrs|Ms|Miss)\.? )?"
    rf"(?P<one>{_CAPITALISED})(?:,? (?P<two>{_CAPITALISED}))?"
)
_OF_THINGS = re.compile(
    r" (?:full|offline|broken|closed|unavailable|inoperable|issues?|shortages?|outages?|backed up"
    r"|down(?: since\b|[.!;,]|$)|pavilion|tower|building|wing|garage|entrance)",
    re.IGNORECASE,
)
"""What is said of a place or of equipment: "Patient Escort down", "pt Smith pavilion"."""
_MAYBE_LAST_FIRST = r"\A\p{Lu}[^0-9,;:]+, ?\p{Lu}[^0-9,;:]+\z"
_LAST_FIRST = re.compile(
    rf"(?P<one>{_CAPITALISED})(?: (?P<more>{_CAPITALISED}|Jr\.?|Sr\.?))?, ?"
    rf"(?P<two>{_CAPITALISED})(?: (?P<middle>{_CAPITALISED}|[^\W\d_]\.?))?"
)
_MAYBE_PERSON = r"\A\p{L}[^0-9:;]{1,60}\z"
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_PLAIN_WORD, _ACCENT = re.compile(r"[^\W\d_]+"), re.compile(r"[\u0300-\u036f]")
_MOST_NAMES = 4


@dataclass(frozen=True)
class Context:
    """What a second look may know."""

    oldest: date
    """The first day that may be about operations."""
    words: frozenset[str]
    """Words in lower case that are no names."""


@dataclass(frozen=True, eq=False)
class Kind:
    """One kind of personal data in a cell."""

    code: str
    pattern: str
    """What is meant for sure; "" for nothing."""
    maybe: Mapping[str, Callable[[str, Context], bool]]
    """Patterns of what is to be looked at once more, and by what."""


def found(values: pa.Array, kind: Kind, context: Context) -> Flags:
    """Return which of the texts seem to hold this kind.

    :param values: ``large_string`` without nulls.
    """
    flags: Flags = np.zeros(len(values), dtype=np.bool_)
    if kind.pattern:
        flags |= pc.match_substring_regex(values, kind.pattern).to_numpy(zero_copy_only=False)
    for pattern, confirm in kind.maybe.items():
        suspects = pc.indices_nonzero(pc.match_substring_regex(values, pattern))
        is_meant = [confirm(text, context) for text in values.take(suspects).to_pylist()]
        flags[suspects.to_numpy()] |= np.array(is_meant, dtype=np.bool_)
    return flags


def _has_old_date(text: str, context: Context) -> bool:
    for found in _WRITTEN_DATE.finditer(text):
        year, month, day = (int(found[name] or found[f"iso_{name}"]) for name in ("y", "m", "d"))
        try:
            if date(year, month, day) < context.oldest:
                return True
        except ValueError:
            continue
    return False


def _names_patient(text: str, context: Context) -> bool:
    return any(
        _are_names(found, ("one", "two"), context) and not _is_of_thing(found)
        for found in _PATIENT.finditer(text)
    )


def _is_of_thing(found: re.Match[str]) -> bool:
    """Say whether the first word after "patient" is what a place or equipment is called by."""
    return _OF_THINGS.match(found.string, found.end("one")) is not None


def _is_stated_name(text: str, context: Context) -> bool:
    words = (found["word"].casefold() for found in _STATED_NAME.finditer(text))
    return any(word not in _OF_INSTRUCTIONS and word not in context.words for word in words)


def _is_chart_number(text: str, _: Context) -> bool:
    return _CHART.search(text) is not None


def _is_last_first(text: str, context: Context) -> bool:
    """Say whether the text is "Last, First": two words alone are as often "Masks, Gowns" or a place."""
    found = _LAST_FIRST.fullmatch(text)
    if found is None or found["two"] in STATE_CODES:
        return False
    parts = ("one", "two", "more", "middle")
    is_shouted = text.isupper() and min(len(found["one"]), len(found["two"])) > 2
    is_written_so = is_shouted or not found["one"].isupper()
    return is_written_so and _are_names(found, parts, context, is_shouted) and _has_given_name(found)


def _has_given_name(found: re.Match[str]) -> bool:
    """Say whether a part is a known given name, or a "Jr." or an initial tells that it is one."""
    if (found["more"] or "").startswith(("Jr", "Sr")) or (found["middle"] or "").endswith("."):
        return True
    plain = unicodedata.normalize("NFKD", found.string.casefold())
    return any(word in GIVEN_NAMES for word in _PLAIN_WORD.findall(_ACCENT.sub("", plain)))


def _are_names(
    found: re.Match[str], parts: tuple[str, ...], context: Context, is_shouted: bool = False
) -> bool:
    """Say whether the first part is written as a name, and no part that is so written is an ordinary word."""
    words = [found[part] for part in parts if found[part]]
    named = [word for word in words if word[0].isupper() and (is_shouted or not word.isupper())]
    is_first = bool(named) and named[0] is words[0]
    return is_first and not any(_is_ordinary(word, context) for word in named)


def _is_ordinary(word: str, context: Context) -> bool:
    return any(part in context.words for part in re.split(r"['’-]", word.casefold()))


def _is_person(text: str, context: Context) -> bool:
    words = _WORD.findall(text)
    return 0 < len(words) <= _MOST_NAMES and not any(_is_ordinary(word, context) for word in words)


def _is_full_name(text: str, context: Context) -> bool:
    return len(_WORD.findall(text)) > 1 and _is_person(text, context)


def own_words(types: Iterable[StatusType]) -> frozenset[str]:
    """Return the words of status types in lower case: statuses and reasons are nobody's name."""

    def texts(one: StatusType) -> Iterator[str]:
        yield one.name
        for status in one.statuses:
            yield from (status.name, *status.reasons)

    return frozenset(
        word.casefold() for one in types for text in texts(one) for word in re.findall(r"[^\W\d_]+", text)
    )


_NUMBERS = (
    Kind("personal-ssn", _SSN, {}),
    Kind("personal-record-number", _RECORD_NUMBER, {_MAYBE_CHART: _is_chart_number}),
)
_SAID_BIRTH = Kind("personal-birth-date", _BIRTH_DATE, {})
_STATED = {_MAYBE_STATED_NAME: _is_stated_name}
_NAME = {**_STATED, _MAYBE_PATIENT: _names_patient, _MAYBE_LAST_FIRST: _is_last_first}
_NAME_ASIDE = {**_STATED, _MAYBE_PATIENT_STATED: _names_patient}

IN_RECORD = (*_NUMBERS, _SAID_BIRTH)
"""What is looked for where names and dates may stand by right, such as in key columns."""
IN_DATED_TEXT = (*IN_RECORD, Kind("personal-name", "", _NAME))
"""What is looked for in text whose header says what its dates are."""
_DATED = (*_NUMBERS, Kind("personal-birth-date", _BIRTH_DATE, {_MAYBE_DATE: _has_old_date}))
IN_TEXT = (*_DATED, Kind("personal-name", "", _NAME))
IN_NAMES = (*_DATED, Kind("personal-name", "", {**_NAME, _MAYBE_PERSON: _is_person}))
"""What is looked for below a header that speaks of persons."""
IN_FULL_NAMES = (*_DATED, Kind("personal-name", "", {**_NAME, _MAYBE_PERSON: _is_full_name}))
"""What is looked for below a header that may speak of persons."""
IN_ASIDE = (*IN_RECORD, Kind("personal-name", "", _NAME_ASIDE))
"""What is looked for outside of the table. "Patient Nutrition" is a title there, "Patient: Smith" a name."""
IN_TITLE = (
    *IN_RECORD,
    Kind("personal-name", "", {**_NAME_ASIDE, _MAYBE_LAST_FIRST: _is_last_first}),
)
"""What is looked for in headers and names of sheets."""
