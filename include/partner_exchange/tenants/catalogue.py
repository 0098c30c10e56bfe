"""Catalogues of status types: ready sets as data files, and the set of one tenant, looked up by header.

``catalogues/*.yaml`` hold the ready sets: a proposed starter set, EDXL-HAVE/HAvBED, the 55 elements of CDC's
HRD and the 73 measures of CDC's bed capacity. Called by the status policy, the feeds and the store.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import yaml

from partner_exchange.tenants.formula import Formula
from partner_exchange.tenants.status_types import StatusKind, StatusType

FOLDER = Path(__file__).parent / "catalogues"
_SPACE = re.compile(r"[\s_]+")
_WITH_NUMBER = re.compile(r".*\(\s*([0-9]{1,18})\s*\)")


class CatalogueName(StrEnum):
    """The ready sets."""

    STARTER = "starter"
    EDXL_HAVE = "edxl-have"
    CDC_HRD = "cdc-hrd"
    CDC_BED_CAPACITY = "cdc-bed-capacity"


def header_key(text: str) -> str:
    """Return the form by which headers and names are the same: no case, one space for space and underscore."""
    return _SPACE.sub(" ", text).strip().casefold()


class Catalogue:
    """The status types of one tenant by number and by header, in order."""

    def __init__(self, status_types: Sequence[StatusType]) -> None:
        self._by_id = {one.id: one for one in status_types}
        self._by_header: dict[str, StatusType] = {}
        for one in self._by_id.values():
            for name in one.former_names:
                self._by_header.setdefault(header_key(name), one)
        for one in self._by_id.values():
            self._by_header[header_key(one.name)] = one

    def __iter__(self) -> Iterator[StatusType]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, status_type_id: object) -> bool:
        return status_type_id in self._by_id

    def get(self, status_type_id: int) -> StatusType:
        """Return the status type of that number.

        :raises KeyError: there is none.
        """
        return self._by_id[status_type_id]

    def find(self, header: str) -> StatusType | None:
        """Return what a header names: a name, a number, or ``name (number)``, where the number decides."""
        text = header.strip()
        if text.isascii() and text.isdigit():
            return self._by_id.get(int(text))
        numbered = _WITH_NUMBER.fullmatch(text)
        if numbered and int(numbered[1]) in self._by_id:
            return self._by_id[int(numbered[1])]
        return self._by_header.get(header_key(text))


@lru_cache(maxsize=64)
def build(names: tuple[CatalogueName, ...], own: tuple[StatusType, ...]) -> Catalogue:
    """Return the ready sets in order with the tenant's own types laid over them.

    :raises ValueError: two types share a number or a name, or a formula names a type that is not there.
    """
    by_id: dict[int, StatusType] = {}
    for name in names:
        by_id.update((one.id, one) for one in ready(name))
    numbers = [one.id for one in own]
    if len(set(numbers)) != len(numbers):
        raise ValueError("two status types have the same number")
    by_id.update((one.id, one) for one in own)
    _require_clear(list(by_id.values()))
    return Catalogue(list(by_id.values()))


def _require_clear(status_types: Sequence[StatusType]) -> None:
    names: dict[str, int] = {}
    for one in status_types:
        other = names.setdefault(header_key(one.name), one.id)
        if other != one.id:
            raise ValueError(f"status types {other} and {one.id} have the same name {one.name!r}")
    by_id = {one.id: one for one in status_types}
    for one in status_types:
        if one.formula:
            for part in Formula.parse(one.formula).parts:
                if part not in by_id or by_id[part].kind is StatusKind.CALCULATED:
                    raise ValueError(
                        f"the formula of {one.name!r} takes st({part}), which is no settable status type"
                    )


@lru_cache(maxsize=8)
def ready(name: CatalogueName) -> tuple[StatusType, ...]:
    """Return one ready set."""
    document = yaml.load(
        (FOLDER / f"{name}.yaml").read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    )  # noqa: S506 - a safe loader
    shared = document.get("defaults", {})
    return tuple(StatusType.model_validate({**shared, **one}) for one in document["status_types"])
