"""Read all tenant files of a folder, or say for each mistake the file, the path in it and the remedy.

What was read is kept per process until one of the files it came from changes: every step of a submission asks
for its tenant, the gateway at every login for all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from partner_exchange.errors import RegistryInvalid, UnknownTenant
from partner_exchange.settings import get_settings
from partner_exchange.tenants import tenant_file
from partner_exchange.tenants.model import Tenant
from partner_exchange.tenants.nearest import nearest
from partner_exchange.tenants.problems import Problem, problem_in
from partner_exchange.tenants.tenant_file import Stamp

Stamps = dict[Path, Stamp]


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
            near = nearest(code, self.tenants)
            hint = f"Did you mean {near!r}?" if near else f"Add {code}.yaml to the tenants folder."
            message = f"Unknown tenant {code!r}: no file of {self.folder} defines it. {hint}"
            raise UnknownTenant("unknown-tenant", message, tenant=code) from None


_registries: dict[Path, tuple[Stamps, Registry]] = {}
_tenants: dict[Path, tuple[Stamps, Tenant]] = {}


def load(folder: Path | None = None) -> Registry:
    """Return the registry of ``folder`` (default: the setting ``EXCHANGE_TENANTS_DIR``).

    :raises RegistryInvalid: with all mistakes of all files.
    """
    folder = (folder or get_settings().tenants_dir).resolve()
    kept = _registries.get(folder)
    if kept is not None and _are_current(kept[0], _files_of(folder)):
        return kept[1]
    registry, problems, stamps = _examine(folder)
    if problems:
        raise _invalid(f"The tenants folder {folder} does not hold", problems)
    _registries[folder] = stamps, registry
    return registry


def load_one(code: str, folder: Path | None = None) -> Tenant:
    """Return one tenant from its own file alone: cheap, and unmoved by mistakes in other files.

    :raises UnknownTenant: no file of that name.
    :raises RegistryInvalid: with all mistakes of this file.
    """
    folder = folder or get_settings().tenants_dir
    path = next((path for path in (folder / f"{code}.yaml", folder / f"{code}.yml") if path.is_file()), None)
    if path is None:
        return examine(folder)[0].get(code)
    path = path.absolute()
    kept = _tenants.get(path)
    if kept is not None and _are_current(kept[0]):
        return kept[1]
    reading = tenant_file.read(path)
    if reading.tenant is None:
        raise _invalid(f"The tenant file {path} does not hold", reading.problems)
    _tenants[path] = {source.path: source.stamp for source in reading.sources}, reading.tenant
    return reading.tenant


def examine(folder: Path) -> tuple[Registry, list[Problem]]:
    """Return the tenants that hold, and every problem found; never raises for what a file says.

    Every file is read anew.
    """
    registry, problems, _ = _examine(folder)
    return registry, problems


def _examine(folder: Path) -> tuple[Registry, list[Problem], Stamps]:
    if not folder.is_dir():
        problem = Problem(
            str(folder), "", "no such folder", "Create it or set EXCHANGE_TENANTS_DIR to another one."
        )
        return Registry(folder, {}, ""), [problem], {}
    tenants: dict[str, Tenant] = {}
    problems: list[Problem] = []
    stamps: Stamps = {}
    digest = hashlib.sha256()
    for path in _files_of(folder):
        reading = tenant_file.read(path)
        for source in reading.sources:
            stamps[source.path] = source.stamp
            digest.update(source.path.name.encode() + b"\0" + source.content + b"\0")
        problems += reading.problems
        if (tenant := reading.tenant) is not None:
            if tenant.code in tenants:
                twice = f"the code {tenant.code!r} is used twice"
                problems.append(problem_in(path, "code", twice, "Choose another code."))
            tenants[tenant.code] = tenant
    return Registry(folder, tenants, digest.hexdigest()), problems, stamps


def _files_of(folder: Path) -> list[Path]:
    return sorted((*folder.glob("*.yaml"), *folder.glob("*.yml")))


def _are_current(stamps: Stamps, files: Iterable[Path] = ()) -> bool:
    """Say whether nothing was edited, and none of ``files`` is new."""
    try:
        return {path: tenant_file.stamp(path) for path in {*stamps, *files}} == stamps
    except OSError:
        return False


def _invalid(what: str, problems: list[Problem]) -> RegistryInvalid:
    told = [str(problem) for problem in problems]
    lines = "\n".join(f"  {line}" for line in told)
    message = f"{what}:\n{lines}\nMend it, then run `exchange tenants check`."
    return RegistryInvalid("registry-invalid", message, problems=told)
