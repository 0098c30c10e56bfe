"""What the commands of ``exchange export`` share: how targets are opened, and how failures are told."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from partner_exchange import log
from partner_exchange.cli.failures import sentence
from partner_exchange.cli.options import local_home
from partner_exchange.errors import (
    DeliveryError,
    ExchangeError,
    ExportBlocked,
    FileUnwritable,
    ReportRefused,
    StateConflict,
    UnknownDelivery,
    UnknownReportRequest,
    UnknownTenant,
)
from partner_exchange.tenants.model import GATEWAY

if TYPE_CHECKING:
    from partner_exchange.exports.delivery.carrier import Carrier
    from partner_exchange.exports.runs.deliver import Opener
    from partner_exchange.settings import Settings
    from partner_exchange.tenants.exports import Target
    from partner_exchange.tenants.model import Tenant

PARAMETER_OPTION = Annotated[
    list[str] | None,
    typer.Option("--param", "-p", metavar="NAME=VALUE", help="parameter of the report; may stand repeatedly"),
]

FAILED_OUTSIDE = 1
"""Exit code when something in the world is in the way; 2 is for what cannot be asked so."""
_REFUSED = 2
_OUTSIDE = (DeliveryError, ExportBlocked, FileUnwritable)
_ASKED = (ReportRefused, UnknownDelivery, UnknownReportRequest, UnknownTenant)
_CONFLICTS = frozenset(
    {"already-delivered", "may-be-delivered", "state-conflict", "request-answered", "delivery-purged"}
)


@contextmanager
def plainly() -> Iterator[None]:
    """Turn what went wrong in the world into a sentence and exit 1, what was asked wrongly into exit 2.

    A failure of ours passes: it ends in exit 3, as everywhere.
    """
    try:
        yield
    except ExchangeError as error:
        code = _exit_code(error)
        if code is None:
            raise
        print(f"exchange: {sentence(error)}", file=sys.stderr)
        raise typer.Exit(code) from None


def _exit_code(error: ExchangeError) -> int | None:
    if isinstance(error, _OUTSIDE):
        return FAILED_OUTSIDE
    is_asked = isinstance(error, _ASKED) or (isinstance(error, StateConflict) and error.code in _CONFLICTS)
    return _REFUSED if is_asked else None


def target_opener(settings: Settings) -> Opener:
    """Return what opens targets from here: a home on this machine directly, all else by its connection."""

    @contextmanager
    def open_target(tenant: Tenant, target: Target) -> Iterator[Carrier]:
        if target.kind == "home" and tenant.inbox.connection == GATEWAY:
            yield _at_home(settings, tenant, target)
            return
        _let_airflow_be_asked(settings)
        from partner_exchange.orchestration import targets

        with ExitStack() as use:
            try:
                carrier = use.enter_context(targets.open_target(tenant, target))
            finally:
                # Airflow, once imported, sends log lines to standard output, where JSON for machines goes.
                log.configure(log_level(settings))
            yield carrier

    return open_target


def log_level(settings: Settings) -> str:
    """Return from which level on people at a command see log lines: what they asked for, else warnings."""
    return settings.log_level if "log_level" in settings.model_fields_set else "WARNING"


def connection_end(settings: Settings, connection_id: str) -> date | None:
    """Return the day on which the login of a connection ends, None when it does not say.

    :raises LoginRefused: there is no such connection.
    """
    _let_airflow_be_asked(settings)
    from partner_exchange.orchestration import targets

    return targets.expires_on(connection_id)


def _at_home(settings: Settings, tenant: Tenant, target: Target) -> Carrier:
    from partner_exchange.exports.delivery.carrier import Carrier
    from partner_exchange.storage.folders import LocalHome

    folder = tenant.folder_of(target)
    local_home(settings, tenant).ensure_folder(folder)
    home = LocalHome(settings.partner_homes_dir / tenant.code / folder)
    return Carrier(home, folder, is_ours=True, connection_id=GATEWAY)


def _let_airflow_be_asked(settings: Settings) -> None:
    """Let connections be found as in a task; by the one-machine stack's settings unless others are set."""
    from partner_exchange.gateway.host_keys import ensure_keys
    from partner_exchange.local.airflow import airflow_environment
    from partner_exchange.orchestration import connections

    def environment() -> dict[str, str]:
        # The stack's own connection pins the gateway's key, which is there only once the gateway was.
        ensure_keys(settings)
        return airflow_environment(settings)

    connections.outside_tasks(environment)


def parameters(given: Sequence[str] | None) -> dict[str, str]:
    """Return ``NAME=VALUE`` arguments by name.

    :raises BadParameter: one has no ``=`` or no name.
    """
    found = {}
    for one in given or ():
        name, equals, value = one.partition("=")
        if not equals or not name.strip():
            raise typer.BadParameter("write it as NAME=VALUE, such as days=30", param_hint="--param")
        found[name.strip()] = value
    return found


def count(number: int | None) -> str:
    """Return a count for a table, "" where it is not known yet."""
    return "" if number is None else str(number)


def print_facts(facts: Mapping[str, str]) -> None:
    """Print labels with their values, without those that have none."""
    shown = {label: value for label, value in facts.items() if value}
    width = max(map(len, shown), default=0)
    for label, value in shown.items():
        print(f"{label.ljust(width)}  {value}")
