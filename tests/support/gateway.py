"""A real gateway on a free port, in a thread of its own, with real tenants, homes and keys."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import paramiko
import yaml

from partner_exchange.gateway import service
from partner_exchange.settings import Settings
from support.clients import require


class KeyPair:
    """One client key pair in files, private half readable by its owner only."""

    def __init__(self, folder: Path, name: str, algorithm: str, **options: Any) -> None:
        key = asyncssh.generate_private_key(algorithm, **options)
        self.file = folder / name
        key.write_private_key(self.file)
        self.file.chmod(0o600)
        self.public = key.export_public_key("openssh").decode().strip()
        self.fingerprint = key.get_fingerprint()


class Gateway:
    """The gateway under test; ``keys`` says which pair belongs to which tenant."""

    def __init__(self, home: Path, tenants_dir: Path) -> None:
        self.settings = Settings(home=home, tenants_dir=tenants_dir, sftp_port=0)
        self.keys: dict[str, KeyPair] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._gateway: service.Gateway | None = None

    @property
    def port(self) -> int:
        assert self._gateway is not None
        return self._gateway.port

    def start(self) -> None:
        if not self._thread.is_alive():
            self._thread.start()
        self._gateway = self._run(service.serve(self.settings))

    def stop(self) -> None:
        if self._gateway is not None:
            self._run(self._gateway.close())
            self._gateway = None

    def end(self) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def add_tenant(self, code: str, key: KeyPair | None = None, **policy: Any) -> None:
        """Write the tenant's YAML; a running gateway sees it at the next login."""
        access = {"key_policy": {"types": ["rsa", "ed25519", "ecdsa"]}, **policy.pop("access", {})}
        if key is not None:
            access["public_keys"] = [key.public]
            self.keys[code] = key
        text = yaml.safe_dump({"name": code.title(), "feed": "roster", "access": access, **policy})
        (self.settings.tenants_dir / f"{code}.yaml").write_text(text)

    def folder(self, code: str, folder: str = "inbound") -> Path:
        return self.settings.partner_homes_dir / code / folder

    def names(self, code: str, folder: str = "inbound") -> list[str]:
        """Return everything that really lies in the folder, hidden files too."""
        return sorted(path.name for path in self.folder(code, folder).iterdir())

    @property
    def pipeline_key(self) -> Path:
        return self.settings.home_dir / "gateway" / "pipeline_key"

    def key_file(self, user: str) -> Path:
        return self.pipeline_key if user == "pipeline" else self.keys[user].file

    def known_hosts(self) -> Path:
        path = self.settings.home_dir / "known_hosts"
        path.write_text(f"[127.0.0.1]:{self.port} {service.pinned_host_key(self.settings)}\n")
        return path

    def ssh_options(self, user: str, key_file: Path | None = None) -> list[str]:
        options = ["-F", "/dev/null", "-i", str(key_file or self.key_file(user))]
        for option in (
            f"UserKnownHostsFile={self.known_hosts()}",
            "StrictHostKeyChecking=yes",
            "IdentitiesOnly=yes",
            "IdentityAgent=none",
            "BatchMode=yes",
        ):
            options += ["-o", option]
        return options

    def sftp(
        self, user: str, *commands: str, key_file: Path | None = None, options: tuple[str, ...] = ()
    ) -> Any:
        """Run OpenSSH's sftp in batch mode; return the finished process."""
        return subprocess.run(
            [require("sftp"), *self.ssh_options(user, key_file), *options, "-P", str(self.port)]
            + ["-b", "-", f"{user}@127.0.0.1"],
            input="\n".join(commands) + "\n",
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def ssh(self, user: str, *arguments: str, options: tuple[str, ...] = ()) -> Any:
        """Run OpenSSH's ssh; return the finished process."""
        return subprocess.run(
            [require("ssh"), *self.ssh_options(user), *options, "-p", str(self.port), f"{user}@127.0.0.1"]
            + [*arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def lftp(self, user: str, commands: str) -> Any:
        """Run lftp over its sftp:// scheme; return the finished process."""
        require("ssh")
        connect = "ssh -a -x " + " ".join(self.ssh_options(user))
        script = (
            f"set sftp:connect-program '{connect}'; set net:max-retries 1; set cmd:fail-exit yes; "
            f"open -u {user}, sftp://127.0.0.1:{self.port}; {commands}; bye"
        )
        return subprocess.run(
            [require("lftp"), "--norc", "-c", script],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    @contextlib.contextmanager
    def paramiko(self, user: str) -> Iterator[paramiko.SFTPClient]:
        """Yield a paramiko client, logged in."""
        with paramiko.SSHClient() as client:
            client.load_host_keys(str(self.known_hosts()))
            client.connect(
                "127.0.0.1",
                self.port,
                user,
                pkey=paramiko.PKey.from_path(self.key_file(user)),
                look_for_keys=False,
                allow_agent=False,
            )
            yield client.open_sftp()

    def connect(self, user: str, **options: Any) -> Any:
        """Return an asyncssh connection to await or to enter."""
        settings = {
            "username": user,
            "client_keys": [str(self.key_file(user))] if user in self.keys or user == "pipeline" else [],
            "known_hosts": str(self.known_hosts()),
            "agent_path": None,
            "config": None,
        }
        return asyncssh.connect("127.0.0.1", self.port, **(settings | options))


def copy_gateway_keys(made_once: Path, home: Path) -> None:
    """Give a new home the keys that were made once: an RSA key of 3072 bits takes its time."""
    shutil.copytree(made_once, home / "gateway")
