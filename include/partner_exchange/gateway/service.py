"""Start and stop the gateway: ``exchange gateway`` calls ``run``, tests and the stack call ``serve``."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import resource
import signal
from functools import partial

import asyncssh

from partner_exchange import log
from partner_exchange.errors import StackError
from partner_exchange.gateway import uploads
from partner_exchange.gateway.accounts import Accounts
from partner_exchange.gateway.host_keys import ensure_keys, host_key_files, pinned_host_key
from partner_exchange.gateway.sftp import (
    ENCRYPTION_ALGS,
    KEX_ALGS,
    MAC_ALGS,
    SIGNATURE_ALGS,
    Door,
)
from partner_exchange.settings import Settings

__all__ = ["Gateway", "ensure_keys", "pinned_host_key", "run", "serve"]

_logger = logging.getLogger(__name__)

_LOGIN_TIMEOUT_S = 30
_KEEPALIVE_S = 30
_KEEPALIVES_LOST = 4
_GOODBYE_S = 5
_BACKLOG = 256
_SERVER_VERSION = "PartnerExchange"


class Gateway:
    """A running gateway; ``port`` is the one it listens on."""

    def __init__(
        self, acceptor: asyncssh.SSHAcceptor, connections: set[asyncssh.SSHServerConnection]
    ) -> None:
        self._acceptor = acceptor
        self._connections = connections
        self.port = acceptor.get_port()

    async def close(self) -> None:
        """Stop listening and end all sessions; uploads that are not closed yet are dropped."""
        self._acceptor.close()
        connections = list(self._connections)
        for connection in connections:
            connection.disconnect(
                asyncssh.DISC_BY_APPLICATION, "The exchange is going down. Come back in a minute."
            )
        ended = [asyncio.ensure_future(connection.wait_closed()) for connection in connections]
        if ended:
            _, slow = await asyncio.wait(ended, timeout=_GOODBYE_S)
            for connection, end in zip(connections, ended, strict=True):
                if end in slow:
                    connection.abort()
        await self._acceptor.wait_closed()


async def serve(settings: Settings) -> Gateway:
    """Start the SFTP door on ``settings.host`` and ``settings.sftp_port`` (0: any free port).

    :raises StackError: ``port-busy``, ``address-unusable``.
    :raises RegistryInvalid: the tenants folder does not hold.
    """
    ensure_keys(settings)
    accounts = Accounts(settings)
    uploads.sweep(settings.partner_homes_dir)
    connections: set[asyncssh.SSHServerConnection] = set()
    try:
        acceptor = await asyncssh.listen(
            settings.host,
            settings.sftp_port,
            server_factory=partial(Door, accounts, connections),
            server_host_keys=_host_keys(settings),
            config=None,
            server_version=_SERVER_VERSION,
            backlog=_BACKLOG,
            kex_algs=KEX_ALGS,
            encryption_algs=ENCRYPTION_ALGS,
            mac_algs=MAC_ALGS,
            signature_algs=SIGNATURE_ALGS,
            compression_algs=None,
            gss_host=None,
            password_auth=False,
            kbdint_auth=False,
            host_based_auth=False,
            allow_pty=False,
            agent_forwarding=False,
            x11_forwarding=False,
            login_timeout=_LOGIN_TIMEOUT_S,
            keepalive_interval=_KEEPALIVE_S,
            keepalive_count_max=_KEEPALIVES_LOST,
        )
    except OSError as error:
        raise _cannot_listen(settings, error) from error
    gateway = Gateway(acceptor, connections)
    log.event(_logger, "gateway_listens", door="sftp", host=settings.host, port=gateway.port)
    return gateway


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    :raises StackError: see ``serve``.
    :raises RegistryInvalid: see ``serve``.
    """
    log.configure(settings.log_level)
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    _raise_file_limit()
    asyncio.run(_serve_until_told(settings))


async def _serve_until_told(settings: Settings) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    gateway = await serve(settings)
    await told.wait()
    await gateway.close()
    log.event(_logger, "gateway_ended", door="sftp")


def _host_keys(settings: Settings) -> list[asyncssh.SSHKeyPair]:
    """Return the host keys without the SHA-1 signature that asyncssh still lists for RSA."""
    pairs = asyncssh.load_keypairs([str(path) for path in host_key_files(settings)])
    for pair in pairs:
        pair.host_key_algorithms = [
            name for name in pair.host_key_algorithms if name.decode() in SIGNATURE_ALGS
        ]
    return list(pairs)


def _raise_file_limit() -> None:
    """Allow as many open files as the system grants: each upload takes two descriptors."""
    with contextlib.suppress(OSError, ValueError):
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _cannot_listen(settings: Settings, error: OSError) -> StackError:
    where = f"{settings.host}:{settings.sftp_port}"
    if error.errno == errno.EADDRINUSE:
        message = (
            f"The SFTP port {where} is taken by another program. Stop that one or set EXCHANGE_SFTP_PORT."
        )
        return StackError("port-busy", message, host=settings.host, port=settings.sftp_port)
    why = error.strerror or error
    message = f"The gateway cannot listen on {where}: {why}. Check EXCHANGE_HOST and EXCHANGE_SFTP_PORT."
    return StackError("address-unusable", message, host=settings.host, port=settings.sftp_port)
