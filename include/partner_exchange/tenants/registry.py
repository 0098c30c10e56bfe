"""Read all tenant files of a folder, or say for each mistake the file, the path in it and the remedy."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from partner_exchange.errors import RegistryInvalid, UnknownTenant
from partner_exchange.settings import get_settings
from partner_exchange.tenants.model import Tenant
from partner_exchange.tenants.presets import PRESETS, merge

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
class Problem:
    """One mistake in one tenant file."""

    file: str
    path: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file}: {self.path}" if self.path else self.file
        return f"{where}: {self.problem}. {self.remedy}"


@dataclass(frozen=True)
class Registry:
    """All tenants of one folder, by code."""

    folder: Path
    tenants: dict[str, Tenant]
    sha256: str

    def get(self, code: str) -> Tenant:
        """Return the tenant of that code.

        :raises UnknownTenant: names the nearest code.
        """
        try:
            return self.tenants[code]
        except KeyError:
            near = get_close_matches(code, self.tenants, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Add {code}.yaml to the tenants folder."
            message = f"Unknown tenant {code!r}: no file of {self.folder} defines it. {hint}"
            raise UnknownTenant("unknown-tenant", message, tenant=code) from None


def load(folder: Path | None = None) -> Registry:
    """Return the registry of ``folder`` (default: the setting ``EXCHANGE_TENANTS_DIR``).

    The result is kept per process as long as no file of the folder changes: every Airflow task asks for it.

    :raises RegistryInvalid: with all mistakes of all files.
    """
    folder = folder or get_settings().tenants_dir
    return _load(folder.resolve(), _stamp(folder))


def load_one(code: str, folder: Path | None = None) -> Tenant:
    """Return one tenant from its own file alone: cheap, and unmoved by mistakes in other files.

    :raises UnknownTenant: no file of that name.
    :raises RegistryInvalid: with all mistakes of this file.
    """
    folder = folder or get_settings().tenants_dir
    path = next((path for path in (folder / f"{code}.yaml", folder / f"{code}.yml") if path.is_file()), None)
    if path is None:
        return examine(folder)[0].get(code)
    tenant, problems = _read(path, path.read_bytes())
    if tenant is None:
        lines = "\n".join(f"  {problem}" for problem in problems)
        message = (
            f"The tenant file {path} does not hold:\n{lines}\nMend it, then run `exchange tenants check`."
        )
        raise RegistryInvalid("registry-invalid", message, problems=[str(problem) for problem in problems])
    return tenant


def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return name, size and time of each tenant file: enough to see that one was edited."""
    files = sorted(folder.glob("*.y*ml")) if folder.is_dir() else []
    return tuple((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files)


@lru_cache(maxsize=4)
def _load(folder: Path, stamp: tuple[tuple[str, int, int], ...]) -> Registry:
    registry, problems = examine(folder)
    if problems:
        lines = "\n".join(f"  {problem}" for problem in problems)
        message = (
            f"The tenants folder {folder} does not hold:\n{lines}\n"
            "Mend it, then run `exchange tenants check`."
        )
        raise RegistryInvalid("registry-invalid", message, problems=[str(problem) for problem in problems])
    return registry


def examine(folder: Path) -> tuple[Registry, list[Problem]]:
    """Return the tenants that hold, and every problem found; never raises for what a file says."""
    if not folder.is_dir():
        problem = Problem(
            str(folder), "", "no such folder", "Create it or set EXCHANGE_TENANTS_DIR to another one."
        )
        return Registry(folder, {}, ""), [problem]
    tenants: dict[str, Tenant] = {}
    problems: list[Problem] = []
    digest = hashlib.sha256()
    for path in sorted((*folder.glob("*.yaml"), *folder.glob("*.yml"))):
        content = path.read_bytes()
        digest.update(path.name.encode() + b"\0" + content + b"\0")
        tenant, found = _read(path, content)
        problems += found
        if tenant is not None:
            if tenant.code in tenants:
                problems.append(
                    _problem(path, "code", f"the code {tenant.code!r} is used twice", "Choose another code.")
                )
            tenants[tenant.code] = tenant
    return Registry(folder, tenants, digest.hexdigest()), problems


def _problem(path: Path, where: str, problem: str, remedy: str) -> Problem:
    return Problem(path.name, where, problem, remedy)


def _read(path: Path, content: bytes) -> tuple[Tenant | None, list[Problem]]:
    try:
        raw: Any = yaml.load(content, Loader=_Loader)  # noqa: S506 - a safe loader, in C where it is there
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        reason = getattr(error, "problem", None) or "not UTF-8 text"
        return None, [_problem(path, where, f"not YAML: {reason}", "Mend the line; indent with spaces.")]
    if not isinstance(raw, dict):
        return None, [
            _problem(path, "", "not a mapping", "Write options as `name: value`, one tenant a file.")
        ]
    raw = dict(raw)
    preset = raw.pop("preset", None)
    if preset is not None and preset not in tuple(PRESETS):
        known = ", ".join(PRESETS)
        return None, [_problem(path, "preset", f"unknown preset {preset!r}", f"Known presets: {known}.")]
    raw.setdefault("code", path.stem)
    if raw["code"] != path.stem:
        remedy = f"Rename the file to {raw['code']}.yaml or leave `code` out."
        return None, [_problem(path, "code", "the code differs from the file name", remedy)]
    try:
        return Tenant.model_validate(merge(PRESETS[preset], raw) if preset else raw), []
    except ValidationError as error:
        return None, [_explain(path, details) for details in error.errors(include_url=False)]


def _explain(path: Path, details: ErrorDetails) -> Problem:
    where = ".".join(str(part) for part in details["loc"])
    if details["type"] == "extra_forbidden":
        near = get_close_matches(str(details["loc"][-1]), _options_at(details["loc"][:-1]), n=1)
        remedy = f"Did you mean {near[0]!r}?" if near else "Remove it; docs/tenants.md lists the options."
        return _problem(path, where, "unknown option", remedy)
    if details["type"] == "missing":
        return _problem(path, where, "required, but not there", "Add it; docs/tenants.md lists the options.")
    message = details["msg"].removeprefix("Value error, ")
    return _problem(
        path, where, message[0].lower() + message[1:], "Correct the value; docs/tenants.md lists the options."
    )


def _options_at(loc: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] = Tenant
    for part in loc:
        if isinstance(part, str) and part in model.model_fields:
            inner = model.model_fields[part].annotation
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                model = inner
    return [*model.model_fields, "preset"] if model is Tenant else list(model.model_fields)
