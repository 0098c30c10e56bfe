"""Where a delivery goes, opened from an Airflow connection (M67-M72).

In a task Airflow resolves connections by itself. Outside of tasks, as on the command line, call
``outside_tasks`` first: it lets Airflow look into its own database too, as ``airflow connections`` does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

from partner_exchange.exports.delivery import faults
from partner_exchange.exports.delivery.carrier import Carrier
from partner_exchange.exports.delivery.faults import Fault, Place, error_of
from partner_exchange.storage.folders import SftpHome

if TYPE_CHECKING:
    from partner_exchange.errors import DeliveryError
    from partner_exchange.exports.delivery.dial import Login, Patience
    from partner_exchange.tenants.exports import Target
    from partner_exchange.tenants.model import Tenant

_CONTEXT = "_AIRFLOW_PROCESS_CONTEXT"
_DATABASE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
_SSH_PORT = 22


def outside_tasks(environment: Mapping[str, str]) -> None:
    """Let connections be resolved in a process that runs no task: from the environment, then the database.

    Call it before anything imports Airflow, which reads its settings then.

    :param environment: of the one-machine stack (``local.airflow.airflow_environment``); what is set already
        stays, and where Airflow's database is named already, as in a container, none of it is taken.
    """
    os.environ[_CONTEXT] = "server"
    if _DATABASE not in os.environ:
        for name, value in environment.items():
            os.environ.setdefault(name, value)


@contextmanager
def open_target(tenant: Tenant, target: Target, *, patience: Patience | None = None) -> Iterator[Carrier]:
    """Open the folder of the target for the block, over one SFTP session.

    A folder of the partner's home is made when it is not there, one on a partner's server never.

    :raises DeliveryError: it cannot be opened; the code says why. Errors of the block pass unchanged.
    """
    from partner_exchange.exports.delivery.dial import PATIENCE, dial

    place = _place(tenant, target)
    with dial(login_of(place), place, patience or PATIENCE) as client:
        if place.is_ours:
            _ensure(SftpHome(client, tenant.home), place)
            home = SftpHome(client, f"{tenant.home}/{place.folder}")
        else:
            home = SftpHome(client, _below_login(place.folder))
        yield Carrier(home, place.folder, is_ours=place.is_ours, connection_id=place.connection_id)


def _place(tenant: Tenant, target: Target) -> Place:
    if target.kind == "home":
        folder = target.folder.strip("/") or tenant.inbox.outbox
        return Place(tenant.inbox.connection, folder, is_ours=True)
    return Place(target.connection, target.folder, is_ours=False)


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
        if not faults.is_of_transport(error):
            raise
        raise faults.of_work(error, place, has_folder=lambda: False, space=lambda: None) from None


def expires_on(connection_id: str) -> date | None:
    """Return the day on which a login ends, from ``expires_on`` in the connection's extra; None: not said.

    :raises LoginRefused: there is no such connection, or this is no day.
    """
    place = Place(connection_id, "", is_ours=False)
    day = _extra(_connection(place), place).get("expires_on")
    try:
        return date.fromisoformat(str(day)) if day else None
    except ValueError:
        raise _invalid(place, "`expires_on` is no day such as 2027-01-31") from None


def login_of(place: Place) -> Login:
    """Return how to get to the server of the place's connection.

    :raises LoginRefused: there is no such connection, or it does not hold.
    :raises HostKeyChanged: it pins no host key.
    """
    from partner_exchange.exports.delivery.dial import Login

    connection = _connection(place)
    extra = _extra(connection, place)
    if connection.conn_type not in ("sftp", "ssh"):
        raise _invalid(place, "its type is neither sftp nor ssh")
    if not connection.host or not connection.login:
        raise _invalid(place, "it names no host or no login")
    return Login(
        connection_id=place.connection_id,
        host=connection.host,
        port=connection.port or _SSH_PORT,
        user=connection.login,
        host_keys=_host_keys(extra, connection, place),
        password=connection.password or None,
        key=_key(extra, connection, place),
        disabled_algorithms=extra.get("disabled_algorithms"),
    )


def _connection(place: Place) -> Any:
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowException

    name = place.connection_id
    try:
        return BaseHook.get_connection(name)
    except (AirflowException, PermissionError):
        why = f"Airflow knows no connection {name!r}, or cannot read it"
        add = (
            f"Add it with `airflow connections add {name} --conn-type sftp --conn-host ... --conn-login ... "
            f"--conn-extra ...`, in the UI, or as AIRFLOW_CONN_{name.upper()} in the environment of the "
            "workers, with key_file, private_key or a password, and host_key; then send the delivery again"
        )
        raise error_of(Fault.CONNECTION_MISSING, place, why=why, next_step=add) from None


def _extra(connection: Any, place: Place) -> dict[str, Any]:
    extra = connection.extra_dejson
    if not isinstance(extra, dict) or (connection.extra and not extra and connection.extra.strip() != "{}"):
        raise _invalid(place, "its extra is no JSON object")
    return extra


def _invalid(place: Place, why: str) -> DeliveryError:
    return error_of(
        Fault.CONNECTION_INVALID, place, why=f"connection {place.connection_id!r} does not hold: {why}"
    )


def _is_on(extra: Mapping[str, Any], name: str) -> bool:
    return str(extra.get(name, "")).casefold() == "true"


def _host_keys(extra: Mapping[str, Any], connection: Any, place: Place) -> frozenset[bytes]:
    from partner_exchange.exports.delivery.dial import pinned_keys

    for name in ("no_host_key_check", "allow_host_key_change", "ignore_hostkey_verification"):
        if _is_on(extra, name):
            why = f"`{name}` of connection {place.connection_id!r} would let any server take the files"
            raise error_of(
                Fault.HOST_KEY_UNKNOWN,
                place,
                why=why,
                next_step=f"Take `{name}` out. {_how_to_pin(connection)}",
            )
    try:
        keys = pinned_keys(str(extra.get("host_key") or ""))
    except ValueError:
        raise _invalid(place, "`host_key` is no public key such as ssh-ed25519 AAAA...") from None
    if not keys:
        why = f"connection {place.connection_id!r} pins no host key"
        raise error_of(Fault.HOST_KEY_UNKNOWN, place, why=why, next_step=_how_to_pin(connection))
    return keys


def _how_to_pin(connection: Any) -> str:
    port = connection.port or _SSH_PORT
    return (
        f"Take it with `ssh-keyscan -p {port} -t ed25519,rsa {connection.host}`, compare its fingerprint "
        "with what the partner says, and put the line into `host_key` of the connection's extra; then send "
        "the delivery again"
    )


def _key(extra: Mapping[str, Any], connection: Any, place: Place) -> Any:
    from partner_exchange.exports.delivery.dial import load_key, load_key_file

    text, file = extra.get("private_key"), extra.get("key_file")
    if text and file:
        raise _invalid(place, "give `private_key` or `key_file`, not both")
    if not text and not file:
        if connection.password:
            return None
        raise _invalid(place, "it has no `key_file`, no `private_key` and no password")
    passphrase = extra.get("private_key_passphrase") or connection.password or None
    name = "private_key" if text else "key_file"
    try:
        return load_key(text, passphrase) if text else load_key_file(str(file), passphrase)
    except OSError:
        raise _invalid(place, "the file of `key_file` is not there or cannot be read") from None
    except ValueError:
        why = f"`{name}` is no private key, or `private_key_passphrase` is missing or wrong"
        raise _invalid(place, why) from None
