"""What each fault of a target is called, whether it may pass by itself, and what its sentence holds."""

from __future__ import annotations

import errno
import pickle

import paramiko
import pytest

from partner_exchange.errors import Terminal, Transient
from partner_exchange.exports.delivery.faults import (
    Fault,
    Place,
    error_of,
    of_opening,
    of_work,
    what_happened,
)
from partner_exchange.storage import sftp_login
from partner_exchange.storage.sftp_login import Hindrance, NotOpened
from partner_exchange.storage.sftp_wire import NotKept, Space, is_of_transport

NORTH = Place("north_sftp", "/data/in", is_ours=False)
OURS = Place("exchange_inbox", "outbound", is_ours=True)
MAY_PASS = {
    Fault.UNREACHABLE,
    Fault.CUT_OFF,
    Fault.SILENT,
    Fault.BUSY,
    Fault.KEPT_LESS,
    Fault.CONNECTION_UNTOLD,
}


def code_of(error: BaseException, *, has_folder: bool = True, space: Space | None = None) -> str:
    return of_work(error, NORTH, has_folder=lambda: has_folder, space=lambda: space).code


@pytest.mark.parametrize("fault", list(Fault))
def test_X10_every_fault_says_what_where_why_and_what_next(fault: Fault) -> None:
    error = error_of(fault, NORTH)
    assert isinstance(error, Transient) is (fault in MAY_PASS)
    assert isinstance(error, Terminal) is (fault not in MAY_PASS)
    assert error.message.startswith(
        "Nothing can be delivered to folder '/data/in' of connection 'north_sftp'"
    )
    assert error.message.count(". ") >= 1
    assert ("tried again" in error.message) is (fault in MAY_PASS)
    assert ("send the delivery again" in error.message) is (fault not in MAY_PASS)
    assert error.attrs()["code"] == fault.value
    assert pickle.loads(pickle.dumps(error)).attrs() == error.attrs()


@pytest.mark.parametrize("fault", list(Fault))
def test_X10_what_happened_is_said_without_what_those_who_run_us_do(fault: Fault) -> None:
    error = error_of(fault, NORTH, why="a b.c: d", next_step="Run `exchange x`. Then y")
    assert what_happened(fault, error.message) == (
        "Nothing can be delivered to folder '/data/in' of connection 'north_sftp': a b.c: d."
    )
    assert what_happened("report-unknown", "No report. Run `exchange x`.") == ""


@pytest.mark.parametrize("hindrance", list(Hindrance))
def test_X10_whatever_keeps_a_session_from_being_opened_is_a_fault(hindrance: Hindrance) -> None:
    error = of_opening(NotOpened(hindrance, why="so it is", remedy="Mend it", shown="SHA256:a"), NORTH)
    assert error.code == f"target-{hindrance}"
    assert isinstance(error, Transient) is (hindrance in sftp_login.MAY_PASS)
    assert error.message.endswith(": so it is. Mend it; then send the delivery again.")
    assert error.fields["shown"] == "SHA256:a"
    assert of_opening(NotOpened(hindrance), NORTH).message == error_of(Fault(error.code), NORTH).message


def test_M68_a_home_is_called_a_home() -> None:
    message = error_of(Fault.PATH_MISSING, OURS).message
    assert "folder 'outbound' of the partner's home" in message
    assert "partner's server" not in message


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TimeoutError(), "target-silent"),
        (EOFError(), "target-cut-off"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), "target-cut-off"),
        (BrokenPipeError(errno.EPIPE, "pipe"), "target-cut-off"),
        (OSError("Socket is closed"), "target-cut-off"),
        (paramiko.SSHException("Server connection dropped: "), "target-cut-off"),
        (paramiko.SFTPError("Garbage packet received"), "target-cut-off"),
        (PermissionError(errno.EACCES, "no"), "target-not-writable"),
        (OSError(errno.EROFS, "read-only"), "target-not-writable"),
        (OSError(errno.ENOSPC, "full"), "target-full"),
        (OSError(errno.EDQUOT, "quota"), "target-full"),
        (OSError(errno.EFBIG, "large"), "target-full"),
        (NotKept(errno.EIO, is_refused=True), "target-full"),
        (NotKept(errno.EIO, is_refused=False), "target-kept-less"),
        (FileExistsError(errno.EEXIST, "there"), "target-name-taken"),
        (FileNotFoundError(errno.ENOENT, "gone"), "target-file-missing"),
        (OSError("Failure"), "target-busy"),
        (OSError(errno.EIO, "the server refused"), "target-busy"),
    ],
)
def test_X10_every_error_of_the_library_has_its_code(error: Exception, code: str) -> None:
    assert is_of_transport(error)
    assert code_of(error) == code


def test_X10_a_missing_folder_is_told_from_a_missing_file() -> None:
    assert code_of(FileNotFoundError(), has_folder=False) == "target-path-missing"
    assert code_of(NotADirectoryError(), has_folder=False) == "target-path-missing"


def test_X10_a_refusal_without_a_reason_is_looked_into() -> None:
    assert code_of(OSError("Failure"), space=Space(0, is_read_only=False)) == "target-full"
    assert code_of(OSError("Failure"), space=Space(10**9, is_read_only=True)) == "target-not-writable"
    assert code_of(OSError("Failure"), space=Space(10**9, is_read_only=False)) == "target-busy"


def test_X10_a_mistake_in_our_code_is_no_fault_of_the_target() -> None:
    assert not is_of_transport(ValueError("a name"))
    assert not is_of_transport(KeyError("column"))
