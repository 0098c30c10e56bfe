"""The gateway's own keys: host keys, made once and kept, and the key with which the pipeline logs in.

Called by ``service`` at each start and by the one-machine stack, which pins the host key in Airflow's
connection (E13).
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from secrets import token_hex

import asyncssh

from partner_exchange.errors import StackError
from partner_exchange.settings import Settings

PIPELINE_KEY = "pipeline_key"
_HOST_KEY_ED25519 = "ssh_host_ed25519_key"
_HOST_KEY_RSA = "ssh_host_rsa_key"
_RSA_BITS = 3072


def gateway_dir(settings: Settings) -> Path:
    """Return the folder of the gateway's own keys."""
    return settings.home_dir / "gateway"


def ensure_keys(settings: Settings) -> None:
    """Let both host keys and the pipeline's key be there; those that are stay as they are."""
    folder = gateway_dir(settings)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _ensure(folder / _HOST_KEY_ED25519, "ssh-ed25519")
    _ensure(folder / _HOST_KEY_RSA, "ssh-rsa", _RSA_BITS)
    _ensure(folder / PIPELINE_KEY, "ssh-ed25519")


def host_key_files(settings: Settings) -> list[Path]:
    """Return the private host key files, the preferred one first."""
    return [gateway_dir(settings) / name for name in (_HOST_KEY_ED25519, _HOST_KEY_RSA)]


def pipeline_public_key(settings: Settings) -> asyncssh.SSHKey:
    """Return the public key of the pipeline account."""
    return asyncssh.read_public_key(gateway_dir(settings) / f"{PIPELINE_KEY}.pub")


def pinned_host_key(settings: Settings) -> str:
    """Return the host key as ``ssh-ed25519 AAAA...``, for known_hosts and the Airflow connection.

    :raises StackError: ``host-key-missing`` before the first ``ensure_keys``.
    """
    path = gateway_dir(settings) / f"{_HOST_KEY_ED25519}.pub"
    try:
        return " ".join(path.read_text("ascii").split()[:2])
    except FileNotFoundError:
        message = (
            f"The gateway's host key {path} is not there yet. Start the gateway once; it makes its keys."
        )
        raise StackError("host-key-missing", message) from None


def _ensure(path: Path, algorithm: str, bits: int | None = None) -> None:
    """Make the pair when it is absent; when two processes do so at once, one pair wins and both use it."""
    if not path.exists():
        key = asyncssh.generate_private_key(
            algorithm, comment=path.name, **({"key_size": bits} if bits else {})
        )
        draft = path.with_name(f".{path.name}.{token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.export_private_key("openssh"))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    public = path.with_name(f"{path.name}.pub")
    if not public.exists():
        draft = public.with_name(f".{public.name}.{token_hex(8)}")
        draft.write_bytes(asyncssh.read_private_key(path).export_public_key("openssh"))
        draft.replace(public)
