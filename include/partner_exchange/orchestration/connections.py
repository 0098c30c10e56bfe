"""Airflow's connections to SFTP servers, read one way for the inbox, the look at it and deliveries (M70).

In a task Airflow resolves connections by itself. Outside of tasks, as on the command line, call
``outside_tasks`` first: it lets Airflow look into its own database too, as ``airflow connections`` does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from partner_exchange.storage.sftp_login import (
    Hindrance,
    Login,
    NotOpened,
    load_key,
    load_key_file,
    pinned_keys,
)

_CONTEXT = "_AIRFLOW_PROCESS_CONTEXT"
_DATABASE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
_SSH_PORT = 22


def outside_tasks(environment: Callable[[], Mapping[str, str]]) -> None:
    """Let connections be resolved in a process that runs no task: from the environment, then the database.

    Call it before anything imports Airflow, which reads its settings then.

    :param environment: gives that of the one-machine stack (``local.airflow.airflow_environment``); what is
        set already stays. Where Airflow's database is named already, as in a container, it is not asked.
    """
    os.environ[_CONTEXT] = "server"
    if _DATABASE not in os.environ:
        for name, value in environment().items():
            os.environ.setdefault(name, value)


def login_of(connection_id: str) -> Login:
    """Return how to get to the server of the connection.

    :raises NotOpened: there is no such connection, it does not hold, or Airflow cannot be asked now.
    """
    connection = _connection(connection_id)
    extra = _extra(connection)
    if connection.conn_type not in ("sftp", "ssh"):
        raise _invalid(connection, "its type is neither sftp nor ssh")
    if not connection.host or not connection.login:
        raise _invalid(connection, "it names no host or no login")
    return Login(
        host=connection.host,
        port=connection.port or _SSH_PORT,
        user=connection.login,
        host_keys=_host_keys(extra, connection),
        password=connection.password or None,
        key=_key(extra, connection),
        disabled_algorithms=_disabled_algorithms(extra, connection),
    )


def expires_on(connection_id: str) -> date | None:
    """Return the day on which a login ends, from ``expires_on`` in the connection's extra; None: not said.

    :raises NotOpened: there is no such connection, this is no day, or Airflow cannot be asked now.
    """
    connection = _connection(connection_id)
    day = _extra(connection).get("expires_on")
    try:
        return date.fromisoformat(str(day)) if day else None
    except ValueError:
        raise _invalid(connection, "`expires_on` is no day such as 2027-01-31") from None


def _connection(name: str) -> Any:
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowException, AirflowRuntimeError

    try:
        return BaseHook.get_connection(name)
    except AirflowRuntimeError:
        raise NotOpened(Hindrance.CONNECTION_UNTOLD) from None
    except (AirflowException, PermissionError) as error:
        if not isinstance(error, PermissionError) and not _is_known_to_be_missing(name):
            raise NotOpened(Hindrance.CONNECTION_UNTOLD) from None
        why = f"Airflow knows no connection {name!r}, or cannot read it"
        add = (
            "Add it in the Airflow UI under Admin, Connections (type sftp, with key_file, private_key or a "
            f"password, and host_key), as AIRFLOW_CONN_{name.upper()} in the environment of `exchange up` or "
            f"of the workers, or on a cluster with `airflow connections add {name} --conn-type sftp ...`"
        )
        raise NotOpened(Hindrance.CONNECTION_MISSING, why=why, remedy=add) from None


def _is_known_to_be_missing(name: str) -> bool:
    """Ask the API once more: ``get_connection`` says "not defined" as well when the API failed (3.3.2)."""
    from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
    from airflow.sdk.execution_time.comms import ErrorResponse, GetConnection

    runner = sys.modules.get("airflow.sdk.execution_time.task_runner")
    supervisor = getattr(runner, "SUPERVISOR_COMMS", None)
    if supervisor is None:
        # No task: the database was asked, or there is nobody to ask but the environment.
        return True
    try:
        answer = supervisor.send(GetConnection(conn_id=name))
    except AirflowRuntimeError as error:
        answer = error.error
    return isinstance(answer, ErrorResponse) and answer.error is ErrorType.CONNECTION_NOT_FOUND


def _extra(connection: Any) -> dict[str, Any]:
    extra = connection.extra_dejson
    if not isinstance(extra, dict) or (connection.extra and not extra and connection.extra.strip() != "{}"):
        raise _invalid(connection, "its extra is no JSON object")
    return extra


def _invalid(connection: Any, why: str) -> NotOpened:
    why = f"connection {connection.conn_id!r} does not hold: {why}"
    return NotOpened(Hindrance.CONNECTION_INVALID, why=why)


def _is_on(extra: Mapping[str, Any], name: str) -> bool:
    return str(extra.get(name, "")).casefold() == "true"


def _host_keys(extra: Mapping[str, Any], connection: Any) -> frozenset[bytes]:
    for name in ("no_host_key_check", "allow_host_key_change", "ignore_hostkey_verification"):
        if _is_on(extra, name):
            raise NotOpened(
                Hindrance.HOST_KEY_UNKNOWN,
                why=f"`{name}` of connection {connection.conn_id!r} would let any server take its place",
                remedy=f"Take `{name}` out. {_how_to_pin(connection)}",
            )
    try:
        keys = pinned_keys(str(extra.get("host_key") or ""))
    except ValueError:
        raise _invalid(connection, "`host_key` is no public key such as ssh-ed25519 AAAA...") from None
    if not keys:
        why = f"connection {connection.conn_id!r} pins no host key"
        raise NotOpened(Hindrance.HOST_KEY_UNKNOWN, why=why, remedy=_how_to_pin(connection))
    return keys


def _text(extra: Mapping[str, Any], name: str, connection: Any) -> str:
    """Return a part of the extra, "" when it is not there or null."""
    found = extra.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise _invalid(connection, f"`{name}` is no text; put it between quotation marks")
    return found


def _disabled_algorithms(extra: Mapping[str, Any], connection: Any) -> Mapping[str, list[str]] | None:
    found = extra.get("disabled_algorithms")
    if found is None:
        return None
    if not isinstance(found, dict) or not all(map(_is_list_of_texts, found.values())):
        why = '`disabled_algorithms` is no object of lists such as {"pubkeys": ["rsa-sha2-256"]}'
        raise _invalid(connection, why)
    return found


def _is_list_of_texts(found: object) -> bool:
    return isinstance(found, list) and all(isinstance(one, str) for one in found)


def _how_to_pin(connection: Any) -> str:
    port = connection.port or _SSH_PORT
    return (
        f"Take it with `ssh-keyscan -p {port} -t ed25519,rsa {connection.host}`, compare its fingerprint "
        "with what the partner says, and put the line into `host_key` of the connection's extra"
    )


def _key(extra: Mapping[str, Any], connection: Any) -> str | None:
    text, file = _text(extra, "private_key", connection), _text(extra, "key_file", connection)
    if text and file:
        raise _invalid(connection, "give `private_key` or `key_file`, not both")
    if not text and not file:
        if connection.password:
            return None
        raise _invalid(connection, "it has no `key_file`, no `private_key` and no password")
    passphrase = _text(extra, "private_key_passphrase", connection) or connection.password or None
    name = "private_key" if text else "key_file"
    try:
        return load_key(text, passphrase) if text else load_key_file(file, passphrase)
    except OSError:
        raise _invalid(connection, "the file of `key_file` is not there or cannot be read") from None
    except ValueError:
        why = f"`{name}` is no private key, or `private_key_passphrase` is missing or wrong"
        raise _invalid(connection, why) from None
