"""A partner's home, opened from the Airflow connection that the tenant names; called inside tasks only."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from partner_exchange.errors import InboxLoginRefused, InboxUnavailable
from partner_exchange.orchestration.looks import look_at
from partner_exchange.storage.answer_names import inbox_answers
from partner_exchange.storage.folders import Entry, SftpHome

if TYPE_CHECKING:
    import paramiko

    from partner_exchange.tenants.model import Tenant


class SettledHome(SftpHome):
    """A home whose inbox shows only complete files and our own names.

    Between the sensor's look and the claim a partner may start another upload; on a server that does not
    publish uploads atomically the claim must not take that half file (X01).

    :param settled: fingerprints of the complete files, as the sensor saw them.
    :param answers: ``inbox_answers`` of the tenant; no claim takes those, so they show as they are.
    """

    def __init__(
        self,
        client: paramiko.SFTPClient,
        root: str,
        *,
        inbox: str,
        settled: Collection[str],
        answers: Collection[str] = (),
    ) -> None:
        super().__init__(client, root)
        self._inbox = inbox
        self._settled = frozenset(settled)
        self._answers = answers

    def entries(self, folder: str) -> list[Entry]:
        """See ``Home.entries``; files of the inbox that are not known to be complete are left out."""
        entries = super().entries(folder)
        if folder != self._inbox:
            return entries
        look = look_at(entries).without_answers(self._answers)
        growing = {fact.name for fact in look.facts if fact.fingerprint not in self._settled}
        return [entry for entry in entries if entry.name not in growing]


@contextmanager
def open_home(tenant: Tenant, *, settled: Collection[str] | None = None) -> Iterator[SftpHome]:
    """Open the tenant's home for the block, over one SFTP connection.

    :param settled: see ``SettledHome``; None shows all files.
    :raises InboxUnavailable: the server cannot be reached or went away.
    :raises InboxLoginRefused: our login or the server's host key does not hold.
    """
    with open_client(tenant.inbox.connection) as client:
        if settled is None:
            yield SftpHome(client, tenant.home)
        else:
            yield SettledHome(
                client,
                tenant.home,
                inbox=tenant.inbox.folder,
                settled=settled,
                answers=inbox_answers(tenant),
            )


@contextmanager
def open_client(connection_id: str) -> Iterator[paramiko.SFTPClient]:
    """Open the SFTP connection of that Airflow connection id for the block.

    :raises InboxUnavailable: the server cannot be reached or went away.
    :raises InboxLoginRefused: our login or the server's host key does not hold.
    """
    import paramiko
    from airflow.providers.sftp.hooks.sftp import SFTPHook

    # One try: pauses between tries are Airflow's, where they hold no worker.
    managed = SFTPHook(ssh_conn_id=connection_id, conn_retry_attempts=1).get_managed_conn()
    try:
        client = managed.__enter__()
    except (paramiko.AuthenticationException, paramiko.BadHostKeyException) as error:
        raise _refused(connection_id, error) from None
    except (FileNotFoundError, PermissionError) as error:
        raise _refused(connection_id, error) from None
    except paramiko.SSHException as error:
        # Paramiko has no class of its own for a host key that nobody pinned.
        if "not found in known_hosts" in str(error):
            raise _refused(connection_id, error) from None
        raise _unavailable(connection_id, error) from None
    except (OSError, EOFError) as error:
        raise _unavailable(connection_id, error) from None
    try:
        yield client
    except (paramiko.SSHException, EOFError, ConnectionError, TimeoutError) as error:
        raise _unavailable(connection_id, error) from error
    except OSError as error:
        # What paramiko says on a connection that died under a transfer has no errno.
        if error.errno is None and "closed" in str(error):
            raise _unavailable(connection_id, error) from error
        raise
    finally:
        managed.__exit__(None, None, None)


def _unavailable(connection_id: str, error: Exception) -> InboxUnavailable:
    message = (
        f"The SFTP server of connection {connection_id!r} cannot be reached ({type(error).__name__}). "
        "Nothing is lost: the files wait there and the step is tried again."
    )
    return InboxUnavailable(
        "inbox-unavailable", message, connection=connection_id, error=type(error).__name__
    )


def _refused(connection_id: str, error: Exception) -> InboxLoginRefused:
    message = (
        f"The login to the SFTP server of connection {connection_id!r} failed ({type(error).__name__}). "
        "Check its login, key_file and host_key, then clear the task."
    )
    return InboxLoginRefused(
        "inbox-login-refused", message, connection=connection_id, error=type(error).__name__
    )
