"""An SFTP session on any server: the pinned host key first, then the login, and no wait without an end (M70).

The one way in of all rooms, since the provider's hook lets the ``known_hosts`` of the machine count before
the pinned key, offers the machine's own keys and waits for ever at some places (decision 0022).
It imports paramiko, so import it where it is needed.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import paramiko

from partner_exchange.storage.sftp_login import WHY, Hindrance, Login, NotOpened, fingerprint, kind_of
from partner_exchange.storage.sftp_wire import is_of_transport

# Lines of the library, some with a traceback, say nothing that our own sentence does not.
_LOG_CHANNEL = "paramiko.exchange"


@dataclass(frozen=True)
class Patience:
    """How long to wait for what, in seconds."""

    connect_s: float = 30
    login_s: float = 30
    """For the server's first line, the exchange of keys, and each method of login."""
    answer_s: float = 60
    """For the next byte of an answer, and for the server to take the next byte."""
    keepalive_s: float = 15


PATIENCE = Patience()


class _Line(socket.socket):
    """The connection; it gives up when the other side takes nothing for too long.

    Paramiko tries to send for ever. It asks in turns of a tenth of a second, which end in ``TimeoutError``.
    """

    answer_s = PATIENCE.answer_s
    is_stuck = False
    is_ended = False
    """Whether the other side has closed or reset it."""
    has_spoken = False
    """Whether anything came."""
    _full_since_s: float | None = None

    def send(self, content: Any, flags: int = 0) -> int:
        try:
            sent = super().send(content, flags)
        except TimeoutError:
            now_s = time.monotonic()
            self._full_since_s = self._full_since_s or now_s
            self.is_stuck = now_s - self._full_since_s > self.answer_s
            if self.is_stuck:
                raise ConnectionAbortedError("nothing is taken") from None
            raise
        except OSError:
            self.is_ended = True
            raise
        self._full_since_s = None
        return sent

    def recv(self, size: int, flags: int = 0) -> bytes:
        try:
            content = super().recv(size, flags)
        except TimeoutError:
            raise
        except OSError:
            self.is_ended = True
            raise
        self.has_spoken = self.has_spoken or bool(content)
        self.is_ended = self.is_ended or not content
        return content


class _Session(paramiko.SFTPClient):  # type: ignore[misc]
    """An SFTP client that tells a silent server from one that is gone."""

    line: _Line

    def _send_packet(self, kind: int, packet: Any) -> None:
        try:
            super()._send_packet(kind, packet)
        except EOFError:
            if self.line.is_stuck:
                raise TimeoutError("nothing is taken") from None
            raise


@contextmanager
def dial(login: Login, patience: Patience = PATIENCE) -> Iterator[paramiko.SFTPClient]:
    """Open an SFTP session for the block.

    :raises NotOpened: there is no session. Errors of the block pass unchanged.
    """
    line = _connect(login, patience)
    transport: paramiko.Transport | None = None
    try:
        try:
            transport = paramiko.Transport(line, disabled_algorithms=login.disabled_algorithms)
            client = _open(transport, line, login, patience)
        except NotOpened:
            raise
        except Exception as error:
            if not is_of_transport(error):
                raise
            raise _of_opening(error, transport, line) from None
        yield client
    finally:
        # Not the client: its farewell would wait for a server that has fallen silent.
        if transport is not None:
            transport.close()
        line.close()


def _connect(login: Login, patience: Patience) -> _Line:
    try:
        plain = socket.create_connection((login.host, login.port), timeout=patience.connect_s)
    except (OSError, UnicodeError) as error:
        why = {
            socket.gaierror: "the name of the host is not known",
            UnicodeError: "the name of the host is not known",
            ConnectionRefusedError: "the server refuses connections at this port",
            TimeoutError: f"the server does not answer within {patience.connect_s:g} s",
        }.get(type(error), "the server cannot be reached")
        raise NotOpened(Hindrance.UNREACHABLE, why=why) from None
    line = _Line(fileno=plain.detach())
    line.answer_s = patience.answer_s
    return line


def _open(
    transport: paramiko.Transport, line: _Line, login: Login, patience: Patience
) -> paramiko.SFTPClient:
    transport.set_log_channel(_LOG_CHANNEL)
    transport.logger.setLevel("CRITICAL")
    transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = patience.login_s
    _prefer_pinned_kinds(transport, login.host_keys)
    transport.start_client(timeout=patience.login_s)
    if not transport.initial_kex_done:
        raise TimeoutError
    _require_pinned(transport.get_remote_server_key().asbytes(), login)
    _log_in(transport, login)
    transport.set_keepalive(patience.keepalive_s)
    return _open_session(transport, line, patience)


def _prefer_pinned_kinds(transport: paramiko.Transport, host_keys: frozenset[bytes]) -> None:
    """Ask for a key of a pinned kind: a server has one of each kind and shows the one that is asked for."""
    kinds = set(map(kind_of, host_keys))
    if "ssh-rsa" in kinds:
        kinds |= {"rsa-sha2-512", "rsa-sha2-256"}
    options = transport.get_security_options()
    options.key_types = sorted(options.key_types, key=lambda kind: kind not in kinds)


def _require_pinned(shown: bytes, login: Login) -> None:
    if shown not in login.host_keys:
        is_shown, pinned = fingerprint(shown), sorted(map(fingerprint, login.host_keys))
        why = f"{WHY[Hindrance.HOST_KEY_CHANGED]}: shown {is_shown}, pinned {' or '.join(pinned)}"
        raise NotOpened(Hindrance.HOST_KEY_CHANGED, why=why, shown=is_shown, pinned=pinned)


def _log_in(transport: paramiko.Transport, login: Login) -> None:
    refused: paramiko.AuthenticationException | None = None
    if login.key is not None:
        try:
            if not transport.auth_publickey(login.user, _key(login.key)):
                return
        except paramiko.AuthenticationException as error:
            if login.password is None or not transport.is_active():
                raise
            refused = error
    # Also the second factor of a server that wants both.
    if login.password is None:
        raise refused or paramiko.AuthenticationException("one method is not enough")
    transport.auth_password(login.user, login.password)


def _key(text: str) -> paramiko.PKey:
    for kind in (paramiko.Ed25519Key, paramiko.RSAKey, paramiko.ECDSAKey):
        try:
            return kind.from_private_key(io.StringIO(text))
        except (paramiko.SSHException, ValueError):
            continue
    raise NotOpened(Hindrance.CONNECTION_INVALID, why="its private key is of no usable kind")


def _open_session(transport: paramiko.Transport, line: _Line, patience: Patience) -> paramiko.SFTPClient:
    is_late = threading.Event()

    def give_up() -> None:
        is_late.set()
        transport.close()

    # Paramiko waits without an end for the answer to the subsystem.
    watch = threading.Timer(patience.answer_s, give_up)
    watch.daemon = True
    watch.start()
    try:
        channel = transport.open_session(timeout=patience.answer_s)
        channel.settimeout(patience.answer_s)
        channel.invoke_subsystem("sftp")
        client = _Session(channel)
    except (paramiko.SSHException, EOFError, OSError) as error:
        if is_late.is_set():
            raise TimeoutError from None
        if isinstance(error, paramiko.ChannelException) or not transport.is_active():
            raise
        raise NotOpened(Hindrance.NO_SFTP) from None
    finally:
        watch.cancel()
    client.line = line
    return client


def _of_opening(error: BaseException, transport: paramiko.Transport | None, line: _Line) -> NotOpened:
    if isinstance(error, TimeoutError) or line.is_stuck or "timeout" in str(error).casefold():
        return NotOpened(Hindrance.SILENT)
    if transport is None or not transport.remote_version:
        return _before_first_line(line)
    if isinstance(error, paramiko.IncompatiblePeer):
        return NotOpened(Hindrance.NO_COMMON_CIPHER)
    if isinstance(error, paramiko.ChannelException):
        return NotOpened(Hindrance.BUSY, why="the server opens no more sessions for now")
    # An end of the connection during the login also comes as a refused login.
    if isinstance(error, paramiko.AuthenticationException) and not line.is_ended:
        return _refused(error)
    return NotOpened(Hindrance.CUT_OFF if line.is_ended else Hindrance.SILENT)


def _before_first_line(line: _Line) -> NotOpened:
    if line.is_ended:
        # So does a server with too many logins under way (MaxStartups), and one that goes down.
        why = "the server closes the connection before it says its name, as one with too many logins does"
        return NotOpened(Hindrance.BUSY, why=why)
    if line.has_spoken:
        return NotOpened(Hindrance.UNREACHABLE, why="what answers at this port is no SSH server")
    return NotOpened(Hindrance.SILENT)


def _refused(error: paramiko.AuthenticationException) -> NotOpened:
    if isinstance(error, paramiko.BadAuthenticationType):
        methods = {"publickey": "a key", "password": "a password", "keyboard-interactive": "a password"}
        takes = sorted({methods.get(one, "another method") for one in error.allowed_types})
        why = f"the server refuses the login; it takes {' or '.join(takes) or 'no method that we have'}"
        return NotOpened(Hindrance.LOGIN_REFUSED, why=why)
    return NotOpened(Hindrance.LOGIN_REFUSED)
