"""Which port a part wants, and who has it already. Called by ``local.stack`` before anything is started."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from partner_exchange.settings import Settings

_LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
_OPERATIONS_IN_THE_SINK = "operations@exchange.example"


@dataclass(frozen=True)
class Door:
    """A port that the stack listens on, and the setting that moves it."""

    part: str
    name: str
    host: str
    port: int
    variable: str


def runs_mail_sink(settings: Settings) -> bool:
    """Tell whether mail goes to our own sink; a relay elsewhere needs none."""
    return settings.smtp_host in _LOCAL_HOSTS | {settings.host}


def operations_mail(settings: Settings) -> str | None:
    """Return who of us hears about outbound files: whom the settings name, else an address in our own sink.

    None when mail goes to a relay and nobody is named.
    """
    if settings.operations_mail is None and runs_mail_sink(settings):
        return _OPERATIONS_IN_THE_SINK
    return settings.operations_mail or None


def doors(settings: Settings) -> tuple[Door, ...]:
    """Return all ports of the stack, in the order in which people ask for them."""
    found = [
        Door("airflow", "the Airflow UI", settings.host, settings.airflow_port, "EXCHANGE_AIRFLOW_PORT"),
        Door("gateway", "SFTP", settings.host, settings.sftp_port, "EXCHANGE_SFTP_PORT"),
    ]
    if runs_mail_sink(settings):
        found.append(
            Door("mail", "the mail sink", settings.smtp_host, settings.smtp_port, "EXCHANGE_SMTP_PORT")
        )
    return tuple(found)


def problems(wanted: Sequence[Door]) -> list[str]:
    """Return one sentence per port that cannot be had, naming the variable that moves it."""
    sentences: list[str] = []
    owners: dict[int, Door] = {}
    for door in wanted:
        other = owners.setdefault(door.port, door)
        if other is not door:
            sentences.append(
                f"Port {door.port} is wanted by {other.name} ({other.variable}) and by {door.name} "
                f"({door.variable}); give them two different ports."
            )
        elif (reason := _why_not(door)) is not None:
            sentences.append(
                f"Port {door.port} for {door.name} {reason}; set {door.variable} to another port."
            )
    return sentences


def _why_not(door: Door) -> str | None:
    try:
        address = socket.getaddrinfo(door.host, door.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(address[0], socket.SOCK_STREAM) as probe:
            # As the servers do it: a port whose old connections are dying is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address[4])
            probe.listen(1)
    except (OSError, OverflowError) as error:
        number = error.errno if isinstance(error, OSError) else None
        if number == errno.EADDRINUSE:
            return "is in use by another program"
        if number == errno.EACCES:
            return "may not be opened by this user"
        return f"cannot be opened on {door.host} ({error})"
    return None
