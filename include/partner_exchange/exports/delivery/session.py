"""The SFTP session of a delivery: what keeps it from being opened is a fault of its place (X10)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from partner_exchange.exports.delivery.faults import Place, of_opening
from partner_exchange.storage.sftp_login import Login, NotOpened

if TYPE_CHECKING:
    import paramiko

    from partner_exchange.storage.sftp_dial import Patience


@contextmanager
def open_session(
    login: Login, place: Place, patience: Patience | None = None
) -> Iterator[paramiko.SFTPClient]:
    """Open an SFTP session for the block.

    :raises DeliveryError: it cannot be opened; the code says why. Errors of the block pass unchanged.
    """
    from partner_exchange.storage.sftp_dial import PATIENCE, dial

    with ExitStack() as stack:
        try:
            client = stack.enter_context(dial(login, patience or PATIENCE))
        except NotOpened as error:
            raise of_opening(error, place) from None
        yield client
