"""Where a delivery goes, opened from an Airflow connection (M67-M72)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

from partner_exchange.exports.delivery import faults
from partner_exchange.exports.delivery.carrier import Carrier
from partner_exchange.exports.delivery.faults import Place
from partner_exchange.exports.delivery.session import open_session
from partner_exchange.orchestration import connections
from partner_exchange.storage.folders import SftpHome
from partner_exchange.storage.sftp_login import Login, NotOpened
from partner_exchange.storage.sftp_wire import is_of_transport

if TYPE_CHECKING:
    from partner_exchange.storage.sftp_dial import Patience
    from partner_exchange.tenants.exports import Target
    from partner_exchange.tenants.model import Tenant


@contextmanager
def open_target(tenant: Tenant, target: Target, *, patience: Patience | None = None) -> Iterator[Carrier]:
    """Open the folder of the target for the block, over one SFTP session.

    A folder of the partner's home is made when it is not there, one on a partner's server never.

    :raises DeliveryError: it cannot be opened; the code says why. Errors of the block pass unchanged.
    """
    place = _place(tenant, target)
    login = _login_of(place)
    with open_session(login, place, patience) as client:
        if place.is_ours:
            _ensure(SftpHome(client, tenant.home), place)
            home = SftpHome(client, f"{tenant.home}/{place.folder}")
        else:
            home = SftpHome(client, _below_login(place.folder))
        yield Carrier(
            home,
            place.folder,
            is_ours=place.is_ours,
            connection_id=place.connection_id,
            address=f"{login.host}:{login.port}",
        )


def _place(tenant: Tenant, target: Target) -> Place:
    folder = tenant.folder_of(target)
    if target.kind == "home":
        return Place(tenant.inbox.connection, folder, is_ours=True)
    return Place(target.connection, folder, is_ours=False)


def _below_login(folder: str) -> str:
    """Return the folder as SFTP takes it: relative paths begin at the folder of the login, ``~`` too."""
    if folder == "~" or folder.startswith("~/"):
        return folder[2:] or "."
    return folder


def _ensure(home: SftpHome, place: Place) -> None:
    parts = place.folder.split("/")
    try:
        for count in range(1, len(parts) + 1):
            home.ensure_folder("/".join(parts[:count]))
    except Exception as error:
        if not is_of_transport(error):
            raise
        raise faults.of_work(error, place, has_folder=lambda: False, space=lambda: None) from None


def _login_of(place: Place) -> Login:
    try:
        return connections.login_of(place.connection_id)
    except NotOpened as error:
        raise faults.of_opening(error, place) from None


def expires_on(connection_id: str) -> date | None:
    """Return the day on which a login ends, from ``expires_on`` in the connection's extra; None: not said.

    :raises LoginRefused: there is no such connection, or this is no day.
    :raises Unreachable: Airflow cannot be asked for the connection now.
    """
    try:
        return connections.expires_on(connection_id)
    except NotOpened as error:
        raise faults.of_opening(error, Place(connection_id, "", is_ours=False)) from None
