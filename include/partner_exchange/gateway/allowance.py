"""How many files a partner may leave in the inbox (T38, K13), asked by ``visit`` at each new upload.

Nothing is counted along: each question looks at the folder itself, so a file that the pipeline took, an
operator put there or a killed process left half done is never counted wrong.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator

from partner_exchange.errors import QuotaExceeded
from partner_exchange.gateway.uploads import mark_of, marks_in_progress
from partner_exchange.storage.own_files import is_partners
from partner_exchange.tenants.model import Tenant


class Allowance:
    """The limit of one tenant.

    :param max_files: files of the partner's own, those being uploaded among them.
    :param where: how a refusal calls the place that is full.
    """

    def __init__(self, max_files: int, where: str) -> None:
        self._max_files = max_files
        self._where = where

    @classmethod
    def of(cls, tenant: Tenant) -> Allowance | None:
        """Return the tenant's allowance, None when any number of files may lie there.

        A partner writes into one folder only, so a limit on that folder and one on the account count the
        same files; they differ in what the partner is told.
        """
        quota = tenant.quota
        if quota.max_files is None:
            return None
        where = f"Your {tenant.inbox.folder} folder" if quota.scope == "folder" else "Your account"
        return cls(quota.max_files, where)

    @contextlib.contextmanager
    def held(self, folder: int) -> Iterator[None]:
        """Let nobody else ask for a place in the folder during the block, which asks and then takes it."""
        fcntl.flock(folder, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(folder, fcntl.LOCK_UN)

    def check(self, folder: int, name: str, *, instead_of: str | None = None) -> None:
        """Return when the partner may have a file of that name in the folder; one that is there, always.

        :param folder: descriptor of the folder.
        :param instead_of: the old name, when a file is renamed. That takes a place only when its old name is
            being uploaded anew at the same time.
        :raises QuotaExceeded: code ``too-many-files``.
        """
        own, coming = _own_marks(folder), marks_in_progress(folder)
        before = own | coming
        after = (own - {mark_of(instead_of)} if instead_of else own) | coming | {mark_of(name)}
        if len(after) > max(self._max_files, len(before)):
            raise self._full(len(before))

    def _full(self, count: int) -> QuotaExceeded:
        message = (
            f"{self._where} holds {count} files of your own; {self._max_files} are the most. Remove what is "
            "not needed, half-sent files too, or wait until waiting files are taken in. Then send this one."
        )
        return QuotaExceeded("too-many-files", message, count=count, max_files=self._max_files)


def _own_marks(folder: int) -> set[str]:
    with os.scandir(folder) as items:
        return {
            mark_of(item.name)
            for item in items
            if _is_utf8(item.name) and is_partners(item.name) and item.is_file(follow_symlinks=False)
        }


def _is_utf8(name: str) -> bool:
    """Say whether a partner sees the name in a listing; what nobody can remove is not to be counted."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
