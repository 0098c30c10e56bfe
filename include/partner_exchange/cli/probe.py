"""``exchange account probe``: the first connection of a partner, step by step, with what to do (E33)."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from partner_exchange.cli.options import JSON_OPTION, TENANT_OPTION, fingerprint, gateway_fingerprints
from partner_exchange.tenants.model import Inbox

TIMEOUT_S = 20
_CONTENT = b"Partner Exchange connection probe. It may be deleted.\n"


@dataclass(frozen=True)
class Step:
    """What became of one step."""

    name: str
    is_passed: bool
    seconds: float
    said: str
    remedy: str = ""
    """What to do; "" when there is nothing to do."""


class _Failed(Exception):
    """A step did not pass; what was found, and what to do."""

    def __init__(self, said: str, remedy: str) -> None:
        super().__init__(said)
        self.said, self.remedy = said, remedy


def probe(
    tenant: TENANT_OPTION,
    host: Annotated[str | None, typer.Option(help="instead of EXCHANGE_SFTP_HOST")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="instead of EXCHANGE_SFTP_PORT")] = None,
    key: Annotated[
        Path | None, typer.Option(dir_okay=False, help="private key; unset: that of the demo partner")
    ] = None,
    host_key: Annotated[
        str | None,
        typer.Option(
            "--fingerprint", help="of the server's key, SHA256:...; unset: that of this machine's gateway"
        ),
    ] = None,
    as_json: JSON_OPTION = False,
) -> None:
    """Connect as the partner would and try each right: exit 0 when every step passes, 1 when one does not.

    A small file is put into the inbox under a name that is never claimed, and removed again.
    """
    from partner_exchange.settings import get_settings
    from partner_exchange.tenants import registry

    policy = registry.load_one(tenant)
    settings = get_settings()
    visitor = _Visitor(
        user=tenant,
        host=host or settings.sftp_host,
        port=port or settings.sftp_port,
        key_file=key or settings.keys_dir / tenant / "id_rsa",
        fingerprints=[host_key] if host_key else gateway_fingerprints(settings),
        inbox=policy.inbox,
    )
    steps = visitor.visit()
    if as_json:
        print(json.dumps([asdict(step) for step in steps], ensure_ascii=False, indent=2))
    else:
        for step in steps:
            verdict = "pass" if step.is_passed else "FAIL"
            print(f"{verdict}  {step.name:<16} {step.seconds:6.2f} s  {step.said}")
            if step.remedy:
                print(f"      -> {step.remedy}")
    raise typer.Exit(0 if all(step.is_passed for step in steps) else 1)


@dataclass
class _Visitor:
    """A partner's SFTP client that looks around; nothing it does reaches the pipeline."""

    user: str
    host: str
    port: int
    key_file: Path
    fingerprints: list[str]
    """The host keys to expect; none: it is not known here."""
    inbox: Inbox
    _transport: Any = None
    _client: Any = None
    _steps: list[Step] = field(default_factory=list)

    def visit(self) -> list[Step]:
        """Return what became of each step; after a failed login the others are not tried."""
        # Which step failed is said in our words; the library's lines would stand between them.
        logging.getLogger("paramiko").setLevel(logging.CRITICAL)
        needed: list[tuple[str, Callable[[], str]]] = [
            ("connect", self._connect),
            ("host key", self._compare_host_key),
            ("login", self._log_in),
        ]
        tried: list[tuple[str, Callable[[], str]]] = [
            ("list home", self._list_home),
            ("write inbox", self._write_inbox),
            ("read outbox", self._read_outbox),
            ("outbox is ours", self._be_refused_in_outbox),
        ]
        try:
            if all(self._passes(name, act) for name, act in needed):
                for name, act in tried:
                    self._passes(name, act)
        finally:
            if self._transport is not None:
                self._transport.close()
        return self._steps

    def _passes(self, name: str, act: Callable[[], str]) -> bool:
        import paramiko

        started = time.monotonic()
        remedy = ""
        try:
            said = act()
        except _Failed as failed:
            said, remedy = failed.said, failed.remedy
        except (OSError, EOFError, paramiko.SSHException) as error:
            said = str(error) or type(error).__name__
            remedy = "Try again; if it stays, send this line to your contact at the exchange."
        self._steps.append(Step(name, not remedy, round(time.monotonic() - started, 3), said, remedy))
        return not remedy

    def _connect(self) -> str:
        import paramiko

        try:
            stream = socket.create_connection((self.host, self.port), timeout=TIMEOUT_S)
        except OSError as error:
            raise _Failed(
                f"nobody answers at {self.host} port {self.port}: {error.strerror or error}",
                "Check host and port against your Data Map, and let your firewall pass connections to them.",
            ) from None
        try:
            self._transport = paramiko.Transport(stream)
            self._transport.start_client(timeout=TIMEOUT_S)
        except (EOFError, OSError, paramiko.SSHException) as error:
            raise _Failed(
                f"{self.host} port {self.port} does not speak SSH with us: {error}",
                "Check the port; a firewall that looks into connections must let SSH pass.",
            ) from None
        return f"{self.host} port {self.port} speaks SSH"

    def _compare_host_key(self) -> str:
        shown = fingerprint(self._transport.get_remote_server_key().asbytes())
        if not self.fingerprints:
            raise _Failed(
                f"the server shows {shown}, and nothing here tells whether it is ours",
                "Compare it with your Data Map and give it as --fingerprint.",
            )
        if shown not in self.fingerprints:
            raise _Failed(
                f"the server shows {shown}, expected was {' or '.join(self.fingerprints)}",
                "Do not log in: this may be another server. Ask your contact at the exchange.",
            )
        return shown

    def _log_in(self) -> str:
        import paramiko

        try:
            key = paramiko.PKey.from_path(self.key_file)
        except (OSError, ValueError, TypeError, paramiko.SSHException, paramiko.UnknownKeyType):
            raise _Failed(
                f"no usable private key in {self.key_file}",
                "Give the partner's private key as --key, in OpenSSH or PEM form and without a passphrase.",
            ) from None
        try:
            self._transport.auth_publickey(self.user, key)
        except paramiko.AuthenticationException:
            raise _Failed(
                f"the server refuses {self.user} with the key {fingerprint(key.asbytes())}",
                "Check the user name, that the public half of this key stands in the tenant's file, and that "
                "the key policy takes it (exchange tenants check).",
            ) from None
        self._client = paramiko.SFTPClient.from_transport(self._transport)
        return f"{self.user} with the key {fingerprint(key.asbytes())}"

    def _list_home(self) -> str:
        names = set(self._client.listdir("/"))
        missing = {self.inbox.folder, self.inbox.outbox} - names
        if missing:
            raise _Failed(
                f"the folder {' and '.join(sorted(missing))} is missing",
                "Start the gateway anew; it makes them.",
            )
        return f"/{self.inbox.folder} and /{self.inbox.outbox} are there"

    def _write_inbox(self) -> str:
        path = f"/{self.inbox.folder}/{_probe_name()}"
        try:
            size = self._put(path)
        except OSError as error:
            raise _Failed(
                f"no file can be put into /{self.inbox.folder}: {error}",
                "Look whether the disk of the exchange is full and whose folder it is.",
            ) from None
        self._client.remove(path)
        return f"a file of {size} bytes was put and removed"

    def _read_outbox(self) -> str:
        return f"{len(self._client.listdir(f'/{self.inbox.outbox}'))} files"

    def _be_refused_in_outbox(self) -> str:
        path = f"/{self.inbox.outbox}/{_probe_name()}"
        try:
            self._put(path)
        except PermissionError:
            return "writing there is refused, as it should be"
        with contextlib.suppress(OSError):
            self._client.remove(path)
        raise _Failed(
            "a file could be put there", "Tell your contact at the exchange: the rights are too wide."
        )

    def _put(self, path: str) -> int:
        """Put a small file and return its size."""
        with self._client.open(path, "wb") as file:
            file.write(_CONTENT)
        size: int = self._client.stat(path).st_size
        return size


def _probe_name() -> str:
    """Return a name that is never claimed (``names.is_temporary``)."""
    from ulid import ULID

    return f".probe-{ULID()}.tmp"
