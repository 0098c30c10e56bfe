"""Tell by the header alone which template a table follows and what each of its columns is (E14-E17).

Headers of no template, and of several, are refused with what is missing or what collides; single columns that
nobody knows are named and ignored. Called by the status feed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property, lru_cache

import pyarrow.compute as pc

from partner_exchange.feeds.status.columns import Named, Role, named
from partner_exchange.feeds.status.nedocs import NedocsInput
from partner_exchange.feeds.status.template import KeyName, Template, templates
from partner_exchange.readers.grid import Grid, KnowsHeader, column_title
from partner_exchange.readers.marks import Mark, Refusal
from partner_exchange.tenants.catalogue import Catalogue, CatalogueName, build, header_key
from partner_exchange.tenants.status_types import StatusKind, StatusType

__all__ = ["ElementColumn", "Recognised", "Role", "knows", "recognise"]

_SUGGESTIONS = 50
"""Headers for which something near is looked for; each costs a millisecond."""
_DUPLICATES_NAMED = 5
_DERIVED = re.compile(r"totalconf(?:c19|flu|rsv)(?:hosppats|icupats|newadm(?:ped|adult)?)", re.IGNORECASE)
"""Totals that data.cdc.gov publishes: CDC adds them up itself, no hospital uploads them (cdc_hrd.md)."""


@dataclass(frozen=True)
class ElementColumn:
    """A column whose cells set a status, or go with one."""

    position: int
    """Place in the header, from 0."""
    title: str
    status_type: StatusType
    role: Role
    nedocs_input: NedocsInput | None = None


@dataclass(frozen=True)
class Recognised:
    """What the columns of a table are."""

    template: Template
    keys: Mapping[KeyName, int]
    """Position of each key column that the table has."""
    elements: tuple[ElementColumn, ...]
    """In file order; companions only beside a column that can set their status."""
    unknown: tuple[int, ...]
    """Positions of the columns that are ignored, whatever the reason; blank headers are not among them."""
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class _Fit:
    """How a header fits one version of a template."""

    template: Template
    keys: Mapping[KeyName, Sequence[int]]
    named: Mapping[int, Named]
    not_configured: frozenset[int] = field(default_factory=frozenset)
    """Positions of elements that the template has and the tenant's catalogue has not."""

    @cached_property
    def missing(self) -> list[str]:
        """Return the headers of key columns that are needed and not there."""
        needed = [key.header for key in self.template.keys if key.is_required and key.key not in self.keys]
        headers = {key.key: key.header for key in self.template.keys}
        for group in self.template.one_of:
            if not any(key in self.keys for key in group):
                needed.append(" or ".join(headers[key] for key in group))
        return needed

    @property
    def matched_count(self) -> int:
        """Return how many columns the template knows."""
        return sum(map(len, self.keys.values())) + len(self.named) + len(self.not_configured)

    @property
    def may_set(self) -> bool:
        """Say whether some column can set a status."""
        return any(one.may_set for one in self.named.values())


def knows(catalogue: Catalogue) -> KnowsHeader:
    """Return what tells a header of ours: all keys of some template, and a status type beside them.

    Status types that the tenant does not have count too: the refusal says so, which helps more than saying
    that the header is unknown.
    """

    def is_known(header: Sequence[str]) -> bool:
        for template in templates():
            if not _keys_fit(template, header).missing:
                fit = _fit(template, header, catalogue)
                if fit.named or fit.not_configured:
                    return True
        return False

    return is_known


def recognise(grid: Grid, catalogue: Catalogue) -> Recognised | Refusal:
    """Return template and columns of the table, or why it can be none of ours.

    A template with several versions is read by the one that fits most columns, the newest of equals.
    """
    fits = list(_best_versions(grid.header, catalogue))
    complete = [fit for fit in fits if not fit.missing]
    settable = [fit for fit in complete if fit.may_set]
    if len(settable) > 1:
        titles = " and ".join(fit.template.title for fit in settable)
        return Refusal("template-ambiguous", {"templates": titles}, grid.rows_total)
    if settable:
        return _recognised(grid, settable[0], catalogue)
    if complete:
        return _nothing_to_set(max(complete, key=lambda fit: fit.matched_count), grid)
    return Refusal("template-unknown", _nearest_template(fits, grid.header), grid.rows_total)


def _nothing_to_set(fit: _Fit, grid: Grid) -> Refusal:
    code = "template-not-configured" if fit.not_configured and not fit.named else "no-known-columns"
    return Refusal(code, {"template": fit.template.title}, grid.rows_total)


def _best_versions(header: Sequence[str], catalogue: Catalogue) -> Iterator[_Fit]:
    by_name: dict[str, list[_Fit]] = defaultdict(list)
    for template in templates():
        by_name[template.name].append(_fit(template, header, catalogue))
    for fits in by_name.values():
        # The first of equals is the newest: that is the order of templates().
        yield max(fits, key=lambda fit: (not fit.missing, fit.matched_count))


def _keys_fit(template: Template, header: Sequence[str]) -> _Fit:
    keys: dict[KeyName, list[int]] = defaultdict(list)
    for at, text in enumerate(header):
        key = template.key_of(text) if text else None
        if key is not None:
            keys[key].append(at)
    return _Fit(template, dict(keys), {})


def _fit(template: Template, header: Sequence[str], catalogue: Catalogue) -> _Fit:
    keys = _keys_fit(template, header).keys
    taken = {at for places in keys.values() for at in places}
    others = [(at, text) for at, text in enumerate(header) if text and at not in taken]
    found = {at: one for at, text in others if (one := named(text, template, catalogue))}
    not_configured: frozenset[int] = frozenset()
    if not template.takes_whole_catalogue:
        not_configured = frozenset(
            at for at, text in others if at not in found and template.element_of(text, _everything())
        )
    return _Fit(template, keys, found, not_configured)


@lru_cache(maxsize=1)
def _everything() -> Catalogue:
    """Return all ready status types, whatever a tenant has of them."""
    return build(tuple(CatalogueName), ())


def _nearest_template(fits: Sequence[_Fit], header: Sequence[str]) -> dict[str, str]:
    """Return what the refusal says of the template that comes nearest; nothing when none does."""
    near = max(fits, key=lambda fit: fit.matched_count)
    if not near.matched_count:
        count, near = max(((_alike(fit.template, header), fit) for fit in fits), key=lambda pair: pair[0])
        if not count:
            return {}
    return {"template": near.template.title, "missing": ", ".join(near.missing)}


def _alike(template: Template, header: Sequence[str]) -> int:
    """Return how many headers are spelled much like one of the template's."""
    words = list(_spellings(template, ()))
    return sum(
        bool(get_close_matches(header_key(text), words, n=1, cutoff=0.8)) for text in header[:_SUGGESTIONS]
    )


def _spellings(template: Template, status_types: Iterable[StatusType]) -> dict[str, str]:
    """Return the headers that a column may have, by their form for comparison."""
    headers = [key.header for key in template.keys]
    headers += [one.header for one in template.elements] or [one.name for one in status_types]
    return {header_key(header): header for header in headers}


def _recognised(grid: Grid, fit: _Fit, catalogue: Catalogue) -> Recognised | Refusal:
    duplicate = _duplicates(grid, fit)
    if duplicate:
        return Refusal("header-duplicate", {"columns": duplicate}, grid.rows_total)
    keys = {key: places[0] for key, places in fit.keys.items()}
    for group in fit.template.one_of:
        filled = [key for key in group if key in keys and _is_filled(grid, keys[key])]
        if len(filled) > 1:
            columns = " and ".join(column_title(grid.header[keys[key]], keys[key]) for key in filled)
            return Refusal("dates-ambiguous", {"columns": columns}, grid.rows_total)
        present = filled or [key for key in group if key in keys]
        keys = {key: at for key, at in keys.items() if key not in group or key == present[0]}
    return _columns(grid, fit, keys, catalogue)


def _duplicates(grid: Grid, fit: _Fit) -> str:
    """Return the columns that are the same thing twice, with their places; "" when there are none."""
    meaning: dict[int, Hashable] = {
        at: (one.status_type.id, one.role, one.nedocs_input) for at, one in fit.named.items()
    }
    meaning.update((at, key) for key, places in fit.keys.items() for at in places)
    together: dict[Hashable, list[int]] = defaultdict(list)
    for at, text in enumerate(grid.header):
        if text:
            together[meaning.get(at, header_key(text))].append(at)
    groups = [places for places in together.values() if len(places) > 1]
    said = [
        " and ".join(f"{column_title(grid.header[at], at)} (column {at + 1})" for at in places)
        for places in groups[:_DUPLICATES_NAMED]
    ]
    return "; ".join(said) + ("; ..." if len(groups) > _DUPLICATES_NAMED else "")


def _is_filled(grid: Grid, position: int) -> bool:
    return bool(pc.any(pc.greater(pc.binary_length(grid.columns[position]), 0)).as_py())


def _columns(grid: Grid, fit: _Fit, keys: Mapping[KeyName, int], catalogue: Catalogue) -> Recognised:
    can_be_set = {one.status_type.id for one in fit.named.values() if one.may_set}
    elements: list[ElementColumn] = []
    unknown: list[int] = []
    marks: list[Mark] = []
    is_key = {at for places in fit.keys.values() for at in places}
    suggest = _Suggestions(_spellings(fit.template, [one for one in catalogue if one.is_settable]))
    for at, text in enumerate(grid.header):
        if not text or at in is_key:
            continue
        title = column_title(text, at)
        one = fit.named.get(at)
        code = _why_ignored(one, can_be_set) if one else ""
        if one and not code:
            elements.append(ElementColumn(at, title, one.status_type, one.role, one.nedocs_input))
            continue
        unknown.append(at)
        marks.append(Mark(code, title) if one else _stranger(fit, at, text, title, suggest))
    return Recognised(fit.template, keys, tuple(elements), tuple(unknown), tuple(marks))


def _why_ignored(one: Named, can_be_set: set[int]) -> str:
    if not one.status_type.active:
        return "status-type-inactive"
    if one.status_type.kind is StatusKind.CALCULATED:
        return "calculated-not-settable"
    if one.status_type.read_only:
        return "status-type-read-only"
    return "" if one.status_type.id in can_be_set else "companion-without-column"


class _Suggestions:
    """Looks for the known header nearest to an unknown one, for the first so many."""

    def __init__(self, spellings: Mapping[str, str]) -> None:
        self._spellings = spellings
        self._left = _SUGGESTIONS

    def facts(self, header: str) -> dict[str, str]:
        self._left -= 1
        if self._left < 0:
            return {}
        found = get_close_matches(header_key(header[:200]), self._spellings, n=1, cutoff=0.7)
        return {"nearest": self._spellings[found[0]]} if found else {}


def _stranger(fit: _Fit, at: int, text: str, title: str, suggest: _Suggestions) -> Mark:
    if at in fit.not_configured:
        return Mark("column-not-configured", title)
    if _DERIVED.fullmatch(text.strip()) and not fit.template.takes_whole_catalogue:
        return Mark("column-derived-total", title)
    facts = suggest.facts(text)
    # A CDC file may hold columns of other uses, which is no news; but a name nearly right is a mistake.
    is_doubtful = fit.template.takes_whole_catalogue or facts
    return Mark("column-unknown" if is_doubtful else "column-not-in-template", title, facts=facts)
