"""A partner's home, opened from the Airflow connection that the tenant names; called inside tasks only."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from partner_exchange.errors import InboxError, InboxLoginRefused, InboxUnavailable
from partner_exchange.orchestration.connections import login_of
from partner_exchange.orchestration.looks import look_at
from partner_exchange.storage.answer_names import inbox_answers
from partner_exchange.storage.folders import Entry, SftpHome
from partner_exchange.storage.sftp_login import MAY_PASS, NotOpened
from partner_exchange.storage.sftp_wire import is_lost

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
    :raises InboxUnavailable: the server, or Airflow for the connection, cannot be reached or went away.
    :raises InboxLoginRefused: the connection, our login or the server's host key does not hold.
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

    :raises InboxUnavailable: the server, or Airflow for the connection, cannot be reached or went away.
    :raises InboxLoginRefused: the connection, our login or the server's host key does not hold.
    """
    # Here and not above: it brings the SSH library.
    from partner_exchange.storage.sftp_dial import dial

    with ExitStack() as stack:
        try:
            client = stack.enter_context(dial(login_of(connection_id)))
        except NotOpened as error:
            raise _not_opened(connection_id, error) from None
        try:
            yield client
        except Exception as error:
            if not is_lost(error):
                raise
            raise _unavailable(connection_id, "it went away", type(error).__name__) from error


def _not_opened(connection_id: str, error: NotOpened) -> InboxError:
    if error.hindrance in MAY_PASS:
        return _unavailable(connection_id, error.why, error.hindrance)
    remedy = error.remedy or "Check its login, key_file and host_key"
    message = (
        f"The SFTP server of connection {connection_id!r} cannot be used: {error.why}. "
        f"{remedy}; then clear the task."
    )
    return InboxLoginRefused(
        "inbox-login-refused", message, connection=connection_id, error=str(error.hindrance), **error.fields
    )


def _unavailable(connection_id: str, why: str, kind: str) -> InboxUnavailable:
    message = (
        f"The SFTP server of connection {connection_id!r} cannot be reached: {why}. "
        "Nothing is lost: the files wait there and the step is tried again."
    )
    return InboxUnavailable("inbox-unavailable", message, connection=connection_id, error=str(kind))
