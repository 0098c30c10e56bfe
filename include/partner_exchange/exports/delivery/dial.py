"""An SFTP session on any server: the pinned host key first, then the login, and no wait without an end (M70).

Called by ``orchestration.targets``. It opens the session itself, since ``SFTPHook`` lets the ``known_hosts``
of the machine count before the pinned key, offers the machine's own keys and waits for ever at some places.
It imports paramiko, so import it where it is needed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paramiko

from partner_exchange.errors import DeliveryError
from partner_exchange.exports.delivery.faults import Fault, Place, error_of
from partner_exchange.storage.sftp_wire import is_lost

# Lines of the library, some with a traceback, say nothing that our own sentence does not.
_LOG_CHANNEL = "paramiko.delivery"


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


@dataclass(frozen=True)
class Login:
    """How to get to a server; what is secret is not shown.

    :param host_keys: the pinned keys in wire format; any of them will do, so a change can be prepared.
    """

    connection_id: str
    host: str
    port: int
    user: str = field(repr=False)
    host_keys: frozenset[bytes]
    password: str | None = field(default=None, repr=False)
    key: paramiko.PKey | None = field(default=None, repr=False)
    disabled_algorithms: Mapping[str, list[str]] | None = None


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


def pinned_keys(text: str) -> frozenset[bytes]:
    """Return the public keys of a ``host_key``, in wire format.

    :param text: one key a line, as in a ``.pub`` file or as ``ssh-keyscan`` prints it; a bare key will do.
    :raises ValueError: a line holds no key.
    """
    keys = set()
    for line in text.replace("\\n", "\n").splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        blobs = [blob for word in words if (blob := _blob(word))]
        if not blobs:
            raise ValueError("no key in this line")
        keys.add(blobs[0])
    return frozenset(keys)


def _blob(word: str) -> bytes | None:
    try:
        blob = base64.b64decode(word, validate=True)
    except (binascii.Error, ValueError):
        return None
    # A key begins with the length of its type and the type.
    length = int.from_bytes(blob[:4])
    return blob if 7 <= length <= 64 and len(blob) > length + 4 else None


def load_key(text: str, passphrase: str | None) -> paramiko.PKey:
    """Return a private key of any usual form: OpenSSH, PEM, PKCS 8.

    :raises ValueError: it is none, or the passphrase is missing or wrong.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization as form

    content = text.replace("\\n", "\n").strip().encode() + b"\n"
    secret = passphrase.encode() if passphrase else None
    read: Any = form.load_ssh_private_key if b"OPENSSH" in content else form.load_pem_private_key
    try:
        try:
            key = read(content, secret)
        except TypeError:
            # A passphrase for a key that has none; without one for a key that has, this fails again.
            key = read(content, None)
        plain = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption()).decode()
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError("no usable private key") from error
    for kind in (paramiko.Ed25519Key, paramiko.RSAKey, paramiko.ECDSAKey):
        try:
            return kind.from_private_key(io.StringIO(plain))
        except (paramiko.SSHException, ValueError):
            continue
    raise ValueError("no usable kind of private key")


def load_key_file(path: str, passphrase: str | None) -> paramiko.PKey:
    """Return the private key in the file; see ``load_key``.

    :raises OSError: it cannot be read.
    """
    return load_key(Path(path).expanduser().read_text(errors="replace"), passphrase)


@contextmanager
def dial(login: Login, place: Place, patience: Patience = PATIENCE) -> Iterator[paramiko.SFTPClient]:
    """Open an SFTP session for the block.

    :raises DeliveryError: with the codes of ``faults``. Errors of the block pass unchanged.
    """
    line = _connect(login, place, patience)
    transport: paramiko.Transport | None = None
    try:
        try:
            transport = paramiko.Transport(line, disabled_algorithms=login.disabled_algorithms)
            client = _open(transport, line, login, place, patience)
        except DeliveryError:
            raise
        except Exception as error:
            if not (isinstance(error, OSError) or is_lost(error)):
                raise
            raise _of_opening(error, transport, line, place) from None
        yield client
    finally:
        # Not the client: its farewell would wait for a server that has fallen silent.
        if transport is not None:
            transport.close()
        line.close()


def _connect(login: Login, place: Place, patience: Patience) -> _Line:
    try:
        plain = socket.create_connection((login.host, login.port), timeout=patience.connect_s)
    except (OSError, UnicodeError) as error:
        why = {
            socket.gaierror: "the name of the host is not known",
            UnicodeError: "the name of the host is not known",
            ConnectionRefusedError: "the server refuses connections at this port",
            TimeoutError: f"the server does not answer within {patience.connect_s:g} s",
        }.get(type(error), "the server cannot be reached")
        raise error_of(Fault.UNREACHABLE, place, why=why) from None
    line = _Line(fileno=plain.detach())
    line.answer_s = patience.answer_s
    return line


def _open(
    transport: paramiko.Transport, line: _Line, login: Login, place: Place, patience: Patience
) -> paramiko.SFTPClient:
    transport.set_log_channel(_LOG_CHANNEL)
    transport.logger.setLevel("CRITICAL")
    transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = patience.login_s
    _prefer_pinned_kinds(transport, login.host_keys)
    transport.start_client(timeout=patience.login_s)
    if not transport.initial_kex_done:
        raise TimeoutError
    _require_pinned(transport.get_remote_server_key().asbytes(), login, place)
    _log_in(transport, login)
    transport.set_keepalive(patience.keepalive_s)
    return _open_session(transport, line, place, patience)


def _prefer_pinned_kinds(transport: paramiko.Transport, host_keys: frozenset[bytes]) -> None:
    """Ask for a key of a pinned kind: a server has one of each kind and shows the one that is asked for."""
    kinds = {blob[4 : 4 + int.from_bytes(blob[:4])].decode(errors="replace") for blob in host_keys}
    if "ssh-rsa" in kinds:
        kinds |= {"rsa-sha2-512", "rsa-sha2-256"}
    options = transport.get_security_options()
    options.key_types = sorted(options.key_types, key=lambda kind: kind not in kinds)


def _require_pinned(shown: bytes, login: Login, place: Place) -> None:
    if shown not in login.host_keys:
        raise error_of(Fault.HOST_KEY_CHANGED, place, shown=fingerprint(shown))


def fingerprint(blob: bytes) -> str:
    """Return the fingerprint of a public key in wire format, as OpenSSH shows it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _log_in(transport: paramiko.Transport, login: Login) -> None:
    refused: paramiko.AuthenticationException | None = None
    if login.key is not None:
        try:
            if not transport.auth_publickey(login.user, login.key):
                return
        except paramiko.AuthenticationException as error:
            if login.password is None or not transport.is_active():
                raise
            refused = error
    # Also the second factor of a server that wants both.
    if login.password is None:
        raise refused or paramiko.AuthenticationException("one method is not enough")
    transport.auth_password(login.user, login.password)


def _open_session(
    transport: paramiko.Transport, line: _Line, place: Place, patience: Patience
) -> paramiko.SFTPClient:
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
        raise error_of(Fault.NO_SFTP, place) from None
    finally:
        watch.cancel()
    client.line = line
    return client


def _of_opening(
    error: BaseException, transport: paramiko.Transport | None, line: _Line, place: Place
) -> DeliveryError:
    if isinstance(error, TimeoutError) or line.is_stuck or "timeout" in str(error).casefold():
        return error_of(Fault.SILENT, place)
    if transport is None or not transport.remote_version:
        return _before_first_line(line, place)
    if isinstance(error, paramiko.IncompatiblePeer):
        return error_of(Fault.NO_COMMON_CIPHER, place)
    if isinstance(error, paramiko.ChannelException):
        return error_of(Fault.BUSY, place, why="the server opens no more sessions for now")
    # An end of the connection during the login also comes as a refused login.
    if isinstance(error, paramiko.AuthenticationException) and not line.is_ended:
        return _refused(error, place)
    return error_of(Fault.CUT_OFF if line.is_ended else Fault.SILENT, place)


def _before_first_line(line: _Line, place: Place) -> DeliveryError:
    if line.is_ended:
        # So does a server with too many logins under way (MaxStartups), and one that goes down.
        why = "the server closes the connection before it says its name, as one with too many logins does"
        return error_of(Fault.BUSY, place, why=why)
    if line.has_spoken:
        return error_of(Fault.UNREACHABLE, place, why="what answers at this port is no SSH server")
    return error_of(Fault.SILENT, place)


def _refused(error: paramiko.AuthenticationException, place: Place) -> DeliveryError:
    if isinstance(error, paramiko.BadAuthenticationType):
        methods = {"publickey": "a key", "password": "a password", "keyboard-interactive": "a password"}
        takes = sorted({methods.get(one, "another method") for one in error.allowed_types})
        why = f"the server refuses the login; it takes {' or '.join(takes) or 'no method that we have'}"
        return error_of(Fault.LOGIN_REFUSED, place, why=why)
    return error_of(Fault.LOGIN_REFUSED, place)
