"""Act as a partner: a key pair of one's own and a real SFTP client, as the partner's IT would use them."""

from __future__ import annotations

import base64
import contextlib
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from partner_exchange.errors import StackError
from partner_exchange.settings import Settings
from partner_exchange.tenants.model import KeyType, Tenant

if TYPE_CHECKING:
    import paramiko

TIMEOUT_S = 60


def ensure_partner_key(settings: Settings, tenant: Tenant) -> Path:
    """Return the demo partner's private key, made by the tenant's key policy when it is not there."""
    folder = settings.keys_dir / tenant.code
    private = folder / "id_rsa"
    if private.exists():
        return private
    import asyncssh

    policy = tenant.access.key_policy
    if KeyType.RSA in policy.types:
        key = asyncssh.generate_private_key("ssh-rsa", key_size=policy.bits or 3072)
    else:
        key = asyncssh.generate_private_key("ssh-ed25519")
    folder.mkdir(parents=True, exist_ok=True)
    key.write_public_key(str(private.with_suffix(".pub")))
    descriptor = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.export_private_key())
    return private


class Partner:
    """One partner at the SFTP door: OpenSSH's ``sftp`` where it is installed, paramiko otherwise."""

    def __init__(self, settings: Settings, tenant: Tenant, host_key: str) -> None:
        self._settings = settings
        self._tenant = tenant
        self._key = ensure_partner_key(settings, tenant)
        self._host_key = host_key
        self._sftp = shutil.which("sftp")

    @property
    def client_name(self) -> str:
        """Return which client speaks for the partner."""
        return "OpenSSH sftp" if self._sftp else "paramiko"

    @property
    def command(self) -> str:
        """Return the line a partner types to connect."""
        target = f"{self._tenant.code}@{self._settings.sftp_host}"
        return f"sftp -i {shlex.quote(str(self._key))} -P {self._settings.sftp_port} {target}"

    def put(self, local: Path, remote: str) -> None:
        """Upload a file; ``remote`` is relative to the home."""
        self._put([(local, remote)])

    def put_all(self, files: list[Path], folder: str) -> None:
        """Upload files under their own names into a folder of the home, in one session."""
        self._put([(file, f"{folder}/{file.name}") for file in files])

    def _put(self, pairs: list[tuple[Path, str]]) -> None:
        if self._sftp:
            self._batch([f"put {_quoted(str(local))} {_quoted(remote)}" for local, remote in pairs])
        else:
            with self._paramiko() as client:
                for local, remote in pairs:
                    client.put(str(local), remote)

    def get(self, remote: str) -> bytes:
        """Download a file."""
        with TemporaryDirectory() as folder:
            local = Path(folder) / "answer"
            if self._sftp:
                self._batch([f"get {_quoted(remote)} {_quoted(str(local))}"])
            else:
                with self._paramiko() as client:
                    client.get(remote, str(local))
            return local.read_bytes()

    def _batch(self, lines: list[str]) -> None:
        with TemporaryDirectory() as folder:
            known = Path(folder) / "known_hosts"
            host, port = self._settings.sftp_host, self._settings.sftp_port
            known.write_text(f"[{host}]:{port} {self._host_key}\n")
            options = ["BatchMode=yes", "IdentitiesOnly=yes", f"UserKnownHostsFile={known}"]
            options += ["StrictHostKeyChecking=yes"]
            command = [str(self._sftp), "-q", "-b", "-", "-F", "none", "-i", str(self._key), "-P", str(port)]
            for option in options:
                command += ["-o", option]
            done = subprocess.run(  # noqa: S603 - our own arguments
                [*command, f"{self._tenant.code}@{host}"],
                input="\n".join(lines) + "\n",
                text=True,
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        if done.returncode != 0:
            raise StackError("demo-upload-failed", f"The SFTP client failed: {done.stderr.strip()}")

    @contextlib.contextmanager
    def _paramiko(self) -> Iterator[paramiko.SFTPClient]:
        import paramiko

        with paramiko.SSHClient() as ssh:
            kind, blob = self._host_key.split()[:2]
            name = f"[{self._settings.sftp_host}]:{self._settings.sftp_port}"
            host_key = paramiko.PKey.from_type_string(kind, base64.b64decode(blob))
            ssh.get_host_keys().add(name, kind, host_key)
            ssh.connect(
                self._settings.sftp_host,
                port=self._settings.sftp_port,
                username=self._tenant.code,
                key_filename=str(self._key),
                look_for_keys=False,
                allow_agent=False,
                timeout=TIMEOUT_S,
            )
            with ssh.open_sftp() as client:
                yield client


def _quoted(path: str) -> str:
    """Quote a path for an sftp batch line."""
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'
