"""Whose row it is: by Resource ID in the bulk template, by NHSN Org ID and context in those of CDC.

A tenant touches its own resources only (E19), test and production ids never mix (E32, E37), and a form that
only a spreadsheet can have made is read as what it was. Called by ``rows.py``; works on distinct values.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from partner_exchange.feeds.status.recognise import Recognised
from partner_exchange.feeds.status.template import KeyName
from partner_exchange.readers.cells import Cells
from partner_exchange.readers.grid import Grid, column_title
from partner_exchange.readers.marks import Fact, Mark, Rows
from partner_exchange.tenants.catalogue import header_key
from partner_exchange.tenants.model import Tenant
from partner_exchange.tenants.resources import ReportingContext, Resource

Places = npt.NDArray[np.int64]
"""Places in a list from 0, ``NOWHERE`` where there is none."""
NOWHERE = -1

_CONTEXTS = frozenset(get_args(ReportingContext))
_FIVE_DIGITS = re.compile(r"[0-9]{5}")
_WHOLE = re.compile(r"([0-9]+)\.0+")
_CANDIDATES = 3
_SEARCHES = 500
"""Unknown Org IDs for which near ones are looked for."""
_MOST_DIFFERING = 2
"""Digits by which a near Org ID may differ; two that changed places differ by two."""

Mode = Literal["test", "production"]


@dataclass(frozen=True)
class _Verdict:
    """What one distinct value, or pair of values, comes to."""

    place: int = NOWHERE
    code: str = ""
    facts: tuple[tuple[str, Fact], ...] = ()


@dataclass(frozen=True)
class Identified:
    """Whose row each one is."""

    place: Places
    """Place among ``tenant.status.resources``."""
    marks: list[Mark] = field(default_factory=list)


def identify(grid: Grid, recognised: Recognised, tenant: Tenant) -> Identified:
    """Return the resource of each row; rows without one have a mark that is an error."""
    by = _by_resource_id if KeyName.RESOURCE_ID in recognised.keys else _by_org_id
    found = by(grid, recognised.keys, tenant)
    if KeyName.RESOURCE_NAME in recognised.keys:
        found.marks.extend(_names_differ(grid, recognised.keys, tenant, found.place))
    return found


def _other(mode: Mode) -> Mode:
    return "production" if mode == "test" else "test"


def _wrong_mode(mode: Mode) -> _Verdict:
    return _Verdict(code="test-id-in-production" if mode == "production" else "production-id-in-test")


def _by_resource_id(grid: Grid, keys: Mapping[KeyName, int], tenant: Tenant) -> Identified:
    position = keys[KeyName.RESOURCE_ID]
    values, of = _coded(grid.columns[position])
    own, other = (_places_by_id(tenant.status.resources, mode) for mode in (tenant.mode, _other(tenant.mode)))

    # Made when the first id is not known as it stands, which in most files is never.
    @cache
    def by_plain_form() -> Mapping[str, set[str]]:
        plain: dict[str, set[str]] = defaultdict(set)
        for each in (*own, *other):
            plain[_plain(each)].add(each)
        return plain

    def judge(value: str) -> _Verdict:
        if not value:
            return _Verdict(code="resource-id-missing")
        if value in own:
            return _Verdict(own[value])
        if value in other:
            return _wrong_mode(tenant.mode)
        alike = by_plain_form().get(_plain(value), set())
        if len(alike) != 1:
            return _Verdict(code="resource-unknown")
        (meant,) = alike
        return _Verdict(own[meant], "resource-id-restored") if meant in own else _wrong_mode(tenant.mode)

    verdicts = [judge(value) for value in values]
    return _identified(verdicts, of, grid.rows, column_title(grid.header[position], position))


def _places_by_id(resources: Sequence[Resource], mode: Mode) -> dict[str, int]:
    return {each.id_in(mode): place for place, each in enumerate(resources) if each.id_in(mode)}


def _plain(value: str) -> str:
    """Return the id without what spreadsheets take away or add: leading zeros, ``.0`` behind."""
    whole = _WHOLE.fullmatch(value)
    return (whole[1] if whole else value).lstrip("0") or "0"


@dataclass(frozen=True)
class _Orgs:
    """The NHSN Org IDs of one mode, each with the places of its resources by context."""

    places: Mapping[str, Mapping[str, int]]

    @classmethod
    def of(cls, resources: Sequence[Resource], mode: Mode) -> _Orgs:
        places: dict[str, dict[str, int]] = defaultdict(dict)
        for place, each in enumerate(resources):
            if each.nhsn is not None and each.org_id_in(mode):
                places[each.org_id_in(mode)][each.nhsn.context] = place
        return cls(dict(places))


def _by_org_id(grid: Grid, keys: Mapping[KeyName, int], tenant: Tenant) -> Identified:
    resources, mode = tenant.status.resources, tenant.mode
    own, other = (_Orgs.of(resources, each) for each in (mode, _other(mode)))
    at_org, at_context = keys[KeyName.ORG_ID], keys[KeyName.CONTEXT]
    org_title, context_title = (column_title(grid.header[at], at) for at in (at_org, at_context))
    near = _Near(own, resources)
    org_values, of_org = _coded(grid.columns[at_org])
    orgs = [_org(value, own, other, mode, near) for value in org_values]
    context_values, of_context = _coded(grid.columns[at_context])
    contexts = [value.upper() for value in context_values]
    marks = _marks([verdict for _, verdict in orgs], of_org, grid.rows, org_title)
    marks += _marks([_context(value) for value in contexts], of_context, grid.rows, context_title)
    pairs, of_pair = np.unique(of_org * max(1, len(contexts)) + of_context, return_inverse=True)
    judged = [
        _pair(orgs[pair // len(contexts)][0], contexts[pair % len(contexts)], own, other, mode)
        for pair in pairs.tolist()
    ]
    has_id = [verdict.place == NOWHERE or bool(resources[verdict.place].id_in(mode)) for verdict in judged]
    without = [_Verdict() if has else _Verdict(code="resource-without-test-id") for has in has_id]
    marks += _marks(without, of_pair, grid.rows, org_title)
    judged = [verdict if has else _Verdict() for verdict, has in zip(judged, has_id, strict=True)]
    found = _identified(judged, of_pair, grid.rows, context_title)
    return Identified(found.place, [*marks, *found.marks])


def _org(value: str, own: _Orgs, other: _Orgs, mode: Mode, near: _Near) -> tuple[str, _Verdict]:
    """Return the Org ID that the value means ("" for none that is known), and what is to be said of it."""
    if not value:
        return "", _Verdict(code="org-id-missing")
    whole = _WHOLE.fullmatch(value)
    written = whole[1] if whole else value
    full = written.zfill(5) if written.isascii() and written.isdigit() else written
    if full in own.places:
        return full, _Verdict(code="" if full == value else "org-id-restored")
    if full in other.places:
        return "", _wrong_mode(mode)
    if not _FIVE_DIGITS.fullmatch(value):
        return "", _Verdict(code="org-id-format")
    candidates = near.to(value)
    return "", _Verdict(code="org-id-unknown", facts=(("candidates", candidates),) if candidates else ())


def _context(value: str) -> _Verdict:
    if not value:
        return _Verdict(code="context-missing")
    return _Verdict(code="" if value in _CONTEXTS else "context-unknown")


def _pair(org: str, context: str, own: _Orgs, other: _Orgs, mode: Mode) -> _Verdict:
    """Return the resource of a known Org ID and a context; what is not known by itself was said already."""
    places = own.places.get(org, {})
    if not places or context not in _CONTEXTS:
        return _Verdict()
    if context in places:
        return _Verdict(places[context])
    if context in other.places.get(org, {}):
        return _wrong_mode(mode)
    return _Verdict(code="context-not-set", facts=(("contexts", ", ".join(sorted(places))),))


class _Near:
    """Finds the tenant's Org IDs that differ least from one that is unknown (E18)."""

    def __init__(self, own: _Orgs, resources: Sequence[Resource]) -> None:
        self._own, self._resources = own, resources
        self._orgs = sorted(own.places)
        self._digits = np.array(self._orgs, dtype="S5").view(np.uint8).reshape(-1, 5)
        self._left = _SEARCHES

    def to(self, value: str) -> str:
        """Return the candidates with context and name; "" when none comes near."""
        self._left -= 1
        if not self._orgs or self._left < 0:
            return ""
        differing = (self._digits != np.frombuffer(value.encode(), np.uint8)).sum(axis=1)
        nearest = np.argsort(differing, kind="stable")[:_CANDIDATES]
        if len(self._orgs) > _CANDIDATES:
            nearest = nearest[differing[nearest] <= _MOST_DIFFERING]
        return ", ".join(self._said(self._orgs[at]) for at in nearest.tolist())

    def _said(self, org: str) -> str:
        places = self._own.places[org]
        return ", ".join(f"{org} {context} ({self._resources[at].name})" for context, at in places.items())


def _names_differ(grid: Grid, keys: Mapping[KeyName, int], tenant: Tenant, place: Places) -> Iterable[Mark]:
    """Return the mark about rows whose Resource Name is not that of their resource; blank names are none."""
    position = keys[KeyName.RESOURCE_NAME]
    sent = grid.columns[position]
    names = pa.array([resource.name for resource in tenant.status.resources] or [""], pa.large_string())
    mapped = names.take(pa.array(np.where(place == NOWHERE, 0, place)))
    is_same = _flags(pc.equal(sent, mapped)) | (place == NOWHERE) | _flags(pc.equal(sent, ""))
    suspects = np.flatnonzero(~is_same)
    if not len(suspects):
        return
    key = _cached(header_key)
    pairs = zip(*(side.take(pa.array(suspects)).to_pylist() for side in (sent, mapped)), strict=True)
    differs = np.fromiter((key(one) != key(other) for one, other in pairs), np.bool_, len(suspects))
    if differs.any():
        title = column_title(grid.header[position], position)
        yield Mark("resource-name-differs", title, grid.rows[suspects[differs]])


def _cached(make: Callable[[str], str]) -> Callable[[str], str]:
    made: dict[str, str] = {}
    return lambda text: made.get(text) or made.setdefault(text, make(text))


def _identified(verdicts: Sequence[_Verdict], of: Places, rows: Rows, title: str) -> Identified:
    place = np.array([verdict.place for verdict in verdicts], dtype=np.int64)[of]
    return Identified(place, _marks(verdicts, of, rows, title))


def _marks(verdicts: Sequence[_Verdict], of: Places, rows: Rows, title: str) -> list[Mark]:
    """Return one mark per code and facts; ``of`` says which verdict each row has."""
    stated = {(verdict.code, verdict.facts) for verdict in verdicts if verdict.code}
    order = {each: number for number, each in enumerate(sorted(stated, key=str))}
    number = np.array([order.get((each.code, each.facts), NOWHERE) for each in verdicts], dtype=np.int64)[of]
    return [Mark(code, title, rows[number == at], dict(facts)) for (code, facts), at in order.items()]


def _coded(cells: Cells) -> tuple[list[str], Places]:
    """Return the distinct values, and which of them each cell holds."""
    whole = cells.chunk(0) if cells.num_chunks == 1 else cells.combine_chunks()
    coded = whole.dictionary_encode()
    return coded.dictionary.to_pylist(), coded.indices.to_numpy().astype(np.int64)


def _flags(values: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    flags: npt.NDArray[np.bool_] = values.to_numpy()
    return flags
