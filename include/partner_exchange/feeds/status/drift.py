"""Compare the header of a template that CDC published anew with the version we hold (E16, E17).

Called by tests, and by whoever takes over a new template (docs/templates.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from partner_exchange.feeds.status.template import KeyColumn, KeyName, Template
from partner_exchange.tenants.catalogue import Catalogue, header_key

_LIKENESS = 0.6


@dataclass(frozen=True)
class Drift:
    """What differs; nothing at all when every part is empty."""

    missing: tuple[str, ...]
    """Columns of our version that the new header lacks, as our version spells them."""
    unknown: tuple[str, ...]
    """Columns of the new header that neither our version nor the catalogue knows."""
    renamed: tuple[tuple[str, str], ...]
    """Guesses: an unknown column, and the missing one that its name is like."""


def drift(headers: Sequence[str], template: Template, catalogue: Catalogue) -> Drift:
    """Return how a new header differs from the template and its status types in the catalogue."""
    keys = {template.key_of(header) for header in headers}
    found = [template.element_of(header, catalogue) for header in headers]
    elements = {status_type.id for status_type in found if status_type is not None}
    missing = [
        *(key.header for key in template.keys if not _is_met(key, keys, template)),
        *(one.header for one in template.elements if one.status_type_id not in elements),
    ]
    unknown = [header for header in headers if not template.knows(header, catalogue)]
    return Drift(tuple(missing), tuple(unknown), tuple(_renamed(unknown, missing)))


def _is_met(key: KeyColumn, present: set[KeyName | None], template: Template) -> bool:
    """Say whether the key is there, or another one that stands for it."""
    return key.key in present or any(key.key in group and present & {*group} for group in template.one_of)


def _renamed(unknown: Sequence[str], missing: Sequence[str]) -> Iterator[tuple[str, str]]:
    left = {header_key(header): header for header in missing}
    for header in unknown:
        near = get_close_matches(header_key(header), left, n=1, cutoff=_LIKENESS)
        if near:
            yield header, left.pop(near[0])
