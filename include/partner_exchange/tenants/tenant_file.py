"""Read one tenant file: YAML, preset, list of resources, model. Called by the registry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from partner_exchange.tenants import resource_list
from partner_exchange.tenants.model import Tenant
from partner_exchange.tenants.presets import PRESETS, merge
from partner_exchange.tenants.problems import Loc, Problem, explain, problem_in
from partner_exchange.tenants.resource_list import ResourceList

Stamp = tuple[int, int]
"""Size and time of change (ns) of a file: enough to see that it was edited."""

_FEEDS = ("roster", "status", "vxu")
"""Names of the feeds, which are also those of their policies."""

_MOST_TOLD = 20
"""How many mistakes of one list are told one by one: a column filled in wrongly is wrong in every line."""

_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SafeLoader):  # type: ignore[misc] # in C where libyaml is there, else in Python
    """A safe loader that does not let the second of two equal options win without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        """Return the mapping.

        :raises yaml.constructor.ConstructorError: an option stands twice.
        """
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen and isinstance(key, yaml.ScalarNode):
                problem = f"the option {key.value!r} stands twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep=deep)


@dataclass(frozen=True)
class Source:
    """One file as it was read."""

    path: Path
    stamp: Stamp
    content: bytes


@dataclass(frozen=True)
class Reading:
    """What one tenant file gave: the tenant or the problems, and the files they come from."""

    tenant: Tenant | None
    problems: list[Problem]
    sources: list[Source]


def stamp(path: Path) -> Stamp:
    """Return the stamp of a file.

    :raises OSError: it is not there.
    """
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def read(path: Path) -> Reading:
    """Return what the tenant file and the list it names hold; never raises for what they say.

    :raises OSError: a file cannot be opened.
    """
    sources = [_opened(path)]
    document, problems = _document(path, sources[0].content)
    if document is None:
        return Reading(None, problems, sources)
    listed = ResourceList([], [], [])
    found = _list_named(path, document)
    if isinstance(found, Path):
        sources.append(_opened(found))
        listed = resource_list.read(sources[-1].content, document["status"]["resources_file"])
    elif found is not None:
        listed.problems.append(found)
    tenant, problems = _tenant(path, document, listed)
    return Reading(tenant, problems, sources)


def _opened(path: Path) -> Source:
    # The stamp first: after an edit in between it is old, and the file is read again; the other way round
    # the old content would pass for the new one.
    before = stamp(path)
    return Source(path, before, path.read_bytes())


def _document(path: Path, content: bytes) -> tuple[dict[str, Any] | None, list[Problem]]:
    """Return the options of the file with those of its preset below them."""
    try:
        raw: Any = yaml.load(content, Loader=_Loader)  # noqa: S506 - a safe loader, in C where it is there
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        reason = getattr(error, "problem", None) or "not UTF-8 text"
        remedy = "Mend the line; indent with spaces."
        if getattr(error, "context", None) == "while scanning an alias":
            reason, remedy = "a value begins with `*`", 'Put it in quotes, such as "*/5 * * * *".'
        return None, [problem_in(path, where, f"not YAML: {reason}", remedy)]
    if not isinstance(raw, dict):
        return None, [
            problem_in(path, "", "not a mapping", "Write options as `name: value`, one tenant a file.")
        ]
    raw = dict(raw)
    preset = raw.pop("preset", None)
    if preset is not None and preset not in tuple(PRESETS):
        known = ", ".join(PRESETS)
        return None, [problem_in(path, "preset", f"unknown preset {preset!r}", f"Known presets: {known}.")]
    raw.setdefault("code", path.stem)
    if raw["code"] != path.stem:
        remedy = f"Rename the file to {raw['code']}.yaml or leave `code` out."
        return None, [problem_in(path, "code", "the code differs from the file name", remedy)]
    document = merge(PRESETS[preset], raw) if preset else raw
    feed = document.get("feed")
    for other in _FEEDS:
        if feed in _FEEDS and other != feed and other in document:
            remedy = f"Remove it, or say `feed: {other}`; see docs/tenants.md."
            return None, [problem_in(path, other, f"the policy of another feed than `{feed}`", remedy)]
    return document, []


def _list_named(path: Path, document: dict[str, Any]) -> Path | Problem | None:
    """Return the list of resources that the document names; options of a wrong type are left to the model."""
    status = document.get("status")
    if not isinstance(status, dict) or not isinstance(status.get("resources", []), list):
        return None
    name = status.get("resources_file")
    if not isinstance(name, str) or not name:
        return None
    return resource_list.find(path.parent, name, path.name)


def _tenant(
    path: Path, document: dict[str, Any], listed: ResourceList
) -> tuple[Tenant | None, list[Problem]]:
    """Return the tenant, or every problem of the file and its list."""
    first = 0
    if listed.entries:
        inline = document["status"].get("resources", [])
        first = len(inline)
        document = {**document, "status": {**document["status"], "resources": [*inline, *listed.entries]}}
    try:
        tenant = Tenant.model_validate(document)
    except ValidationError as error:
        in_file: list[Problem] = []
        in_list = [*listed.problems]
        for details in error.errors(include_url=False):
            problem, remedy = explain(details, document)
            line = _line(details["loc"], first, listed)
            if line:
                in_list.append(Problem(document["status"]["resources_file"], line, problem, remedy))
            else:
                where = ".".join(str(part) for part in details["loc"] if part != "[key]")
                in_file.append(problem_in(path, where, problem, remedy))
        return None, [*in_file, *_first_ones(in_list)]
    return (None if listed.problems else tenant), _first_ones(listed.problems)


def _line(loc: Loc, first: int, listed: ResourceList) -> str:
    """Return line and column of the list for a place in ``status.resources``, "" for one in the YAML file."""
    if loc[:2] != ("status", "resources") or len(loc) < 3 or not isinstance(loc[2], int):
        return ""
    if not listed.entries or loc[2] < first:
        return ""
    line = f"line {listed.lines[loc[2] - first]}"
    return f"{line}, column {loc[-1]}" if len(loc) > 3 else line


def _first_ones(problems: list[Problem]) -> list[Problem]:
    more = len(problems) - _MOST_TOLD
    if more <= 0:
        return problems
    rest = Problem(problems[0].file, "", f"{more} more mistakes", "Mend the first ones, then check again.")
    return [*problems[:_MOST_TOLD], rest]
