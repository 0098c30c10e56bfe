"""Code sets of immunization messages: what each code means and whether it may be sent (T64, K14).

The data are CSV files in ``code_sets/``; docs/code-sets.md tells their columns, where they come from and how
to bring them up to date. Called by the rules, the report, the maker of batches and ``exchange code-sets``.
Everything is read once per process and must not be changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from partner_exchange.feeds.vxu.code_set_files import FILES, FOLDER, read

_NDC_PARTS = {(4, 4, 2), (5, 3, 2), (5, 4, 1), (5, 4, 2)}
_NDC_WIDTHS = (5, 4, 2)


class State(StrEnum):
    """Whether a code may be sent."""

    VALID = "valid"
    DEPRECATED = "deprecated"
    """It is understood; another one is to be sent."""
    IGNORED = "ignored"
    """It is known and has no meaning here."""
    INVALID = "invalid"
    """It is known and never right."""


class VaccineKind(StrEnum):
    """What a CVX code stands for."""

    VACCINE = "vaccine"
    UNSPECIFIED = "unspecified"
    """The product is not known: for doses that somebody else has given."""
    NON_VACCINE = "non-vaccine"
    """Immune globulins, antitoxins, skin tests, and 998 for no dose at all."""
    NEVER_ACTIVE = "never-active"
    PENDING = "pending"
    FOREIGN = "foreign"


class Expectation(StrEnum):
    """How doses of a vaccine group are expected at an age."""

    EXPECTED = "expected"
    POSSIBLE = "possible"
    UNEXPECTED = "unexpected"
    IMPOSSIBLE = "impossible"


AGE_BANDS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"baby": (0, 1), "child": (1, 7), "teenager": (7, 18), "adult": (18, 55), "senior": (55, 200)}
)
"""Age bands of the report with their years: from the first up to, not including, the second."""


@dataclass(frozen=True)
class Code:
    """One code of a set."""

    set: str
    code: str
    label: str
    state: State
    system: str = ""
    """Name of the coding system as HL7 writes it, such as NCIT; "" where the field has none."""
    preferred: str = ""
    """The code of the same set to send instead; "" for none."""


@dataclass(frozen=True)
class Vaccine:
    """One CVX code; dates are the first and the last day, ages whole months, None stands for no limit."""

    cvx: str
    label: str
    kind: VaccineKind
    licensed_from: date | None
    expected_from: date | None
    expected_until: date | None
    licensed_until: date | None
    age_from_months: int | None
    age_until_months: int | None
    groups: tuple[str, ...]
    """Vaccine groups that a dose counts for, in the order of the report."""

    @property
    def state(self) -> State:
        """Invalid for what was never given to anyone."""
        return State.INVALID if self.kind is VaccineKind.NEVER_ACTIVE else State.VALID


@dataclass(frozen=True)
class Manufacturer:
    """One MVX code."""

    mvx: str
    label: str
    used_until: date | None
    """The day CDC took it out of use."""


@dataclass(frozen=True)
class Product:
    """One NDC code."""

    ndc: str
    """As five, four and two digits with hyphens."""
    cvx_codes: tuple[str, ...]
    """More than one where the package alone does not tell the vaccine."""
    mvx_codes: tuple[str, ...]
    label: str
    packages: tuple[str, ...]
    """``use`` for the unit that is given, ``sale`` for the box; some numbers are both."""
    sold_from: date | None
    sold_until: date | None

    @property
    def cvx(self) -> str:
        """The first of its vaccines: the usual one."""
        return self.cvx_codes[0]

    @property
    def mvx(self) -> str:
        """The first of its manufacturers."""
        return self.mvx_codes[0]


@dataclass(frozen=True)
class CoverageGroup:
    """A vaccine group of the report: which ages are expected to get it."""

    group: str
    label: str
    order: int
    """Place in the report, from 1."""
    cvx: frozenset[str]
    expectations: Mapping[str, Expectation]
    """By age band: every key of ``AGE_BANDS``."""


class Vaccines(Mapping[str, Vaccine]):
    """Vaccines by CVX code as CDC writes it; ``["3"]``, ``.get("003")`` and ``in`` find ``03`` too."""

    def __init__(self, vaccines: Mapping[str, Vaccine]) -> None:
        self._by_cvx = dict(vaccines)

    def __getitem__(self, cvx: str) -> Vaccine:
        return self._by_cvx[normalised_cvx(cvx)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_cvx)

    def __len__(self) -> int:
        return len(self._by_cvx)


@lru_cache
def set_names() -> tuple[str, ...]:
    """Return the names of all code sets, sorted."""
    return tuple(sorted(_sets()))


def codes(set_name: str) -> Mapping[str, Code]:
    """Return the codes of a set by code; case counts.

    ``vaccine`` and ``manufacturer`` hold the CVX and MVX codes as CDC writes them.

    :raises KeyError: there is no such set.
    """
    return _sets()[set_name]


@lru_cache
def vaccines() -> Vaccines:
    """Return the CVX codes."""
    return Vaccines(
        {
            row["cvx"]: Vaccine(
                cvx=row["cvx"],
                label=row["label"],
                kind=VaccineKind(row["kind"]),
                licensed_from=_day(row["licensed_from"]),
                expected_from=_day(row["expected_from"]),
                expected_until=_day(row["expected_until"]),
                licensed_until=_day(row["licensed_until"]),
                age_from_months=_whole(row["age_from_months"]),
                age_until_months=_whole(row["age_until_months"]),
                groups=tuple(row["groups"].split()),
            )
            for row in read("vaccines")
        }
    )


@lru_cache
def manufacturers() -> Mapping[str, Manufacturer]:
    """Return the MVX codes."""
    return MappingProxyType(
        {
            row["mvx"]: Manufacturer(row["mvx"], row["label"], _day(row["used_until"]))
            for row in read("manufacturers")
        }
    )


@lru_cache
def products() -> Mapping[str, Product]:
    """Return the NDC codes by their eleven digits: what ``normalised_ndc`` returns."""
    return MappingProxyType(
        {
            row["ndc"].replace("-", ""): Product(
                ndc=row["ndc"],
                cvx_codes=tuple(row["cvx"].split()),
                mvx_codes=tuple(row["mvx"].split()),
                label=row["label"],
                packages=tuple(row["package"].split()),
                sold_from=_day(row["sold_from"]),
                sold_until=_day(row["sold_until"]),
            )
            for row in read("products")
        }
    )


@lru_cache
def coverage_groups() -> tuple[CoverageGroup, ...]:
    """Return the vaccine groups in the order of the report."""
    members: dict[str, set[str]] = {}
    for vaccine in vaccines().values():
        for group in vaccine.groups:
            members.setdefault(group, set()).add(vaccine.cvx)
    groups = [
        CoverageGroup(
            group=row["group"],
            label=row["label"],
            order=int(row["order"]),
            cvx=frozenset(members.get(row["group"], ())),
            expectations=MappingProxyType({band: Expectation(row[band]) for band in AGE_BANDS}),
        )
        for row in read("coverage")
    ]
    return tuple(sorted(groups, key=lambda group: group.order))


def normalised_cvx(text: str) -> str:
    """Return a CVX code as CDC writes it, with two digits or three: ``3`` and ``003`` become ``03``.

    What is no number is returned as it is.
    """
    if not (text.isascii() and text.isdigit()):
        return text
    return text.lstrip("0").zfill(2)


@lru_cache(maxsize=65_536)
def normalised_ndc(text: str) -> str:
    """Return the eleven digits of an NDC code; "" where it is none.

    Takes 4-4-2, 5-3-2, 5-4-1 and 5-4-2 digits with hyphens, and eleven digits without. Ten digits without
    hyphens do not tell which part is short: they count where just one reading is a known product.
    """
    digits = text.replace("-", "")
    if not (digits.isascii() and digits.isdigit()):
        return ""
    if "-" in text:
        parts = text.split("-")
        return _eleven(parts) if tuple(map(len, parts)) in _NDC_PARTS else ""
    if len(digits) == sum(_NDC_WIDTHS):
        return digits
    if len(digits) != sum(_NDC_WIDTHS) - 1:
        return ""
    readings = {
        _eleven((digits[:4], digits[4:8], digits[8:])),
        _eleven((digits[:5], digits[5:8], digits[8:])),
        _eleven((digits[:5], digits[5:9], digits[9:])),
    }
    known = readings & products().keys()
    return known.pop() if len(known) == 1 else ""


@lru_cache
def version() -> str:
    """Return twelve characters that change with the data: part of the version of the rules."""
    checksum = hashlib.sha256()
    for name in sorted(FILES):
        checksum.update((FOLDER / f"{name}.csv").read_bytes())
    return checksum.hexdigest()[:12]


@lru_cache
def _sets() -> Mapping[str, Mapping[str, Code]]:
    sets: dict[str, dict[str, Code]] = {}
    for row in read("codes"):
        code = Code(
            row["set"], row["code"], row["label"], State(row["state"]), row["system"], row["preferred"]
        )
        sets.setdefault(code.set, {})[code.code] = code
    sets["vaccine"] = {
        one.cvx: Code("vaccine", one.cvx, one.label, one.state, "CVX") for one in vaccines().values()
    }
    sets["manufacturer"] = {
        one.mvx: Code("manufacturer", one.mvx, one.label, State.VALID, "MVX")
        for one in manufacturers().values()
    }
    return {name: MappingProxyType(members) for name, members in sets.items()}


def _eleven(parts: tuple[str, ...] | list[str]) -> str:
    return "".join(part.zfill(width) for part, width in zip(parts, _NDC_WIDTHS, strict=True))


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _whole(text: str) -> int | None:
    return int(text) if text else None
