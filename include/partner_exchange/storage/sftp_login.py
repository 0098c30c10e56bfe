"""How to get to an SFTP server, and what can stand in the way before a session is open (M70, X10).

Called by whoever opens one: deliveries and the inbox. It imports no SSH library, so it may be imported where
every start counts; ``sftp_dial`` opens the session.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any


class Hindrance(StrEnum):
    """Why there is no session."""

    UNREACHABLE = "unreachable"
    CUT_OFF = "cut-off"
    SILENT = "silent"
    BUSY = "busy"
    CONNECTION_UNTOLD = "connection-untold"
    LOGIN_REFUSED = "login-refused"
    NO_SFTP = "no-sftp"
    NO_COMMON_CIPHER = "no-common-cipher"
    CONNECTION_MISSING = "connection-missing"
    CONNECTION_INVALID = "connection-invalid"
    HOST_KEY_CHANGED = "host-key-changed"
    HOST_KEY_UNKNOWN = "host-key-unknown"


MAY_PASS = frozenset(
    {
        Hindrance.UNREACHABLE,
        Hindrance.CUT_OFF,
        Hindrance.SILENT,
        Hindrance.BUSY,
        Hindrance.CONNECTION_UNTOLD,
    }
)
"""What may pass by itself; all else waits for somebody."""

WHY: Mapping[Hindrance, str] = {
    Hindrance.UNREACHABLE: "the server cannot be reached",
    Hindrance.CUT_OFF: "the connection was cut",
    Hindrance.SILENT: "the server fell silent",
    Hindrance.BUSY: "the server refuses and gives no reason",
    Hindrance.CONNECTION_UNTOLD: "Airflow cannot be asked for the connection now",
    Hindrance.LOGIN_REFUSED: "the server refuses the login",
    Hindrance.NO_SFTP: "the login holds, but the server opens no SFTP session for it",
    Hindrance.NO_COMMON_CIPHER: "the server and we have no cipher or key type in common",
    Hindrance.CONNECTION_MISSING: "there is no such connection",
    Hindrance.CONNECTION_INVALID: "the connection does not hold",
    Hindrance.HOST_KEY_CHANGED: "the server shows another host key than the pinned one",
    Hindrance.HOST_KEY_UNKNOWN: "the connection pins no host key",
}
"""The reasons in words, where nothing closer is known."""


class NotOpened(Exception):
    """There is no session; each room says in its own words what that means for it.

    :param why: the reason, without a full stop; left out: the one of ``WHY``.
    :param remedy: what to do about it, without a full stop; "" when nothing closer is known.
    :param fields: further facts, safe to log.
    """

    def __init__(self, hindrance: Hindrance, *, why: str = "", remedy: str = "", **fields: Any) -> None:
        self.hindrance = hindrance
        self.why = why or WHY[hindrance]
        self.remedy = remedy
        self.fields = fields
        super().__init__(self.why)


@dataclass(frozen=True)
class Login:
    """How to get to a server; what is secret is not shown.

    :param host_keys: the pinned keys in wire format; any of them will do, so a change can be prepared.
    :param key: private key in the form of OpenSSH, without a passphrase, as ``load_key`` returns it.
    """

    host: str
    port: int
    user: str = field(repr=False)
    host_keys: frozenset[bytes]
    password: str | None = field(default=None, repr=False)
    key: str | None = field(default=None, repr=False)
    disabled_algorithms: Mapping[str, list[str]] | None = None


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


def kind_of(blob: bytes) -> str:
    """Return the type of a public key in wire format, such as ``ssh-ed25519``."""
    return blob[4 : 4 + int.from_bytes(blob[:4])].decode(errors="replace")


def public_key(blob: bytes) -> str:
    """Return a public key in wire format as a line of a ``.pub`` file."""
    return f"{kind_of(blob)} {base64.b64encode(blob).decode()}"


def fingerprint(blob: bytes) -> str:
    """Return the fingerprint of a public key in wire format, as OpenSSH shows it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def load_key(text: str, passphrase: str | None) -> str:
    """Return a private key of any usual form (OpenSSH, PEM, PKCS 8) in OpenSSH's form, without passphrase.

    :raises ValueError: it is none, or of no usable kind, or the passphrase is missing or wrong.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    content = text.replace("\\n", "\n").strip().encode() + b"\n"
    secret = passphrase.encode() if passphrase else None
    read: Any = form.load_ssh_private_key if b"OPENSSH" in content else form.load_pem_private_key
    try:
        try:
            key = read(content, secret)
        except TypeError:
            # A passphrase for a key that has none; without one for a key that has, this fails again.
            key = read(content, None)
        if not isinstance(key, (ed25519.Ed25519PrivateKey, rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
            raise ValueError("no usable kind of private key")
        plain = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption())
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError("no usable private key") from error
    return plain.decode()


def load_key_file(path: str, passphrase: str | None) -> str:
    """Return the private key in the file; see ``load_key``.

    :raises OSError: it cannot be read, or is no file.
    """
    try:
        file = Path(path).expanduser()
    except RuntimeError:
        raise FileNotFoundError("a home of nobody") from None
    if not file.is_file():
        # Some things that are none, a device for example, are read without an end.
        raise FileNotFoundError("no file")
    return load_key(file.read_text(errors="replace"), passphrase)
