"""Look at the inboxes of all tenants with a limit on files, over one connection for each server (T38).

Called by the task ``check_quotas``. The claim looks too, but only when it runs, and files pile up just when
it does not.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from partner_exchange import log
from partner_exchange.errors import InboxError
from partner_exchange.orchestration.inbox import open_client
from partner_exchange.settings import get_settings
from partner_exchange.storage.folders import SftpHome
from partner_exchange.submissions.quota import watch_quota
from partner_exchange.tenants import registry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from partner_exchange.tenants.model import Tenant

_logger = logging.getLogger(__name__)


@dataclass
class QuotaCounts:
    """How many inboxes were looked at or could not be, and how many mails were queued."""

    inboxes: int = 0
    unreachable: int = 0
    mails: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return plain values for a log line or an XCom."""
        return asdict(self)


def check_quotas() -> QuotaCounts:
    """Look at every inbox with a limit; a server or an inbox that cannot be reached holds up no other one.

    :raises StoreUnavailable: the ledger cannot be reached.
    """
    by_server: dict[str, list[Tenant]] = defaultdict(list)
    for tenant in registry.examine(get_settings().tenants_dir)[0].tenants.values():
        if tenant.quota.max_files is not None:
            by_server[tenant.inbox.connection].append(tenant)
    counts = QuotaCounts()
    for connection_id, tenants in by_server.items():
        seen = counts.inboxes + counts.unreachable
        try:
            _look(connection_id, tenants, counts)
        except InboxError as error:
            # The runs of these tenants say it loudly; here it only must not keep the others from their mail.
            counts.unreachable += len(tenants) - (counts.inboxes + counts.unreachable - seen)
            log.event(_logger, "quota.unreachable", connection=connection_id, error=type(error).__name__)
    log.event(_logger, "quota.checked", **counts.as_dict())
    return counts


def _look(connection_id: str, tenants: Iterable[Tenant], counts: QuotaCounts) -> None:
    with open_client(connection_id) as client:
        for tenant in tenants:
            try:
                entries = SftpHome(client, tenant.home).entries(tenant.inbox.folder)
            except OSError as error:
                counts.unreachable += 1
                log.event(_logger, "quota.unreachable", tenant=tenant.code, error=type(error).__name__)
            else:
                counts.inboxes += 1
                counts.mails += watch_quota(tenant, entries)
