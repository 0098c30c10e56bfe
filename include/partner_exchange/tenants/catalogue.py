"""Catalogues of status types: ready sets as data files, and the set of one tenant, looked up by header.

``catalogues/*.yaml`` hold the ready sets: a proposed starter set, EDXL-HAVE/HAvBED, the 55 elements of CDC's
HRD and the 73 measures of CDC's bed capacity. Called by the status policy, the feeds and the store.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml

from partner_exchange.tenants.status_types import StatusType

FOLDER = Path(__file__).parent / "catalogues"
_SPACE = re.compile(r"[\s_]+")
_NUMBER = re.compile(r"[0-9]{1,18}")
_WITH_NUMBER = re.compile(r".*\(\s*([0-9]{1,18})\s*\)", re.S)


class CatalogueName(StrEnum):
    """The ready sets."""

    STARTER = "starter"
    EDXL_HAVE = "edxl-have"
    CDC_HRD = "cdc-hrd"
    CDC_BED_CAPACITY = "cdc-bed-capacity"


def header_key(text: str) -> str:
    """Return the form by which headers are the same: no case, one space for spaces and underscores."""
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

    @cached_property
    def sha256(self) -> str:
        """Return a checksum of all status types, whichever file they come from."""
        digest = hashlib.sha256()
        for one in self:
            digest.update(one.model_dump_json().encode() + b"\n")
        return digest.hexdigest()

    def get(self, status_type_id: int) -> StatusType:
        """Return the status type of that number.

        :raises KeyError: there is none.
        """
        return self._by_id[status_type_id]

    def find(self, header: str) -> StatusType | None:
        """Return what a header names: a name, a number, or ``name (number)``, where the number decides.

        Names count before former names; case, underscores and the width of spaces do not count (E14, E15).
        """
        text = header.strip()
        if _NUMBER.fullmatch(text):
            return self._by_id.get(int(text))
        numbered = _WITH_NUMBER.fullmatch(text)
        if numbered and int(numbered[1]) in self._by_id:
            return self._by_id[int(numbered[1])]
        return self._by_header.get(header_key(text))


@lru_cache(maxsize=64)
def build(names: tuple[CatalogueName, ...], own: tuple[StatusType, ...]) -> Catalogue:
    """Return the ready sets in order with the tenant's own types laid over them by number.

    Whether they go together is for ``catalogue_rules`` to say.
    """
    return Catalogue([*(one for name in names for one in ready(name)), *own])


@lru_cache(maxsize=len(CatalogueName))
def ready(name: CatalogueName) -> tuple[StatusType, ...]:
    """Return one ready set; what its file says under ``defaults`` goes for each type that does not say it."""
    document = _document(name)
    shared = document.get("defaults", {})
    return tuple(StatusType.model_validate({**shared, **one}) for one in document["status_types"])


def about(name: CatalogueName) -> str:
    """Return in a sentence or two what a ready set is and where it comes from."""
    found: str = _document(name)["about"]
    return " ".join(found.split())


def _document(name: CatalogueName) -> dict[str, Any]:
    content = (FOLDER / f"{name}.yaml").read_bytes()
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, Any] = yaml.load(content, Loader=loader)  # noqa: S506 - a safe loader
    return found
