"""Templates of the status feed: which columns a file may have, and the rules between them (E14-E17).

A template is data: ``feeds/<name>/versions/<version>.yaml``, where a new spelling or a new version is added
without code (docs/templates.md). Called by the recognition of headers, the judging of rows and values, and
the maker of empty templates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field

from partner_exchange.tenants.base import Model
from partner_exchange.tenants.catalogue import Catalogue, CatalogueName, header_key, ready
from partner_exchange.tenants.status_types import StatusType

FOLDER = Path(__file__).parent.parent
NAMES = ("bulk_status", "cdc_bed_capacity", "cdc_respiratory")
"""The templates; each is a package beside this one, which holds its versions."""


class KeyName(StrEnum):
    """What a column says about its row: whose statuses they are, and of when."""

    RESOURCE_ID = "resource_id"
    RESOURCE_NAME = "resource_name"
    UPDATED_AT = "updated_at"
    ORG_ID = "org_id"
    CONTEXT = "context"
    WEEK_ENDING = "week_ending"
    COLLECTION_DATE = "collection_date"
    COLLECTION_TIME = "collection_time"


@dataclass(frozen=True)
class KeyColumn:
    """A column that says whose row it is, or of when."""

    key: KeyName
    header: str
    """Spelling that templates are made with."""
    aliases: tuple[str, ...]
    is_required: bool
    is_confirmed: bool
    """Whether a public source has this spelling; else it is our reconstruction."""


@dataclass(frozen=True)
class Element:
    """A column that holds values of one status type."""

    status_type_id: int
    header: str
    aliases: tuple[str, ...]


class Relation(StrEnum):
    """How the left column of a rule stands to the sum of the right ones."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    EQUAL = "equal"


@dataclass(frozen=True)
class Rule:
    """What holds between columns; the catalogue of findings says of ``code`` whether it is an error."""

    code: str
    left: int
    """Status type id, as are those of ``right`` and ``blank_is_zero``."""
    relation: Relation
    right: tuple[int, ...]
    blank_is_zero: frozenset[int]
    """Parts that count as 0 where they are blank or absent; any other blank part skips the rule."""


@dataclass(frozen=True)
class Template:
    """One version of a template."""

    name: str
    title: str
    version: str
    effective_from: date
    source: str
    """Where its spellings come from."""
    keys: tuple[KeyColumn, ...]
    one_of: tuple[tuple[KeyName, ...], ...]
    """Keys of which a file carries one: HRD has a week or a day."""
    elements: tuple[Element, ...]
    """Columns of values in order; none where the whole catalogue of the tenant may come."""
    rules: tuple[Rule, ...]
    takes_whole_catalogue: bool
    nine_means_not_applicable: bool
    """Whether 9999 stands for "not applicable" (E23)."""
    period_counts: frozenset[int] = frozenset()
    """Status types that count what happened in the row's day or week; the others are as of a moment."""

    def __post_init__(self) -> None:
        spellings = Counter(header_key(header) for header in self._headers())
        twice = [header for header, count in spellings.items() if count > 1]
        if twice:
            raise ValueError(f"{self.name} {self.version}: the header {twice[0]!r} names two columns")

    def _headers(self) -> Iterator[str]:
        for key in self.keys:
            yield from (key.header, *key.aliases)
        for element in self.elements:
            yield from (element.header, *element.aliases)

    @cached_property
    def element_ids(self) -> frozenset[int]:
        """Return the status types of ``elements``."""
        return frozenset(element.status_type_id for element in self.elements)

    @cached_property
    def _key_by_header(self) -> Mapping[str, KeyName]:
        return {header_key(each): key.key for key in self.keys for each in (key.header, *key.aliases)}

    @cached_property
    def _element_by_header(self) -> Mapping[str, int]:
        return {
            header_key(each): element.status_type_id
            for element in self.elements
            for each in (element.header, *element.aliases)
        }

    def key_of(self, header: str) -> KeyName | None:
        """Return which key column the header names: without regard to case, space for underscore."""
        return self._key_by_header.get(header_key(header))

    def element_of(self, header: str, catalogue: Catalogue) -> StatusType | None:
        """Return which status type the header names, or None; also for one that the tenant does not have.

        CDC templates know the name, the aliases of the version and, for bed capacity, label and LOINC number;
        beside these counts what the tenant's catalogue calls the same status type.
        """
        if self.takes_whole_catalogue:
            return catalogue.find(header)
        status_type_id = self._element_by_header.get(header_key(header))
        if status_type_id is not None:
            return catalogue.get(status_type_id) if status_type_id in catalogue else None
        found = catalogue.find(header)
        return found if found is not None and found.id in self.element_ids else None

    def knows(self, header: str, catalogue: Catalogue) -> bool:
        """Say whether the header names a key column or a status type of the catalogue."""
        return self.key_of(header) is not None or self.element_of(header, catalogue) is not None


class _Key(Model):
    key: KeyName
    header: str
    aliases: tuple[str, ...] = ()
    required: bool = False
    confirmed: bool = False


class _Rule(Model):
    code: str
    left: str
    relation: Relation
    right: tuple[str, ...] = Field(min_length=1)
    blank_is_zero: frozenset[str] = frozenset()


class _Document(Model):
    """A version as it stands in its file."""

    title: str
    effective_from: date
    source: str
    keys: tuple[_Key, ...]
    one_of: tuple[tuple[KeyName, ...], ...] = ()
    elements: CatalogueName | Literal["whole"]
    """Ready set whose status types are the columns, or ``whole`` for the tenant's own catalogue."""
    label_is_alias: bool = False
    """Whether the description of a status type and its number in the standard name its column too."""
    aliases: Mapping[str, tuple[str, ...]] = {}
    """More spellings by the name of the status type."""
    nine_means_not_applicable: bool = False
    period_counts: frozenset[str] = frozenset()
    """Names of the status types that count what happened in a day or a week."""
    rules: tuple[_Rule, ...] = ()


@lru_cache(maxsize=1)
def templates() -> tuple[Template, ...]:
    """Return every version of every template: by name, the newest version first.

    :raises ValueError: a version file is wrong, which a test of this project finds.
    """
    return tuple(template for name in NAMES for template in _versions(FOLDER / name / "versions", name))


def _versions(folder: Path, name: str) -> list[Template]:
    found = [load(path, name) for path in folder.glob("*.yaml")]
    return sorted(found, key=lambda template: (template.effective_from, template.version), reverse=True)


def load(path: Path, name: str) -> Template:
    """Return the version that a file describes; the file's name is the version.

    :param name: name of the template.
    :raises ValueError: the file names an unknown element, or one spelling twice.
    """
    return _made(_Document.model_validate(_merged(path)), name=name, version=path.stem)


def _merged(path: Path) -> dict[str, Any]:
    """Return the content of a version file laid over that of the version it is based on."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content: dict[str, Any] = yaml.load(path.read_bytes(), Loader=loader)  # noqa: S506 - a safe loader
    base = content.pop("based_on", None)
    return {**_merged(path.with_name(f"{base}.yaml")), **content} if base else content


def _made(document: _Document, *, name: str, version: str) -> Template:
    is_whole = document.elements == "whole"
    status_types = () if is_whole else ready(CatalogueName(document.elements))
    ids = {one.name: one.id for one in status_types}
    unknown = sorted({*document.aliases, *document.period_counts, *_parts(document.rules)} - set(ids))
    if unknown:
        raise ValueError(f"{name} {version}: {unknown[0]!r} is no element of {document.elements!r}")
    return Template(
        name=name,
        title=document.title,
        version=version,
        effective_from=document.effective_from,
        source=document.source,
        keys=tuple(
            KeyColumn(one.key, one.header, one.aliases, one.required, one.confirmed) for one in document.keys
        ),
        one_of=document.one_of,
        elements=tuple(Element(one.id, one.name, _aliases(one, document)) for one in status_types),
        rules=tuple(_rule(rule, ids) for rule in document.rules),
        takes_whole_catalogue=is_whole,
        nine_means_not_applicable=document.nine_means_not_applicable,
        period_counts=frozenset(ids[name] for name in document.period_counts),
    )


def _parts(rules: Iterable[_Rule]) -> Iterator[str]:
    for rule in rules:
        yield from (rule.left, *rule.right, *rule.blank_is_zero)


def _aliases(status_type: StatusType, document: _Document) -> tuple[str, ...]:
    labels: tuple[str, ...] = ()
    if document.label_is_alias:
        standard = status_type.standard
        labels = (status_type.description, standard, standard.removeprefix("LOINC "))
    return (*labels, *document.aliases.get(status_type.name, ()))


def _rule(rule: _Rule, ids: Mapping[str, int]) -> Rule:
    right = tuple(ids[part] for part in rule.right)
    blank_is_zero = frozenset(ids[part] for part in rule.blank_is_zero)
    return Rule(rule.code, ids[rule.left], rule.relation, right, blank_is_zero)
