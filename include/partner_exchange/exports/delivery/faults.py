"""What stands in the way of a delivery, told apart: what to say, and whether another try can help (X10).

Called by ``carrier``, ``session`` and ``orchestration.targets``. A message says what, where (connection and
folder), why and what next, and never a user name, a password, a key or what the server wrote.

Decided here: once a server has opened a file, a write or close that it refuses without a reason counts as
``target-full``. OpenSSH says the same "Failure" for a full disk, a quota and a limit of size, and none of the
three goes away by itself within hours, so a person is told at once. Anything else that is refused without a
reason is ``target-busy`` and tried again, unless the disk turns out to be full or read-only.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from partner_exchange.errors import (
    DeliveryError,
    HostKeyChanged,
    LoginRefused,
    NameTaken,
    PathMissing,
    RemoteBusy,
    RemoteFull,
    Unreachable,
)
from partner_exchange.storage import sftp_wire
from partner_exchange.storage.sftp_login import WHY, Hindrance, NotOpened
from partner_exchange.storage.sftp_wire import NotKept, Space


class Fault(StrEnum):
    """The stable codes, as they stand in the ledger; each ``Hindrance`` has one of its name."""

    UNREACHABLE = "target-unreachable"
    CUT_OFF = "target-cut-off"
    SILENT = "target-silent"
    BUSY = "target-busy"
    KEPT_LESS = "target-kept-less"
    CONNECTION_UNTOLD = "target-connection-untold"
    LOGIN_REFUSED = "target-login-refused"
    NO_SFTP = "target-no-sftp"
    NO_COMMON_CIPHER = "target-no-common-cipher"
    CONNECTION_MISSING = "target-connection-missing"
    CONNECTION_INVALID = "target-connection-invalid"
    HOST_KEY_CHANGED = "target-host-key-changed"
    HOST_KEY_UNKNOWN = "target-host-key-unknown"
    PATH_MISSING = "target-path-missing"
    FILE_MISSING = "target-file-missing"
    NOT_WRITABLE = "target-not-writable"
    FULL = "target-full"
    NAME_TAKEN = "target-name-taken"


@dataclass(frozen=True)
class Place:
    """Where a delivery goes, for messages.

    :param connection_id: Airflow connection; "" for a folder of this machine.
    :param folder: as the target names it.
    :param is_ours: whether it is the partner's home here.
    """

    connection_id: str
    folder: str
    is_ours: bool

    def __str__(self) -> str:
        if self.is_ours:
            return f"folder {self.folder!r} of the partner's home"
        return f"folder {self.folder!r} of connection {self.connection_id!r}"


_AGAIN = "It is tried again by itself"
_SEND_AGAIN = "then send the delivery again"

_SAYINGS: dict[Fault, tuple[type[DeliveryError], str, str]] = {
    Fault.UNREACHABLE: (
        Unreachable,
        WHY[Hindrance.UNREACHABLE],
        f"{_AGAIN}; if it stays, check host and port of the connection and the firewalls in between",
    ),
    Fault.CUT_OFF: (Unreachable, WHY[Hindrance.CUT_OFF], f"{_AGAIN}, from the first byte on"),
    Fault.SILENT: (Unreachable, WHY[Hindrance.SILENT], _AGAIN),
    Fault.BUSY: (RemoteBusy, WHY[Hindrance.BUSY], _AGAIN),
    Fault.KEPT_LESS: (
        RemoteBusy,
        "the server did not keep the whole file, and said nothing about it",
        f"What arrived was removed. {_AGAIN}",
    ),
    Fault.CONNECTION_UNTOLD: (
        Unreachable,
        WHY[Hindrance.CONNECTION_UNTOLD],
        f"{_AGAIN}; if it stays, see to Airflow's API server and its database",
    ),
    Fault.LOGIN_REFUSED: (
        LoginRefused,
        WHY[Hindrance.LOGIN_REFUSED],
        "Check user, key and password of the connection, and that the partner has our public key; "
        + _SEND_AGAIN,
    ),
    Fault.NO_SFTP: (
        LoginRefused,
        WHY[Hindrance.NO_SFTP],
        f"Ask the partner to allow SFTP for this account; {_SEND_AGAIN}",
    ),
    Fault.NO_COMMON_CIPHER: (
        LoginRefused,
        WHY[Hindrance.NO_COMMON_CIPHER],
        f"Ask the partner to bring the server up to date; {_SEND_AGAIN}",
    ),
    Fault.CONNECTION_MISSING: (LoginRefused, WHY[Hindrance.CONNECTION_MISSING], f"Add it; {_SEND_AGAIN}"),
    Fault.CONNECTION_INVALID: (
        LoginRefused,
        WHY[Hindrance.CONNECTION_INVALID],
        f"Correct the connection; {_SEND_AGAIN}",
    ),
    Fault.HOST_KEY_CHANGED: (
        HostKeyChanged,
        WHY[Hindrance.HOST_KEY_CHANGED],
        "Nothing was sent to it. Ask the partner, by phone, whether the key was changed; only then put the "
        f"new one into `host_key` of the connection, and {_SEND_AGAIN}",
    ),
    Fault.HOST_KEY_UNKNOWN: (
        HostKeyChanged,
        WHY[Hindrance.HOST_KEY_UNKNOWN],
        f"Put the host key into `host_key` of the connection; {_SEND_AGAIN}",
    ),
    Fault.PATH_MISSING: (
        PathMissing,
        "the folder is not there",
        "It is never made on a partner's server. Have it made there, or correct `target.folder`; "
        + _SEND_AGAIN,
    ),
    Fault.FILE_MISSING: (
        PathMissing,
        "the file is not there any more",
        f"Look who takes files away there; {_SEND_AGAIN}",
    ),
    Fault.NOT_WRITABLE: (
        PathMissing,
        "we have no right to do this there",
        f"Ask for the right to read, write, rename and delete in the folder; {_SEND_AGAIN}",
    ),
    Fault.FULL: (
        RemoteFull,
        "there is no space left, or a quota or a limit of size is reached",
        f"Have space made there; {_SEND_AGAIN}",
    ),
    Fault.NAME_TAKEN: (
        NameTaken,
        "a file of that name is there",
        f"Have it taken away, or set `name_taken` of the target; {_SEND_AGAIN}",
    ),
}

_BY_ERRNO = {
    errno.EACCES: Fault.NOT_WRITABLE,
    errno.EPERM: Fault.NOT_WRITABLE,
    errno.EROFS: Fault.NOT_WRITABLE,
    errno.ENOSPC: Fault.FULL,
    errno.EDQUOT: Fault.FULL,
    errno.EFBIG: Fault.FULL,
    errno.EEXIST: Fault.NAME_TAKEN,
}


def error_of(
    fault: Fault, place: Place, *, why: str = "", next_step: str = "", **fields: Any
) -> DeliveryError:
    """Return the error with its sentence.

    :param why: instead of the usual reason; without a full stop.
    :param next_step: instead of the usual next step; without a full stop.
    :param fields: further facts, safe to log.
    """
    kind, usual_why, usual_next = _SAYINGS[fault]
    if fault is Fault.PATH_MISSING and place.is_ours:
        usual_next = f"Correct `target.folder`; {_SEND_AGAIN}"
    message = f"Nothing can be delivered to {place}: {why or usual_why}. {next_step or usual_next}."
    return kind(fault.value, message, connection=place.connection_id, folder=place.folder, **fields)


def what_happened(code: str, message: str) -> str:
    """Return the sentence of an error that says what, where and why, without what those who run us do next.

    "" for a code that is no fault of a target: its words are for us.
    """
    return message.partition(". ")[0].removesuffix(".") + "." if code in set[str](Fault) else ""


def of_opening(error: NotOpened, place: Place) -> DeliveryError:
    """Return what it means for a delivery that there is no session."""
    next_step = f"{error.remedy}; {_SEND_AGAIN}" if error.remedy else ""
    return error_of(
        Fault(f"target-{error.hindrance}"), place, why=error.why, next_step=next_step, **error.fields
    )


def of_work(
    error: BaseException, place: Place, *, has_folder: Callable[[], bool], space: Callable[[], Space | None]
) -> DeliveryError:
    """Return what an error of a running session means.

    :param has_folder: asks whether the folder is there; called only where that matters.
    :param space: asks how much may be written there; called only where that matters.
    """
    if isinstance(error, TimeoutError):
        return error_of(Fault.SILENT, place)
    if sftp_wire.is_lost(error):
        return error_of(Fault.CUT_OFF, place)
    if isinstance(error, NotKept):
        return error_of(Fault.FULL if error.is_refused else Fault.KEPT_LESS, place)
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return error_of(Fault.FILE_MISSING if has_folder() else Fault.PATH_MISSING, place)
    known = _BY_ERRNO.get(getattr(error, "errno", None) or 0)
    return error_of(known or _unexplained(space()), place)


def _unexplained(space: Space | None) -> Fault:
    if space is not None and space.is_read_only:
        return Fault.NOT_WRITABLE
    if space is not None and space.free_bytes == 0:
        return Fault.FULL
    return Fault.BUSY
