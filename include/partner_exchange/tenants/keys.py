"""Public keys of partners: read from every form a partner sends, and judged by the key policy (K4, E40-E43).

Called by the gateway at each login and by the command line before a key is put into a tenant file. A
private key is refused before anything else is looked at, and no message ever quotes key material.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from partner_exchange.errors import KeyPolicyRefused
from partner_exchange.settings import Settings
from partner_exchange.tenants.model import KeyPolicy, KeyType, Tenant

KEYS_PREFIX = "{keys}/"
"""Start of a ``public_key_files`` entry that lies in the stack's folder of demo keys."""

_LONGEST_TEXT = 64 * 1024
_WEAKEST_RSA_BITS = 2048
_TYPES = {
    "ssh-rsa": KeyType.RSA,
    "ssh-ed25519": KeyType.ED25519,
    "ecdsa-sha2-nistp256": KeyType.ECDSA,
    "ecdsa-sha2-nistp384": KeyType.ECDSA,
    "ecdsa-sha2-nistp521": KeyType.ECDSA,
}
_CURVE_BITS = {"nistp256": 256, "nistp384": 384, "nistp521": 521}
_PRIVATE = re.compile(r"PRIVATE KEY|^PuTTY-User-Key-File-\d|^Private-Lines:", re.I | re.M)
_SSH1 = re.compile(r"^\s*(?:ssh1\s+)?\d{3,5}\s+\d{1,10}\s+\d{50,}")
_RFC4716 = re.compile(
    r"^---- BEGIN SSH2 PUBLIC KEY ----\s*\n(?P<body>.*?)^---- END SSH2 PUBLIC KEY ----\s*$", re.S | re.M
)
_PEM = re.compile(r"^-----BEGIN (?:RSA )?PUBLIC KEY-----\s*$", re.M)
_TYPE_NAME = re.compile(r"^(?:ssh|ecdsa|sk-ssh|sk-ecdsa|webauthn-sk-ecdsa)-[a-z0-9@.-]+$", re.I)

_SEND_AGAIN = "Send the content of the .pub file, or what PuTTYgen saves with `Save public key`."


@dataclass(frozen=True)
class PublicKey:
    """One public key; ``openssh`` is its one-line form, ``sha256`` what ``ssh-keygen -l`` prints."""

    type: KeyType
    bits: int
    openssh: str
    sha256: str

    @property
    def blob(self) -> bytes:
        """Return the key as it travels on the wire."""
        return base64.b64decode(self.openssh.split()[1])


@dataclass(frozen=True)
class KeyRing:
    """The keys of one tenant: which may log in, and why others may not, by where they were found."""

    usable: tuple[PublicKey, ...]
    refused: tuple[tuple[str, KeyPolicyRefused], ...]


def parse(text: str) -> PublicKey:
    """Return the key that a one-line OpenSSH, a multi-line RFC 4716 (PuTTYgen) or a PEM text holds.

    :raises KeyPolicyRefused: ``key-is-private``, ``key-type-refused``, ``key-unreadable``.
    """
    text = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").strip()
    if _PRIVATE.search(text):
        raise KeyPolicyRefused(
            "key-is-private",
            "This is a PRIVATE key, and it was not kept. It must never leave the machine it was made on: "
            "regard it as disclosed, make a new pair with `ssh-keygen` or PuTTYgen, and send the public half "
            f"only. {_SEND_AGAIN}",
        )
    if not text or len(text) > _LONGEST_TEXT:
        raise _unreadable("the text is empty" if not text else "the text is far too long for a key")
    if _SSH1.match(text):
        raise _type_refused("an SSH-1 key")
    return read_blob(_blob(text))


def read_blob(blob: bytes) -> PublicKey:
    """Return the key that a wire-format blob holds; it has to be complete and without anything behind it.

    :raises KeyPolicyRefused: ``key-type-refused``, ``key-unreadable``.
    """
    name_bytes, fields = _first_field(blob)
    name = name_bytes.decode("ascii", "replace")
    if name not in _TYPES:
        raise _unknown_type(name)
    kind = _TYPES[name]
    try:
        bits = _bits(kind, name, _fields(fields))
    except ValueError as error:
        raise _unreadable(str(error)) from None
    openssh = f"{name} {base64.b64encode(blob).decode()}"
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return PublicKey(kind, bits, openssh, f"SHA256:{digest}")


def check(key: PublicKey, policy: KeyPolicy) -> None:
    """Accept the key silently when the policy allows its type and size (K4).

    The size rule concerns RSA: the other types have one size each, and no RSA key under 2048 bits is ever
    taken.

    :raises KeyPolicyRefused: ``key-type-refused``, ``key-size-refused``; the message names what is asked for.
    """
    if key.type not in policy.types:
        raise _type_refused(f"a key of type {key.type}", policy)
    if key.type is not KeyType.RSA:
        return
    wanted = policy.bits or _WEAKEST_RSA_BITS
    exact = policy.match == "exact" and policy.bits is not None
    if key.bits != wanted if exact else key.bits < wanted:
        rule = f"exactly {wanted}" if exact else f"{wanted} or more"
        raise KeyPolicyRefused(
            "key-size-refused",
            f"The RSA key has {key.bits} bits, {rule} are asked for. "
            f"Make a new pair with `ssh-keygen -t rsa -b {wanted}` and send the public half.",
            bits=key.bits,
            wanted=wanted,
        )


def key_ring(tenant: Tenant, settings: Settings) -> KeyRing:
    """Return all keys configured for the tenant, sorted into usable and refused.

    A key file that is not there (yet) is no mistake: the demo keys are made later than the tenant file.
    """
    usable: list[PublicKey] = []
    refused: list[tuple[str, KeyPolicyRefused]] = []
    for where, source in _sources(tenant, settings):
        try:
            text = _read(source) if isinstance(source, Path) else source
            if text is None:
                continue
            key = parse(text)
            check(key, tenant.access.key_policy)
        except KeyPolicyRefused as error:
            refused.append((where, error))
        else:
            usable.append(key)
    return KeyRing(tuple(usable), tuple(refused))


def keys_of(tenant: Tenant, settings: Settings) -> list[PublicKey]:
    """Return the keys that may log in for the tenant now."""
    return list(key_ring(tenant, settings).usable)


def _sources(tenant: Tenant, settings: Settings) -> list[tuple[str, str | Path]]:
    access = tenant.access
    listed = [(f"access.public_keys[{place}]", text) for place, text in enumerate(access.public_keys)]
    return [*listed, *((entry, _file(entry, settings)) for entry in access.public_key_files)]


def _read(path: Path) -> str | None:
    """Return the text of a key file, None when it is not there.

    :raises KeyPolicyRefused: ``key-unreadable``.
    """
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST_TEXT + 1).decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(f"the file cannot be opened ({error.strerror})") from None


def _file(entry: str, settings: Settings) -> Path:
    if entry.startswith(KEYS_PREFIX):
        return settings.keys_dir / entry.removeprefix(KEYS_PREFIX)
    return settings.tenants_dir / entry


def _blob(text: str) -> bytes:
    """Return the wire-format blob inside any of the three text forms."""
    if match := _RFC4716.match(text):
        return _decoded(_without_headers(match["body"]))
    if _PEM.match(text):
        return _from_pem(text)
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    words = lines[0].split() if len(lines) == 1 else []
    if len(lines) > 1:
        raise _unreadable("there is more than one line, but no BEGIN SSH2 PUBLIC KEY around them")
    if len(words) < 2 or not _TYPE_NAME.match(words[0]):
        raise _unreadable("it does not start with a key type such as ssh-rsa")
    if words[0] not in _TYPES:
        raise _unknown_type(words[0])
    blob = _decoded(words[1])
    if _first_field(blob)[0] != words[0].encode():
        raise _unreadable("the type in front differs from the type inside")
    return blob


def _without_headers(body: str) -> str:
    """Return the base64 of an RFC 4716 body; a header that ends in a backslash goes on in the next line."""
    kept: list[str] = []
    in_header = False
    for line in body.splitlines():
        if in_header or ":" in line:
            in_header = line.rstrip().endswith("\\")
        else:
            kept.append(line.strip())
    return "".join(kept)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise _unreadable("its middle part is damaged or cut off") from None


def _from_pem(text: str) -> bytes:
    # asyncssh is imported here because only this rare form needs it, and it costs a quarter of a second.
    import asyncssh

    try:
        return asyncssh.import_public_key(text).public_data
    except (asyncssh.KeyImportError, ValueError):
        raise _unreadable("the PEM text is damaged or of an unknown kind") from None


def _first_field(blob: bytes) -> tuple[bytes, bytes]:
    length = int.from_bytes(blob[:4], "big")
    if len(blob) < 4 or not 0 < length <= len(blob) - 4:
        raise _unreadable("its middle part is damaged or cut off")
    return blob[4 : 4 + length], blob[4 + length :]


def _fields(rest: bytes) -> list[bytes]:
    found: list[bytes] = []
    while rest:
        field, rest = _first_field(rest)
        found.append(field)
    return found


def _bits(kind: KeyType, name: str, fields: list[bytes]) -> int:
    """Return the size.

    :raises ValueError: the fields do not make a key of that kind.
    """
    if kind is KeyType.RSA and len(fields) == 2:
        exponent, modulus = (int.from_bytes(field, "big") for field in fields)
        if exponent < 3 or not exponent & 1 or not modulus & 1:
            raise ValueError("its numbers do not make an RSA key")
        return modulus.bit_length()
    if kind is KeyType.ED25519 and len(fields) == 1 and len(fields[0]) == 32:
        return 256
    if kind is KeyType.ECDSA and len(fields) == 2:
        curve, point = fields[0].decode("ascii", "replace"), fields[1]
        bits = _CURVE_BITS.get(curve, 0)
        if name.endswith(curve) and bits and point[:1] == b"\x04" and len(point) == 1 + 2 * ((bits + 7) // 8):
            return bits
    raise ValueError("its parts do not fit its type")


def _unreadable(why: str) -> KeyPolicyRefused:
    return KeyPolicyRefused("key-unreadable", f"This cannot be read as a public key: {why}. {_SEND_AGAIN}")


def _unknown_type(name: str) -> KeyPolicyRefused:
    if name == "ssh-dss":
        return _type_refused("a DSA key")
    if "-cert-" in name:
        return _type_refused("a certificate")
    if _TYPE_NAME.match(name):
        return _type_refused(f"a key of type {name[:64]}")
    return _unreadable("its middle part is damaged or cut off")


def _type_refused(what: str, policy: KeyPolicy | None = None) -> KeyPolicyRefused:
    allowed = policy.types if policy else tuple(KeyType)
    names = ", ".join(allowed)
    return KeyPolicyRefused(
        "key-type-refused", f"This is {what}; what is taken: {names}. Make a new pair of that type."
    )
