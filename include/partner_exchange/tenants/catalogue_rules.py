"""What must hold between the status types of one tenant: one meaning per header, formulas of plain numbers.

Called by the status policy when a tenant file is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from partner_exchange.tenants.base import Mistake
from partner_exchange.tenants.catalogue import Catalogue, CatalogueName, build, header_key
from partner_exchange.tenants.formula import Formula
from partner_exchange.tenants.status_types import NUMERIC_KINDS, StatusType

RESERVED_HEADERS = frozenset(
    {
        "resource id",
        "resourceid",
        "resource identifier",
        "resource name",
        "resourcename",
        "update date/time",
        "update date time",
        "update datetime",
        "update date",
    }
)
"""Headers and aliases of the bulk template's key columns, as ``header_key`` has them; a test compares."""


@lru_cache(maxsize=64)
def mistakes_in(names: tuple[CatalogueName, ...], own: tuple[StatusType, ...]) -> tuple[Mistake, ...]:
    """Return what keeps the ready sets and the tenant's own types from going together.

    :param names: the ready sets.
    :param own: the tenant's own types, which replace ready ones by number.
    """
    catalogue = build(names, own)
    places = {one.id: place for place, one in enumerate(own)}
    return (*_numbers(own), *_headers(catalogue, places), *_formulas(catalogue, places))


def _numbers(own: tuple[StatusType, ...]) -> Iterator[Mistake]:
    seen: set[int] = set()
    for place, one in enumerate(own):
        if one.id in seen:
            yield Mistake(
                ("status_types", place, "id"),
                f"the number {one.id} stands twice",
                "Give each status type a number of its own.",
            )
        seen.add(one.id)


def _headers(catalogue: Catalogue, places: dict[int, int]) -> Iterator[Mistake]:
    """Yield each name that a file could not use, because it is taken to mean something else."""
    for one in catalogue:
        for option, name in (("name", one.name), *(("former_names", name) for name in one.former_names)):
            found = catalogue.find(name)
            if header_key(name) in RESERVED_HEADERS:
                yield Mistake(
                    _at(one, option, places),
                    f"{name!r} is the header of a column that every bulk file has",
                    "Choose another name.",
                )
            elif found is None:
                yield Mistake(
                    _at(one, option, places),
                    f"{name!r} reads as the number of a status type",
                    "Choose a name with letters.",
                )
            elif found is not one:
                yield _clash(one, option, name, found, places)


def _clash(one: StatusType, option: str, name: str, found: StatusType, places: dict[int, int]) -> Mistake:
    """Return the mistake that ``name`` of ``one`` leads to ``found``.

    It stands at one of the tenant's own types: a ready one cannot be changed, only replaced.
    """
    blamed, other, at = (one, found, option) if one.id in places else (found, one, "name")
    remedy = (
        f"Choose another name, or take the number {other.id} to replace that type."
        if at == "name"
        else "Leave it out: a file with it would set the wrong status."
    )
    return Mistake(
        _at(blamed, at, places), f"the header {name!r} names {other.name!r} ({other.id}) already", remedy
    )


def _formulas(catalogue: Catalogue, places: dict[int, int]) -> Iterator[Mistake]:
    for one in catalogue:
        if not one.formula:
            continue
        for part in Formula.parse(one.formula).parts:
            why = _not_a_part(catalogue, part)
            if why:
                yield Mistake(
                    _at(one, "formula", places),
                    f"the formula of {one.name!r} takes st({part}), and {why}",
                    "Take numbers that files set; docs/status-types.md lists them.",
                )


def _not_a_part(catalogue: Catalogue, status_type_id: int) -> str:
    """Return why a formula cannot take that type, "" when it can.

    A part with a formula of its own would have to be computed first, or again; parts that only files set
    keep one change of a status to one round of computing.
    """
    if status_type_id not in catalogue:
        return "there is no status type with that number"
    part = catalogue.get(status_type_id)
    if part.kind not in NUMERIC_KINDS:
        return f"{part.name!r} is of kind {part.kind}, not a number"
    if part.formula:
        return f"{part.name!r} is computed by a formula itself"
    return ""


def _at(one: StatusType, option: str, places: dict[int, int]) -> tuple[str | int, ...]:
    """Return where the tenant can mend it: at the own type, or where the ready set is taken."""
    return ("status_types", places[one.id], option) if one.id in places else ("catalogues",)
